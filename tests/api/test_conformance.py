"""The response checker accepts valid responses and reports violations of the model."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.conformance import assert_error_conforms, assert_response_conforms

PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/p/1690405809285"


def make_description(**members: Any) -> dict[str, Any]:
    stats = {"LabeledEntries": 1, "TotalEntries": 2, "TotalLabels": 1, "ErrorEntries": 0}
    usual = {
        "CreationTimestamp": 1690405809.285,
        "LastUpdatedTimestamp": datetime.now(UTC),
        "Status": "CREATE_COMPLETE",
        "StatusMessage": "",
        "StatusMessageCode": "SUCCESS",
        "DatasetStats": stats,
    }
    return {"DatasetDescription": usual | members}


def test_a_response_of_the_model_conforms() -> None:
    assert_response_conforms("DescribeDataset", make_description())
    assert_response_conforms("DescribeDataset", {**make_description(), "ResponseMetadata": {}})
    assert_response_conforms("CreateProject", {"ProjectArn": PROJECT})
    assert_response_conforms("DistributeDatasetEntries", {})
    assert_response_conforms("ListTagsForResource", {"Tags": {"a": "b"}})
    assert_response_conforms(
        "ListDatasetEntries", {"DatasetEntries": ['{"source-ref":"s3://b/k"}']}
    )


@pytest.mark.parametrize(
    ("operation", "response", "place"),
    [
        (
            "DescribeDataset",
            make_description(Status="DONE"),
            "DescribeDataset.DatasetDescription.Status",
        ),
        (
            "DescribeDataset",
            make_description(StatusMessage=None),
            "StatusMessage: None is not a string",
        ),
        ("DescribeDataset", make_description(CreationTimestamp="2024"), "CreationTimestamp"),
        (
            "DescribeDataset",
            make_description(DatasetStats={"TotalEntries": -1}),
            "-1 is less than 0",
        ),
        ("DescribeDataset", make_description(DatasetStats={"TotalEntries": True}), "not a integer"),
        ("DescribeDataset", make_description(Surprise=1), "Surprise: unknown to the model"),
        ("CreateProject", {"ProjectArn": PROJECT + "\n"}, "does not match"),
        ("ListDatasetEntries", {"DatasetEntries": ["[]"]}, "DatasetEntries[0]"),
        ("ListDatasetEntries", {"DatasetEntries": [], "NextToken": "x" * 1025}, "more than 1024"),
        ("ListTagsForResource", {"Tags": {"aws:a": "b"}}, "does not match"),
    ],
)
def test_a_response_outside_of_the_model_is_reported(
    operation: str, response: dict[str, Any], place: str
) -> None:
    with pytest.raises(AssertionError, match=re.escape(place)):
        assert_response_conforms(operation, response)


def test_an_error_must_belong_to_the_operation() -> None:
    assert_error_conforms("DistributeDatasetEntries", "ResourceNotReadyException")
    assert_error_conforms("DistributeDatasetEntries", "ValidationException")
    with pytest.raises(AssertionError, match="does not raise ResourceInUseException"):
        assert_error_conforms("DistributeDatasetEntries", "ResourceInUseException")

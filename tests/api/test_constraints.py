"""Violations in a request have AWS's messages, and any body is handled in bounded time."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.request_sites import Site, get_shape, list_sites, list_violations
from twofold.api.constraints import read_request
from twofold.api.requests import parse_request
from twofold.errors import (
    ClientFault,
    SerializationException,
    UnknownOperationException,
    ValidationException,
)
from twofold.settings import ApiOperation

DATASET = "arn:aws:rekognition:us-east-1:123456789012:project/p/dataset/train/1690405809285"

any_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
any_operation = st.sampled_from(list(ApiOperation))


def make_body(**members: Any) -> bytes:
    return json.dumps(members).encode()


def expect_validation_error(operation: str, request: bytes) -> str:
    with pytest.raises(ValidationException) as raised:
        parse_request(operation, request)
    return raised.value.message


def expect_serialization_error(operation: str, request: bytes) -> str:
    with pytest.raises(SerializationException) as raised:
        parse_request(operation, request)
    return raised.value.message


def test_a_single_violation_has_the_message_of_aws() -> None:
    assert expect_validation_error("DescribeProjects", make_body(MaxResults=101)) == (
        "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: "
        "Member must have value less than or equal to 100"
    )


def test_several_violations_come_in_one_message() -> None:
    assert expect_validation_error(
        "CreateDataset", make_body(ProjectArn="it's", DatasetType="train")
    ) == (
        "3 validation errors detected: "
        "Value 'train' at 'datasetType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [TRAIN, TEST]; "
        r"Value 'it\'s' at 'projectArn' failed to satisfy constraint: "
        "Member must have length greater than or equal to 20; "
        r"Value 'it\'s' at 'projectArn' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {get_shape('ProjectArn')['pattern']}"
    )


def test_the_message_has_the_position_of_a_structure_in_a_list() -> None:
    message = expect_validation_error(
        "DistributeDatasetEntries", make_body(Datasets=[{"Arn": DATASET}, {}])
    )
    assert message == (
        "1 validation error detected: Value null at 'datasets.2.member.arn' "
        "failed to satisfy constraint: Member must not be null"
    )


def test_the_message_has_the_position_of_a_null_in_a_list() -> None:
    message = expect_validation_error(
        "DistributeDatasetEntries", make_body(Datasets=[None, {"Arn": DATASET}])
    )
    assert "Value null at 'datasets.1.member' failed" in message


def test_elements_of_a_list_are_reported_once_with_all_their_rules() -> None:
    assert expect_validation_error(
        "ListDatasetEntries", make_body(DatasetArn=DATASET, ContainsLabels=["", None])
    ) == (
        "1 validation error detected: Value '[, null]' at 'containsLabels' failed to satisfy "
        "constraint: Member must satisfy constraint: "
        "[Member must have length less than or equal to 255, "
        "Member must have length greater than or equal to 1, "
        "Member must satisfy regular expression pattern: .{1,}, Member must not be null]"
    )


def test_the_length_of_a_blob_is_its_number_of_bytes() -> None:
    message = expect_validation_error(
        "UpdateDatasetEntries", make_body(DatasetArn=DATASET, Changes={"GroundTruth": ""})
    )
    assert message == (
        "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]' at "
        "'changes.groundTruth' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )


@pytest.mark.parametrize("text", ["a", "ab=", "ab==x", "a b=", "aGk=\n", "é", "-_-_"])
def test_invalid_base64_is_rejected_with_the_name_of_the_member(text: str) -> None:
    request = make_body(DatasetArn=DATASET, Changes={"GroundTruth": text})
    assert "'changes.groundTruth'" in expect_serialization_error("UpdateDatasetEntries", request)


NOT_JSON = {
    "unfinished": b"{",
    "no JSON": b"nonsense",
    "NaN": b'{"MaxResults": NaN}',
    "infinite": b'{"MaxResults": 1e999}',
    "lone surrogate": b'{"NextToken": "\\ud800"}',
    "no UTF-8": b'{"NextToken": "\xff"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("text", NOT_JSON.values(), ids=NOT_JSON)
def test_invalid_json_is_rejected(text: bytes) -> None:
    assert expect_serialization_error("DescribeProjects", text).startswith("The body is not JSON: ")


@pytest.mark.parametrize("text", [b"[]", b"null", b"1", b'"x"', b"true"])
def test_a_request_must_be_an_object(text: bytes) -> None:
    assert expect_serialization_error("DescribeProjects", text)


WRONG_TYPES = {
    "string": [1, 1.5, True, [], {}],
    "blob": [1, 1.5, True, [], {}],
    "integer": ["1", True, [], {}],
    "long": ["1", True, [], {}],
    "boolean": ["true", 1, [], {}],
    "list": ["a", 1, True, {}],
    "map": ["a", 1, True, []],
    "structure": ["a", 1, True, []],
}
TYPED_SITES = [site for site in list_sites() if site.collection != "Map keys"]


@pytest.mark.parametrize("site", TYPED_SITES, ids=str)
def test_a_wrong_json_type_is_rejected_with_the_name_of_the_member(site: Site) -> None:
    for wrong in WRONG_TYPES[site.shape["type"]]:
        message = expect_serialization_error(
            site.operation, json.dumps(site.build_request(wrong)).encode()
        )
        assert message.endswith(f" at '{site.path}'")


def test_a_wrong_json_type_has_the_message_of_aws() -> None:
    says = "can not be converted to"
    assert expect_serialization_error("CreateProject", make_body(ProjectName=1)).startswith(
        f"NUMBER_VALUE {says} a String"
    )
    assert expect_serialization_error("DescribeProjects", make_body(MaxResults=False)).startswith(
        f"FALSE_VALUE {says} an Integer"
    )
    assert expect_serialization_error("DescribeProjects", make_body(Features="x")).startswith(
        "Expected list or null"
    )


def test_an_operation_of_another_service_is_unknown() -> None:
    with pytest.raises(UnknownOperationException, match="'DetectLabels'"):
        parse_request("DetectLabels", b"{}")


def test_validation_does_not_change_the_request() -> None:
    request = {"Datasets": [{"Arn": DATASET, "Extra": 1}, {"Arn": DATASET}]}
    before = json.dumps(request)
    read_request("DistributeDatasetEntries", request)
    assert json.dumps(request) == before


@given(any_operation, st.binary())
def test_arbitrary_bytes_are_a_request_or_a_client_error(operation: str, text: bytes) -> None:
    with suppress(ValidationException, SerializationException):
        assert type(parse_request(operation, text)).__name__ == f"{operation}Request"


@given(st.sampled_from(list_sites()), any_value)
def test_an_arbitrary_value_at_any_site_is_a_request_or_a_client_error(
    site: Site, value: Any
) -> None:
    key = site.collection == "Map keys"
    request = site.build_request(str(value) if key else value)
    with suppress(ValidationException, SerializationException):
        assert parse_request(site.operation, json.dumps(request).encode())


@given(st.sampled_from(list_sites()), any_value)
def test_the_length_of_a_message_is_bounded_for_any_value(site: Site, value: Any) -> None:
    text = value if site.collection == "Map keys" and isinstance(value, str) else "x" * 5_000
    request = site.build_request(text if site.collection == "Map keys" else value)
    with suppress(SerializationException):
        assert sum(map(len, list_violations(site.operation, request))) < 10_000


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("DistributeDatasetEntries", {"Datasets": [{}] * 3_000_000}),
        ("UntagResource", {"ResourceArn": DATASET, "TagKeys": [""] * 2_000_000}),
        ("TagResource", {"ResourceArn": DATASET, "Tags": {str(n): "" for n in range(700_000)}}),
        ("CreateProject", {"ProjectName": "a" * 9_000_000 + "\n"}),
        ("ListDatasetEntries", {"DatasetArn": DATASET, "SourceRefContains": " " * 9_000_000}),
        (
            "ListDatasetEntries",
            {"DatasetArn": DATASET, "SourceRefContains": "a" * 9_000_000 + "\n"},
        ),
        (
            "UpdateDatasetEntries",
            {"DatasetArn": DATASET, "Changes": {"GroundTruth": "A" * 9_999_996}},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_body_of_ten_megabytes_is_rejected_in_bounded_time(
    operation: str, members: dict[str, Any]
) -> None:
    text = json.dumps(members, separators=(",", ":")).encode()
    started = time.process_time()
    with pytest.raises(ClientFault) as raised:
        parse_request(operation, text)
    assert time.process_time() - started < 5
    assert len(raised.value.message) < 2_000

"""What tests of single operations need beside a job: an error's code and message, and pages of a list."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.stack import TABLE
from tests.contract.conformance import assert_error_conforms, assert_response_conforms
from tests.job import IMAGES, Job

NOWHERE = "arn:aws:rekognition:us-east-1:123456789012:project/nowhere/1690405809285"
NO_DATASET = (
    "arn:aws:rekognition:us-east-1:123456789012:project/nowhere/dataset/train/1690405809285"
)


def refused(operation: str, call: Callable[[], Any]) -> tuple[str, str]:
    """(code, message) of the error that a call ends with; it must be one that the model has for the operation."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    assert_error_conforms(operation, error["Code"])
    return error["Code"], error["Message"]


def pages(job: Job, operation: str, member: str, **request: Any) -> list[list[Any]]:
    """The items of every page, following NextToken by hand."""
    call = getattr(job.client, operation)
    found: list[list[Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = call(**request, **token)
        assert_response_conforms(_camel(operation), answer)
        found.append(answer[member])
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}


def entries(job: Job, arn: str, **filters: Any) -> list[str]:
    """The names of the images that a filtered list has, in its order."""
    found = pages(job, "list_dataset_entries", "DatasetEntries", DatasetArn=arn, **filters)
    return [name(entry) for page in found for entry in page]


def name(entry: str) -> str:
    source_ref: str = json.loads(entry)["source-ref"]
    return source_ref.removeprefix(f"s3://{IMAGES}/").removesuffix(".jpg")


def folder(job: Job, arn: str) -> str:
    """Where the contents of a dataset lie, as the table has it."""
    _, project, _, kind, created = arn.split("/")
    key = {"pk": {"S": f"project#{project}"}, "sk": {"S": f"dataset#{kind}#{created}"}}
    item = job.stack.client("dynamodb").get_item(TableName=TABLE, Key=key, ConsistentRead=True)
    found: str = item["Item"]["Contents"]["M"]["Folder"]["S"]
    return found


def boxed(image: object, *labels: str) -> str:
    """A manifest line with a bounding box for each label."""
    classes = list(dict.fromkeys(labels))
    box = {"top": 10, "left": 10, "width": 50, "height": 50}
    entry = {
        "source-ref": f"s3://{IMAGES}/{image}.jpg",
        "box": {
            "image_size": [{"width": 500, "height": 400, "depth": 3}],
            "annotations": [{"class_id": classes.index(label), **box} for label in labels],
        },
        "box-metadata": {
            "objects": [{"confidence": 1}] * len(labels),
            "class-map": {str(number): label for number, label in enumerate(classes)},
            "type": "groundtruth/object-detection",
            "human-annotated": "yes",
            "creation-date": "2024-01-02T03:04:05",
        },
    }
    return json.dumps(entry, separators=(",", ":"))


def faulty(image: object) -> str:
    """A manifest line that stays, with an error."""
    return json.dumps({"source-ref": f"s3://{IMAGES}/{image}.jpg", "kind": 1})


def _camel(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))

"""Helpers for tests of operations through boto3: errors, pages of lists, manifest lines."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.emulator.server import TABLE
from tests.api.conformance import assert_error_conforms, assert_response_conforms
from tests.support.job import IMAGES, Job

MISSING_PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/nowhere/1690405809285"
MISSING_DATASET = (
    "arn:aws:rekognition:us-east-1:123456789012:project/nowhere/dataset/train/1690405809285"
)


def expect_error(operation: str, call: Callable[[], Any]) -> tuple[str, str]:
    """Return (code, message) of the error of a call, after a check against the model's errors of the operation."""
    with pytest.raises(ClientError) as raised:
        call()
    error = raised.value.response["Error"]
    assert_error_conforms(operation, error["Code"])
    return error["Code"], error["Message"]


def list_pages(job: Job, operation: str, member: str, **request: Any) -> list[list[Any]]:
    """The items of every page, following NextToken by hand."""
    call = getattr(job.client, operation)
    all_pages: list[list[Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = call(**request, **token)
        assert_response_conforms(_to_camel_case(operation), answer)
        all_pages.append(answer[member])
        if "NextToken" not in answer:
            return all_pages
        token = {"NextToken": answer["NextToken"]}


def list_image_names(job: Job, arn: str, **filters: Any) -> list[str]:
    """Return the names of the images in a filtered list."""
    all_pages = list_pages(job, "list_dataset_entries", "DatasetEntries", DatasetArn=arn, **filters)
    return [get_image_name(entry) for page in all_pages for entry in page]


def get_image_name(entry: str) -> str:
    source_ref: str = json.loads(entry)["source-ref"]
    return source_ref.removeprefix(f"s3://{IMAGES}/").removesuffix(".jpg")


def get_contents_folder(job: Job, arn: str) -> str:
    """Return the folder of a dataset's contents, from the table."""
    _, project, _, kind, created = arn.split("/")
    key = {"pk": {"S": f"project#{project}"}, "sk": {"S": f"dataset#{kind}#{created}"}}
    item = job.emulator.create_client("dynamodb").get_item(
        TableName=TABLE, Key=key, ConsistentRead=True
    )
    contents_folder: str = item["Item"]["Contents"]["M"]["Folder"]["S"]
    return contents_folder


def make_box_line(image: object, *labels: str) -> str:
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


def make_line_with_error(image: object) -> str:
    """Make a manifest line with an error, accepted as an entry."""
    return json.dumps({"source-ref": f"s3://{IMAGES}/{image}.jpg", "kind": 1})


def _to_camel_case(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))

"""`python -m tests.golden FOLDER` writes what this release makes of the manifest below: items of the table and objects.

To be run once, when a version of the format is new; the files are never changed afterwards.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

from tests.handlers.in_process import Api, serving
from tests.job import line

MANIFEST = [
    *(line(f"image-{n}", *(("dög", "cat") if n % 3 else ("cat",))) for n in range(20)),
    line("bare"),
]
PROJECT = "golden"


def write(folder: Path) -> None:
    with mock_aws(), serving() as api:
        create(api)
        items, objects = stored(api)
    folder.mkdir(parents=True)
    (folder / "items.json").write_text(json.dumps(items, indent=1, sort_keys=True) + "\n")
    for key, body in objects.items():
        file = folder / "objects" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)


def create(api: Api) -> None:
    """A project with a training dataset of the manifest and an empty test dataset."""
    project = api.done("CreateProject", ProjectName=PROJECT)["ProjectArn"]
    kind = {"ProjectArn": project, "DatasetType": "TRAIN"}
    source = api.source("\n".join(MANIFEST).encode())
    api.done("CreateDataset", DatasetSource=source, **kind)
    api.done("CreateDataset", ProjectArn=project, DatasetType="TEST")


def stored(api: Api) -> tuple[list[Any], dict[str, bytes]]:
    """The items but for those that expire, and the contents, by key."""
    answer = boto3.client("dynamodb").scan(TableName=api.name)
    items = [item for item in answer["Items"] if "expires" not in item]
    s3 = boto3.client("s3")
    listed = s3.list_objects_v2(Bucket=api.name, Prefix="contents/")["Contents"]
    keys = [one["Key"] for one in listed]
    return items, {k: s3.get_object(Bucket=api.name, Key=k)["Body"].read() for k in keys}


if __name__ == "__main__":
    os.environ.update(
        AWS_ACCESS_KEY_ID="any", AWS_SECRET_ACCESS_KEY="any", AWS_DEFAULT_REGION="us-east-1"
    )
    write(Path(sys.argv[1]))

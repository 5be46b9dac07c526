"""`python -m tests.golden FOLDER` writes the table items and objects that this release makes of the manifest below.

Run the command once for each new format version. Never change the files afterwards.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

from tests.support.in_process_api import InProcessApi, serve_api
from tests.support.job import make_line

MANIFEST = [
    *(make_line(f"image-{n}", *(("dög", "cat") if n % 3 else ("cat",))) for n in range(20)),
    make_line("bare"),
]
PROJECT = "golden"


def write_folder(folder: Path) -> None:
    with mock_aws(), serve_api() as api:
        create_project(api)
        items, objects = read_stored(api)
    folder.mkdir(parents=True)
    (folder / "items.json").write_text(json.dumps(items, indent=1, sort_keys=True) + "\n")
    for key, body in objects.items():
        file = folder / "objects" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)


def create_project(api: InProcessApi) -> None:
    """Create a project with a training dataset of the manifest and an empty test dataset."""
    project = api.call_successfully("CreateProject", ProjectName=PROJECT)["ProjectArn"]
    kind = {"ProjectArn": project, "DatasetType": "TRAIN"}
    source = api.upload_source("\n".join(MANIFEST).encode())
    api.call_successfully("CreateDataset", DatasetSource=source, **kind)
    api.call_successfully("CreateDataset", ProjectArn=project, DatasetType="TEST")


def read_stored(api: InProcessApi) -> tuple[list[Any], dict[str, bytes]]:
    """Return the items without an expiry time, and the contents by key."""
    answer = boto3.client("dynamodb").scan(TableName=api.name)
    items = [item for item in answer["Items"] if "expires" not in item]
    s3 = boto3.client("s3")
    objects = s3.list_objects_v2(Bucket=api.name, Prefix="contents/")["Contents"]
    keys = [item["Key"] for item in objects]
    return items, {k: s3.get_object(Bucket=api.name, Key=k)["Body"].read() for k in keys}


if __name__ == "__main__":
    os.environ.update(
        AWS_ACCESS_KEY_ID="any", AWS_SECRET_ACCESS_KEY="any", AWS_DEFAULT_REGION="us-east-1"
    )
    write_folder(Path(sys.argv[1]))

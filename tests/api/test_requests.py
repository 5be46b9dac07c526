"""Parsing the body of a call to a typed request or an error."""

import base64
import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import twofold
from tests.api.request_sites import SERVICE, get_shape, make_sample
from twofold.api.requests import (
    STRUCTURES,
    CreateDatasetRequest,
    CreateProjectRequest,
    DatasetChanges,
    DatasetSource,
    DescribeProjectsRequest,
    DistributeDataset,
    DistributeDatasetEntriesRequest,
    GroundTruthManifest,
    ListDatasetEntriesRequest,
    S3Object,
    UntagResourceRequest,
    UpdateDatasetEntriesRequest,
    parse_request,
    to_snake_case,
)
from twofold.settings import ApiOperation

DATASET = "arn:aws:rekognition:us-east-1:123456789012:project/p/dataset/train/1690405809285"
PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/p/1690405809285"


def make_body(**members: Any) -> bytes:
    return json.dumps(members).encode()


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_request_class_has_the_members_of_the_model_and_defaults_for_the_optional_ones(
    name: str,
) -> None:
    fields = {field.name: field for field in dataclasses.fields(STRUCTURES[name])}
    assert set(fields) == {to_snake_case(member) for member in get_shape(name)["members"]}
    without_default = {
        field.name
        for field in fields.values()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    assert without_default == {to_snake_case(name) for name in get_shape(name).get("required", ())}


@pytest.mark.parametrize("operation", ApiOperation)
def test_every_member_of_a_full_request_is_parsed(operation: str) -> None:
    shape_name = SERVICE["operations"][operation]["input"]["shape"]
    full = make_sample(get_shape(shape_name))
    request = parse_request(operation, json.dumps(full).encode())
    assert type(request) is STRUCTURES[shape_name]
    for member, value in full.items():
        arrived = getattr(request, to_snake_case(member))
        if isinstance(value, str | int | bool):
            assert arrived == value
        else:
            assert arrived


def test_a_list_request_has_the_defaults_of_the_api() -> None:
    assert parse_request(
        "ListDatasetEntries", make_body(DatasetArn=DATASET)
    ) == ListDatasetEntriesRequest(
        dataset_arn=DATASET,
        contains_labels=(),
        labeled=None,
        source_ref_contains=None,
        has_errors=False,
        next_token=None,
        max_results=100,
    )


@pytest.mark.parametrize("empty", [b"", b"{}", b" { } ", make_body(NextToken="", MaxResults=None)])
def test_an_empty_request_describes_the_first_page_of_custom_labels_projects(empty: bytes) -> None:
    assert parse_request("DescribeProjects", empty) == DescribeProjectsRequest(
        next_token=None, max_results=100, project_names=(), features=("CUSTOM_LABELS",)
    )


def test_nested_members_are_typed() -> None:
    s3 = {"Bucket": "bucket", "Name": "a/b.manifest", "Version": "v1"}
    source = {"GroundTruthManifest": {"S3Object": s3}}
    request = make_body(
        ProjectArn=PROJECT, DatasetType="TRAIN", DatasetSource=source, Tags={"k": ""}
    )
    assert parse_request("CreateDataset", request) == CreateDatasetRequest(
        project_arn=PROJECT,
        dataset_type="TRAIN",
        dataset_source=DatasetSource(
            ground_truth_manifest=GroundTruthManifest(
                s3_object=S3Object(bucket="bucket", name="a/b.manifest", version="v1")
            )
        ),
        tags={"k": ""},
    )


def test_the_pair_of_a_distribution_keeps_its_order() -> None:
    test = DATASET.replace("/train/", "/test/")
    request = make_body(Datasets=[{"Arn": test}, {"Arn": DATASET}])
    assert parse_request("DistributeDatasetEntries", request) == DistributeDatasetEntriesRequest(
        datasets=(DistributeDataset(arn=test), DistributeDataset(arn=DATASET))
    )


@given(st.binary(min_size=1, max_size=2_000))
def test_a_blob_is_decoded(content: bytes) -> None:
    changes = {"GroundTruth": base64.b64encode(content).decode()}
    request = parse_request("UpdateDatasetEntries", make_body(DatasetArn=DATASET, Changes=changes))
    assert request == UpdateDatasetEntriesRequest(
        dataset_arn=DATASET, changes=DatasetChanges(ground_truth=content)
    )


def test_an_empty_list_of_tag_keys_is_valid() -> None:
    request = parse_request("UntagResource", make_body(ResourceArn=DATASET, TagKeys=[]))
    assert request == UntagResourceRequest(resource_arn=DATASET, tag_keys=())


def test_unknown_members_are_ignored() -> None:
    request = parse_request(
        "CreateProject", make_body(ProjectName="p", Nonsense={"a": [1]}, projectName=7)
    )
    assert request == CreateProjectRequest(project_name="p")


def test_a_decimal_number_is_truncated_to_an_integer() -> None:
    request = parse_request("DescribeProjects", b'{"MaxResults": 7.9}')
    assert request == DescribeProjectsRequest(max_results=7)


def test_importing_requests_takes_little_time() -> None:
    """The budget of the API's cold import is 0.5 s, boto3 included; this part takes 0.05 s."""
    code = (
        "import time, orjson; begun = time.process_time(); import twofold.api.wire, "
        "twofold.api.requests as c; c.parse_request('DescribeProjects', b''); "
        "print(time.process_time() - begun)"
    )
    root = Path(twofold.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
    assert float(done.stdout) < 0.15

"""From the bytes of a call to a typed request, or to an error that names what is wrong."""

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
from tests.contract.sites import SERVICE, sample, shape_of
from twofold.api.contract import (
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
    parse,
    snake_case,
)
from twofold.settings import Operation

DATASET = "arn:aws:rekognition:us-east-1:123456789012:project/p/dataset/train/1690405809285"
PROJECT = "arn:aws:rekognition:us-east-1:123456789012:project/p/1690405809285"


def body(**members: Any) -> bytes:
    return json.dumps(members).encode()


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_request_class_has_the_members_of_the_model_and_defaults_for_the_optional_ones(
    name: str,
) -> None:
    fields = {field.name: field for field in dataclasses.fields(STRUCTURES[name])}
    assert set(fields) == {snake_case(member) for member in shape_of(name)["members"]}
    without_default = {
        field.name
        for field in fields.values()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    assert without_default == {snake_case(name) for name in shape_of(name).get("required", ())}


@pytest.mark.parametrize("operation", Operation)
def test_every_member_of_a_full_request_arrives(operation: str) -> None:
    shape_name = SERVICE["operations"][operation]["input"]["shape"]
    full = sample(shape_of(shape_name))
    request = parse(operation, json.dumps(full).encode())
    assert type(request) is STRUCTURES[shape_name]
    for member, value in full.items():
        arrived = getattr(request, snake_case(member))
        if isinstance(value, str | int | bool):
            assert arrived == value
        else:
            assert arrived


def test_a_list_request_has_the_defaults_of_the_api() -> None:
    assert parse("ListDatasetEntries", body(DatasetArn=DATASET)) == ListDatasetEntriesRequest(
        dataset_arn=DATASET,
        contains_labels=(),
        labeled=None,
        source_ref_contains=None,
        has_errors=False,
        next_token=None,
        max_results=100,
    )


@pytest.mark.parametrize("empty", [b"", b"{}", b" { } ", body(NextToken="", MaxResults=None)])
def test_an_empty_request_describes_the_first_page_of_custom_labels_projects(empty: bytes) -> None:
    assert parse("DescribeProjects", empty) == DescribeProjectsRequest(
        next_token=None, max_results=100, project_names=(), features=("CUSTOM_LABELS",)
    )


def test_nested_members_arrive_typed() -> None:
    s3 = {"Bucket": "bucket", "Name": "a/b.manifest", "Version": "v1"}
    source = {"GroundTruthManifest": {"S3Object": s3}}
    request = body(ProjectArn=PROJECT, DatasetType="TRAIN", DatasetSource=source, Tags={"k": ""})
    assert parse("CreateDataset", request) == CreateDatasetRequest(
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
    request = body(Datasets=[{"Arn": test}, {"Arn": DATASET}])
    assert parse("DistributeDatasetEntries", request) == DistributeDatasetEntriesRequest(
        datasets=(DistributeDataset(arn=test), DistributeDataset(arn=DATASET))
    )


@given(st.binary(min_size=1, max_size=2_000))
def test_a_blob_arrives_decoded(content: bytes) -> None:
    changes = {"GroundTruth": base64.b64encode(content).decode()}
    request = parse("UpdateDatasetEntries", body(DatasetArn=DATASET, Changes=changes))
    assert request == UpdateDatasetEntriesRequest(
        dataset_arn=DATASET, changes=DatasetChanges(ground_truth=content)
    )


def test_no_tag_keys_are_a_legal_list() -> None:
    request = parse("UntagResource", body(ResourceArn=DATASET, TagKeys=[]))
    assert request == UntagResourceRequest(resource_arn=DATASET, tag_keys=())


def test_members_that_the_model_does_not_know_are_ignored() -> None:
    request = parse("CreateProject", body(ProjectName="p", Nonsense={"a": [1]}, projectName=7))
    assert request == CreateProjectRequest(project_name="p")


def test_the_fraction_of_a_decimal_integer_is_cut_off() -> None:
    request = parse("DescribeProjects", b'{"MaxResults": 7.9}')
    assert request == DescribeProjectsRequest(max_results=7)


def test_importing_the_contract_costs_little() -> None:
    """The budget of the API's cold import is 0.5 s, boto3 included; this part takes 0.05 s."""
    code = (
        "import time, orjson; begun = time.process_time(); import twofold.api.wire, "
        "twofold.api.contract as c; c.parse('DescribeProjects', b''); "
        "print(time.process_time() - begun)"
    )
    root = Path(twofold.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
    assert float(done.stdout) < 0.15

"""The model extension in `clients/aws-models`: members, waiters and client-side validation in boto3 and the AWS CLI."""

import json
import shlex
import sys
from pathlib import Path
from string import Template
from typing import Any

import boto3
import pytest
from botocore.exceptions import ParamValidationError, WaiterError

from tests.public_clients import cli_server
from tests.public_clients.client_process import start_client
from tests.support.job import Job, make_line, make_two_label_lines

EXTENSION = Path(__file__).parents[2] / "clients" / "aws-models"
AWS = Path(sys.executable).with_name("aws")
AT_ONCE = {"Delay": 0, "MaxAttempts": 3_000}


@pytest.fixture
def rekognition(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DATA_PATH", str(EXTENSION))
    return boto3.Session().client("rekognition")


def wait_for(rekognition: Any, waiter: str, **request: Any) -> None:
    rekognition.get_waiter(waiter).wait(**request, WaiterConfig=AT_ONCE)


def test_boto3_has_waiters_for_all_asynchronous_operations(rekognition: Any, job: Job) -> None:
    project = {"ProjectArn": job.project}
    train = rekognition.create_dataset(
        **project, DatasetType="TRAIN", DatasetSource=job.upload_source(make_two_label_lines(50))
    )["DatasetArn"]
    test = rekognition.create_dataset(**project, DatasetType="TEST")["DatasetArn"]
    for arn in (train, test):
        wait_for(rekognition, "dataset_created", DatasetArn=arn)
    rekognition.update_dataset_entries(
        DatasetArn=train, Changes={"GroundTruth": make_line("late", "dog").encode()}
    )
    wait_for(rekognition, "dataset_updated", DatasetArn=train)
    rekognition.distribute_dataset_entries(
        Datasets=[{"Arn": train}, {"Arn": test}], TestFraction="1/3", Seed=7, MinImagesPerLabel=2
    )
    wait_for(rekognition, "dataset_distributed", DatasetArn=test)
    assert job.describe(test)["DatasetStats"]["TotalEntries"] == 17
    for arn in (train, test):
        rekognition.delete_dataset(DatasetArn=arn)
    wait_for(rekognition, "dataset_deleted", DatasetArn=train)
    wait_for(rekognition, "dataset_deleted", DatasetArn=test)
    rekognition.delete_project(**project)
    wait_for(rekognition, "project_deleted", ProjectNames=[job.project.split("/")[1]])


CLI_WAITS = """
aws rekognition wait dataset-created --dataset-arn $TRAIN
aws rekognition update-dataset-entries --dataset-arn $TRAIN --changes $CHANGES
aws rekognition wait dataset-updated --dataset-arn $TRAIN
aws rekognition distribute-dataset-entries --datasets Arn=$TRAIN Arn=$TEST --test-fraction 1/3
aws rekognition wait dataset-distributed --dataset-arn $TEST
aws rekognition describe-dataset --dataset-arn $TEST --query DatasetDescription.DatasetStats.TotalEntries
aws rekognition delete-dataset --dataset-arn $TEST
aws rekognition delete-dataset --dataset-arn $TRAIN
aws rekognition wait dataset-deleted --dataset-arn $TRAIN
aws rekognition delete-project --project-arn $PROJECT
aws rekognition wait project-deleted --project-names $NAME
"""


def test_the_aws_cli_has_waiters_for_all_asynchronous_operations(
    environment: dict[str, str], job: Job
) -> None:
    train, test = job.create_pair(make_two_label_lines(50))
    changes = json.dumps({"GroundTruth": f"{make_line('late', 'dog')}\n"})
    names = {"TRAIN": train, "TEST": test, "PROJECT": job.project, "CHANGES": changes}
    shell = environment | {
        **names,
        "NAME": job.project.split("/")[1],
        "AWS_DATA_PATH": str(EXTENSION),
    }
    outputs = []
    with start_client([sys.executable, "-P", cli_server.__file__, str(AWS)], shell) as program:
        for command in CLI_WAITS.strip().splitlines():
            words = [Template(word).substitute(shell) for word in shlex.split(command)]
            code, out, err = program.call(words[1:])
            assert code == 0, err
            outputs.append(out.strip())
    assert "17" in outputs


def test_a_waiter_fails_as_soon_as_the_operation_has_failed(rekognition: Any, job: Job) -> None:
    train, test = job.create_pair([make_line("rare", "owl"), *make_two_label_lines(20)])
    with pytest.raises(WaiterError, match="terminal failure"):
        wait_for(rekognition, "dataset_updated", DatasetArn=train)
    rekognition.distribute_dataset_entries(
        Datasets=[{"Arn": train}, {"Arn": test}], MinImagesPerLabel=2
    )
    with pytest.raises(WaiterError, match="terminal failure"):
        wait_for(rekognition, "dataset_distributed", DatasetArn=train)
    bad = Job.start(job.emulator).create_dataset("TRAIN", b"no manifest")
    with pytest.raises(WaiterError, match="terminal failure"):
        wait_for(rekognition, "dataset_created", DatasetArn=bad)


@pytest.mark.parametrize(
    "members", [{"Seed": -1}, {"TestFraction": 0.2}, {"DryRun": "yes"}, {"MinImagesPerLabel": 0}]
)
def test_boto3_rejects_invalid_members_before_sending(
    rekognition: Any, members: dict[str, Any]
) -> None:
    pair = [{"Arn": "arn:aws:rekognition:us-east-1:123456789012:project/p/dataset/train/1"}] * 2
    (name,) = members
    with pytest.raises(ParamValidationError, match=name):
        rekognition.distribute_dataset_entries(Datasets=pair, **members)


def test_a_client_without_the_extension_has_aws_s_model(environment: dict[str, str]) -> None:
    plain: Any = boto3.Session(region_name=environment["AWS_REGION"])
    client = plain.client("rekognition")
    assert "dataset_distributed" not in client.waiter_names
    members = client.meta.service_model.operation_model("DistributeDatasetEntries").input_shape
    assert set(members.members) == {"Datasets"}

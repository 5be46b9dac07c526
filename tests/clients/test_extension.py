"""What `clients/aws-models` gives to boto3: members, waiters, help and validation before anything is sent."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ParamValidationError, WaiterError

from tests.job import Job, line, two_labels

EXTENSION = Path(__file__).parents[2] / "clients" / "aws-models"
AT_ONCE = {"Delay": 0, "MaxAttempts": 3_000}


@pytest.fixture
def rekognition(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DATA_PATH", str(EXTENSION))
    return boto3.Session().client("rekognition")


def wait(rekognition: Any, waiter: str, **request: Any) -> None:
    rekognition.get_waiter(waiter).wait(**request, WaiterConfig=AT_ONCE)


def test_boto3_waits_for_everything_that_takes_a_while(rekognition: Any, job: Job) -> None:
    project = {"ProjectArn": job.project}
    train = rekognition.create_dataset(
        **project, DatasetType="TRAIN", DatasetSource=job.source(two_labels(50))
    )["DatasetArn"]
    test = rekognition.create_dataset(**project, DatasetType="TEST")["DatasetArn"]
    for arn in (train, test):
        wait(rekognition, "dataset_created", DatasetArn=arn)
    rekognition.update_dataset_entries(
        DatasetArn=train, Changes={"GroundTruth": line("late", "dog").encode()}
    )
    wait(rekognition, "dataset_updated", DatasetArn=train)
    rekognition.distribute_dataset_entries(
        Datasets=[{"Arn": train}, {"Arn": test}], TestFraction="1/3", Seed=7, MinImagesPerLabel=2
    )
    wait(rekognition, "dataset_distributed", DatasetArn=test)
    assert job.describe(test)["DatasetStats"]["TotalEntries"] == 17
    for arn in (train, test):
        rekognition.delete_dataset(DatasetArn=arn)
    wait(rekognition, "dataset_deleted", DatasetArn=train)
    wait(rekognition, "dataset_deleted", DatasetArn=test)
    rekognition.delete_project(**project)
    wait(rekognition, "project_deleted", ProjectNames=[job.project.split("/")[1]])


CLI_WAITS = """
aws rekognition wait dataset-created --dataset-arn $TRAIN
aws rekognition update-dataset-entries --dataset-arn $TRAIN --changes "$CHANGES"
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


def test_the_aws_cli_waits_for_everything_that_takes_a_while(
    environment: dict[str, str], job: Job
) -> None:
    train, test = job.pair(two_labels(50))
    changes = json.dumps({"GroundTruth": f"{line('late', 'dog')}\n"})
    names = {"TRAIN": train, "TEST": test, "PROJECT": job.project, "CHANGES": changes}
    shell = environment | {
        **names,
        "NAME": job.project.split("/")[1],
        "AWS_DATA_PATH": str(EXTENSION),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", CLI_WAITS], env=shell, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "17" in done.stdout.split()


def test_a_waiter_gives_up_as_soon_as_what_it_waits_for_has_failed(
    rekognition: Any, job: Job
) -> None:
    train, test = job.pair([line("rare", "owl"), *two_labels(20)])
    with pytest.raises(WaiterError, match="terminal failure"):
        wait(rekognition, "dataset_updated", DatasetArn=train)
    rekognition.distribute_dataset_entries(
        Datasets=[{"Arn": train}, {"Arn": test}], MinImagesPerLabel=2
    )
    with pytest.raises(WaiterError, match="terminal failure"):
        wait(rekognition, "dataset_distributed", DatasetArn=train)
    bad = Job.begin(job.stack).create("TRAIN", b"no manifest")
    with pytest.raises(WaiterError, match="terminal failure"):
        wait(rekognition, "dataset_created", DatasetArn=bad)


@pytest.mark.parametrize(
    "members", [{"Seed": -1}, {"TestFraction": 0.2}, {"DryRun": "yes"}, {"MinImagesPerLabel": 0}]
)
def test_boto3_refuses_bad_members_before_anything_is_sent(
    rekognition: Any, members: dict[str, Any]
) -> None:
    pair = [{"Arn": "arn:aws:rekognition:us-east-1:123456789012:project/p/dataset/train/1"}] * 2
    (name,) = members
    with pytest.raises(ParamValidationError, match=name):
        rekognition.distribute_dataset_entries(Datasets=pair, **members)


def test_a_plain_client_has_none_of_it(environment: dict[str, str]) -> None:
    plain: Any = boto3.Session(region_name=environment["AWS_REGION"])
    client = plain.client("rekognition")
    assert "dataset_distributed" not in client.waiter_names
    members = client.meta.service_model.operation_model("DistributeDatasetEntries").input_shape
    assert set(members.members) == {"Datasets"}

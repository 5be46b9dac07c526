"""Operations on a deployed stage through its endpoint: distributions, groups, revert, collection, life cycle of a project."""

import io
import json
import shlex
import time
import zipfile

from tests.public_clients.lifecycle import LINES, run_lifecycle
from tests.public_clients.test_boto3 import Boto3
from tests.rehearsal.account import Account, Deployment
from tests.rehearsal.datasets import PATIENCE_SECONDS, DatasetPair
from tests.support.job import make_line
from twofold.settings import (
    PARTITION_KEY,
    RUNTIME,
    SORT_KEY,
    Function,
    TablePartition,
    make_function_name,
)

IMAGES_PER_GROUP = 3

_PROBE = """
from importlib.util import find_spec

def handler(names, context):
    return [find_spec(name) is not None for name in names]
"""


def test_the_smoke_test_that_the_deployment_prints_passes(
    account: Account, prod: Deployment
) -> None:
    command = shlex.split(prod.outputs["Smoke"])
    assert command[:2] == ["make", "smoke"]
    completed = account.run_make(*command[1:])
    output = completed.stdout + completed.stderr
    assert completed.returncode == 0, output
    assert "works. Test set: 12 of 60 images." in output


def test_functions_see_only_the_standard_library_and_their_bundle(account: Account) -> None:
    """Packages of the emulator would hide a missing package of the bundle."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("probe.py", _PROBE)
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = account.create_client("iam").create_role(
        RoleName="probe", AssumeRolePolicyDocument=policy
    )
    client = account.create_client("lambda")
    client.create_function(
        FunctionName="probe",
        Runtime=f"python{RUNTIME}",
        Role=role["Role"]["Arn"],
        Handler="probe.handler",
        Code={"ZipFile": code.getvalue()},
    )
    response = client.invoke(FunctionName="probe", Payload=json.dumps(["hypercorn", "botocore"]))
    assert json.loads(response["Payload"].read()) == [False, False]


def test_a_client_uses_every_operation_of_a_project(prod: Deployment) -> None:
    run_lifecycle(Boto3(prod.create_rekognition_client()), prod.upload(LINES, "life"))


def test_a_dry_run_moves_nothing(prod: Deployment) -> None:
    pair = DatasetPair.create(prod)
    pair.distribute(DryRun=True)
    assert pair.count_entries() == (60, 0)


def test_a_distribution_is_reverted(prod: Deployment) -> None:
    pair = DatasetPair.create(prod)
    pair.distribute()
    assert pair.count_entries() == (48, 12)
    pair.client.revert_dataset_distribution(ProjectArn=pair.project)
    assert pair.count_entries() == (60, 0)


def test_groups_stay_together(prod: Deployment) -> None:
    lines = [
        json.dumps(
            json.loads(make_line(number, "cat")) | {"burst": f"b{number // IMAGES_PER_GROUP}"}
        )
        for number in range(60)
    ]
    pair = DatasetPair.create_from(prod, lines)
    pair.distribute(GroupBy="burst")
    assert pair.count_entries() == (48, 12)
    groups_in_test = {json.loads(entry)["burst"] for entry in pair.list_entries(pair.test)}
    assert len(groups_in_test) == 12 / IMAGES_PER_GROUP


def test_collect_deletes_contents_after_the_retention_time(
    account: Account, prod: Deployment
) -> None:
    pair = DatasetPair.create(prod)
    pair.distribute()
    table, bucket = (
        next(iter(prod.find_resources(resource_type).values()))
        for resource_type in ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
    )
    folders = _backdate_release_notes(account, table)
    assert folders
    account.create_client("lambda").invoke(
        FunctionName=make_function_name(prod.stage, Function.COLLECT),
        Qualifier="live",
        InvocationType="Event",
    )
    end = time.monotonic() + PATIENCE_SECONDS
    while remaining := [folder for folder in folders if _has_objects(account, bucket, folder)]:
        assert time.monotonic() < end, remaining
        time.sleep(0.5)
    assert len(pair.list_entries(pair.train)) == 48


def _backdate_release_notes(account: Account, table: str) -> list[str]:
    """Set the time of every retirement to the past, and return the retired folders."""
    dynamodb = account.create_client("dynamodb")
    released = dynamodb.query(
        TableName=table,
        KeyConditionExpression="#pk = :pk",
        ExpressionAttributeNames={"#pk": PARTITION_KEY},
        ExpressionAttributeValues={":pk": {"S": TablePartition.RETIRED}},
    )["Items"]
    for item in released:
        dynamodb.update_item(
            TableName=table,
            Key={name: item[name] for name in (PARTITION_KEY, SORT_KEY)},
            UpdateExpression="SET Released = :long_ago",
            ExpressionAttributeValues={":long_ago": {"N": "1"}},
        )
    return [item[SORT_KEY]["S"] for item in released]


def _has_objects(account: Account, bucket: str, folder: str) -> bool:
    listed = account.create_client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{folder}/")
    return bool(listed.get("Contents"))

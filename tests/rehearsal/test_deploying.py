"""Deploying again, upgrading under load, failing and recovering, and stages side by side; then removal.

The tests build on each other, as deployments do, and run in the order of this file on an account of their own.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.options import stack_name
from tests.rehearsal.account import Account, Deployment
from tests.rehearsal.assembly import ROOT, copy_sources, synthesize, zip_bundle
from tests.rehearsal.datasets import DatasetPair
from tests.rehearsal.differences import Template
from tests.rehearsal.emulator import SECOND_REGION
from tests.rehearsal.interpreters import Interpreters
from twofold.settings import Function, function_name

STAGE = "prod"
OTHER_STAGE = "dev"


@pytest.fixture(scope="module")
def next_release(workspace: Path, interpreters: Interpreters) -> Path:
    """The assembly of a release whose code differs in every function."""
    sources = copy_sources(workspace / "next")
    with (sources / "lambdas" / "twofold" / "__init__.py").open("a") as module:
        module.write("\n# The next release.\n")
    archive = zip_bundle(sources, interpreters.functions, workspace / "next-bundle.zip")
    folder = workspace / "next-assembly"
    synthesize(sources, archive, {folder: [f"stage={STAGE}"]})
    return folder


def test_deploying_again_changes_nothing(
    account: Account, prod: Deployment, assembly: Path
) -> None:
    before = _list_changes(account)
    again = account.deploy(assembly, STAGE)
    assert "(no changes)" in again.printed
    assert _list_changes(account) == before


def test_a_changed_release_deploys_while_operations_run_and_complete(
    account: Account, prod: Deployment, next_release: Path
) -> None:
    versions = _count_versions(account)
    with _operate_all_the_time(prod) as completed:
        account.deploy(next_release, STAGE)
    assert completed
    assert _count_versions(account) == versions + 1


def test_an_update_that_fails_is_rolled_back_and_can_be_deployed_again(
    account: Account, prod: Deployment, assembly: Path, archive: Path, workspace: Path
) -> None:
    """The failing release goes back to the first code and has a resource that cannot be made."""
    failing = workspace / "failing"
    synthesize(ROOT, archive, {failing: [f"stage={STAGE}"]}, change=_add_impossible_alarm)
    done = account.try_to_deploy(failing, STAGE)
    assert done.returncode != 0
    assert _describe_status(account) == "UPDATE_ROLLBACK_COMPLETE"
    _see_that_it_works(prod)
    account.deploy(assembly, STAGE)
    assert _describe_status(account) == "UPDATE_COMPLETE"
    _see_that_it_works(prod)


def test_two_stages_and_the_same_stage_in_two_regions_live_side_by_side(
    account: Account, prod: Deployment, assembly: Path, archive: Path, workspace: Path
) -> None:
    dev_assembly = workspace / OTHER_STAGE
    synthesize(ROOT, archive, {dev_assembly: [f"stage={OTHER_STAGE}"]})
    dev = account.deploy(dev_assembly, OTHER_STAGE)
    abroad = Account(account.emulator, SECOND_REGION)
    abroad.bootstrap(assembly)
    twin = abroad.deploy(assembly, STAGE)
    pairs = [DatasetPair.create(stage) for stage in (prod, dev, twin)]
    for pair in pairs:
        pair.distribute()
        projects = {
            project["ProjectArn"]
            for project in pair.client.describe_projects()["ProjectDescriptions"]
        }
        assert {other.project for other in pairs} & projects == {pair.project}
    buckets = {stage.outputs["Bucket"] for stage in (prod, dev, twin)}
    assert len(buckets) == 3
    assert _describe_status(abroad) == "CREATE_COMPLETE"


def test_destroying_keeps_the_data_unless_told_otherwise(
    account: Account, prod: Deployment, assembly: Path
) -> None:
    data = _find_data(prod)
    done = account.destroy(assembly, STAGE)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in data:
        assert name in done.stdout
    assert _exist(account, data) == [True, True]
    assert _describe_status(account) == "gone"


def test_destroying_with_the_data_leaves_nothing(account: Account, workspace: Path) -> None:
    dev = Deployment(account, OTHER_STAGE, "", 0.0)
    pair = DatasetPair.create(dev)
    pair.distribute()
    data = _find_data(dev)
    done = account.destroy(workspace / OTHER_STAGE, OTHER_STAGE, "DATA=delete")
    assert done.returncode == 0, done.stdout + done.stderr
    assert _exist(account, data) == [False, False]
    assert _describe_status(account, OTHER_STAGE) == "gone"


def _list_changes(account: Account) -> list[str]:
    """Ids of the stack's change events."""
    pages = (
        account.client("cloudformation")
        .get_paginator("describe_stack_events")
        .paginate(StackName=stack_name(STAGE))
    )
    return [event["EventId"] for page in pages for event in page["StackEvents"]]


def _count_versions(account: Account) -> int:
    name = function_name(STAGE, Function.PUBLISH)
    pages = (
        account.client("lambda")
        .get_paginator("list_versions_by_function")
        .paginate(FunctionName=name)
    )
    return sum(len(page["Versions"]) for page in pages)


def _describe_status(account: Account, stage: str = STAGE) -> str:
    """The stack's status, or `gone`."""
    pages = account.client("cloudformation").get_paginator("describe_stacks").paginate()
    statuses = {
        stack["StackName"]: stack["StackStatus"] for page in pages for stack in page["Stacks"]
    }
    status: str = statuses.get(stack_name(stage), "gone")
    return "gone" if status == "DELETE_COMPLETE" else status


def _add_impossible_alarm(template: Template) -> None:
    """CloudFormation makes it only after everything else, and the emulator refuses metric mathematics."""
    others = [
        name for name, resource in template["Resources"].items() if "Condition" not in resource
    ]
    template["Resources"]["Impossible"] = {
        "Type": "AWS::CloudWatch::Alarm",
        "DependsOn": others,
        "Properties": {
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "Metrics": [{"Id": "sum", "Expression": "a + b"}],
        },
    }


@contextmanager
def _operate_all_the_time(stage: Deployment) -> Iterator[list[str]]:
    """Distribute one pair after the other until the block ends; yields the projects whose operations completed.

    A failure of the client or of an operation is raised at the end of the block.
    """
    stop, completed, failures = threading.Event(), list[str](), list[BaseException]()

    def operate() -> None:
        try:
            while not stop.is_set():
                pair = DatasetPair.create(stage)
                pair.distribute()
                completed.append(pair.project)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=operate)
    thread.start()
    try:
        yield completed
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]


def _see_that_it_works(stage: Deployment) -> None:
    pair = DatasetPair.create(stage)
    pair.distribute()
    assert pair.count_entries() == (48, 12)


def _find_data(stage: Deployment) -> tuple[str, str]:
    """(bucket, table)"""
    (bucket,) = stage.find_resources("AWS::S3::Bucket").values()
    (table,) = stage.find_resources("AWS::DynamoDB::Table").values()
    return bucket, table


def _exist(account: Account, data: tuple[str, str]) -> list[bool]:
    bucket, table = data
    buckets = {each["Name"] for each in account.client("s3").list_buckets()["Buckets"]}
    tables = account.client("dynamodb").list_tables()["TableNames"]
    return [bucket in buckets, table in tables]

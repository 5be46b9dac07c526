"""Repeated, upgraded, failed and parallel deployments, then the deletion of the stages.

The tests depend on each other and run in the order of this file, in a separate account.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.options import format_stack_name
from tests.rehearsal.account import Account, Deployment
from tests.rehearsal.assembly import ROOT, copy_sources, synthesize, zip_bundle
from tests.rehearsal.datasets import DatasetPair
from tests.rehearsal.differences import Template
from tests.rehearsal.emulator import SECOND_REGION
from tests.rehearsal.interpreters import Interpreters
from twofold.settings import Function, make_function_name

STAGE = "prod"
OTHER_STAGE = "dev"


@pytest.fixture(scope="module")
def next_release(workspace: Path, interpreters: Interpreters) -> Path:
    """The assembly of a release with changed code."""
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
    assert "(no changes)" in again.output
    assert _list_changes(account) == before


def test_a_changed_release_deploys_while_operations_run_and_complete(
    account: Account, prod: Deployment, next_release: Path
) -> None:
    versions = _count_versions(account)
    with _run_operations(prod) as completed:
        account.deploy(next_release, STAGE)
    assert completed
    assert _count_versions(account) == versions + 1


def test_a_failed_update_is_rolled_back_and_can_be_deployed_again(
    account: Account, prod: Deployment, assembly: Path, archive: Path, workspace: Path
) -> None:
    """The failing release has the first code, and a resource that cannot be created."""
    failing = workspace / "failing"
    synthesize(ROOT, archive, {failing: [f"stage={STAGE}"]}, change=_add_impossible_alarm)
    completed = account.try_to_deploy(failing, STAGE)
    assert completed.returncode != 0
    assert _describe_status(account) == "UPDATE_ROLLBACK_COMPLETE"
    _check_distribution(prod)
    account.deploy(assembly, STAGE)
    assert _describe_status(account) == "UPDATE_COMPLETE"
    _check_distribution(prod)


def test_two_stages_and_a_stage_in_two_regions_work_side_by_side(
    account: Account, prod: Deployment, assembly: Path, archive: Path, workspace: Path
) -> None:
    dev_assembly = workspace / OTHER_STAGE
    synthesize(ROOT, archive, {dev_assembly: [f"stage={OTHER_STAGE}"]})
    dev = account.deploy(dev_assembly, OTHER_STAGE)
    second_region = Account(account.emulator, SECOND_REGION)
    second_region.bootstrap(assembly)
    second_prod = second_region.deploy(assembly, STAGE)
    stages = (prod, dev, second_prod)
    pairs = [DatasetPair.create(stage) for stage in stages]
    for pair in pairs:
        pair.distribute()
        projects = {
            project["ProjectArn"]
            for project in pair.client.describe_projects()["ProjectDescriptions"]
        }
        assert {other.project for other in pairs} & projects == {pair.project}
    buckets = {stage.outputs["Bucket"] for stage in stages}
    assert len(buckets) == 3
    assert _describe_status(second_region) == "CREATE_COMPLETE"


def test_destroying_retains_the_data_by_default(
    account: Account, prod: Deployment, assembly: Path
) -> None:
    data = _find_data(prod)
    completed = account.destroy(assembly, STAGE)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    for name in data:
        assert name in completed.stdout
    assert _check_existence(account, data) == [True, True]
    assert _describe_status(account) == "gone"


def test_destroying_with_the_data_deletes_everything(account: Account, workspace: Path) -> None:
    dev = Deployment(account, OTHER_STAGE, "", 0.0)
    pair = DatasetPair.create(dev)
    pair.distribute()
    data = _find_data(dev)
    completed = account.destroy(workspace / OTHER_STAGE, OTHER_STAGE, "DATA=delete")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert _check_existence(account, data) == [False, False]
    assert _describe_status(account, OTHER_STAGE) == "gone"


def _list_changes(account: Account) -> list[str]:
    """Return the ids of the stack's events."""
    pages = (
        account.create_client("cloudformation")
        .get_paginator("describe_stack_events")
        .paginate(StackName=format_stack_name(STAGE))
    )
    return [event["EventId"] for page in pages for event in page["StackEvents"]]


def _count_versions(account: Account) -> int:
    name = make_function_name(STAGE, Function.PUBLISH)
    pages = (
        account.create_client("lambda")
        .get_paginator("list_versions_by_function")
        .paginate(FunctionName=name)
    )
    return sum(len(page["Versions"]) for page in pages)


def _describe_status(account: Account, stage: str = STAGE) -> str:
    """Return the stack's status, or `gone`."""
    pages = account.create_client("cloudformation").get_paginator("describe_stacks").paginate()
    statuses = {
        stack["StackName"]: stack["StackStatus"] for page in pages for stack in page["Stacks"]
    }
    status: str = statuses.get(format_stack_name(stage), "gone")
    return "gone" if status == "DELETE_COMPLETE" else status


def _add_impossible_alarm(template: Template) -> None:
    """Add an alarm that depends on all other resources; MiniStack refuses its metric math expression."""
    dependencies = [
        name for name, resource in template["Resources"].items() if "Condition" not in resource
    ]
    template["Resources"]["Impossible"] = {
        "Type": "AWS::CloudWatch::Alarm",
        "DependsOn": dependencies,
        "Properties": {
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "Metrics": [{"Id": "sum", "Expression": "a + b"}],
        },
    }


@contextmanager
def _run_operations(stage: Deployment) -> Iterator[list[str]]:
    """Run distributions until the end of the block; yields the projects with completed operations.

    The end of the block raises the first failure of the client or of an operation.
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


def _check_distribution(stage: Deployment) -> None:
    pair = DatasetPair.create(stage)
    pair.distribute()
    assert pair.count_entries() == (48, 12)


def _find_data(stage: Deployment) -> tuple[str, str]:
    """Return (bucket, table)."""
    (bucket,) = stage.find_resources("AWS::S3::Bucket").values()
    (table,) = stage.find_resources("AWS::DynamoDB::Table").values()
    return bucket, table


def _check_existence(account: Account, data: tuple[str, str]) -> list[bool]:
    bucket, table = data
    listed = account.create_client("s3").list_buckets()["Buckets"]
    buckets = {description["Name"] for description in listed}
    tables = account.create_client("dynamodb").list_tables()["TableNames"]
    return [bucket in buckets, table in tables]

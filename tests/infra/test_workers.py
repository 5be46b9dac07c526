"""The option `workers`, and the preflight check of the account's concurrency."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.concurrency import OTHER_EXECUTIONS, Concurrency, describe_shortage
from infra.options import OptionError, Options
from infra.preflight import (
    CHECKS,
    Deployment,
    Finding,
    check_workers,
    find_problems,
    select_refusals,
)
from infra.workflows import read_definition, set_workers
from tests.infra.conftest import Synthesize, parse_options
from twofold.settings import Workflow

every_workflow = pytest.mark.parametrize("workflow", Workflow)


def _find_concurrency_limits(node: Any) -> Iterator[int]:
    if isinstance(node, dict):
        if node.get("Type") == "Map":
            yield node["MaxConcurrency"]
        for value in node.values():
            yield from _find_concurrency_limits(value)


@every_workflow
def test_the_option_sets_the_concurrency_of_every_map(
    synthesize: Synthesize, workflow: Workflow
) -> None:
    few = list(_find_concurrency_limits(synthesize(workers="7").parse_definition(workflow)))
    assert few == [7] * len(list(_find_concurrency_limits(json.loads(read_definition(workflow)))))
    assert few


@every_workflow
def test_the_option_changes_nothing_else_in_a_definition(workflow: Workflow) -> None:
    text = set_workers(read_definition(workflow), 7)
    assert text != read_definition(workflow)
    assert set_workers(text, Options().workers) == read_definition(workflow)


@pytest.mark.parametrize("value", ["0", "1001", "-1", "many", "2.5"])
def test_an_invalid_number_of_workers_is_refused(value: str) -> None:
    with pytest.raises(OptionError, match=re.escape(f"workers='{value}': use ")):
        parse_options([f"workers={value}"])
    for fitting in (1, 1000):
        assert parse_options([f"workers={fitting}"]).workers == fitting


@pytest.mark.parametrize("workers", [1, 5, 40])
def test_an_account_with_enough_concurrency_has_no_shortage(workers: int) -> None:
    needed = workers + OTHER_EXECUTIONS
    assert describe_shortage(Concurrency(needed, needed), workers) == ""
    assert describe_shortage(Concurrency(1000, needed), workers) == ""
    assert describe_shortage(Concurrency(1000, needed - 1), workers)


def test_a_shortage_names_the_numbers_and_both_remedies() -> None:
    message = describe_shortage(Concurrency(10, 10), 40)
    assert message.startswith("workers is 40: one operation takes up to 40 concurrent executions")
    assert "This account has 10 in this region, so API calls would fail" in message
    assert "Set workers=5;" in message
    assert describe_shortage(Concurrency(10, 10), 5) == "", "The advice works."
    assert "request-service-quota-increase --service-code lambda" in message
    reserved = describe_shortage(Concurrency(1000, 8), 40)
    assert "has 8 in this region; other functions reserve 992 of 1,000, so" in reserved
    assert "Set workers=3;" in reserved


def test_without_a_free_execution_the_only_remedy_is_a_higher_quota() -> None:
    message = describe_shortage(Concurrency(10, OTHER_EXECUTIONS), 1)
    assert "Set workers" not in message
    assert "Raise the quota: aws service-quotas" in message


@dataclass(frozen=True, kw_only=True)
class StubbedDeployment(Deployment):
    """A deployment with a stubbed client, because moto has no GetAccountSettings; the stub validates request and response."""

    lambda_client: Any

    def make_client(self, service: str) -> Any:
        assert service == "lambda"
        return self.lambda_client


@pytest.fixture
def stub() -> Iterator[Stubber]:
    client: Any = boto3.client(
        "lambda",
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def _find(stub: Stubber, workers: int) -> list[Finding]:
    options = Options(workers=workers)
    deployment = StubbedDeployment(options=options, region="us-east-1", lambda_client=stub.client)
    return find_problems(deployment, [check for check in CHECKS if check is check_workers])


@pytest.mark.parametrize(
    ("limit", "unreserved", "workers", "refused"),
    [(10, 10, 40, True), (10, 10, 5, False), (1000, 40, 40, True), (1000, 1000, 40, False)],
)
def test_a_deployment_is_refused_if_its_workers_leave_too_few_executions(
    stub: Stubber, limit: int, unreserved: int, workers: int, refused: bool
) -> None:
    """The unreserved executions are decisive."""
    account = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": unreserved}
    stub.add_response("get_account_settings", {"AccountLimit": account}, {})
    findings = _find(stub, workers)
    assert [finding.name for finding in findings] == ["workers"] * refused
    assert select_refusals(findings, ()) == findings
    assert select_refusals(findings, ["workers"]) == []


def test_an_unreadable_limit_is_a_warning(stub: Stubber) -> None:
    stub.add_client_error("get_account_settings", "AccessDeniedException", "is not authorized")
    (finding,) = _find(stub, 40)
    assert not finding.blocking
    assert "the concurrent executions of the account could not be read" in finding.message
    assert "is not authorized" in finding.message

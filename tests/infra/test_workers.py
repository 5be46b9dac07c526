"""The option `workers`, and the check that the account has room for them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.concurrency import ROOM_FOR_OTHERS, Concurrency, describe_shortage
from infra.options import OptionError, Options, options_of
from infra.preflight import (
    CHECKS,
    Deployment,
    Finding,
    check_workers,
    find_problems,
    select_refusals,
)
from infra.workflows import definition, set_workers
from tests.infra.conftest import Synthesize
from twofold.settings import Workflow

every_workflow = pytest.mark.parametrize("workflow", Workflow)


def _limits(node: Any) -> Iterator[int]:
    if isinstance(node, dict):
        if node.get("Type") == "Map":
            yield node["MaxConcurrency"]
        for value in node.values():
            yield from _limits(value)


@every_workflow
def test_every_map_runs_as_many_workers_as_the_option_says(
    synthesize: Synthesize, workflow: Workflow
) -> None:
    few = list(_limits(synthesize(workers="7").definition(workflow)))
    assert few == [7] * len(list(_limits(json.loads(definition(workflow)))))
    assert few


@every_workflow
def test_nothing_else_of_a_definition_depends_on_the_workers(workflow: Workflow) -> None:
    text = set_workers(definition(workflow), 7)
    assert text != definition(workflow)
    assert set_workers(text, Options().workers) == definition(workflow)


@pytest.mark.parametrize("given", ["0", "1001", "-1", "many", "2.5"])
def test_a_number_of_workers_that_cannot_be_is_refused(given: str) -> None:
    with pytest.raises(OptionError, match=re.escape(f"workers='{given}': use ")):
        options_of([f"workers={given}"])
    for fitting in (1, 1000):
        assert options_of([f"workers={fitting}"]).workers == fitting


@pytest.mark.parametrize("workers", [1, 5, 40])
def test_an_account_with_room_for_workers_and_others_has_no_shortage(workers: int) -> None:
    needed = workers + ROOM_FOR_OTHERS
    assert describe_shortage(Concurrency(needed, needed), workers) == ""
    assert describe_shortage(Concurrency(1000, needed), workers) == ""
    assert describe_shortage(Concurrency(1000, needed - 1), workers)


def test_a_shortage_names_the_numbers_and_both_remedies() -> None:
    message = describe_shortage(Concurrency(10, 10), 40)
    assert message.startswith("workers is 40: one operation takes up to 40 concurrent executions")
    assert "This account has 10 in this region, so calls would fail" in message
    assert "Choose workers=5," in message
    assert describe_shortage(Concurrency(10, 10), 5) == "", "The advice is good."
    assert "request-service-quota-increase --service-code lambda" in message
    reserved = describe_shortage(Concurrency(1000, 8), 40)
    assert "has 8 in this region; other functions reserve 992 of 1,000, so" in reserved
    assert "Choose workers=3," in reserved


def test_where_no_worker_fits_a_higher_quota_is_the_only_advice() -> None:
    message = describe_shortage(Concurrency(10, ROOM_FOR_OTHERS), 1)
    assert "Choose" not in message
    assert "Raise the quota: aws service-quotas" in message


@dataclass(frozen=True, kw_only=True)
class StubbedDeployment(Deployment):
    """moto has no GetAccountSettings; botocore's stub holds request and answer against the service's model."""

    lambda_client: Any

    def client(self, service: str) -> Any:
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
def test_a_deployment_is_refused_where_its_workers_leave_no_room(
    stub: Stubber, limit: int, unreserved: int, workers: int, refused: bool
) -> None:
    """By what Lambda leaves to functions without a reservation."""
    account = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": unreserved}
    stub.add_response("get_account_settings", {"AccountLimit": account}, {})
    findings = _find(stub, workers)
    assert [finding.name for finding in findings] == ["workers"] * refused
    assert select_refusals(findings, ()) == findings
    assert select_refusals(findings, ["workers"]) == []


def test_a_limit_that_may_not_be_read_is_a_warning(stub: Stubber) -> None:
    stub.add_client_error("get_account_settings", "AccessDeniedException", "is not authorized")
    (finding,) = _find(stub, 40)
    assert not finding.refused
    assert "nobody checked that the account has room" in finding.message
    assert "is not authorized" in finding.message

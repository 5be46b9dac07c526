"""Anomalies without faults: items read at different times, expired items, clocks with errors."""

import json
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from tests.faults.anomalies import is_consistent, read_separately
from tests.faults.campaign import MOST_SKEW
from tests.faults.moto_storage import MotoStorage
from tests.faults.scenario import Action, Scenario
from tests.faults.simulated_service import SimulatedService
from twofold.stores.table import Table


def make_request(body: dict[str, Any]) -> AWSPreparedRequest:
    return AWSPreparedRequest(
        "POST", "https://dynamodb", HTTPHeaders(), json.dumps(body).encode(), False
    )


def read_body(request: AWSPreparedRequest) -> dict[str, Any]:
    assert isinstance(request.body, bytes)
    body: dict[str, Any] = json.loads(request.body)
    return body


def test_items_of_a_batch_are_read_at_different_times() -> None:
    stored = {"a": 1, "b": 1}

    def send(request: AWSPreparedRequest) -> tuple[int, dict[str, str], bytes]:
        ((_, table_request),) = read_body(request)["RequestItems"].items()
        items = [{key: stored[key]} for key in table_request["Keys"]]
        return 200, {}, json.dumps({"Responses": {"table": items}}).encode()

    body = {"RequestItems": {"table": {"Keys": ["a", "b"], "ConsistentRead": True}}}
    change = partial(stored.update, a=2, b=2)
    status, _, text = read_separately("BatchGetItem", make_request(body), send, change)
    assert (status, json.loads(text)["Responses"]) == (200, {"table": [{"a": 1}, {"b": 2}]})


@pytest.mark.parametrize("limit", [{}, {"Limit": 2}, {"Limit": 9}])
def test_a_query_read_item_by_item_has_the_items_and_position_of_one_read(
    limit: dict[str, int],
) -> None:
    def send(request: AWSPreparedRequest) -> tuple[int, dict[str, str], bytes]:
        asked = read_body(request)
        first = asked.get("ExclusiveStartKey", -1) + 1
        last = min(5, first + asked.get("Limit", 5))
        more = {"LastEvaluatedKey": last - 1} if last < 5 else {}
        return 200, {}, json.dumps({"Items": list(range(first, last))} | more).encode()

    whole = json.loads(send(make_request(limit))[2])
    _, _, text = read_separately("Query", make_request(limit), send, lambda: None)
    combined = json.loads(text)
    assert (combined["Items"], combined.get("LastEvaluatedKey")) == (
        whole["Items"],
        whole.get("LastEvaluatedKey"),
    )


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("GetItem", {}),
        ("Query", {"ConsistentRead": False}),
        ("BatchGetItem", {"RequestItems": {"table": {"Keys": []}}}),
    ],
)
def test_a_read_without_strong_consistency_is_detected(
    operation: str, body: dict[str, Any]
) -> None:
    assert not is_consistent(operation, body)


def test_an_item_expires_after_its_time_to_live(service: SimulatedService) -> None:
    with (
        service.start_scenario(Action.DISTRIBUTE) as scenario,
        scenario.simulator.fault_injector.pause(),
    ):
        memory = MotoStorage(scenario.simulator.api.name)
        table = Table(memory.name)
        table.increment_counter("calls", "short", expires=1_000)
        table.increment_counter("calls", "long", expires=2_000)
        before = len(memory.list_all_items())
        memory.expire_items(1_000)
        assert len(memory.list_all_items()) == before - 1
        assert [item["sk"] for item in memory.list_items("calls")] == ["long"]


def _list_distributions(scenario: Scenario) -> list[str]:
    response = scenario.call_successfully("ListDatasetDistributions", ProjectArn=scenario.project)
    return [distribution["DistributionId"] for distribution in response["Distributions"]]


def test_a_clock_that_goes_back_hides_and_reorders_no_distribution(
    service: SimulatedService,
) -> None:
    with service.start_scenario(Action.DISTRIBUTE) as scenario:
        simulator = scenario.simulator
        listed: list[list[str]] = []
        behind = [0]
        simulator.choose_skew = lambda process: -behind[0]
        for _ in range(4):
            # Each distribution runs with clocks that are behind those of the previous distribution.
            behind[0] += MOST_SKEW
            scenario.perform(Action.DRY_RUN)
            simulator.scheduler.run()
            listed.append(_list_distributions(scenario))
        assert [len(distributions) for distributions in listed] == [1, 2, 3, 4]
        assert all(later[1:] == sooner for sooner, later in pairwise(listed))

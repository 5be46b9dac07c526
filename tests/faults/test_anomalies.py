"""What DynamoDB and clocks do without a fault: reads of several moments, items that outlive their time, clocks that differ."""

import json
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from tests.faults.anomalies import is_consistent, read_apart
from tests.faults.campaign import MOST_SKEW
from tests.faults.memory import Memory
from tests.faults.scene import Job, Scene, Stage
from twofold.stores.table import Table


def request_of(body: dict[str, Any]) -> AWSPreparedRequest:
    return AWSPreparedRequest(
        "POST", "https://dynamodb", HTTPHeaders(), json.dumps(body).encode(), False
    )


def body_of(request: AWSPreparedRequest) -> dict[str, Any]:
    assert isinstance(request.body, bytes)
    body: dict[str, Any] = json.loads(request.body)
    return body


def test_items_of_a_batch_are_of_the_moments_at_which_each_is_read() -> None:
    stored = {"a": 1, "b": 1}

    def send(request: AWSPreparedRequest) -> tuple[int, dict[str, str], bytes]:
        ((_, wanted),) = body_of(request)["RequestItems"].items()
        items = [{key: stored[key]} for key in wanted["Keys"]]
        return 200, {}, json.dumps({"Responses": {"table": items}}).encode()

    body = {"RequestItems": {"table": {"Keys": ["a", "b"], "ConsistentRead": True}}}
    change = partial(stored.update, a=2, b=2)
    status, _, text = read_apart("BatchGetItem", request_of(body), send, change)
    assert (status, json.loads(text)["Responses"]) == (200, {"table": [{"a": 1}, {"b": 2}]})


@pytest.mark.parametrize("limit", [{}, {"Limit": 2}, {"Limit": 9}])
def test_a_query_that_is_read_apart_has_the_items_and_the_place_of_one_that_is_not(
    limit: dict[str, int],
) -> None:
    def send(request: AWSPreparedRequest) -> tuple[int, dict[str, str], bytes]:
        asked = body_of(request)
        first = asked.get("ExclusiveStartKey", -1) + 1
        last = min(5, first + asked.get("Limit", 5))
        more = {"LastEvaluatedKey": last - 1} if last < 5 else {}
        return 200, {}, json.dumps({"Items": list(range(first, last))} | more).encode()

    whole = json.loads(send(request_of(limit))[2])
    _, _, text = read_apart("Query", request_of(limit), send, lambda: None)
    apart = json.loads(text)
    assert (apart["Items"], apart.get("LastEvaluatedKey")) == (
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
def test_a_read_that_may_be_old_is_told(operation: str, body: dict[str, Any]) -> None:
    assert not is_consistent(operation, body)


def test_an_item_goes_when_its_time_is_over(the_stage: Stage) -> None:
    with the_stage.scene(Job.DISTRIBUTE) as scene, scene.theatre.outside.looking():
        memory = Memory(scene.theatre.api.name)
        table = Table(memory.name)
        table.count("calls", "short", expires=1_000)
        table.count("calls", "long", expires=2_000)
        before = len(memory.every_item())
        memory.expire(1_000)
        assert len(memory.every_item()) == before - 1
        assert [item["sk"] for item in memory.items("calls")] == ["long"]


def _list_distributions(scene: Scene) -> list[str]:
    answer = scene.done("ListDatasetDistributions", ProjectArn=scene.project)
    return [distribution["DistributionId"] for distribution in answer["Distributions"]]


def test_a_clock_that_goes_back_hides_and_reorders_no_distribution(the_stage: Stage) -> None:
    with the_stage.scene(Job.DISTRIBUTE) as scene:
        theatre = scene.theatre
        listed: list[list[str]] = []
        behind = [0]
        theatre.skew = lambda actor: -behind[0]
        for _ in range(4):
            # Each is begun, and published, by clocks that are behind those of the one before.
            behind[0] += MOST_SKEW
            scene.do(Job.DRY_RUN)
            theatre.company.play()
            listed.append(_list_distributions(scene))
        assert [len(distributions) for distributions in listed] == [1, 2, 3, 4]
        assert all(later[1:] == sooner for sooner, later in pairwise(listed))

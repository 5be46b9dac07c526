"""The event of each operation arrives at a rule of the account's default bus."""

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]

from tests.handlers.test_events import SCHEMA
from tests.rehearsal.account import Account, Deployment
from tests.rehearsal.datasets import DatasetPair
from tests.rehearsal.queues import Queue
from twofold.operation_event import DETAIL_TYPE, SOURCE

EXPECTED = {
    ("CREATE", "SUCCEEDED", False),
    ("DISTRIBUTE", "SUCCEEDED", True),
    ("DISTRIBUTE", "SUCCEEDED", False),
    ("REVERT", "SUCCEEDED", False),
    ("UPDATE", "SUCCEEDED", False),
    ("UPDATE", "FAILED", False),
}
"""(operation, outcome, dry run)"""


def test_the_event_of_each_operation_arrives(account: Account, prod: Deployment) -> None:
    queue = Queue.create(account, "events", principal="events.amazonaws.com")
    events = account.create_client("events")
    pattern = json.dumps({"source": [SOURCE], "detail-type": [DETAIL_TYPE]})
    events.put_rule(Name="rehearsal", EventPattern=pattern)
    events.put_targets(Rule="rehearsal", Targets=[{"Id": "queue", "Arn": queue.arn}])
    project = _run_each_operation(prod)
    bodies = queue.receive_until(lambda bodies: _summarize(bodies, project) >= EXPECTED)
    assert _summarize(bodies, project) == EXPECTED


def _run_each_operation(stage: Deployment) -> str:
    """Run an operation of each kind, and return the name of the project."""
    pair = DatasetPair.create(stage)
    pair.distribute(DryRun=True)
    pair.distribute()
    pair.client.revert_dataset_distribution(ProjectArn=pair.project)
    entry = pair.list_entries(pair.train)[0].encode()
    pair.client.update_dataset_entries(DatasetArn=pair.train, Changes={"GroundTruth": entry})
    assert pair.wait(pair.train)["Status"] == "UPDATE_COMPLETE"
    pair.client.update_dataset_entries(
        DatasetArn=pair.train, Changes={"GroundTruth": b"no manifest"}
    )
    assert pair.wait(pair.train)["Status"] == "UPDATE_FAILED"
    return pair.project.split("/")[1]


def _summarize(bodies: list[str], project: str) -> set[tuple[Any, ...]]:
    details = [json.loads(body)["detail"] for body in bodies]
    for detail in details:
        jsonschema.validate(detail, SCHEMA)
    return {
        (detail["operation"], detail["outcome"], detail["dryRun"])
        for detail in details
        if detail["projectName"] == project
    }

"""What wakes someone: each alarm says what to do, watches what is really published, and tells whoever subscribed."""

import base64
import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.in_process import Context, serving
from tests.handlers.lines import lines, metrics
from tests.infra.conftest import Synthesize
from tests.infra.synthesized import Synthesized, spelt
from twofold.handlers import collect, settle
from twofold.metrics import NAMESPACE, Metric
from twofold.settings import Workflow

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
LINE = json.dumps({"source-ref": "s3://b/1.jpg"})
Watched = tuple[str, frozenset[tuple[str, str]]]


def _alarms(template: Synthesized) -> dict[str, Any]:
    found = template.properties("AWS::CloudWatch::Alarm").values()
    return {alarm["AlarmName"].removeprefix("twofold-prod-"): alarm for alarm in found}


def _entries() -> dict[str, str]:
    """Entries of the runbook by the alarm's name."""
    return dict(re.findall(r"^### ([a-z-]+)\n(.*?)(?=^##|\Z)", OPERATIONS.read_text(), re.M | re.S))


def _metrics_of(alarm: Any) -> Iterator[Any]:
    """The metrics that an alarm watches, as CloudFormation spells them."""
    if "MetricName" in alarm:
        yield alarm
    for one in alarm.get("Metrics", []):
        if "MetricStat" in one:
            yield {**one["MetricStat"]["Metric"], **one["MetricStat"]}


def test_every_alarm_has_an_entry_in_the_runbook_and_every_entry_an_alarm(
    template: Synthesized,
) -> None:
    assert set(_entries()) == set(_alarms(template))
    for name, entry in _entries().items():
        assert "**Look at**" in entry, name
        assert "**Do**" in entry, name
        assert f"docs/operations.md#{name}" in _alarms(template)[name]["AlarmDescription"]


def test_the_runbook_says_when_an_alarm_goes_off(template: Synthesized) -> None:
    for name, alarm in _alarms(template).items():
        (period,) = {metric["Period"] for metric in _metrics_of(alarm)}
        due, periods = alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]
        said = f"at {alarm['Threshold']} or more, in {due} of {periods} periods of {period // 60} minutes"
        assert said in _entries()[name], name
        silent = "InsufficientDataActions" in alarm
        assert ("silence counts" in _entries()[name]) == silent, name


def test_every_alarm_tells_the_topic_when_it_begins_and_when_it_is_over(
    template: Synthesized,
) -> None:
    (topic,) = template.of_type("AWS::SNS::Topic")
    for name, alarm in _alarms(template).items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}], name


def _told(alarm: Any, values: list[float | None]) -> list[str]:
    """The states that somebody is told of while an alarm evaluates these values, one a period, None where none came.

    As CloudWatch documents it: an alarm begins with too few data, and acts where its state changes.
    """
    missing, state, told = alarm["TreatMissingData"], "INSUFFICIENT_DATA", []
    acts = {
        "ALARM": alarm.get("AlarmActions"),
        "OK": alarm.get("OKActions"),
        "INSUFFICIENT_DATA": alarm.get("InsufficientDataActions"),
    }
    for end in range(1, len(values) + 1):
        seen = values[max(0, end - alarm["EvaluationPeriods"]) : end]
        seen = [*[None] * (alarm["EvaluationPeriods"] - len(seen)), *seen]
        if missing == "missing" and set(seen) == {None}:
            now = "INSUFFICIENT_DATA"
        else:
            bad = [missing == "breaching" if v is None else v >= alarm["Threshold"] for v in seen]
            now = "ALARM" if sum(bad) >= alarm["DatapointsToAlarm"] else "OK"
        if now != state and acts[now]:
            told.append(now)
        state = now
    return told


def test_an_empty_stage_is_quiet_until_its_first_value_and_one_that_falls_silent_is_not(
    template: Synthesized,
) -> None:
    stuck = _alarms(template)["stuck-operations"]
    assert _told(stuck, [None, None, None, None]) == []
    assert _told(stuck, [None, None, 0, 0, 0]) == ["OK"]
    assert _told(stuck, [0, 0, 0, None, None, None]) == ["OK", "INSUFFICIENT_DATA"]
    late = float(stuck["Threshold"])
    assert _told(stuck, [0, late, late, late]) == ["OK", "ALARM"]


def test_the_address_is_subscribed_and_without_one_nobody_is(
    template: Synthesized, synthesize: Synthesize
) -> None:
    assert not template.of_type("AWS::SNS::Subscription")
    told = synthesize(alarm_email="someone@example.com")
    subscription = told.only("AWS::SNS::Subscription")["Properties"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "someone@example.com")


def test_an_operation_is_stuck_only_after_every_workflow_has_timed_out(
    template: Synthesized,
) -> None:
    stuck = _alarms(template)["stuck-operations"]["Threshold"]
    assert all(template.definition(workflow)["TimeoutSeconds"] < stuck for workflow in Workflow)


@pytest.fixture(scope="module")
def published(aws: None) -> set[Watched]:
    """Every metric that the functions published while they did the main job, failed at it and were swept."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), serving() as api:
        project = api.done("CreateProject", ProjectName="watched")["ProjectArn"]
        source = api.source(LINE.encode())
        kind = {"ProjectArn": project, "DatasetType": "TRAIN"}
        train = api.done("CreateDataset", DatasetSource=source, **kind)["DatasetArn"]
        kind["DatasetType"] = "TEST"
        test = api.done("CreateDataset", **kind)["DatasetArn"]
        api.done("DistributeDatasetEntries", Datasets=[{"Arn": train}, {"Arn": test}])
        patch.setenv("TWOFOLD_RETENTION_DAYS", "1")
        patch.setattr("twofold.workflow.publish._proven", lambda *_: 1 / 0)
        changes = {"GroundTruth": base64.b64encode(LINE.encode()).decode()}
        api.done("UpdateDatasetEntries", DatasetArn=train, Changes=changes)
        settle.handler({}, Context(function_name="twofold-test-settle"))
        collect.handler({}, Context(function_name="twofold-test-collect"))
    found = metrics(lines(printed.getvalue()))
    return {(datum.name, _but_for_the_stage(datum.dimensions)) for datum in found}


def _but_for_the_stage(dimensions: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    assert {value for name, value in dimensions if name == "Stage"} <= {"test", "prod"}
    return frozenset((name, value) for name, value in dimensions if name != "Stage")


def test_every_metric_of_ours_that_an_alarm_watches_is_published_by_the_functions(
    template: Synthesized, published: set[Watched]
) -> None:
    watched = {
        (
            metric["MetricName"],
            _but_for_the_stage(frozenset((d["Name"], d["Value"]) for d in metric["Dimensions"])),
        )
        for alarm in _alarms(template).values()
        for metric in _metrics_of(alarm)
        if metric["Namespace"] == NAMESPACE
    }
    assert watched
    assert watched <= published


def test_what_an_alarm_watches_of_aws_belongs_to_this_stage(template: Synthesized) -> None:
    names = {p["FunctionName"] for p in template.functions.values()}
    names.add(template.only("AWS::ApiGateway::RestApi")["Properties"]["Name"])
    names |= {f"<{queue}.QueueName>" for queue in template.of_type("AWS::SQS::Queue")}
    for name, alarm in _alarms(template).items():
        for metric in _metrics_of(alarm):
            if metric["Namespace"] != NAMESPACE:
                assert {spelt(d["Value"]) for d in metric["Dimensions"]} <= names, name


def test_the_dashboard_shows_every_metric_of_ours_that_is_published(
    template: Synthesized, published: set[Watched]
) -> None:
    body = json.loads(
        spelt(template.only("AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"])
    )
    shown = {
        (row[1], frozenset(row[2:-1:2]) - {"Stage"})
        for widget in body["widgets"]
        for row in widget["properties"]["metrics"]
        if row[0] == NAMESPACE
    }
    known = {(name, frozenset(key for key, _ in dimensions)) for name, dimensions in published}
    assert shown <= known
    assert {name for name, _ in shown} >= set(Metric) - {
        Metric.COLLECTED,
        Metric.FAILURES,
        Metric.REFUSALS,
    }

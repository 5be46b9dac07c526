"""Alarms: each has a runbook entry, watches published metrics, and notifies the subscribers of the topic."""

import base64
import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import Synthesize
from tests.infra.synthesized_template import SynthesizedTemplate, render_value
from tests.support.in_process_api import LambdaContext, serve_api
from tests.support.log_lines import extract_metrics, parse_lines
from twofold.handlers import collect, settle
from twofold.metrics import NAMESPACE, Metric
from twofold.settings import Workflow

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
LINE = json.dumps({"source-ref": "s3://b/1.jpg"})
MetricKey = tuple[str, frozenset[tuple[str, str]]]


def _list_alarms(template: SynthesizedTemplate) -> dict[str, Any]:
    alarms = template.select_properties("AWS::CloudWatch::Alarm").values()
    return {alarm["AlarmName"].removeprefix("twofold-prod-"): alarm for alarm in alarms}


def _parse_runbook() -> dict[str, str]:
    """Return the entries of the runbook, by name of the alarm."""
    return dict(re.findall(r"^### ([a-z-]+)\n(.*?)(?=^##|\Z)", OPERATIONS.read_text(), re.M | re.S))


def _list_metrics(alarm: Any) -> Iterator[Any]:
    """Yield the metrics of an alarm, in CloudFormation's notation."""
    if "MetricName" in alarm:
        yield alarm
    for query in alarm.get("Metrics", []):
        if "MetricStat" in query:
            yield {**query["MetricStat"]["Metric"], **query["MetricStat"]}


def test_every_alarm_has_an_entry_in_the_runbook_and_every_entry_an_alarm(
    template: SynthesizedTemplate,
) -> None:
    assert set(_parse_runbook()) == set(_list_alarms(template))
    for name, entry in _parse_runbook().items():
        assert "**Look at**" in entry, name
        assert "**Do**" in entry, name
        assert f"docs/operations.md#{name}" in _list_alarms(template)[name]["AlarmDescription"]


def test_the_runbook_states_the_condition_of_each_alarm(template: SynthesizedTemplate) -> None:
    for name, alarm in _list_alarms(template).items():
        (period,) = {metric["Period"] for metric in _list_metrics(alarm)}
        datapoints, periods = alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]
        condition = f"at {alarm['Threshold']} or more, in {datapoints} of {periods} periods of {period // 60} minutes"
        assert condition in _parse_runbook()[name], name
        alerts_on_missing_data = "InsufficientDataActions" in alarm
        assert ("missing data counts" in _parse_runbook()[name]) == alerts_on_missing_data, name


def test_every_alarm_notifies_the_topic_at_its_beginning_and_its_end(
    template: SynthesizedTemplate,
) -> None:
    (topic,) = template.select_resources("AWS::SNS::Topic")
    for name, alarm in _list_alarms(template).items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}], name


def _simulate_notifications(alarm: Any, values: list[float | None]) -> list[str]:
    """Return the notified states of an alarm for a series of values, one per period; None is a period without data.

    As CloudWatch documents, an alarm begins with insufficient data and acts on changes of its state.
    """
    missing, state, notified_states = alarm["TreatMissingData"], "INSUFFICIENT_DATA", []
    actions = {
        "ALARM": alarm.get("AlarmActions"),
        "OK": alarm.get("OKActions"),
        "INSUFFICIENT_DATA": alarm.get("InsufficientDataActions"),
    }
    for end in range(1, len(values) + 1):
        window = values[max(0, end - alarm["EvaluationPeriods"]) : end]
        window = [*[None] * (alarm["EvaluationPeriods"] - len(window)), *window]
        if missing == "missing" and set(window) == {None}:
            new_state = "INSUFFICIENT_DATA"
        else:
            breaching = [
                missing == "breaching" if v is None else v >= alarm["Threshold"] for v in window
            ]
            new_state = "ALARM" if sum(breaching) >= alarm["DatapointsToAlarm"] else "OK"
        if new_state != state and actions[new_state]:
            notified_states.append(new_state)
        state = new_state
    return notified_states


def test_a_new_stage_sends_no_alarm_before_its_first_value_and_missing_data_later_does(
    template: SynthesizedTemplate,
) -> None:
    stuck = _list_alarms(template)["stuck-operations"]
    assert _simulate_notifications(stuck, [None, None, None, None]) == []
    assert _simulate_notifications(stuck, [None, None, 0, 0, 0]) == ["OK"]
    assert _simulate_notifications(stuck, [0, 0, 0, None, None, None]) == [
        "OK",
        "INSUFFICIENT_DATA",
    ]
    late = float(stuck["Threshold"])
    assert _simulate_notifications(stuck, [0, late, late, late]) == ["OK", "ALARM"]


def test_the_address_is_subscribed_if_there_is_one(
    template: SynthesizedTemplate, synthesize: Synthesize
) -> None:
    assert not template.select_resources("AWS::SNS::Subscription")
    with_address = synthesize(alarm_email="someone@example.com")
    subscription = with_address.get_only_resource("AWS::SNS::Subscription")["Properties"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "someone@example.com")


def test_an_operation_is_stuck_only_after_every_workflow_has_timed_out(
    template: SynthesizedTemplate,
) -> None:
    stuck = _list_alarms(template)["stuck-operations"]["Threshold"]
    assert all(
        template.parse_definition(workflow)["TimeoutSeconds"] < stuck for workflow in Workflow
    )


@pytest.fixture(scope="module")
def published_metrics(aws: None) -> set[MetricKey]:
    """All metrics that the functions published during a distribution, a failed update, a sweep and a collection."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), serve_api() as api:
        project = api.call_successfully("CreateProject", ProjectName="watched")["ProjectArn"]
        source = api.upload_source(LINE.encode())
        dataset = {"ProjectArn": project, "DatasetType": "TRAIN"}
        train = api.call_successfully("CreateDataset", DatasetSource=source, **dataset)[
            "DatasetArn"
        ]
        dataset["DatasetType"] = "TEST"
        test = api.call_successfully("CreateDataset", **dataset)["DatasetArn"]
        api.call_successfully("DistributeDatasetEntries", Datasets=[{"Arn": train}, {"Arn": test}])
        patch.setenv("TWOFOLD_RETENTION_DAYS", "1")
        patch.setattr("twofold.workflow.publish.check_conservation", lambda *_: 1 / 0)
        changes = {"GroundTruth": base64.b64encode(LINE.encode()).decode()}
        api.call_successfully("UpdateDatasetEntries", DatasetArn=train, Changes=changes)
        settle.handler({}, LambdaContext(function_name="twofold-test-settle"))
        collect.handler({}, LambdaContext(function_name="twofold-test-collect"))
    metrics = extract_metrics(parse_lines(printed.getvalue()))
    return {(metric.name, _drop_stage(metric.dimensions)) for metric in metrics}


def _drop_stage(dimensions: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    assert {value for name, value in dimensions if name == "Stage"} <= {"test", "prod"}
    return frozenset((name, value) for name, value in dimensions if name != "Stage")


def test_every_twofold_metric_of_an_alarm_is_published_by_the_functions(
    template: SynthesizedTemplate, published_metrics: set[MetricKey]
) -> None:
    watched = {
        (
            metric["MetricName"],
            _drop_stage(frozenset((d["Name"], d["Value"]) for d in metric["Dimensions"])),
        )
        for alarm in _list_alarms(template).values()
        for metric in _list_metrics(alarm)
        if metric["Namespace"] == NAMESPACE
    }
    assert watched
    assert watched <= published_metrics


def test_the_aws_metrics_of_alarms_belong_to_this_stage(template: SynthesizedTemplate) -> None:
    names = {p["FunctionName"] for p in template.functions.values()}
    names.add(template.get_only_resource("AWS::ApiGateway::RestApi")["Properties"]["Name"])
    names |= {f"<{queue}.QueueName>" for queue in template.select_resources("AWS::SQS::Queue")}
    for name, alarm in _list_alarms(template).items():
        for metric in _list_metrics(alarm):
            if metric["Namespace"] != NAMESPACE:
                assert {render_value(d["Value"]) for d in metric["Dimensions"]} <= names, name


def test_the_dashboard_shows_every_published_twofold_metric(
    template: SynthesizedTemplate, published_metrics: set[MetricKey]
) -> None:
    body = json.loads(
        render_value(
            template.get_only_resource("AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"]
        )
    )
    shown = {
        (row[1], frozenset(row[2:-1:2]) - {"Stage"})
        for widget in body["widgets"]
        for row in widget["properties"]["metrics"]
        if row[0] == NAMESPACE
    }
    known_metrics = {
        (name, frozenset(key for key, _ in dimensions)) for name, dimensions in published_metrics
    }
    assert shown <= known_metrics
    assert {name for name, _ in shown} >= set(Metric) - {
        Metric.COLLECTED,
        Metric.FAILURES,
        Metric.REFUSALS,
    }

"""Numbers in the documentation equal the deployed values: times, sizes, rates and retentions."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import limits, simulate
from bench.retries import read_map_policy, read_step_retry
from infra.concurrency import OTHER_EXECUTIONS
from infra.options import OptionError
from local.emulator.sigv4 import MAX_SKEW
from tests.infra.conftest import parse_options
from tests.infra.synthesized_template import SynthesizedTemplate
from twofold.api.history import LINK_SECONDS
from twofold.settings import Function, Variable, Workflow
from twofold.stores.table.calls import RESPONSE_SECONDS
from twofold.workflow.settle import GIVE_UP_MILLISECONDS

DOCS = Path(__file__).parents[2] / "docs"
WORDS = {1: "a", 2: "two", 3: "three", 5: "five"}
QUANTITY = re.compile(
    r"\b(?:\d[\d,.]*|a|an|one|two|three|five|ten|every|each|once a|once an)[ -]"
    r"(?:seconds?|s|minutes?|hours?|days?|months?|MB|GB|MiB|GiB|KiB|shards)\b",
    re.IGNORECASE,
)

UNCHECKED_QUANTITIES = {
    "operations": (
        "87 MB | 250 MB",  # tests/infra/test_bundling.py
        "less than half | 1 MB",  # tests/infra/test_aws_limits.py
        "75 GB of code",
        "20 MB for each function",
        "older than a day",
        "in five minutes; above it",  # the default window of a web ACL
        "512 to 10,240 MB",  # below
        "A second stage",
        "#a-second-stage",
        "where [versioning](#versioning) is on | 7 days",  # tests/infra/test_storage.py
        "where versioning is on | 1 day",  # tests/infra/test_storage.py
        "and 8 days more",  # S3 deletes expired objects within a day
        "about 9 days instead of 7",
    ),
    "security": (
        "10 MB at API Gateway, 6 MB at Lambda",
        "is a second of the clock",
        "the turn of a second",
        "A SigV4 signature is valid for five minutes",
        "campaign of three minutes",
        "two minutes of guided ones",
        "five seconds",  # tests/fuzz/targets.py
    ),
    "concepts": (),
    "events": (),
    "faq": ("#a-second-stage", "a second variable"),
}
"""Quantities that are not settings of the stack; comments name the tests that check them."""


def _flatten(text: str) -> str:
    without_code = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    return " ".join(without_code.split())


def _read_pages() -> dict[str, str]:
    return {page.stem: _flatten(page.read_text(encoding="utf-8")) for page in DOCS.glob("*.md")}


def _read_schedule(template: SynthesizedTemplate, function: Function) -> str:
    """Return the interval of the rule that invokes a function, such as `1 minute` of `rate(1 minute)`."""
    rules = [
        (rule["ScheduleExpression"], template.find_function_of_alias(rule["Targets"][0]["Arn"]))
        for rule in template.select_properties("AWS::Events::Rule").values()
        if "ScheduleExpression" in rule
    ]
    (expression,) = [rate for rate, name in rules if name == f"twofold-prod-{function}"]
    match = re.fullmatch(r"rate\((\d+ \w+)\)", expression)
    assert match, expression
    return match[1]


def _select_maps(states: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in states.values():
        if state["Type"] == "Map":
            yield state


def _read_concurrency(template: SynthesizedTemplate) -> int:
    (limit,) = {
        state["MaxConcurrency"]
        for workflow in Workflow
        for state in _select_maps(template.parse_definition(workflow)["States"])
    }
    return int(limit)


def _describe_alarm_periods(template: SynthesizedTemplate) -> Iterator[str]:
    for alarm in template.select_properties("AWS::CloudWatch::Alarm").values():
        queries = alarm.get("Metrics", ())
        metrics = [query["MetricStat"] for query in queries if "MetricStat" in query]
        (period,) = {metric["Period"] for metric in metrics or [alarm]}
        datapoints, periods = alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]
        yield f"in {datapoints} of {periods} periods of {period // 60} minutes"


def _list_sentences(template: SynthesizedTemplate) -> Iterator[tuple[str, str]]:
    """Yield (page, required text) for the deployed values."""
    yield from _list_workflow_sentences(template)
    yield from _list_schedule_sentences(template)
    yield from _list_retention_sentences(template)
    yield from _list_code_sentences()
    yield "reliability", f"a call ends within {template.functions[Function.API]['Timeout']} seconds"
    yield "api", f"longer than {template.functions[Function.API]['Timeout']} seconds"
    for sentence in _describe_alarm_periods(template):
        yield "operations", sentence


def _list_workflow_sentences(template: SynthesizedTemplate) -> Iterator[tuple[str, str]]:
    (longest,) = {template.parse_definition(workflow)["TimeoutSeconds"] for workflow in Workflow}
    yield "operations", f"A workflow ends after {longest} s at the latest"
    yield "operations", f"no workflow lasts longer than {WORDS[longest // 3600]} hours"
    shards = _read_concurrency(template)
    yield "operations", f"works at up to {shards} shards at once"
    yield "operations", f"each workflow runs up to {shards} shards at once"
    yield "performance", f"**{shards} workers at a time**"
    yield "performance", f"MaxConcurrency is {shards}"
    yield "performance", f"`workers` that leave fewer than {WORDS[OTHER_EXECUTIONS]}"
    yield "performance", f"on average** ({read_map_policy().retry.attempts} attempts)"
    yield "performance", f"on average ({read_step_retry().attempts} attempts)"
    solver = template.functions[Function.SELECT]["MemorySize"]
    yield "performance", f"{solver:,} MB unless you choose"


def _list_schedule_sentences(template: SynthesizedTemplate) -> Iterator[tuple[str, str]]:
    sweep = {"1 minute": "minute"}.get(_read_schedule(template, Function.SETTLE), "?")
    collection = {"1 day": "day"}.get(_read_schedule(template, Function.COLLECT), "?")
    yield "operations", f"`settle` runs every {sweep} and `collect` once a {collection}"
    yield "operations", f"the age of the oldest in seconds, once a {sweep}"
    yield "operations", f"because Settle publishes it every {sweep}"
    yield "operations", f"Settle retries every {sweep}"
    yield "operations", f"the function `collect`, once a {collection} |"
    yield "cost", f"runs each {sweep}: one invocation of"
    yield "cost", f"Collect runs once a {collection}"
    yield "reliability", f"Settle runs after an event about a failed execution, and every {sweep}"
    yield "events", f"the next run of Settle sends the event, within about a {sweep}"


def _list_retention_sentences(template: SynthesizedTemplate) -> Iterator[tuple[str, str]]:
    variables = template.functions[Function.COLLECT]["Environment"]["Variables"]
    retention_days = variables[Variable.RETENTION]
    yield (
        "operations",
        f"| contents that no dataset points to | {retention_days} days (`retention_days`) |",
    )
    bucket = template.get_only_resource("AWS::S3::Bucket")["Properties"]
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    scratch = rules["scratch"]["ExpirationInDays"]
    yield "operations", f"| scratch of workflows | {scratch} days |"
    yield "cost", f"scratch for {scratch} days"
    aborted = rules["uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
    yield "operations", f"| uploads that were never completed | {aborted} days |"
    groups = template.select_properties("AWS::Logs::LogGroup").values()
    (logs,) = {group["RetentionInDays"] for group in groups}
    yield "operations", f"| logs | {logs} days (`log_retention_days`) |"
    recovery = template.table["PointInTimeRecoverySpecification"].get("RecoveryPeriodInDays", 35)
    yield "operations", f"any second of the last {recovery} days"


def _list_code_sentences() -> Iterator[tuple[str, str]]:
    yield "security", f"The response is kept for {WORDS[RESPONSE_SECONDS // 3600]} hours"
    yield "security", f"a clock that differs by more than {WORDS[MAX_SKEW.seconds // 60]} minutes"
    minutes = WORDS[GIVE_UP_MILLISECONDS // 60_000]
    yield "reliability", f"after {minutes} minutes it stops retrying a failing start"
    yield "getting-started", f"Both URLs expire after {LINK_SECONDS // 60} minutes"


def test_the_numbers_of_the_pages_are_those_of_the_template(template: SynthesizedTemplate) -> None:
    pages = _read_pages()
    missing = [(page, text) for page, text in _list_sentences(template) if text not in pages[page]]
    assert missing == []


@pytest.mark.parametrize("page", UNCHECKED_QUANTITIES)
def test_no_page_for_operators_has_an_unchecked_number(
    template: SynthesizedTemplate, page: str
) -> None:
    text = _read_pages()[page]
    for quantity in UNCHECKED_QUANTITIES[page]:
        assert quantity in text, f"the page no longer has {quantity!r}"
        text = text.replace(quantity, "")
    for checked_page, sentence in _list_sentences(template):
        if checked_page == page:
            text = text.replace(sentence, "")
    assert [text[max(0, m.start() - 60) : m.end() + 20] for m in QUANTITY.finditer(text)] == []


def test_memory_and_time_limits_are_those_of_the_functions(template: SynthesizedTemplate) -> None:
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|$", page, re.M)
    deployed = {
        function.value: (properties["MemorySize"], properties["Timeout"])
        for function, properties in template.functions.items()
    }
    assert {name: (int(memory), int(seconds)) for name, memory, seconds in rows} == deployed
    assert "No function reserves concurrency" in _flatten(page)
    for properties in template.functions.values():
        assert "ReservedConcurrentExecutions" not in properties
        assert "EphemeralStorage" not in properties
    assert "The table has on-demand capacity" in _flatten(page)
    assert template.table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_bounds_of_options_are_those_of_the_docs() -> None:
    page = _read_pages()["operations"]
    bounds = re.search(r"hold a whole index, ([\d,]+) to ([\d,]+) MB", page)
    assert bounds
    minimum, maximum = (int(number.replace(",", "")) for number in bounds.groups())
    for value in (minimum, maximum):
        assert parse_options([f"solver_memory_mb={value}"]).solver_memory_mb == value
    for value in (minimum - 1, maximum + 1):
        with pytest.raises(OptionError):
            parse_options([f"solver_memory_mb={value}"])
    days = re.search(r"CloudWatch offers ([\d, ]+) and more", page)
    assert days
    for offered in days[1].split(", "):
        assert parse_options([f"log_retention_days={offered}"]).log_retention_days == int(offered)


def test_the_limits_of_the_model_are_those_of_the_template(template: SynthesizedTemplate) -> None:
    assert limits.CONCURRENCY == simulate.CONCURRENCY == _read_concurrency(template)


def test_the_docs_name_the_resources_that_outlive_the_stack(
    template: SynthesizedTemplate,
) -> None:
    """Versions are deleted with their function or state machine."""
    retained = {
        resource["Type"]
        for resource in template.body["Resources"].values()
        if resource.get("DeletionPolicy") not in (None, "Delete")
    }
    assert retained == {
        "AWS::DynamoDB::Table",
        "AWS::S3::Bucket",
        "AWS::ApiGateway::Account",
        "AWS::IAM::Role",
        "AWS::Lambda::Version",
        "AWS::StepFunctions::StateMachineVersion",
    }
    page = _read_pages()["operations"]
    assert "keeps the table and the bucket" in page
    assert "the role with which API Gateway writes logs" in page

"""What the pages for operators say in numbers is what is deployed: times, sizes, rates and retentions, and none is left out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import limits, simulate
from bench.retries import shipped, shipped_step
from infra.concurrency import ROOM_FOR_OTHERS
from infra.options import OptionError, options_of
from local.signatures import SKEW
from tests.infra.synthesized import Synthesized
from twofold.api.history import LINK_SECONDS
from twofold.settings import Function, Variable, Workflow
from twofold.stores.table.answers import KEPT_SECONDS
from twofold.workflow.end import GIVE_UP_MILLISECONDS

DOCS = Path(__file__).parents[2] / "docs"
WORDS = {1: "a", 2: "two", 3: "three", 5: "five"}
QUANTITY = re.compile(
    r"\b(?:\d[\d,.]*|a|an|one|two|three|five|ten|every|each|once a|once an)[ -]"
    r"(?:seconds?|s|minutes?|hours?|days?|months?|MB|GB|MiB|GiB|KiB|shards)\b",
    re.IGNORECASE,
)

OF_AWS_OR_OF_THE_READER = {
    "operations": (
        "87 MB | 250 MB",  # tests/infra/test_bundling.py
        "less than half | 1 MB",  # tests/infra/test_limits.py
        "75 GB of code",
        "20 MB for each function",
        "older than a day",
        "in five minutes; above it",  # the window of a web ACL, unless it is told another
        "requests a second, steadily",
        "512 to 10,240 MB",  # below
        "A second stage",
        "#a-second-stage",
        "where [versioning](#versioning) is on | 7 days",  # tests/infra/test_storage.py
        "where versioning is on | 1 day",  # tests/infra/test_storage.py
        "and 8 days more",  # S3 deletes what is due within a day
        "about 9 days instead of 7",
    ),
    "security": (
        "10 MB at API Gateway, 6 MB at Lambda",
        "SigV4 lets the same request in again for five minutes",
        "campaign of three minutes",
        "from two minutes of guided ones",
        "five seconds",  # tests/fuzz/targets.py
    ),
    "concepts": (),
    "events": (),
    "faq": ("#a-second-stage",),
}
"""What is no setting of the stack; the tests named hold them."""


def _flat(text: str) -> str:
    without_code = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    return " ".join(without_code.split())


def _pages() -> dict[str, str]:
    return {page.stem: _flat(page.read_text(encoding="utf-8")) for page in DOCS.glob("*.md")}


def _schedule(template: Synthesized, function: Function) -> str:
    """`1 minute` of `rate(1 minute)`, for the rule whose target is that function."""
    rules = [
        (rule["ScheduleExpression"], template.function_behind(rule["Targets"][0]["Arn"]))
        for rule in template.properties("AWS::Events::Rule").values()
        if "ScheduleExpression" in rule
    ]
    (expression,) = [one for one, name in rules if name == f"twofold-prod-{function}"]
    found = re.fullmatch(r"rate\((\d+ \w+)\)", expression)
    assert found, expression
    return found[1]


def _maps(states: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in states.values():
        if state["Type"] == "Map":
            yield state


def _concurrency(template: Synthesized) -> int:
    (most,) = {
        state["MaxConcurrency"]
        for workflow in Workflow
        for state in _maps(template.definition(workflow)["States"])
    }
    return int(most)


def _alarmed(template: Synthesized) -> Iterator[str]:
    for alarm in template.properties("AWS::CloudWatch::Alarm").values():
        metrics = [one["MetricStat"] for one in alarm.get("Metrics", ()) if "MetricStat" in one]
        (period,) = {one["Period"] for one in metrics or [alarm]}
        due, periods = alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]
        yield f"in {due} of {periods} periods of {period // 60} minutes"


def _said(template: Synthesized) -> Iterator[tuple[str, str]]:
    """(page, what it must say), from what is synthesized."""
    yield from _of_workflows(template)
    yield from _of_schedules(template)
    yield from _of_retentions(template)
    yield from _of_the_code()
    yield "reliability", f"a call ends within {template.functions[Function.API]['Timeout']} seconds"
    yield "api", f"longer than {template.functions[Function.API]['Timeout']} seconds"
    for sentence in _alarmed(template):
        yield "operations", sentence


def _of_workflows(template: Synthesized) -> Iterator[tuple[str, str]]:
    (longest,) = {template.definition(workflow)["TimeoutSeconds"] for workflow in Workflow}
    yield "operations", f"A workflow ends after {longest} s at the latest"
    yield "operations", f"no workflow lasts longer than {WORDS[longest // 3600]} hours"
    shards = _concurrency(template)
    yield "operations", f"works at up to {shards} shards at once"
    yield "operations", f"each workflow runs up to {shards} shards at once"
    yield "performance", f"**{shards} workers at a time**"
    yield "performance", f"MaxConcurrency is {shards}"
    yield "performance", f"`workers` that leave fewer than {WORDS[ROOM_FOR_OTHERS]}"
    yield "performance", f"on average** ({shipped().retry.attempts} attempts)"
    yield "performance", f"on average ({shipped_step().attempts} attempts)"
    solver = template.functions[Function.SELECT]["MemorySize"]
    yield "performance", f"{solver:,} MB unless you choose"


def _of_schedules(template: Synthesized) -> Iterator[tuple[str, str]]:
    sweep = {"1 minute": "minute"}.get(_schedule(template, Function.SETTLE), "?")
    collection = {"1 day": "day"}.get(_schedule(template, Function.COLLECT), "?")
    yield "operations", f"`settle` runs every {sweep} and `collect` once a {collection}"
    yield "operations", f"the age of the oldest in seconds, once a {sweep}"
    yield "operations", f"because Settle publishes it every {sweep}"
    yield "operations", f"Settle goes on by itself with the next {sweep}"
    yield "operations", f"the function `collect`, once a {collection} |"
    yield "cost", f"runs each {sweep}: one invocation of"
    yield "cost", f"Collect runs once a {collection}"
    yield "reliability", f"a sweep a {sweep}"
    yield "events", f"by the next sweep, within about a {sweep}"


def _of_retentions(template: Synthesized) -> Iterator[tuple[str, str]]:
    variables = template.functions[Function.COLLECT]["Environment"]["Variables"]
    kept = variables[Variable.RETENTION]
    yield "operations", f"| contents that no dataset points to | {kept} days (`retention_days`) |"
    bucket = template.only("AWS::S3::Bucket")["Properties"]
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    scratch = rules["scratch"]["ExpirationInDays"]
    yield "operations", f"| scratch of workflows | {scratch} days |"
    yield "cost", f"scratch for {scratch} days"
    aborted = rules["uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
    yield "operations", f"| uploads that were never completed | {aborted} days |"
    groups = template.properties("AWS::Logs::LogGroup").values()
    (logs,) = {group["RetentionInDays"] for group in groups}
    yield "operations", f"| logs | {logs} days (`log_retention_days`) |"
    recovery = template.table["PointInTimeRecoverySpecification"].get("RecoveryPeriodInDays", 35)
    yield "operations", f"any second of the last {recovery} days"


def _of_the_code() -> Iterator[tuple[str, str]]:
    yield "security", f"It is kept for {WORDS[KEPT_SECONDS // 3600]} hours"
    yield "security", f"off by more than {WORDS[SKEW.seconds // 60]} minutes"
    yield "reliability", f"given up after {WORDS[GIVE_UP_MILLISECONDS // 60_000]} minutes"
    yield "getting-started", f"good for {LINK_SECONDS // 60} minutes"


def test_what_the_pages_say_is_what_is_deployed(template: Synthesized) -> None:
    pages = _pages()
    missing = [(page, said) for page, said in _said(template) if said not in pages[page]]
    assert missing == []


@pytest.mark.parametrize("page", OF_AWS_OR_OF_THE_READER)
def test_no_page_for_operators_has_a_number_that_nothing_holds(
    template: Synthesized, page: str
) -> None:
    text = _pages()[page]
    for known in OF_AWS_OR_OF_THE_READER[page]:
        assert known in text, f"{known!r} is not said any more"
        text = text.replace(known, "")
    for other, said in _said(template):
        if other == page:
            text = text.replace(said, "")
    assert [text[max(0, m.start() - 60) : m.end() + 20] for m in QUANTITY.finditer(text)] == []


def test_memory_and_time_limits_are_those_of_the_functions(template: Synthesized) -> None:
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|$", page, re.M)
    deployed = {
        function.value: (properties["MemorySize"], properties["Timeout"])
        for function, properties in template.functions.items()
    }
    assert {name: (int(memory), int(seconds)) for name, memory, seconds in rows} == deployed
    assert "No function reserves concurrency" in _flat(page)
    for properties in template.functions.values():
        assert "ReservedConcurrentExecutions" not in properties
        assert "EphemeralStorage" not in properties
    assert "The table is paid by request" in _flat(page)
    assert template.table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_bounds_of_options_are_those_of_the_docs() -> None:
    page = _pages()["operations"]
    found = re.search(r"hold a whole index, ([\d,]+) to ([\d,]+) MB", page)
    assert found
    least, most = (int(number.replace(",", "")) for number in found.groups())
    for value in (least, most):
        assert options_of([f"solver_memory_mb={value}"]).solver_memory_mb == value
    for value in (least - 1, most + 1):
        with pytest.raises(OptionError):
            options_of([f"solver_memory_mb={value}"])
    days = re.search(r"CloudWatch offers ([\d, ]+) and more", page)
    assert days
    for offered in days[1].split(", "):
        assert options_of([f"log_retention_days={offered}"]).log_retention_days == int(offered)


def test_the_limits_of_the_model_are_those_of_the_template(template: Synthesized) -> None:
    assert limits.CONCURRENCY == simulate.CONCURRENCY == _concurrency(template)


def test_what_stays_when_the_stack_is_removed_is_what_the_docs_name(
    template: Synthesized,
) -> None:
    """Versions go with their function or state machine."""
    kept = {
        resource["Type"]
        for resource in template.body["Resources"].values()
        if resource.get("DeletionPolicy") not in (None, "Delete")
    }
    assert kept == {
        "AWS::DynamoDB::Table",
        "AWS::S3::Bucket",
        "AWS::ApiGateway::Account",
        "AWS::IAM::Role",
        "AWS::Lambda::Version",
        "AWS::StepFunctions::StateMachineVersion",
    }
    page = _pages()["operations"]
    assert "keeps the table and the bucket" in page
    assert "the role with which API Gateway writes logs" in page

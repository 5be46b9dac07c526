"""Which items of the table each function may reach: whole partitions, because the sort key is no condition of IAM's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.synthesized import Synthesized
from twofold.settings import Function, Partition, Quotas

FINISHERS = {Function.PUBLISH, Function.ABANDON, Function.SETTLE}
HAVE_THE_TABLE = {Function.API, *FINISHERS, Function.COLLECT}
READS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
CHANGES = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def who_may(template: Synthesized, actions: set[str], partition: Partition) -> set[Function]:
    return {
        function
        for function in Function
        for action, patterns in template.partitions(function).items()
        if action in actions and partition.pattern in patterns
    }


def test_every_permission_on_the_table_names_its_partitions(template: Synthesized) -> None:
    """And none is for what has no partition key, such as a scan: that would pass the condition."""
    found = {function: template.partitions(function) for function in Function}
    assert {function for function, actions in found.items() if actions} == HAVE_THE_TABLE
    for function in HAVE_THE_TABLE:
        assert set(found[function]) <= READS | CHANGES
        for statement in template.allowed(template.functions[function]["Role"]):
            if any(action.startswith("dynamodb:") for action in statement.actions):
                assert statement.partitions, (function, statement)
                assert "*" not in statement.partitions


def test_only_the_finishers_and_the_api_end_an_operation(template: Synthesized) -> None:
    delete = {"dynamodb:DeleteItem"}
    assert who_may(template, delete, Partition.OPERATIONS) == {Function.API, *FINISHERS}
    assert who_may(template, {"dynamodb:UpdateItem"}, Partition.OPERATIONS) == set()


def test_the_collector_changes_notes_of_left_contents_and_nothing_else(
    template: Synthesized,
) -> None:
    changed = [p for p in Partition if Function.COLLECT in who_may(template, CHANGES, p)]
    assert changed == [Partition.RELEASED]


def test_the_failure_path_makes_no_history_and_removes_no_dataset(template: Synthesized) -> None:
    remembering = who_may(template, CHANGES, Partition.DISTRIBUTIONS)
    assert remembering == {Function.API, Function.PUBLISH}
    removing = who_may(template, {"dynamodb:DeleteItem"}, Partition.PROJECT)
    assert removing == {Function.API}


@pytest.mark.parametrize("partition", [Partition.ANSWER, Partition.SECRET, Partition.CATALOGUE])
def test_answers_the_key_of_tokens_and_the_catalogue_are_changed_by_the_api_alone(
    template: Synthesized, partition: Partition
) -> None:
    assert who_may(template, CHANGES, partition) == {Function.API}


def test_the_key_of_tokens_is_made_and_read_and_no_more(template: Synthesized) -> None:
    assert who_may(template, READS | CHANGES, Partition.SECRET) == {Function.API}
    secret = Partition.SECRET.pattern
    actions = {a for a, found in template.partitions(Function.API).items() if secret in found}
    assert actions == {"dynamodb:GetItem", "dynamodb:PutItem"}


@pytest.mark.parametrize("option", [{"quotas": Quotas.REKOGNITION.value}, {"caller_rate": "5"}])
def test_calls_are_counted_only_where_they_are_limited(
    template: Synthesized, synthesize: Callable[..., Synthesized], option: dict[str, str]
) -> None:
    limited = synthesize(stage="limited", **option)
    assert who_may(template, READS | CHANGES, Partition.CALLS) == set()
    assert who_may(limited, {"dynamodb:UpdateItem"}, Partition.CALLS) == {Function.API}
    assert who_may(limited, READS | CHANGES, Partition.CALLS) == {Function.API}


def test_the_partitions_that_the_docs_name_are_those_of_the_template(
    template: Synthesized,
) -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.read_text().splitlines() if "Item` |" in line]
    rows += [row.split("|")[1:-1] for row in PAGE.read_text().splitlines() if "`Query` |" in row]
    told: dict[str, dict[str, set[str]]] = {}
    for function, action, partitions in rows:
        names = {name.strip().strip("`") for name in partitions.split(",")}
        for one in function.split(","):
            told.setdefault(one.strip(), {})[f"dynamodb:{action.strip().strip('`')}"] = names
    assert told == {f.value: template.partitions(f) for f in HAVE_THE_TABLE}

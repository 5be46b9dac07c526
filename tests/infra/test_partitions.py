"""Table permissions of each function by partition; IAM has no condition for sort keys."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.synthesized_template import SynthesizedTemplate
from twofold.settings import Function, QuotaProfile, TablePartition

FINISHERS = {Function.PUBLISH, Function.ABANDON, Function.SETTLE}
TABLE_USERS = {Function.API, *FINISHERS, Function.COLLECT}
READS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
CHANGES = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def find_functions(
    template: SynthesizedTemplate, actions: set[str], partition: TablePartition
) -> set[Function]:
    return {
        function
        for function in Function
        for action, patterns in template.find_partitions(function).items()
        if action in actions and partition.pattern in patterns
    }


def test_every_permission_on_the_table_names_its_partitions(template: SynthesizedTemplate) -> None:
    """No permission covers actions without a partition key, such as Scan, which would pass the condition."""
    partitions = {function: template.find_partitions(function) for function in Function}
    assert {function for function, actions in partitions.items() if actions} == TABLE_USERS
    for function in TABLE_USERS:
        assert set(partitions[function]) <= READS | CHANGES
        for statement in template.list_statements(template.functions[function]["Role"]):
            if any(action.startswith("dynamodb:") for action in statement.actions):
                assert statement.partitions, (function, statement)
                assert "*" not in statement.partitions


def test_only_the_finishers_and_the_api_end_an_operation(template: SynthesizedTemplate) -> None:
    delete = {"dynamodb:DeleteItem"}
    assert find_functions(template, delete, TablePartition.OPERATIONS) == {Function.API, *FINISHERS}
    assert find_functions(template, {"dynamodb:UpdateItem"}, TablePartition.OPERATIONS) == set()


def test_the_collector_changes_only_release_notes(
    template: SynthesizedTemplate,
) -> None:
    changed = [
        p for p in TablePartition if Function.COLLECT in find_functions(template, CHANGES, p)
    ]
    assert changed == [TablePartition.RETIRED]


def test_the_failure_path_writes_no_history_and_removes_no_dataset(
    template: SynthesizedTemplate,
) -> None:
    history_writers = find_functions(template, CHANGES, TablePartition.DISTRIBUTIONS)
    assert history_writers == {Function.API, Function.PUBLISH}
    removing = find_functions(template, {"dynamodb:DeleteItem"}, TablePartition.PROJECT)
    assert removing == {Function.API}


@pytest.mark.parametrize(
    "partition", [TablePartition.ANSWER, TablePartition.SECRET, TablePartition.CATALOGUE]
)
def test_only_the_api_changes_stored_responses_the_pagination_key_and_the_catalogue(
    template: SynthesizedTemplate, partition: TablePartition
) -> None:
    assert find_functions(template, CHANGES, partition) == {Function.API}


def test_the_pagination_key_is_only_created_and_read(template: SynthesizedTemplate) -> None:
    assert find_functions(template, READS | CHANGES, TablePartition.SECRET) == {Function.API}
    secret = TablePartition.SECRET.pattern
    actions = {a for a, found in template.find_partitions(Function.API).items() if secret in found}
    assert actions == {"dynamodb:GetItem", "dynamodb:PutItem"}


@pytest.mark.parametrize(
    "option", [{"quotas": QuotaProfile.REKOGNITION.value}, {"caller_rate": "5"}]
)
def test_calls_are_counted_only_with_a_limit(
    template: SynthesizedTemplate,
    synthesize: Callable[..., SynthesizedTemplate],
    option: dict[str, str],
) -> None:
    limited = synthesize(stage="limited", **option)
    assert find_functions(template, READS | CHANGES, TablePartition.CALLS) == set()
    assert find_functions(limited, {"dynamodb:UpdateItem"}, TablePartition.CALLS) == {Function.API}
    assert find_functions(limited, READS | CHANGES, TablePartition.CALLS) == {Function.API}


def test_the_partitions_that_the_docs_name_are_those_of_the_template(
    template: SynthesizedTemplate,
) -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.read_text().splitlines() if "Item` |" in line]
    rows += [row.split("|")[1:-1] for row in PAGE.read_text().splitlines() if "`Query` |" in row]
    documented: dict[str, dict[str, set[str]]] = {}
    for function, action, partitions in rows:
        names = {name.strip().strip("`") for name in partitions.split(",")}
        for name in function.split(","):
            actions = documented.setdefault(name.strip(), {})
            actions[f"dynamodb:{action.strip().strip('`')}"] = names
    assert documented == {f.value: template.find_partitions(f) for f in TABLE_USERS}

from collections.abc import Callable

import pytest

from tests.infra.synthesized import Synthesized
from twofold.settings import Function, Workflow

WORKERS = (
    Function.PLAN,
    Function.INDEX,
    Function.RESOLVE,
    Function.GROUP,
    Function.SELECT,
    Function.MERGE,
    Function.MOVE,
)
FINISHERS = (Function.PUBLISH, Function.ABANDON, Function.SETTLE)
EVERY_BUCKET = "arn:<AWS::Partition>:s3:::*/*"
SOURCE_READERS = {
    Function.API,
    Function.INDEX,
    Function.RESOLVE,
    Function.MOVE,
    Function.PUBLISH,
}


@pytest.fixture
def folder(template: Synthesized) -> Callable[[str], str]:
    (bucket,) = template.of_type("AWS::S3::Bucket")
    return lambda name: f"<{bucket}.Arn>/{name}/*"


def _actions(template: Synthesized, function: Function) -> set[str]:
    statements = template.allowed(template.functions[function]["Role"])
    return {action for statement in statements for action in statement.actions}


def _services(template: Synthesized, function: Function) -> set[str]:
    return {action.split(":")[0] for action in _actions(template, function)} - {"logs", "xray"}


def test_no_policy_allows_a_wildcard_of_actions(template: Synthesized) -> None:
    for policy in template.properties("AWS::IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            assert "*" not in str(statement["Action"])


def test_everything_on_every_resource_is_only_traces_and_log_deliveries(
    template: Synthesized,
) -> None:
    roles = [p["Role"] for p in template.functions.values()]
    roles += [m["RoleArn"] for m in template.machines.values()]
    actions = {
        action
        for role in roles
        for statement in template.allowed(role)
        if "*" in statement.resources
        for action in statement.actions
    }
    assert {action.split(":")[0] for action in actions} == {"logs", "xray"}
    assert not {a for a in actions if "LogGroup" in a} - {"logs:DescribeLogGroups"}


def test_only_the_collector_may_delete_objects_and_only_contents(
    template: Synthesized, folder: Callable[[str], str]
) -> None:
    deleters = {f for f in Function if any("s3:Delete" in a for a in _actions(template, f))}
    assert deleters == {Function.COLLECT}
    assert template.function_may(Function.COLLECT, "s3:DeleteObject") == {folder("contents")}


def test_workers_know_nothing_of_the_table_or_the_state_machines(template: Synthesized) -> None:
    for worker in WORKERS:
        assert _services(template, worker) <= {"s3", "kms"}, worker


def test_abandon_touches_the_table_and_tells_of_it(template: Synthesized) -> None:
    assert _services(template, Function.ABANDON) == {"dynamodb", "events"}
    changes = {"dynamodb:UpdateItem", "dynamodb:DeleteItem"}
    assert {a for a in _actions(template, Function.ABANDON) if "dynamodb" in a} == changes


def test_only_the_api_creates_items(template: Synthesized) -> None:
    creators = {f for f in Function if template.function_may(f, "dynamodb:PutItem")}
    assert creators == {Function.API}


def test_only_the_finishers_the_collector_and_the_api_change_items(template: Synthesized) -> None:
    (table,) = template.of_type("AWS::DynamoDB::Table")
    for function in Function:
        allowed = template.function_may(function, "dynamodb:UpdateItem")
        writers = (*FINISHERS, Function.API, Function.COLLECT)
        expected = {f"<{table}.Arn>"} if function in writers else set()
        assert allowed == expected, function


def test_the_api_reads_contents_and_sources_and_writes_only_changes(
    template: Synthesized, folder: Callable[[str], str]
) -> None:
    assert template.function_may(Function.API, "s3:PutObject") == {folder("scratch")}
    assert template.function_may(Function.API, "s3:GetObject") == {
        folder("contents"),
        folder("reports"),
        folder("scratch"),
        folder("sources"),
    }


def test_the_api_lists_what_operations_have_left_in_scratch_and_nothing_else(
    template: Synthesized,
) -> None:
    statements = template.allowed(template.functions[Function.API]["Role"])
    (listing,) = (one for one in statements if "s3:ListBucket" in one.actions)
    assert listing.condition == {"StringLike": {"s3:prefix": "scratch/*"}}


@pytest.mark.parametrize(
    ("function", "folders"),
    [
        (Function.PLAN, ["scratch"]),
        (Function.INDEX, ["scratch"]),
        (Function.GROUP, ["scratch"]),
        (Function.RESOLVE, ["contents", "scratch"]),
        (Function.SELECT, ["contents", "scratch"]),
        (Function.MERGE, ["contents", "scratch"]),
        (Function.MOVE, ["contents", "scratch"]),
        (Function.PUBLISH, ["contents", "reports"]),
        (Function.ABANDON, []),
        (Function.SETTLE, []),
        (Function.COLLECT, []),
    ],
)
def test_a_function_writes_only_to_its_folders(
    template: Synthesized,
    folder: Callable[[str], str],
    function: Function,
    folders: list[str],
) -> None:
    assert template.function_may(function, "s3:PutObject") == {folder(name) for name in folders}


def test_without_named_buckets_sources_are_the_stack_s_own_folder_alone(
    template: Synthesized, folder: Callable[[str], str]
) -> None:
    readers = {f for f in Function if folder("sources") in template.function_may(f, "s3:GetObject")}
    assert readers == SOURCE_READERS
    for function in Function:
        read = template.function_may(function, "s3:GetObject")
        assert not [place for place in read if ":s3:::" in place], function
        own_versions = {folder("sources")} if function in SOURCE_READERS else set()
        assert template.function_may(function, "s3:GetObjectVersion") == own_versions
        listing = template.function_may(function, "s3:ListBucket")
        assert not listing or function is Function.API


def test_a_star_is_every_bucket_of_this_account_and_of_no_other(
    synthesize: Callable[..., Synthesized],
) -> None:
    starred = synthesize(stage="dev", source_buckets="*", checked=True)
    limited = {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}
    for function in SOURCE_READERS:
        statements = starred.allowed(starred.functions[function]["Role"])
        (every,) = [one for one in statements if EVERY_BUCKET in one.resources]
        assert every.condition == limited


def test_named_source_buckets_are_the_only_ones_reached(
    synthesize: Callable[..., Synthesized], folder: Callable[[str], str]
) -> None:
    named = synthesize(stage="dev", source_buckets="birds-raw,more.birds")
    foreign = {
        resource
        for function in Function
        for resource in named.function_may(function, "s3:GetObject")
        if ":s3:::" in resource
    }
    assert foreign == {
        "arn:<AWS::Partition>:s3:::birds-raw/*",
        "arn:<AWS::Partition>:s3:::more.birds/*",
    }
    assert named.function_may(Function.MOVE, "s3:GetObjectVersion") == foreign | {folder("sources")}


def test_only_api_and_settle_start_executions(template: Synthesized) -> None:
    for function in Function:
        started = template.function_may(function, "states:StartExecution")
        names = {arn.rsplit(":", 1)[1] for arn in started}
        starters = (Function.API, Function.SETTLE)
        expected = {f"twofold-prod-{workflow}" for workflow in Workflow}
        assert names == (expected if function in starters else set()), function


@pytest.mark.parametrize("workflow", Workflow)
def test_a_state_machine_invokes_the_functions_that_it_names_and_no_other(
    template: Synthesized, workflow: Workflow
) -> None:
    """Versions of them, so that what is under way can end with those that it began with."""
    logical = {
        p["FunctionName"]: n for n, p in template.properties("AWS::Lambda::Function").items()
    }
    named = template.substituted(workflow).values()
    invoked = template.machine_may(workflow, "lambda:InvokeFunction")
    assert invoked == {f"<{logical[name]}.Arn>:*" for name in named}


@pytest.mark.parametrize("workflow", Workflow)
def test_a_state_machine_reads_scratch_and_handles_only_its_own_children(
    template: Synthesized, folder: Callable[[str], str], workflow: Workflow
) -> None:
    name = f"twofold-prod-{workflow}"
    own = "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>"
    assert template.machine_may(workflow, "s3:GetObject") == {folder("scratch")}
    assert template.machine_may(workflow, "s3:PutObject") == set()
    assert template.machine_may(workflow, "states:StartExecution") == {f"{own}:stateMachine:{name}"}
    for action in ("states:DescribeExecution", "states:StopExecution"):
        assert template.machine_may(workflow, action) == {f"{own}:execution:{name}:*"}
    assert template.machine_may(workflow, "states:RedriveExecution") == {
        f"{own}:execution:{name}/*:*"
    }

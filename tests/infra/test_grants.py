from collections.abc import Callable

import pytest

from tests.infra.synthesized_template import SynthesizedTemplate
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
def folder(template: SynthesizedTemplate) -> Callable[[str], str]:
    (bucket,) = template.select_resources("AWS::S3::Bucket")
    return lambda name: f"<{bucket}.Arn>/{name}/*"


def _list_actions(template: SynthesizedTemplate, function: Function) -> set[str]:
    statements = template.list_statements(template.functions[function]["Role"])
    return {action for statement in statements for action in statement.actions}


def _list_services(template: SynthesizedTemplate, function: Function) -> set[str]:
    return {action.split(":")[0] for action in _list_actions(template, function)} - {"logs", "xray"}


def test_no_policy_allows_a_wildcard_of_actions(template: SynthesizedTemplate) -> None:
    for policy in template.select_properties("AWS::IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            assert "*" not in str(statement["Action"])


def test_everything_on_every_resource_is_only_traces_and_log_deliveries(
    template: SynthesizedTemplate,
) -> None:
    roles = [p["Role"] for p in template.functions.values()]
    roles += [m["RoleArn"] for m in template.state_machines.values()]
    actions = {
        action
        for role in roles
        for statement in template.list_statements(role)
        if "*" in statement.resources
        for action in statement.actions
    }
    assert {action.split(":")[0] for action in actions} == {"logs", "xray"}
    assert not {a for a in actions if "LogGroup" in a} - {"logs:DescribeLogGroups"}


def test_only_the_collector_may_delete_objects_and_only_contents(
    template: SynthesizedTemplate, folder: Callable[[str], str]
) -> None:
    deleters = {f for f in Function if any("s3:Delete" in a for a in _list_actions(template, f))}
    assert deleters == {Function.COLLECT}
    assert template.find_function_resources(Function.COLLECT, "s3:DeleteObject") == {
        folder("contents")
    }


def test_workers_have_no_access_to_the_table_or_the_state_machines(
    template: SynthesizedTemplate,
) -> None:
    for worker in WORKERS:
        assert _list_services(template, worker) <= {"s3", "kms"}, worker


def test_abandon_changes_items_and_sends_events(template: SynthesizedTemplate) -> None:
    assert _list_services(template, Function.ABANDON) == {"dynamodb", "events"}
    changes = {"dynamodb:UpdateItem", "dynamodb:DeleteItem"}
    assert {a for a in _list_actions(template, Function.ABANDON) if "dynamodb" in a} == changes


def test_only_the_api_creates_items(template: SynthesizedTemplate) -> None:
    creators = {f for f in Function if template.find_function_resources(f, "dynamodb:PutItem")}
    assert creators == {Function.API}


def test_only_the_finishers_the_collector_and_the_api_change_items(
    template: SynthesizedTemplate,
) -> None:
    (table,) = template.select_resources("AWS::DynamoDB::Table")
    for function in Function:
        allowed = template.find_function_resources(function, "dynamodb:UpdateItem")
        writers = (*FINISHERS, Function.API, Function.COLLECT)
        expected = {f"<{table}.Arn>"} if function in writers else set()
        assert allowed == expected, function


def test_the_api_reads_contents_and_sources_and_writes_only_changes(
    template: SynthesizedTemplate, folder: Callable[[str], str]
) -> None:
    assert template.find_function_resources(Function.API, "s3:PutObject") == {folder("scratch")}
    assert template.find_function_resources(Function.API, "s3:GetObject") == {
        folder("contents"),
        folder("reports"),
        folder("scratch"),
        folder("sources"),
    }


def test_the_api_lists_only_scratch_objects(
    template: SynthesizedTemplate,
) -> None:
    statements = template.list_statements(template.functions[Function.API]["Role"])
    (listing,) = (s for s in statements if "s3:ListBucket" in s.actions)
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
    template: SynthesizedTemplate,
    folder: Callable[[str], str],
    function: Function,
    folders: list[str],
) -> None:
    assert template.find_function_resources(function, "s3:PutObject") == {
        folder(name) for name in folders
    }


def test_without_source_buckets_manifests_come_only_from_the_folder_of_the_stack(
    template: SynthesizedTemplate, folder: Callable[[str], str]
) -> None:
    readers = {
        f
        for f in Function
        if folder("sources") in template.find_function_resources(f, "s3:GetObject")
    }
    assert readers == SOURCE_READERS
    for function in Function:
        read = template.find_function_resources(function, "s3:GetObject")
        assert not [resource for resource in read if ":s3:::" in resource], function
        own_versions = {folder("sources")} if function in SOURCE_READERS else set()
        assert template.find_function_resources(function, "s3:GetObjectVersion") == own_versions
        listing = template.find_function_resources(function, "s3:ListBucket")
        assert not listing or function is Function.API


def test_a_star_is_every_bucket_of_this_account_and_of_no_other(
    synthesize: Callable[..., SynthesizedTemplate],
) -> None:
    starred = synthesize(stage="dev", source_buckets="*", with_checks=True)
    limited = {"StringEquals": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}}
    for function in SOURCE_READERS:
        statements = starred.list_statements(starred.functions[function]["Role"])
        (statement,) = [s for s in statements if EVERY_BUCKET in s.resources]
        assert statement.condition == limited


def test_named_source_buckets_are_the_only_ones_reached(
    synthesize: Callable[..., SynthesizedTemplate], folder: Callable[[str], str]
) -> None:
    named = synthesize(stage="dev", source_buckets="birds-raw,more.birds")
    foreign = {
        resource
        for function in Function
        for resource in named.find_function_resources(function, "s3:GetObject")
        if ":s3:::" in resource
    }
    assert foreign == {
        "arn:<AWS::Partition>:s3:::birds-raw/*",
        "arn:<AWS::Partition>:s3:::more.birds/*",
    }
    assert named.find_function_resources(Function.MOVE, "s3:GetObjectVersion") == foreign | {
        folder("sources")
    }


def test_only_api_and_settle_start_executions(template: SynthesizedTemplate) -> None:
    for function in Function:
        started = template.find_function_resources(function, "states:StartExecution")
        names = {arn.rsplit(":", 1)[1] for arn in started}
        starters = (Function.API, Function.SETTLE)
        expected = {f"twofold-prod-{workflow}" for workflow in Workflow}
        assert names == (expected if function in starters else set()), function


@pytest.mark.parametrize("workflow", Workflow)
def test_a_state_machine_may_invoke_only_the_functions_of_its_definition(
    template: SynthesizedTemplate, workflow: Workflow
) -> None:
    """The functions' versions, so that a running execution ends with the versions with which it began."""
    logical = {
        p["FunctionName"]: n for n, p in template.select_properties("AWS::Lambda::Function").items()
    }
    named = template.resolve_substitutions(workflow).values()
    invoked = template.find_state_machine_resources(workflow, "lambda:InvokeFunction")
    assert invoked == {f"<{logical[name]}.Arn>:*" for name in named}


@pytest.mark.parametrize("workflow", Workflow)
def test_a_state_machine_reads_scratch_and_handles_only_its_own_children(
    template: SynthesizedTemplate, folder: Callable[[str], str], workflow: Workflow
) -> None:
    name = f"twofold-prod-{workflow}"
    own = "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>"
    assert template.find_state_machine_resources(workflow, "s3:GetObject") == {folder("scratch")}
    assert template.find_state_machine_resources(workflow, "s3:PutObject") == set()
    assert template.find_state_machine_resources(workflow, "states:StartExecution") == {
        f"{own}:stateMachine:{name}"
    }
    for action in ("states:DescribeExecution", "states:StopExecution"):
        assert template.find_state_machine_resources(workflow, action) == {
            f"{own}:execution:{name}:*"
        }
    assert template.find_state_machine_resources(workflow, "states:RedriveExecution") == {
        f"{own}:execution:{name}/*:*"
    }

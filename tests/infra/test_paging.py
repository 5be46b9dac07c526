"""AWS answers lists in pages: a call of an operation that botocore can page goes through a paginator, or is listed here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import botocore.session
from botocore import xform_name

ROOT = Path(__file__).parents[2]
FOLDERS = ("bench", "clients", "infra", "lambdas", "local", "supply")
SERVICES = ("cloudformation", "dynamodb", "lambda", "rekognition", "s3", "stepfunctions")
OWN = ("self", "table")
"""Receivers that are Twofold's own Table, whose `query` reads on."""

READ_ON = {
    ("infra/data.py", "list_object_versions"): "deletes the first page until there is none",
    ("infra/deployed.py", "describe_stacks"): "asks for one stack by its name",
    ("lambdas/twofold/stores/table/connection.py", "query"): "goes on by LastEvaluatedKey",
    ("clients/command/twofold_smoke/job.py", "describe_projects"): "asks for one project by name",
    ("clients/command/twofold_service/push.py", "describe_projects"): "asks for one project",
}


def _pageable() -> set[str]:
    loader = botocore.session.get_session().get_component("data_loader")
    models = [loader.load_service_model(service, "paginators-1") for service in SERVICES]
    return {xform_name(operation) for model in models for operation in model["pagination"]}


def _calls() -> Iterator[tuple[str, str]]:
    pageable = _pageable()
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                own = ast.unparse(node.func.value) in OWN
                if node.func.attr in pageable and not own:
                    yield path.relative_to(ROOT).as_posix(), node.func.attr


def test_every_list_of_aws_is_read_to_its_end() -> None:
    assert set(_calls()) == set(READ_ON)

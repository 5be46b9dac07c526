"""Calls of pageable AWS operations use a paginator; ALLOWED_CALLS lists the exceptions."""

import ast
from collections.abc import Iterator
from pathlib import Path

import botocore.session
from botocore import xform_name

ROOT = Path(__file__).parents[2]
FOLDERS = ("bench", "clients", "infra", "lambdas", "local", "supply")
SERVICES = ("cloudformation", "dynamodb", "lambda", "rekognition", "s3", "stepfunctions")
OWN_RECEIVERS = ("self", "table")
"""Receivers of Twofold's own class Table, whose `query` reads all pages."""

ALLOWED_CALLS = {
    ("infra/data.py", "list_object_versions"): "deletes the first page until the bucket is empty",
    ("infra/deployed.py", "describe_stacks"): "describes a single stack by name",
    ("lambdas/twofold/stores/table/connection.py", "query"): "continues at LastEvaluatedKey",
    (
        "clients/command/twofold_smoke/smoke_run.py",
        "describe_projects",
    ): "describes a single project by name",
    ("clients/command/twofold_service/push.py", "describe_projects"): "describes a single project",
    ("local/emulator/listings.py", "list_multipart_uploads"): "moto's backend, not a client",
    ("local/emulator/listings.py", "list_object_versions"): "moto's backend, not a client",
}


def _list_pageable_operations() -> set[str]:
    loader = botocore.session.get_session().get_component("data_loader")
    models = [loader.load_service_model(service, "paginators-1") for service in SERVICES]
    return {xform_name(operation) for model in models for operation in model["pagination"]}


def _find_calls() -> Iterator[tuple[str, str]]:
    pageable = _list_pageable_operations()
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                own = ast.unparse(node.func.value) in OWN_RECEIVERS
                if node.func.attr in pageable and not own:
                    yield path.relative_to(ROOT).as_posix(), node.func.attr


def test_every_list_of_aws_is_read_completely() -> None:
    assert set(_find_calls()) == set(ALLOWED_CALLS)

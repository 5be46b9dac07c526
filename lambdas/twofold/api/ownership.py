"""Access to projects and datasets under the guard `owner`.

`require_access` checks every resource in a request before the operation starts, so no operation can omit the check. Two
operations name no resource: CreateProject, and DescribeProjects, where `is_allowed` filters the list.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from twofold.access import Guard, normalize_principal_arn
from twofold.api.context import RequestContext
from twofold.errors import AccessDeniedException, ResourceNotFoundException
from twofold.records import Project
from twofold.settings import ApiOperation, Prefix
from twofold.stores.table import projects

SHARED_WITH = "twofold:shared-with"
"""Project tag with the ARNs, separated by spaces, of the roles and users that share the project."""

OWNER_ONLY = (
    ApiOperation.DELETE_PROJECT,
    ApiOperation.DESCRIBE_PROJECTS,
    ApiOperation.TAG_RESOURCE,
    ApiOperation.UNTAG_RESOURCE,
)
"""Operations that principals who share a project may not do.

Tags would share the project further or change its defaults. DescribeProjects does not list shared projects, since anybody can
share a project with anybody: a program that finds its project by name could fill another owner's project.
"""


def require_access(context: RequestContext, request: Any) -> None:
    """Raise AccessDeniedException unless the caller may use every project and dataset in the request.

    Any ARN with the name of another principal's project is denied, also if no resource has this ARN: the response must not
    depend on the project's creation time or datasets. Raises ResourceNotFoundException for other missing resources.
    """
    if context.access.guard is Guard.NONE:
        return
    if not context.principal.id:
        raise _make_access_denied(context, "*")
    names = {arn: _parse_project_name(context, arn) for arn in find_resource_arns(request)}
    existing = {
        project.name: project
        for project in projects.find_many(context.table, dict.fromkeys(names.values()))
    }
    for arn, name in names.items():
        project = existing.get(name)
        if project is not None and not is_allowed(context, project):
            raise _make_access_denied(context, arn)
        if project is None or not _contains_resource(context, project, arn):
            raise ResourceNotFoundException(f"The resource {arn} does not exist.")


def is_allowed(context: RequestContext, project: Project) -> bool:
    """Whether the caller may perform the operation on the project and the project's datasets."""
    access, principal = context.access, context.principal
    if access.guard is Guard.NONE or principal.arn in access.administrators:
        return True
    if principal.id and project.owner == principal.id:
        return True
    shared = project.tags.get(SHARED_WITH, "").split()
    return context.api_operation not in OWNER_ONLY and principal.arn in map(
        normalize_principal_arn, shared
    )


def list_source_folders(context: RequestContext) -> tuple[str, ...] | None:
    """Return the permitted folders for the caller's manifests, with final slashes, in any bucket; None permits all."""
    access, principal = context.access, context.principal
    if access.guard is Guard.NONE or principal.arn in access.administrators:
        return None
    return tuple(f"{Prefix.SOURCES}/{name}/" for name in principal.source_folder_names)


def find_resource_arns(request: Any) -> Iterator[str]:
    """Yield the ARNs in a request, in the order of the members."""
    if isinstance(request, tuple):
        for item in request:
            yield from find_resource_arns(item)
    elif is_dataclass(request):
        for member in fields(request):
            value = getattr(request, member.name)
            if isinstance(value, str) and member.name.endswith("arn"):
                yield value
            else:
                yield from find_resource_arns(value)


def _parse_project_name(context: RequestContext, arn: str) -> str:
    """Return the name of the project in an ARN. Raises AccessDeniedException, ResourceNotFoundException."""
    scope, caller, api_operation = context.scope, context.caller, context.api_operation
    if scope.is_dataset_arn(arn):
        return scope.parse_dataset_arn(arn, caller, api_operation).project
    return scope.parse_project_arn(arn, caller, api_operation)[0]


def _contains_resource(context: RequestContext, project: Project, arn: str) -> bool:
    """Whether the project or a dataset of the project has the ARN; an earlier project of the same name does not count."""
    scope, caller, api_operation = context.scope, context.caller, context.api_operation
    if not scope.is_dataset_arn(arn):
        return scope.parse_project_arn(arn, caller, api_operation)[1] == project.created
    dataset = scope.parse_dataset_arn(arn, caller, api_operation)
    return dataset in project.list_datasets() or dataset.created >= project.created


def _make_access_denied(context: RequestContext, arn: str) -> AccessDeniedException:
    return AccessDeniedException(
        f"User: {context.caller} is not authorized to perform: rekognition:{context.api_operation} on resource: {arn} "
        "because the resource belongs to another principal"
    )

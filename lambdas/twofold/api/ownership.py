"""The guard `owner`: a project and its datasets are for the principal that created the project.

Every resource that a request names is checked before its operation begins, wherever in the request it is named, so an
operation has nothing to add. Two operations name no resource: CreateProject, and DescribeProjects, which lists with `admits`.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from twofold.access import Guard, name_principal
from twofold.api.service import Service
from twofold.errors import AccessDeniedException, ResourceNotFoundException
from twofold.records import Project
from twofold.settings import Operation, Prefix
from twofold.stores.table import projects

SHARED_WITH = "twofold:shared-with"
"""The tag of a project that lists, with blanks between them, ARNs of other roles and users that may use it."""

OWNER_ONLY = (
    Operation.DELETE_PROJECT,
    Operation.DESCRIBE_PROJECTS,
    Operation.TAG_RESOURCE,
    Operation.UNTAG_RESOURCE,
)
"""What those that a project is shared with may not do.

Tags would share it further or change its defaults. It is not listed either, since anybody can share a project with anybody: a
program that looks for its project by name would fill a project of somebody else.
"""


def require_access(service: Service, request: Any) -> None:
    """Raises AccessDeniedException unless the caller may use each project and dataset that the request names.

    A resource that does not exist is nobody's: ResourceNotFoundException.
    """
    if service.access.guard is Guard.NONE:
        return
    if not service.principal.id:
        raise _denied(service, "*")
    names = {arn: _project_name(service, arn) for arn in resource_arns(request)}
    existing = {
        project.name: project
        for project in projects.find_many(service.table, dict.fromkeys(names.values()))
    }
    for arn, name in names.items():
        project = existing.get(name)
        if project is None or not _holds(service, project, arn):
            raise ResourceNotFoundException(f"There is no resource {arn}.")
        if not admits(service, project):
            raise _denied(service, arn)


def admits(service: Service, project: Project) -> bool:
    """Whether the caller may do the operation on the project and its datasets."""
    access, principal = service.access, service.principal
    if access.guard is Guard.NONE or principal.arn in access.administrators:
        return True
    if principal.id and project.owner == principal.id:
        return True
    shared = project.tags.get(SHARED_WITH, "").split()
    return service.operation not in OWNER_ONLY and principal.arn in map(name_principal, shared)


def source_folders(service: Service) -> tuple[str, ...] | None:
    """The only folders of any bucket that hold manifests for the caller, each ending with a slash; None if all do."""
    access, principal = service.access, service.principal
    if access.guard is Guard.NONE or principal.arn in access.administrators:
        return None
    return tuple(f"{Prefix.SOURCES}/{name}/" for name in principal.folders)


def resource_arns(request: Any) -> Iterator[str]:
    """The ARNs in a request, in the order of its members."""
    if isinstance(request, tuple):
        for item in request:
            yield from resource_arns(item)
    elif is_dataclass(request):
        for member in fields(request):
            value = getattr(request, member.name)
            if isinstance(value, str) and member.name.endswith("arn"):
                yield value
            else:
                yield from resource_arns(value)


def _project_name(service: Service, arn: str) -> str:
    """Raises AccessDeniedException for another account's, ResourceNotFoundException for another region's."""
    scope, caller, operation = service.scope, service.caller, service.operation
    if scope.names_dataset(arn):
        return scope.dataset_of(arn, caller, operation).project
    return scope.project_of(arn, caller, operation)[0]


def _holds(service: Service, project: Project, arn: str) -> bool:
    """Whether the ARN is of this very project or of a dataset of it, and not of an earlier project of its name."""
    scope, caller, operation = service.scope, service.caller, service.operation
    if not scope.names_dataset(arn):
        return scope.project_of(arn, caller, operation)[1] == project.created
    dataset = scope.dataset_of(arn, caller, operation)
    return dataset in project.datasets() or dataset.created >= project.created


def _denied(service: Service, arn: str) -> AccessDeniedException:
    return AccessDeniedException(
        f"User: {service.caller} is not authorized to perform: rekognition:{service.operation} on resource: {arn} "
        "because the resource belongs to another principal"
    )

"""TagResource, UntagResource, ListTagsForResource: for projects and datasets."""

from collections.abc import Callable, Mapping
from typing import Any

from twofold.api.contract import (
    ListTagsForResourceRequest,
    TagResourceRequest,
    UntagResourceRequest,
)
from twofold.api.service import Service
from twofold.errors import ServiceQuotaExceededException, ThrottlingException
from twofold.stores.table import tags

MAX_TAGS = 200
_ATTEMPTS = 5

Tags = Mapping[str, str]


def tag_resource(service: Service, request: TagResourceRequest) -> dict[str, Any]:
    """Adds tags and overwrites those with the same keys; raises ServiceQuotaExceededException over MAX_TAGS."""

    def added(before: Tags) -> Tags:
        after = {**before, **request.tags}
        if len(after) > MAX_TAGS:
            raise ServiceQuotaExceededException(
                f"{request.resource_arn} would have {len(after)} tags; {MAX_TAGS} are allowed."
            )
        return after

    return _change(service, request.resource_arn, added)


def untag_resource(service: Service, request: UntagResourceRequest) -> dict[str, Any]:
    """Keys that the resource does not have are no error."""
    gone = frozenset(request.tag_keys)
    return _change(
        service,
        request.resource_arn,
        lambda before: {key: value for key, value in before.items() if key not in gone},
    )


def list_tags_for_resource(service: Service, request: ListTagsForResourceRequest) -> dict[str, Any]:
    return {"Tags": service.resource(request.resource_arn).tags}


def _change(service: Service, arn: str, changed: Callable[[Tags], Tags]) -> dict[str, Any]:
    """Callers who change different tags at the same time do not undo each other.

    Tags that stay as they are are written too: a repetition must not find them changed by others and change them back.
    """
    for _ in range(_ATTEMPTS):
        resource = service.resource(arn)
        if tags.replace(service.answering({}), resource, changed(resource.tags)):
            return {}
    raise ThrottlingException("The tags are being changed by others at the same time.")

"""TagResource, UntagResource, ListTagsForResource, for projects and datasets."""

from collections.abc import Callable, Mapping
from typing import Any

from twofold.api.context import RequestContext
from twofold.api.requests import (
    ListTagsForResourceRequest,
    TagResourceRequest,
    UntagResourceRequest,
)
from twofold.errors import ServiceQuotaExceededException, ThrottlingException
from twofold.stores.table import projects

MAX_TAGS = 200
_ATTEMPTS = 5

Tags = Mapping[str, str]


def tag_resource(context: RequestContext, request: TagResourceRequest) -> dict[str, Any]:
    """Add tags and overwrite tags with the same keys. Raises ServiceQuotaExceededException above MAX_TAGS."""

    def add_tags(before: Tags) -> Tags:
        after = {**before, **request.tags}
        if len(after) > MAX_TAGS:
            raise ServiceQuotaExceededException(
                f"{request.resource_arn} would have {len(after)} tags; {MAX_TAGS} are allowed."
            )
        return after

    return _change_tags(context, request.resource_arn, add_tags)


def untag_resource(context: RequestContext, request: UntagResourceRequest) -> dict[str, Any]:
    """Remove tags. Unknown keys are ignored."""
    removed_keys = frozenset(request.tag_keys)
    return _change_tags(
        context,
        request.resource_arn,
        lambda before: {key: value for key, value in before.items() if key not in removed_keys},
    )


def list_tags_for_resource(
    context: RequestContext, request: ListTagsForResourceRequest
) -> dict[str, Any]:
    """List the tags of a project or dataset."""
    return {"Tags": context.get_resource(request.resource_arn).tags}


def _change_tags(
    context: RequestContext, arn: str, change: Callable[[Tags], Tags]
) -> dict[str, Any]:
    """Apply `change` to the tags of a resource by optimistic locking: on a concurrent change, read again and retry.

    Equal tags are written too. Otherwise a retry of the call could find and revert the change of a later call.
    """
    for _ in range(_ATTEMPTS):
        resource = context.get_resource(arn)
        if projects.replace_tags(
            context.with_idempotent_response({}), resource, change(resource.tags)
        ):
            return {}
    raise ThrottlingException("Other calls are changing the tags at the same time; try again.")

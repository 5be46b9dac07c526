"""Subresources of buckets and objects, such as `?metrics`: without this check moto ignores those that it does not implement.

moto would delete the bucket in DeleteBucketMetricsConfiguration, and replace the object in a PUT with `?versions`.
"""

from collections.abc import Mapping
from functools import cache

from werkzeug.wrappers import Request

from local.emulator.clients import create_botocore_session
from local.emulator.s3_requests import S3Error, make_method_error, read_target

_BUCKET, _KEY = "bucket", "key"
_WITHOUT_SUBRESOURCE = ("HEAD", "OPTIONS")
_NOT_SUBRESOURCES = frozenset(("", "list-type", "x-id"))
_IMPLEMENTED: Mapping[tuple[str, str], frozenset[str]] = {
    (level, method): frozenset(names.split())
    for level, method, names in (
        (
            *(_BUCKET, "GET"),
            "accelerate acl cors encryption inventory lifecycle location logging notification object-lock ownershipControls "
            "policy policyStatus publicAccessBlock replication tagging uploads versioning versions website",
        ),
        (
            *(_BUCKET, "PUT"),
            "accelerate acl cors encryption inventory lifecycle logging notification object-lock ownershipControls policy "
            "publicAccessBlock replication tagging versioning website",
        ),
        (
            *(_BUCKET, "DELETE"),
            "cors encryption lifecycle ownershipControls policy publicAccessBlock replication tagging website",
        ),
        (_BUCKET, "POST", "delete"),
        (_KEY, "GET", "acl attributes legal-hold tagging"),
        (_KEY, "PUT", "acl legal-hold retention tagging"),
        (_KEY, "DELETE", "tagging"),
        (_KEY, "POST", "restore select uploads"),
    )
}
"""The subresources that moto implements, by level and method."""


def check_subresource(request: Request) -> None:
    """Raise S3Error for a subresource that moto does not implement, or that S3 does not have for the method."""
    if request.method in _WITHOUT_SUBRESOURCE:
        return
    level = _KEY if read_target(request).key else _BUCKET
    implemented = _IMPLEMENTED.get((level, request.method), frozenset())
    operations = list_operations()
    for name in request.args.keys() - implemented:
        if (level, request.method, name) in operations:
            message = f"The local emulator does not implement {request.method} with ?{name}."
            raise S3Error("NotImplemented", message, 501)
        if any(name == subresource for _, _, subresource in operations):
            raise make_method_error()


@cache
def list_operations() -> frozenset[tuple[str, str, str]]:
    """Return (level, method, subresource) of S3's operations with a subresource, from botocore's model."""
    model = create_botocore_session().get_service_model("s3")
    operations = set()
    for operation in map(model.operation_model, model.operation_names):
        path, _, query = operation.http["requestUri"].partition("?")
        name = query.partition("&")[0].partition("=")[0]
        if name not in _NOT_SUBRESOURCES:
            level = _KEY if "{Key" in path else _BUCKET
            operations.add((level, operation.http["method"], name))
    return frozenset(operations)

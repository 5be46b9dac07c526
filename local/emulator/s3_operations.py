"""Which operation of S3 a request calls: moto ignores subresources that it lacks, and would run the plain operation.

`DELETE /bucket?metrics&id=1` would delete the bucket. The operations and their subresources are from botocore's service model.
"""

from functools import cache

from werkzeug.wrappers import Request

from local.emulator.clients import create_botocore_session
from local.emulator.s3_requests import S3Error, read_target

_BUCKET, _KEY = "bucket", "key"
_SUPPORTED = {
    (_BUCKET, "GET"): (
        "accelerate acl cors encryption inventory lifecycle location logging notification object-lock ownershipControls policy "
        "policyStatus publicAccessBlock replication tagging uploads versioning versions website"
    ),
    (_BUCKET, "PUT"): (
        "accelerate acl cors encryption inventory lifecycle logging notification object-lock ownershipControls policy "
        "publicAccessBlock replication tagging versioning website"
    ),
    (_BUCKET, "DELETE"): (
        "cors encryption lifecycle ownershipControls policy publicAccessBlock replication tagging website"
    ),
    (_BUCKET, "POST"): "delete",
    (_KEY, "GET"): "acl attributes legal-hold tagging",
    (_KEY, "PUT"): "acl legal-hold retention tagging",
    (_KEY, "DELETE"): "tagging",
    (_KEY, "POST"): "restore select uploads",
}
"""The subresources for which moto has operations, by scope and method."""
_NOT_ALLOWED = "The specified method is not allowed against this resource."
_UPLOADS_OF_KEY = "Key is not expected for the GET method ?uploads subresource"
_WITHDRAWN = (_KEY, "GET", "torrent")


def make_method_error() -> S3Error:
    return S3Error("MethodNotAllowed", _NOT_ALLOWED, 405)


@cache
def read_operations() -> dict[tuple[str, str, str], str]:
    """The name of each operation of S3 with a subresource, by scope, method and subresource."""
    model = create_botocore_session().get_service_model("s3")
    operations = {}
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        # The first member is the subresource, as in `select&select-type=2`; `list-type=2` has a value and is none.
        subresource = query.partition("&")[0]
        if subresource and "=" not in subresource:
            scope = _KEY if "{Key" in path else _BUCKET
            operations[scope, http["method"], subresource] = name
    return operations


@cache
def list_subresources() -> frozenset[str]:
    return frozenset(subresource for _, _, subresource in read_operations())


def check_operation(request: Request) -> None:
    """Raise S3Error if the subresource in the query has no operation for the method, or none in the emulator."""
    target = read_target(request)
    subresources = sorted(list_subresources().intersection(request.args))
    if not target.bucket or not subresources or request.method == "OPTIONS":
        return
    if len(subresources) > 1:
        message = f"Conflicting query string parameters: {', '.join(subresources)}"
        raise S3Error("InvalidArgument", message)
    scope = _KEY if target.key else _BUCKET
    _check_subresource(scope, request.method, subresources[0])


def _check_subresource(scope: str, method: str, subresource: str) -> None:
    if subresource in _SUPPORTED.get((scope, method), "").split():
        return
    operation = read_operations().get((scope, method, subresource))
    if operation and (scope, method, subresource) != _WITHDRAWN:
        message = f"The local emulator has no {operation}."
        raise S3Error("NotImplemented", message, 501)
    if (scope, method, subresource) == (_KEY, "GET", "uploads"):
        raise S3Error("InvalidRequest", _UPLOADS_OF_KEY)
    raise make_method_error()

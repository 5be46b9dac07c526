"""Error responses of the emulator, in the format of the requested service."""

import json
import re
from collections.abc import Mapping
from uuid import uuid4
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/[^/,\s]+/(?P<service>[^/,\s]+)/aws4_request")


def get_signing_service(request: Request) -> str:
    """Return the service in the credential scope of the request's signature, or an empty string for an unsigned request."""
    scope = request.headers.get("Authorization", "") or request.args.get("X-Amz-Credential", "")
    match = _SCOPE.search(scope) or _SCOPE.search(f"Credential={scope}")
    return match["service"] if match else ""


def is_for_s3(request: Request) -> bool:
    """Whether the request is for S3. Unsigned requests without X-Amz-Target are."""
    return "X-Amz-Target" not in request.headers and get_signing_service(request) in ("s3", "")


def make_error_response(request: Request, status: int, code: str, message: str) -> Response:
    """Return an error response: XML for S3 and for form requests, JSON for other services."""
    request_id = str(uuid4())
    if is_for_s3(request):
        return make_s3_error_response(request, status, code, message)
    if request.mimetype == "application/x-www-form-urlencoded":
        error = (
            f"<Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        )
        form = f"<ErrorResponse><Error>{error}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        return Response(form, status, {"Content-Type": "text/xml"})
    body = json.dumps({"__type": code, "message": message})
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "x-amzn-ErrorType": code,
        "x-amzn-RequestId": request_id,
    }
    return Response(body, status, headers)


def make_s3_error_response(
    request: Request,
    status: int,
    code: str,
    message: str,
    members: Mapping[str, str] | None = None,
) -> Response:
    """Return an S3 error with further members, such as the region to sign for."""
    further = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in (members or {}).items())
    request_id = uuid4().hex[:16].upper()
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"{further}<Resource>{escape(request.path)}</Resource><RequestId>{request_id}</RequestId></Error>"
    )
    headers = {"Content-Type": "application/xml", "x-amz-request-id": request_id}
    return Response("" if request.method == "HEAD" else body, status, headers)

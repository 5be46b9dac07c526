"""Errors that the stack answers itself, in the form of the service that the request is for."""

import json
import re
from uuid import uuid4
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/[^/,\s]+/(?P<service>[^/,\s]+)/aws4_request")


def signing_service(request: Request) -> str:
    """The service in the scope of a request's signature; empty without one."""
    scope = request.headers.get("Authorization", "") or request.args.get("X-Amz-Credential", "")
    found = _SCOPE.search(scope) or _SCOPE.search(f"Credential={scope}")
    return found["service"] if found else ""


def is_for_s3(request: Request) -> bool:
    """S3 is what a request without target and signature is for."""
    return "X-Amz-Target" not in request.headers and signing_service(request) in ("s3", "")


def refuse(request: Request, status: int, code: str, message: str) -> Response:
    """XML for S3 and where a request is a form, JSON for all other services."""
    request_id = str(uuid4())
    if is_for_s3(request):
        return refuse_s3(request, status, code, message)
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


def refuse_s3(request: Request, status: int, code: str, message: str) -> Response:
    request_id = uuid4().hex[:16].upper()
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"<Resource>{escape(request.path)}</Resource><RequestId>{request_id}</RequestId></Error>"
    )
    headers = {"Content-Type": "application/xml", "x-amz-request-id": request_id}
    return Response("" if request.method == "HEAD" else body, status, headers)

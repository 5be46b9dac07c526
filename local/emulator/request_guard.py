"""The outermost WSGI application: reads bodies, rejects requests of web pages, and converts exceptions to error responses.

A web page open in a browser on this machine can reach a loopback port, with a cross-origin request or through a host name that
resolves to 127.0.0.1 (DNS rebinding). Such requests are rejected.
"""

import io
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from xml.parsers.expat import ExpatError

from botocore.model import OperationNotFoundError
from werkzeug.wrappers import Request, Response

from local.emulator.error_responses import make_error_response
from local.emulator.gateway import Application
from local.emulator.request_bodies import BodyTooLargeError, UnknownEncodingError, read_body
from twofold.escaping import make_printable

_HOSTS = re.compile(
    r"(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]|([a-z0-9_.-]+\.)?(localhost|host\.docker\.internal|amazonaws\.com))(:\d+)?",
    re.IGNORECASE,
)
_TARGETS = frozenset(("RAW_URI", "REQUEST_URI"))
ABSOLUTE_URL = re.compile(r"\Ahttps?://[^/?#]*", re.IGNORECASE)
_OTHER_SITES = ("cross-site", "same-site")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class RequestGuard:
    application: Application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        error_response = (
            _read_body(environ) or _refuse_target(environ) or _refuse_web_page(Request(environ))
        )
        if error_response is not None:
            return error_response(environ, start_response)
        return self._forward(environ, start_response)

    def _forward(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Call the application. Convert exceptions that moto raises for unknown operations and bodies to error responses."""
        try:
            return self.application(environ, start_response)
        except OperationNotFoundError as error:
            status, code = 400, "UnknownOperationException"
            message = f"There is no operation {error}."
        except ExpatError as error:
            status, code, message = 400, "MalformedXML", f"The body is not valid XML: {error}."
        except NotImplementedError as error:
            status, code, message = 501, "NotImplemented", f"moto: {error}"
        except Exception:
            path = make_printable(Request(environ).path)
            _log.exception("%s %s", make_printable(environ["REQUEST_METHOD"]), path)
            status, code = 500, "InternalError"
            message = "We encountered an internal error. See the log of the local emulator."
        response = make_error_response(Request(environ), status, code, message)
        return response(environ, start_response)


def _read_body(environ: dict[str, Any]) -> Response | None:
    """Replace the stream by the whole body in memory. Return an error response if the body does not match the headers."""
    body, status, code, fault = b"", 400, "IncompleteBody", ""
    try:
        body = read_body(environ)
    except BodyTooLargeError as error:
        code, fault = "EntityTooLarge", str(error)
    except UnknownEncodingError as error:
        status, code, fault = 501, "NotImplemented", str(error)
    except MemoryError:
        status, code, fault = 503, "SlowDown", "The local emulator has no memory left for the body."
    except (OSError, ValueError) as error:
        fault = f"The body cannot be read: {error}."
    if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
        environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    return make_error_response(Request(environ), status, code, fault) if fault else None


def _refuse_target(environ: dict[str, Any]) -> Response | None:
    """Return an error response if the request target is not a path with a query. Reduce a URL to its path and query.

    All other code may then read the path from the target. A target has no fragment (RFC 9112): URL parsers, also the one for
    signatures, end the path at `#`, and moto does not.
    """
    for name in _TARGETS.intersection(environ):
        target = ABSOLUTE_URL.sub("", environ[name])
        if "#" in target or target[:1] not in ("", "/", "?"):
            message = "Couldn't parse the specified URI."
            return make_error_response(Request(environ), 400, "InvalidURI", message)
        environ[name] = target if target.startswith("/") else f"/{target}"
    return None


def _refuse_web_page(request: Request) -> Response | None:
    host = request.headers.get("Host", "")
    if not host and request.environ.get("SERVER_PROTOCOL") != "HTTP/1.0":
        message = "The request has no Host header."
        return make_error_response(request, 400, "InvalidRequest", message)
    if host and not _HOSTS.fullmatch(host):
        message = (
            f"The host {host!r} is no name of this machine. Use http://127.0.0.1 and the port."
        )
        return make_error_response(request, 403, "AccessDenied", message)
    origin = request.headers.get("Origin", "")
    if (origin and origin != f"{request.scheme}://{host}") or (
        request.headers.get("Sec-Fetch-Site", "") in _OTHER_SITES
    ):
        message = f"Web pages of {origin or 'other sites'} may not use the local emulator."
        return make_error_response(request, 403, "AccessDenied", message)
    return None

"""What every request to the stack passes first, whichever service it is for.

Web pages are kept out: a page that a browser shows on this machine can reach a loopback port, by a request across origins or
by a name of its own that resolves to 127.0.0.1. A body that cannot be read and a fault of moto's become errors of the service.
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

from local.gateway import Application
from local.refusals import refuse
from twofold.escaping import make_printable

_HOSTS = re.compile(
    r"(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]|([a-z0-9_.-]+\.)?(localhost|host\.docker\.internal|amazonaws\.com))(:\d+)?",
    re.IGNORECASE,
)
_OTHER_SITES = ("cross-site", "same-site")
_MOST_BYTES = 5 << 30
"""Of S3's largest single upload."""
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Guard:
    behind: Application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        refusal = _read_body(environ) or _refuse_page(Request(environ))
        if refusal is not None:
            return refusal(environ, start_response)
        return self._answer(environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """moto raises for what it does not have."""
        try:
            return self.behind(environ, start_response)
        except OperationNotFoundError as error:
            message = f"There is no operation {error}."
            refusal = refuse(Request(environ), 400, "UnknownOperationException", message)
        except ExpatError as error:
            refusal = refuse(Request(environ), 400, "MalformedXML", f"The body is no XML: {error}.")
        except NotImplementedError as error:
            refusal = refuse(Request(environ), 501, "NotImplemented", f"moto: {error}")
        except Exception:
            path = make_printable(Request(environ).path)
            _log.exception("%s %s", make_printable(environ["REQUEST_METHOD"]), path)
            message = "We encountered an internal error. The log of the stack says which."
            code = "InternalError"
            refusal = refuse(Request(environ), 500, code, message)
        return refusal(environ, start_response)


class _TooLargeError(Exception):
    """Nothing of the body has been read."""


def _read_body(environ: dict[str, Any]) -> Response | None:
    """Puts the whole body in memory, where it can be read again; the refusal if it is not what its headers say."""
    fault, code = "", "IncompleteBody"
    try:
        body = _receive(environ)
    except _TooLargeError as error:
        body, fault, code = b"", str(error), "EntityTooLarge"
    except (OSError, ValueError) as error:
        body, fault = b"", f"The body cannot be read: {error}."
    if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
        environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    return refuse(Request(environ), 400, code, fault) if fault else None


def _receive(environ: dict[str, Any]) -> bytes:
    """At once: werkzeug would gather it in small steps. Raises OSError, ValueError, _TooLargeError."""
    received = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body: bytes = received.read()
        return body
    stated = environ.get("CONTENT_LENGTH") or "0"
    if not stated.isascii() or not stated.isdigit():
        raise ValueError(f"Content-Length is {stated!r}, which is no number of bytes")
    if int(stated) > _MOST_BYTES:
        raise _TooLargeError("Your proposed upload exceeds the maximum allowed object size.")
    body = received.read(int(stated))
    if len(body) < int(stated):
        raise ValueError(f"it has {len(body)} bytes, Content-Length says {stated}")
    return body


def _refuse_page(request: Request) -> Response | None:
    host = request.headers.get("Host", "")
    if not host and request.environ.get("SERVER_PROTOCOL") != "HTTP/1.0":
        return refuse(request, 400, "InvalidRequest", "The request has no Host header.")
    if host and not _HOSTS.fullmatch(host):
        message = (
            f"The host {host!r} is no name of this machine. Use http://127.0.0.1 and the port."
        )
        return refuse(request, 403, "AccessDenied", message)
    origin = request.headers.get("Origin", "")
    if (origin and origin != f"{request.scheme}://{host}") or (
        request.headers.get("Sec-Fetch-Site", "") in _OTHER_SITES
    ):
        message = f"Web pages of {origin or 'other sites'} may not use this stack."
        return refuse(request, 403, "AccessDenied", message)
    return None

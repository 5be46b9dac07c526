"""The HTTP server's side of a request: the target, the headers and the body as received."""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from moto.moto_server.werkzeug_app import MotoRequestHandler

from local.emulator.request_guard import ABSOLUTE_URL

_UNESCAPED = re.compile(rb"[\x80-\xff]")


class RequestHandler(MotoRequestHandler):
    """HTTP/1.1, since SDKs send `Expect: 100-continue` before large bodies. werkzeug still closes each connection."""

    protocol_version = "HTTP/1.1"
    raw_requestline: bytes

    def parse_request(self) -> bool:
        """Escape bytes above 127 in the request line, which curl sends as they are: http.server would read Latin-1."""
        self.raw_requestline = _UNESCAPED.sub(_escape_byte, self.raw_requestline)
        return bool(super().parse_request())

    def make_environ(self) -> dict[str, Any]:
        """Keep the target and the body as received.

        http.server joins leading slashes, as in the target of the key `/a` with a bucket in the host name. Different
        Content-Length headers are joined, so that the guard rejects them: werkzeug would keep the last one.
        """
        self.path = self.raw_requestline.split()[1].decode()
        environ: dict[str, Any] = super().make_environ()
        environ["PATH_INFO"] = _decode_path(self.path)
        environ["wsgi.input"] = self.rfile
        lengths = set(self.headers.get_all("Content-Length", []))
        if len(lengths) > 1:
            environ["CONTENT_LENGTH"] = ", ".join(sorted(lengths))
        return environ


def _escape_byte(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % ord(match[0])


def _decode_path(target: str) -> str:
    """Return the path of a target, a URL or a path with a query, as WSGI represents it."""
    path = ABSOLUTE_URL.sub("", target).partition("?")[0]
    return unquote_to_bytes(path).decode("latin-1") or "/"

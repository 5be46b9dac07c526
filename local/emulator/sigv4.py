"""Signature Version 4 as API Gateway verifies it.

As in AWS, a request can be replayed while the date is valid. A replay with the same invocation id changes nothing, since the
service repeats the first response. SDKs do not sign the invocation id, which TLS protects.
"""

import configparser
import hmac
import re
from base64 import b32encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from werkzeug.wrappers import Request

MAX_SKEW = timedelta(minutes=5)
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,\s]+)/(?P<day>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)"
    r"/aws4_request,\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)

_ACCESS_KEY_ID = re.compile(r"\w{1,128}", re.ASCII)

INCOMPLETE = (
    "Authorization header requires Credential, SignedHeaders and Signature, and the request a date."
)
UNKNOWN = "The security token included in the request is invalid."
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


class KeyFileError(ValueError):
    """The file of access keys is not usable; the message has the reason."""


@dataclass(frozen=True, slots=True)
class User:
    name: str
    secret: str = field(repr=False)

    @property
    def id(self) -> str:
        """A unique id in IAM's format, derived from the name."""
        return f"AIDA{b32encode(sha256(self.name.encode()).digest())[:17].decode()}"


Keys = Mapping[str, User]
"""Users by access key id."""


def generate_keys() -> Keys:
    """Return a user with a new random key."""
    return {f"LOCAL{token_hex(8).upper()}": User("local", token_hex(20))}


def read_keys(file: Path) -> Keys:
    """Return a user for each profile of a file in the format of ~/.aws/credentials. Raises KeyFileError."""
    profiles = configparser.RawConfigParser()
    try:
        profiles.read_string(file.read_text())
        keys: dict[str, User] = {}
        for name in profiles.sections():
            profile = profiles[name]
            key, secret = profile["aws_access_key_id"], profile["aws_secret_access_key"]
            if not _ACCESS_KEY_ID.fullmatch(key) or not secret:
                raise KeyFileError(
                    f"{file}, profile {name!r}: an access key id has 1 to 128 letters, digits and underscores, and its "
                    "secret is not empty."
                )
            if key in keys:
                raise KeyFileError(
                    f"{file}: profiles {keys[key].name!r} and {name!r} have one key."
                )
            keys[key] = User(name, secret)
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{file} cannot be read: {error}") from error
    except configparser.Error as error:
        # The error's own text has lines of the file, which may be secrets.
        line = getattr(error, "lineno", None)
        place = f", line {line}" if line else ""
        raise KeyFileError(f"{file}{place} is not in the format of ~/.aws/credentials.") from error
    except KeyError as error:
        raise KeyFileError(f"{file} has a profile without {error}.") from error
    if not keys:
        raise KeyFileError(f"{file} has no profile.")
    return keys


FindMismatch = Callable[[Request, Mapping[str, str], User, str], str]
"""Arguments: the request, the fields of the Authorization header, the user, the timestamp. Returns MISMATCH or ''."""


def find_fault(
    request: Request,
    keys: Keys,
    region: str,
    now: datetime,
    find_mismatch: FindMismatch | None = None,
) -> str:
    """Return API Gateway's error message for a request with an invalid signature, or an empty string."""
    authorization = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", "").strip())
    timestamp = request.headers.get("X-Amz-Date", "")
    if not authorization or not re.fullmatch(r"\d{8}T\d{6}Z", timestamp):
        return INCOMPLETE
    user = keys.get(authorization["key"])
    if not user or "X-Amz-Security-Token" in request.headers:
        return UNKNOWN
    if authorization["region"] != region:
        return f"Credential should be scoped to a valid region, not '{authorization['region']}'."
    find_mismatch = find_mismatch or _find_mismatch
    return find_date_fault(timestamp, authorization["day"], now) or find_mismatch(
        request, authorization.groupdict(), user, timestamp
    )


def find_date_fault(timestamp: str, day: str, now: datetime) -> str:
    """Return the error message if the timestamp is not within MAX_SKEW of `now` or not on the day of the scope, else ''."""
    try:
        signed_at = datetime.strptime(timestamp, DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return INCOMPLETE
    if timestamp[:8] != day:
        return f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{day}'"
    limit = f"({now:{DATE_FORMAT}} {'-' if signed_at < now else '+'} 5 min.)"
    if signed_at < now - MAX_SKEW:
        return f"Signature expired: {timestamp} is now earlier than {now - MAX_SKEW:{DATE_FORMAT}} {limit}"
    if signed_at > now + MAX_SKEW:
        return f"Signature not yet current: {timestamp} is still later than {now + MAX_SKEW:{DATE_FORMAT}} {limit}"
    return ""


def _find_mismatch(
    request: Request, authorization: Mapping[str, str], user: User, timestamp: str
) -> str:
    signed_headers = set(authorization["headers"].split(";"))
    if not list_required_headers(request) <= signed_headers:
        return MISMATCH
    body = request.get_data()
    stated = request.headers.get("X-Amz-Content-SHA256")
    if stated is not None and stated != sha256(body).hexdigest():
        return MISMATCH
    expected = _compute_signature(request, authorization, user, timestamp, signed_headers)
    return "" if is_same_signature(expected, authorization["signature"]) else MISMATCH


def is_same_signature(expected: str, received: str) -> bool:
    """Compare two signatures in constant time. `received` may have any characters."""
    return hmac.compare_digest(expected.encode(), received.encode(errors="surrogatepass"))


def list_required_headers(request: Request) -> set[str]:
    """Return the headers that a signature must cover: host and all x-amz- headers of the request."""
    return {"host"} | {
        name.lower() for name, _ in request.headers if name.lower().startswith("x-amz-")
    }


def _compute_signature(
    request: Request,
    authorization: Mapping[str, str],
    user: User,
    timestamp: str,
    signed_headers: set[str],
) -> str:
    """Return the signature that botocore computes for the request."""
    signer: Any = _Signer(
        Credentials(authorization["key"], user.secret),
        authorization["service"],
        authorization["region"],
    )
    received: Any = AWSRequest(request.method, get_received_url(request), data=request.get_data())
    return sign_request(signer, received, request, timestamp, signed_headers)


def get_received_url(request: Request) -> str:
    """Return the URL of the request without decoding. A `#`, which would end the signed part of the URL, is escaped."""
    target = (
        request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path
    )
    return f"http://{request.host}{target.replace('#', '%23')}"


def sign_request(
    signer: Any, received: Any, request: Request, timestamp: str, signed_headers: set[str]
) -> str:
    """Return the signature of `received`, an AWSRequest, with the signed headers of `request`."""
    received.headers = HTTPHeaders()
    for name, value in request.headers:
        if name.lower() in signed_headers:
            received.headers.add_header(name, value)
    received.context["timestamp"] = timestamp
    canonical_request = signer.canonical_request(received)
    signature: str = signer.signature(signer.string_to_sign(received, canonical_request), received)
    return signature


class SignsGivenHeaders:
    """Mixin for botocore signers: sign all headers of the AWSRequest, also headers that botocore skips."""

    def headers_to_sign(self, request: Any) -> Any:
        headers = HTTPHeaders()
        for name, value in request.headers.items():
            headers.add_header(name.lower(), value)
        return headers


class _Signer(SignsGivenHeaders, SigV4Auth):
    """The signer for all services except S3."""

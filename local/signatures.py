"""SigV4 as API Gateway verifies it: who signed a request, and whether it is as it was signed.

As in AWS, the same request may come again while its date is in time. An SDK's change is not made again by that: the request has
the id of its invocation, and the service answers what it answered before. SDKs do not sign that id: against a replay with
another one stands TLS alone, as in AWS.
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

SKEW = timedelta(minutes=5)
DATE = "%Y%m%dT%H%M%SZ"
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
    """The file of access keys cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class User:
    name: str
    secret: str = field(repr=False)

    @property
    def id(self) -> str:
        """As IAM's unique ids look; the same for a name on every start."""
        return f"AIDA{b32encode(sha256(self.name.encode()).digest())[:17].decode()}"


Keys = Mapping[str, User]
"""Users by access key id."""


def any_keys() -> Keys:
    """A user with a key that nobody had before."""
    return {f"LOCAL{token_hex(8).upper()}": User("local", token_hex(20))}


def read_keys(file: Path) -> Keys:
    """The users of a file in the form of ~/.aws/credentials, one a profile. Raises KeyFileError."""
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
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise KeyFileError(f"{file} cannot be read: {error}") from error
    except KeyError as error:
        raise KeyFileError(f"{file} has a profile without {error}.") from error
    if not keys:
        raise KeyFileError(f"{file} has no profile.")
    return keys


Compare = Callable[[Request, Mapping[str, str], User, str], str]
"""Why a request, with what its Authorization header says, is not what its user signed at a time; empty if it is."""


def fault(
    request: Request, keys: Keys, region: str, now: datetime, compare: Compare | None = None
) -> str:
    """Why the signature is not right, in API Gateway's words; empty if it is."""
    claimed = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", "").strip())
    stamp = request.headers.get("X-Amz-Date", "")
    if not claimed or not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
        return INCOMPLETE
    user = keys.get(claimed["key"])
    if not user or "X-Amz-Security-Token" in request.headers:
        return UNKNOWN
    if claimed["region"] != region:
        return f"Credential should be scoped to a valid region, not '{claimed['region']}'."
    altered = compare or _altered
    return late(stamp, claimed["day"], now) or altered(request, claimed.groupdict(), user, stamp)


def late(stamp: str, day: str, now: datetime) -> str:
    """Why the time of a signature is not now, or not the day of its scope; empty if it is."""
    try:
        signed = datetime.strptime(stamp, DATE).replace(tzinfo=UTC)
    except ValueError:
        return INCOMPLETE
    if stamp[:8] != day:
        return f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{day}'"
    limit = f"({now:{DATE}} {'-' if signed < now else '+'} 5 min.)"
    if signed < now - SKEW:
        return f"Signature expired: {stamp} is now earlier than {now - SKEW:{DATE}} {limit}"
    if signed > now + SKEW:
        return f"Signature not yet current: {stamp} is still later than {now + SKEW:{DATE}} {limit}"
    return ""


def _altered(request: Request, claimed: Mapping[str, str], user: User, stamp: str) -> str:
    signed = set(claimed["headers"].split(";"))
    if not required_headers(request) <= signed:
        return MISMATCH
    body = request.get_data()
    stated = request.headers.get("X-Amz-Content-SHA256")
    if stated is not None and stated != sha256(body).hexdigest():
        return MISMATCH
    expected = _signature(request, claimed, user, stamp, signed)
    return "" if are_equal(expected, claimed["signature"]) else MISMATCH


def are_equal(expected: str, given: str) -> bool:
    """In constant time, whatever characters are given."""
    return hmac.compare_digest(expected.encode(), given.encode(errors="surrogatepass"))


def required_headers(request: Request) -> set[str]:
    """What says who, what and when may not be left out of a signature."""
    return {"host"} | {
        name.lower() for name, _ in request.headers if name.lower().startswith("x-amz-")
    }


def _signature(
    request: Request, claimed: Mapping[str, str], user: User, stamp: str, signed: set[str]
) -> str:
    """What botocore would have signed this request with."""
    signer: Any = _Signer(
        Credentials(claimed["key"], user.secret), claimed["service"], claimed["region"]
    )
    received: Any = AWSRequest(request.method, received_url(request), data=request.get_data())
    return sign(signer, received, request, stamp, signed)


def received_url(request: Request) -> str:
    """As it came, before anything was decoded."""
    target = (
        request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path
    )
    return f"http://{request.host}{target}"


def sign(signer: Any, received: Any, request: Request, stamp: str, signed: set[str]) -> str:
    """The signature of an AWSRequest with those headers of a request that its client says it signed."""
    received.headers = HTTPHeaders()
    for name, value in request.headers:
        if name.lower() in signed:
            received.headers.add_header(name, value)
    received.context["timestamp"] = stamp
    canonical = signer.canonical_request(received)
    signature: str = signer.signature(signer.string_to_sign(received, canonical), received)
    return signature


class TakesAllHeaders:
    """Of a signer: takes every header that the client says it signed."""

    def headers_to_sign(self, request: Any) -> Any:
        headers = HTTPHeaders()
        for name, value in request.headers.items():
            headers.add_header(name.lower(), value)
        return headers


class _Signer(TakesAllHeaders, SigV4Auth):
    """For all services but S3."""

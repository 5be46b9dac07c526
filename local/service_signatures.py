"""SigV4 as S3 and the other services behind the gateway verify it.

S3 takes a signature in the header or in a presigned URL, over the body, over its chunks, or over the headers alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.wrappers import Request, Response

from local import chunks, signatures
from local.clients import REGION
from local.gateway import Application
from local.refusals import is_for_s3, refuse, signing_service
from local.signatures import INCOMPLETE, MISMATCH, UNKNOWN, Keys, TakesAllHeaders, User

_BODY_UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
_CHUNKS_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_CHUNK, _TRAILER = "AWS4-HMAC-SHA256-PAYLOAD", "AWS4-HMAC-SHA256-TRAILER"
_LONGEST_EXPIRES = 604_800
_VERSION_2 = (
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256 "
    '(boto3 presigns so with Config(signature_version="s3v4")).'
)
_EMPTY = sha256(b"").hexdigest()


class _Signer(TakesAllHeaders, S3SigV4Auth):
    pass


class _PresignedSigner(_Signer):
    def payload(self, request: Any) -> str:
        return "UNSIGNED-PAYLOAD"


@dataclass(slots=True)
class SignedServices:
    """Services that refuse each request that none of the keys has signed; none while there are no keys.

    `internal` are the stack's own. The body of a request has been read.
    """

    behind: Application
    find_keys: Callable[[], Keys | None]
    internal: Keys

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        keys = self.find_keys()
        if keys is not None:
            request = Request(environ)
            fault = _find_fault(request, {**keys, **self.internal}, datetime.now(UTC))
            environ["wsgi.input"].seek(0)
            if fault:
                return _refuse(request, fault)(environ, start_response)
        return self.behind(environ, start_response)


def _refuse(request: Request, fault: str) -> Response:
    if not is_for_s3(request):
        return refuse(request, 403, "InvalidSignatureException", fault)
    code = "SignatureDoesNotMatch" if fault == MISMATCH else "AccessDenied"
    return refuse(request, 403, code, fault)


def _find_fault(request: Request, keys: Keys, now: datetime) -> str:
    if "AWSAccessKeyId" in request.args or request.headers.get("Authorization", "").startswith(
        "AWS "
    ):
        return _VERSION_2
    if "X-Amz-Signature" in request.args and is_for_s3(request):
        return _presigned_fault(request, keys, now)
    if signing_service(request) == "s3":
        return signatures.fault(request, keys, REGION, now, _s3_fault)
    return signatures.fault(request, keys, REGION, now)


def _s3_fault(request: Request, claimed: Mapping[str, str], user: User, stamp: str) -> str:
    signed = set(claimed["headers"].split(";"))
    stated = request.headers.get("X-Amz-Content-SHA256", "")
    body = request.environ["wsgi.input"].getvalue()
    known = (*_BODY_UNSIGNED, _CHUNKS_SIGNED, f"{_CHUNKS_SIGNED}-TRAILER")
    if not signatures.required_headers(request) <= signed:
        return MISMATCH
    if stated not in known and stated != sha256(body).hexdigest():
        return MISMATCH
    signer = _Signer(Credentials(claimed["key"], user.secret), "s3", claimed["region"])
    received: Any = AWSRequest(request.method, signatures.received_url(request))
    expected = signatures.sign(signer, received, request, stamp, signed)
    if not signatures.are_equal(expected, claimed["signature"]):
        return MISMATCH
    if stated.startswith(_CHUNKS_SIGNED):
        announced = request.headers.get("x-amz-trailer", "")
        return _chunks_fault(signer, received, claimed["signature"], body, announced)
    return ""


def _chunks_fault(signer: Any, received: Any, seed: str, body: bytes, announced: str) -> str:
    """Each signature covers the one before."""
    try:
        decoded = chunks.decode(body, None, announced)
    except chunks.ChunkError:
        return ""  # refused for what it is, once the body is decoded
    scope = (received.context["timestamp"], signer.credential_scope(received))

    def sign(kind: str, *rest: str) -> str:
        return str(signer.signature("\n".join((kind, *scope, *rest)), received))

    before = seed
    for chunk in decoded.chunks:
        expected = sign(_CHUNK, before, _EMPTY, sha256(chunk.data).hexdigest())
        if not signatures.are_equal(expected, chunk.signature):
            return MISMATCH
        before = expected
    stated = decoded.trailers.get(chunks.TRAILER_SIGNATURE, "")
    text = "".join(
        f"{name}:{value}\n"
        for name, value in decoded.trailers.items()
        if name != chunks.TRAILER_SIGNATURE
    )
    if not text:
        return ""
    expected = sign(_TRAILER, before, sha256(text.encode()).hexdigest())
    return "" if signatures.are_equal(expected, stated) else MISMATCH


def _presigned_fault(request: Request, keys: Keys, now: datetime) -> str:
    key, _, scope = request.args.get("X-Amz-Credential", "").partition("/")
    day, _, rest = scope.partition("/")
    user = keys.get(key)
    if not user or "X-Amz-Security-Token" in request.args:
        return UNKNOWN
    if rest != f"{REGION}/s3/aws4_request":
        return f"Credential should be scoped to the region {REGION} and to s3, not to '{rest}'."
    stamp, expires = request.args.get("X-Amz-Date", ""), request.args.get("X-Amz-Expires", "")
    begun = _parse(stamp)
    if begun is None or not expires.isdecimal() or not 0 < int(expires) <= _LONGEST_EXPIRES:
        return INCOMPLETE
    if now - begun > timedelta(seconds=int(expires)):
        return "Request has expired"
    early = signatures.late(stamp, day, min(now, begun))
    return early or _presigned_altered(request, key, user, stamp)


def _parse(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, signatures.DATE).replace(tzinfo=UTC)
    except ValueError:
        return None


def _presigned_altered(request: Request, key: str, user: User, stamp: str) -> str:
    """The signature covers all of the URL but itself."""
    signed = set(request.args.get("X-Amz-SignedHeaders", "").split(";"))
    if not signatures.required_headers(request) <= signed:
        return MISMATCH
    parts = urlsplit(signatures.received_url(request))
    members = [one for one in parts.query.split("&") if not one.startswith("X-Amz-Signature=")]
    url = urlunsplit(parts._replace(query="&".join(members)))
    signer = _PresignedSigner(Credentials(key, user.secret), "s3", REGION)
    expected = signatures.sign(signer, AWSRequest(request.method, url), request, stamp, signed)
    given = request.args["X-Amz-Signature"]
    return "" if signatures.are_equal(expected, given) else MISMATCH

"""With keys set, every service requires a valid signature: S3, DynamoDB, Lambda and others."""

import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

import boto3
import pytest
import urllib3
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local.emulator.server import Emulator
from local.emulator.sigv4 import User
from tests.support.job import make_line
from tests.support.request_interceptor import wait_until
from twofold.settings import Function, make_function_name

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ONCE = Config(retries={"total_max_attempts": 1})
VERSION_4 = ONCE.merge(Config(signature_version="s3v4"))
INVOKE = f"/2015-03-31/functions/{make_function_name('local', Function.API)}/invocations"


@pytest.fixture
def strict(emulator: Emulator) -> Iterator[Emulator]:
    emulator.gateway.keys = {KEY: User("alice", SECRET)}
    yield emulator
    emulator.gateway.keys = None


def create_user_client(
    emulator: Emulator, service: str, config: Config = ONCE, **changed: Any
) -> Any:
    credentials = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
    make: Any = boto3.client
    options = {"region_name": "us-east-1", **credentials, **changed}
    return make(service, endpoint_url=emulator.endpoint, config=config, **options)


S3_CONFIGS: list[Any] = [
    {},
    {"payload_signing_enabled": False},
    {"addressing_style": "path"},
]


@pytest.mark.parametrize("options", S3_CONFIGS, ids=str)
@pytest.mark.parametrize("key", ["one", "a b/ü+~:@%41.txt", "/twice//slashed", "a/../b/./c"])
def test_s3_accepts_the_key(strict: Emulator, options: Any, key: str) -> None:
    s3 = create_user_client(strict, "s3", ONCE.merge(Config(s3=options)))
    s3.create_bucket(Bucket="signed")
    s3.put_object(Bucket="signed", Key=key, Body=b"body", Metadata={"of": "two  words"})
    assert s3.get_object(Bucket="signed", Key=key, Range="bytes=1-2")["Body"].read() == b"od"
    assert s3.list_objects_v2(Bucket="signed", Prefix=key)["KeyCount"] == 1
    s3.delete_object(Bucket="signed", Key=key)


REFUSED = [
    ({"aws_access_key_id": "AKIDOTHER"}, "AccessDenied"),
    ({"aws_secret_access_key": "other"}, "SignatureDoesNotMatch"),
    ({"aws_session_token": "any"}, "AccessDenied"),
    ({"region_name": "eu-west-1"}, "AccessDenied"),
    ({"aws_access_key_id": "local", "aws_secret_access_key": "local"}, "SignatureDoesNotMatch"),
    ({"aws_access_key_id": "ak", "aws_secret_access_key": "sk"}, "SignatureDoesNotMatch"),
]


@pytest.mark.parametrize(("changed", "code"), REFUSED, ids=str)
def test_other_credentials_are_rejected(
    strict: Emulator, changed: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        create_user_client(strict, "s3", **changed).list_buckets()
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    name = make_function_name("local", Function.API)
    for call in (
        create_user_client(strict, "dynamodb", **changed).list_tables,
        create_user_client(strict, "stepfunctions", **changed).list_state_machines,
        create_user_client(strict, "sts", **changed).get_caller_identity,
        lambda: create_user_client(strict, "lambda", **changed).invoke(
            FunctionName=name, Payload=b"{}"
        ),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_other_services_accept_the_key(strict: Emulator) -> None:
    assert create_user_client(strict, "dynamodb").list_tables()["TableNames"]
    assert create_user_client(strict, "stepfunctions").list_state_machines()["stateMachines"]
    assert create_user_client(strict, "sts").get_caller_identity()["Account"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("PUT", "/unsigned-bucket"),
        ("POST", INVOKE),
        ("POST", "/moto-api/reset"),
        ("GET", "/?Action=ListUsers&Version=2010-05-08"),
        ("GET", "/signed/one?X-Amz-Signature=00&X-Amz-Credential=a/b/us-east-1/s3/aws4_request"),
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer any"},
        {"Authorization": f"AWS {KEY}:c2lnbmF0dXJl"},
        {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/lambda/aws4_request"
        },
        {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/s3/aws4_request"},
    ],
    ids=["none", "bearer", "version 2", "lambda, no signature", "s3, no signature"],
)
def test_unsigned_requests_are_rejected(
    strict: Emulator, method: str, path: str, headers: dict[str, str]
) -> None:
    before = strict.functions.invocations[Function.API]
    answer = urllib3.request(method, f"{strict.endpoint}{path}", headers=headers)
    assert answer.status == 403
    assert strict.functions.invocations[Function.API] == before


def test_a_changed_body_is_rejected(strict: Emulator) -> None:
    s3 = create_user_client(strict, "s3")
    s3.create_bucket(Bucket="signed")

    def change(request: Any, **_: Any) -> None:
        request.body = b"other"

    s3.meta.events.register("before-send.s3.PutObject", change)
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        s3.put_object(Bucket="signed", Key="altered", Body=b"right")


def create_presigned_url(
    emulator: Emulator, method: str = "get_object", expires: int = 60, **changed: Any
) -> str:
    s3 = create_user_client(emulator, "s3", VERSION_4, **changed)
    s3.create_bucket(Bucket="signed")
    s3.put_object(Bucket="signed", Key="a b", Body=b"body")
    target = {"Bucket": "signed", "Key": "a b"}
    url: str = s3.generate_presigned_url(method, Params=target, ExpiresIn=expires)
    return url


def test_a_presigned_url_is_valid_for_its_method_key_and_parameters_only(strict: Emulator) -> None:
    url = create_presigned_url(strict)
    assert urllib3.request("GET", url).data == b"body"
    assert urllib3.request("PUT", url, body=b"x").status == 403
    assert urllib3.request("GET", url.replace("a%20b", "other")).status == 403
    assert urllib3.request("GET", url.replace("Expires=60", "Expires=61")).status == 403
    assert urllib3.request("GET", f"{url}&versionId=null").status == 403
    assert (
        urllib3.request("PUT", create_presigned_url(strict, "put_object"), body=b"new").status
        == 200
    )


def test_a_url_presigned_with_version_2_is_rejected_with_advice(strict: Emulator) -> None:
    target = {"Bucket": "signed", "Key": "a b"}
    url = create_user_client(strict, "s3").generate_presigned_url("get_object", Params=target)
    answer = urllib3.request("GET", url)
    assert answer.status == 403
    assert b"Please use AWS4-HMAC-SHA256" in answer.data


@pytest.mark.parametrize(
    ("minutes", "status"), [(-2, 403), (-0.5, 200), (4, 200), (6, 403)], ids=str
)
def test_a_presigned_url_expires(
    strict: Emulator, monkeypatch: pytest.MonkeyPatch, minutes: float, status: int
) -> None:
    create_presigned_url(strict)
    moment = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=minutes)
    s3 = create_user_client(strict, "s3", VERSION_4)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "signed", "Key": "a b"}, ExpiresIn=60
    )
    assert urllib3.request("GET", url).status == status


@pytest.mark.parametrize(
    ("expires", "status", "message"),
    [
        ("604801", 400, "must be less than a week"),
        ("9" * 5000, 400, "must be less than a week"),
        ("-1", 400, "should be a number"),
        ("1e3", 400, "should be a number"),
        ("", 403, "requires Credential"),
        ("060", 403, "does not match"),
    ],
)
def test_the_validity_of_a_presigned_url_is_limited(
    strict: Emulator, expires: str, status: int, message: str
) -> None:
    url = create_presigned_url(strict).replace("X-Amz-Expires=60", f"X-Amz-Expires={expires}")
    answer = urllib3.request("GET", url)
    assert answer.status == status
    assert message in answer.data.decode()
    assert (b"AuthorizationQueryParametersError" in answer.data) == (status == 400)


def test_a_signed_form_is_rejected_with_advice(strict: Emulator) -> None:
    s3 = create_user_client(strict, "s3", VERSION_4)
    s3.create_bucket(Bucket="signed")
    form = s3.generate_presigned_post("signed", "from-a-form")
    answer = urllib3.request("POST", form["url"], fields={**form["fields"], "file": "body"})
    assert answer.status == 403
    assert b"Use a presigned URL of a PUT request" in answer.data


def send_target(emulator: Emulator, method: str, target: str, headers: Any, body: bytes) -> int:
    """Send a request with an unchanged target, and return the status. Clients would end the target at `#`."""
    connection = HTTPConnection("127.0.0.1", emulator.server.server_port, timeout=30)
    connection.request(method, target, body, dict(headers))
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("PUT", b"written"), ("DELETE", b"")])
@pytest.mark.parametrize("presigned", [False, True])
def test_a_signature_for_a_key_is_not_valid_for_the_key_with_a_number_sign(
    strict: Emulator, method: str, body: bytes, presigned: bool
) -> None:
    s3 = create_user_client(strict, "s3", VERSION_4)
    s3.create_bucket(Bucket="signed")
    for key in ("short", "short#private"):
        s3.put_object(Bucket="signed", Key=key, Body=b"stored")
    # The signer of presigned URLs would add the members of a body to the query.
    signed_body = b"" if presigned else body
    request: Any = AWSRequest(method, f"{strict.endpoint}/signed/short", data=signed_body)
    make_signer: Any = S3SigV4QueryAuth if presigned else S3SigV4Auth
    make_signer(Credentials(KEY, SECRET), "s3", "us-east-1").add_auth(request)
    target = request.url.removeprefix(strict.endpoint)
    for changed in ("/signed/short#private", "/signed/short%23private", "/signed/short#"):
        status = send_target(
            strict, method, target.replace("/signed/short", changed), request.headers, body
        )
        assert status in (400, 403)
        assert status == 400 or "#" not in changed
    assert send_target(strict, method, f"{target}#private", request.headers, body) == 400
    for key in ("short", "short#private"):
        assert s3.get_object(Bucket="signed", Key=key)["Body"].read() == b"stored"
    assert send_target(strict, method, target, request.headers, body) in (200, 204)


STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"


def put_signed_chunks(
    emulator: Emulator,
    chunks: list[bytes],
    sent: list[bytes],
    trailer: str = "",
    cut: bytes = b"",
) -> urllib3.BaseHTTPResponse:
    """Send a PUT with signatures of `chunks`, as in the Amazon S3 API reference, and the data of `sent`.

    The body ends before the text `cut`.
    """
    kind = f"{STREAMING}-TRAILER" if trailer else STREAMING
    url = f"{emulator.endpoint}/signed/chunks"
    request: Any = AWSRequest("PUT", url)
    request.headers["X-Amz-Content-SHA256"] = kind
    request.headers["X-Amz-Decoded-Content-Length"] = str(sum(map(len, chunks)))
    if trailer:
        request.headers["X-Amz-Trailer"] = trailer.partition(":")[0]
    signer: Any = S3SigV4Auth(Credentials(KEY, SECRET), "s3", "us-east-1")
    # S3's signer would overwrite X-Amz-Content-SHA256.
    prepare: Any = vars(SigV4Auth)["_modify_request_before_signing"]
    signer._modify_request_before_signing = lambda request: prepare(signer, request)
    signer.add_auth(request)
    stamp, previous = request.context["timestamp"], request.headers["Authorization"][-64:]
    scope = signer.credential_scope(request)
    empty, body = sha256(b"").hexdigest(), b""
    for chunk, data in zip([*chunks, b""], [*sent, b""], strict=True):
        digest = sha256(chunk).hexdigest()
        text = "\n".join(("AWS4-HMAC-SHA256-PAYLOAD", stamp, scope, previous, empty, digest))
        previous = signer.signature(text, request)
        body += b"%x;chunk-signature=%s\r\n" % (len(data), previous.encode())
        body += data + b"\r\n" if data else b""
    if trailer:
        digest = sha256(f"{trailer}\n".encode()).hexdigest()
        text = "\n".join(("AWS4-HMAC-SHA256-TRAILER", stamp, scope, previous, digest))
        signature = signer.signature(text, request)
        body += f"{trailer}\r\nx-amz-trailer-signature:{signature}\r\n".encode()
    body = body[: body.index(cut)] if cut else body
    return urllib3.request("PUT", url, headers=dict(request.headers), body=body + b"\r\n")


@pytest.mark.parametrize("trailer", ["", "x-amz-checksum-crc32:517Rmw=="])
def test_changed_chunks_are_rejected(strict: Emulator, trailer: str) -> None:
    s3 = create_user_client(strict, "s3")
    s3.create_bucket(Bucket="signed")
    right = [b"first chunk ", b"second"]
    assert put_signed_chunks(strict, right, right, trailer).status == 200
    assert s3.get_object(Bucket="signed", Key="chunks")["Body"].read() == b"first chunk second"
    wrong = put_signed_chunks(strict, right, [b"first chunk ", b"seconD"], trailer)
    assert wrong.status == 403
    assert b"SignatureDoesNotMatch" in wrong.data


@pytest.mark.parametrize(
    ("cut", "status", "code"),
    [
        (b"x-amz-checksum", 400, b"MalformedTrailerError"),
        (b"x-amz-trailer-signature", 403, b"SignatureDoesNotMatch"),
    ],
)
def test_a_signed_trailer_cannot_be_cut_off(
    strict: Emulator, cut: bytes, status: int, code: bytes
) -> None:
    s3 = create_user_client(strict, "s3")
    s3.create_bucket(Bucket="signed")
    s3.put_object(Bucket="signed", Key="chunks", Body=b"before")
    trailer, chunks = "x-amz-checksum-crc32:517Rmw==", [b"first chunk ", b"second"]
    refused = put_signed_chunks(strict, chunks, chunks, trailer, cut)
    assert (refused.status, code in refused.data) == (status, True)
    assert s3.get_object(Bucket="signed", Key="chunks")["Body"].read() == b"before"


def test_the_service_works_with_keys_set(strict: Emulator) -> None:
    """The functions and moto's Step Functions interpreter sign with internal keys."""
    s3, api = create_user_client(strict, "s3"), create_user_client(strict, "rekognition")
    name = f"mine-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    body = "\n".join(make_line(number, "cat") for number in range(20)).encode()
    s3.put_object(Bucket=name, Key="m", Body=body)
    project = api.create_project(ProjectName=name)["ProjectArn"]
    source = {"GroundTruthManifest": {"S3Object": {"Bucket": name, "Name": "m"}}}
    train = api.create_dataset(ProjectArn=project, DatasetType="TRAIN", DatasetSource=source)

    def describe() -> dict[str, Any]:
        answer = api.describe_dataset(DatasetArn=train["DatasetArn"])
        dataset: dict[str, Any] = answer["DatasetDescription"]
        return dataset

    assert wait_until(lambda: not describe()["Status"].endswith("IN_PROGRESS"))
    assert describe()["Status"] == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    "changed",
    [
        {"X-Amz-Signature": "é" * 64},
        {"X-Amz-Signature": "\ud800"},
        {"X-Amz-Date": "99991231T235959Z"},
        {"X-Amz-Date": "00010101T000000Z"},
        {"X-Amz-Expires": "604800", "X-Amz-Date": "99991231T235959Z"},
    ],
    ids=str,
)
def test_invalid_values_in_a_presigned_url_are_client_errors(
    strict: Emulator, changed: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    parts = urllib.parse.urlsplit(create_presigned_url(strict))
    query = dict(urllib.parse.parse_qsl(parts.query)) | changed
    if "X-Amz-Date" in changed:
        day = changed["X-Amz-Date"][:8]
        query["X-Amz-Credential"] = f"{KEY}/{day}/us-east-1/s3/aws4_request"
    encoded = urllib.parse.urlencode(query, errors="surrogatepass")
    answer = urllib3.request("GET", urllib.parse.urlunsplit(parts._replace(query=encoded)))
    assert answer.status == 403
    assert caplog.records == []

"""The gateway with AUTH=strict: requests signed by botocore, and requests changed after signing."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from local.emulator.__main__ import main
from local.emulator.server import Emulator
from local.emulator.sigv4 import (
    MISMATCH,
    KeyFileError,
    Keys,
    User,
    find_fault,
    generate_keys,
    read_keys,
)
from tests.support.job import Job

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SERVICES = ("rekognition", "execute-api")
TARGET = "RekognitionService.DescribeProjects"


@pytest.fixture
def strict(emulator: Emulator) -> Iterator[Emulator]:
    emulator.gateway.keys = {KEY: User("alice", SECRET)}
    yield emulator
    emulator.gateway.keys = None


def create_user_client(emulator: Emulator, **changed: Any) -> Any:
    credentials = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
    return boto3.client(
        "rekognition",
        endpoint_url=emulator.endpoint,
        **{"region_name": "us-east-1", **credentials, **changed},
        config=Config(retries={"total_max_attempts": 1}),
    )


def make_signed_request(
    emulator: Emulator,
    service: str = "execute-api",
    path: str = "/DescribeProjects",
    body: bytes = b'{"ProjectNames": ["none"]}',
    **headers: str,
) -> AWSPreparedRequest:
    request: Any = AWSRequest("POST", f"{emulator.endpoint}{path}", data=body)
    request.headers["Content-Type"] = "application/x-amz-json-1.1"
    for name, value in headers.items():
        request.headers[name.replace("_", "-")] = value
    SigV4Auth(Credentials(KEY, SECRET), service, "us-east-1").add_auth(request)
    prepared: AWSPreparedRequest = request.prepare()
    return prepared


def get_authorization(request: AWSPreparedRequest) -> str:
    value: Any = request.headers["Authorization"]
    text: str = value.decode() if isinstance(value, bytes) else value
    return text


def send(request: AWSPreparedRequest) -> tuple[int, str, str]:
    """Return (status, code, message)."""
    answer: Any = URLLib3Session().send(request)
    body = json.loads(answer.content)
    return answer.status_code, body.get("__type", ""), body.get("Message", "")


@pytest.mark.parametrize("service", SERVICES)
def test_an_unchanged_request_is_accepted(strict: Emulator, service: str) -> None:
    assert send(make_signed_request(strict, service))[0] == 200
    assert send(make_signed_request(strict, service, path="/", X_Amz_Target=TARGET))[0] == 200


@pytest.mark.parametrize("service", SERVICES)
def test_a_target_with_a_fragment_is_rejected(strict: Emulator, service: str) -> None:
    """Also by the verification of the signature, whose URL parser would drop the fragment."""
    signed = make_signed_request(strict, service)
    parts, body = urlsplit(signed.url), _decode(signed.body).encode()
    connection = HTTPConnection(parts.netloc, timeout=30)
    connection.request("POST", f"{parts.path}#x", body, dict(signed.headers.items()))
    assert connection.getresponse().status == 400
    connection.close()
    headers = [(name, _decode(value)) for name, value in signed.headers.items()]
    for target, fault in (("/DescribeProjects", ""), ("/DescribeProjects#x", MISMATCH)):
        builder = EnvironBuilder(
            method="POST", base_url=strict.endpoint, data=body, headers=headers
        )
        request = Request({**builder.get_environ(), "RAW_URI": target})
        keys = strict.gateway.keys or {}
        assert find_fault(request, keys, "us-east-1", datetime.now(UTC)) == fault


def _decode(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def test_boto3_with_the_key_is_accepted_and_identified(strict: Emulator) -> None:
    assert create_user_client(strict).describe_projects()["ProjectDescriptions"] is not None
    foreign = "arn:aws:rekognition:us-east-1:999999999999:project/p/1690405809285"
    with pytest.raises(ClientError, match=r"user/alice"):
        create_user_client(strict).delete_project(ProjectArn=foreign)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"aws_access_key_id": "AKIDOTHER"}, "security token included in the request is invalid"),
        ({"aws_secret_access_key": "other"}, "signature we calculated does not match"),
        ({"aws_session_token": "any"}, "security token included in the request is invalid"),
        ({"region_name": "eu-west-1"}, "valid region, not 'eu-west-1'"),
    ],
    ids=["unknown key", "wrong secret", "a session", "wrong region"],
)
def test_boto3_with_other_credentials_is_rejected(
    strict: Emulator, changed: dict[str, str], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        create_user_client(strict, **changed).describe_projects()
    assert refused.value.response["Error"]["Code"] == "InvalidSignatureException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


ChangeRequest = Callable[[AWSPreparedRequest], None]


def _change_body(request: AWSPreparedRequest) -> None:
    request.body = b'{"ProjectNames": ["some"]}'


def _change_path(request: AWSPreparedRequest) -> None:
    request.url = str(request.url).replace("DescribeProjects", "DeleteProject")


def _change_query(request: AWSPreparedRequest) -> None:
    request.url += "?a=b"


def _set_header(name: str, value: str) -> ChangeRequest:
    def change(request: AWSPreparedRequest) -> None:
        request.headers[name] = value

    return change


def _remove_signed_header(name: str) -> ChangeRequest:
    """Return a change that removes a header from SignedHeaders and leaves the header in the request."""

    def change(request: AWSPreparedRequest) -> None:
        request.headers["Authorization"] = get_authorization(request).replace(f";{name}", "")

    return change


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(_change_body, id="body"),
        pytest.param(_change_path, id="path"),
        pytest.param(_change_query, id="query"),
        pytest.param(_set_header("Content-Type", "application/json"), id="header"),
        pytest.param(
            _set_header("X-Amz-Target", "RekognitionService.DescribeProjects"), id="added"
        ),
        pytest.param(_set_header("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"), id="unsigned body"),
        pytest.param(_remove_signed_header("x-amz-date"), id="date not signed"),
    ],
)
def test_a_changed_request_is_rejected(
    strict: Emulator, service: str, alter: ChangeRequest
) -> None:
    request = make_signed_request(strict, service)
    alter(request)
    status, code, message = send(request)
    assert (status, code) == (403, "InvalidSignatureException")
    assert "signature we calculated does not match" in message


def test_queries_and_non_ascii_bodies_are_verified_as_botocore_signs_them(
    strict: Emulator,
) -> None:
    body = '{"ProjectNames": ["p"], "Ü": 1}'.encode()
    assert (
        send(make_signed_request(strict, path="/DescribeProjects?b=2&a=1%20&b=1", body=body))[0]
        == 200
    )


@pytest.mark.parametrize(
    ("minutes", "message"),
    [(-6, "Signature expired"), (6, "Signature not yet current")],
)
def test_a_date_off_by_more_than_five_minutes_is_rejected(
    strict: Emulator, monkeypatch: pytest.MonkeyPatch, minutes: int, message: str
) -> None:
    def send_at(shift: timedelta) -> tuple[int, str, str]:
        moment = datetime.now(UTC).replace(tzinfo=None) + shift
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)
        return send(make_signed_request(strict))

    status, code, text = send_at(timedelta(minutes=minutes))
    assert (status, code) == (403, "InvalidSignatureException")
    assert text.startswith(message)
    assert send_at(timedelta(minutes=minutes * 4 / 6))[0] == 200


def test_a_replayed_change_gets_the_first_response_and_changes_nothing(strict: Emulator) -> None:
    """A signature stays valid for five minutes; the service treats the replay as a retry of the call."""
    sent: list[AWSPreparedRequest] = []
    caller = create_user_client(strict)
    caller.meta.events.register("before-send.*", lambda request, **_: sent.append(request))
    name = "replayed-project"
    arn = caller.create_project(ProjectName=name)["ProjectArn"]
    caller.delete_project(ProjectArn=arn)
    response: Any = URLLib3Session().send(sent[0])
    assert arn.encode() in response.content
    assert caller.describe_projects(ProjectNames=[name])["ProjectDescriptions"] == []


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "MissingAuthenticationTokenException"),
        ("Bearer any", "MissingAuthenticationTokenException"),
        (
            f"AWS4-HMAC-SHA256 Credential={KEY}/20250101/us-east-1/execute-api/aws4_request",
            "InvalidSignatureException",
        ),
        (
            f"AWS4-HMAC-SHA256 Credential={KEY}/20250101/us-east-1/s3/aws4_request",
            "InvalidSignatureException",
        ),
    ],
    ids=["none", "another scheme", "incomplete", "another service"],
)
def test_an_unsigned_request_is_rejected(strict: Emulator, authorization: str, code: str) -> None:
    request = make_signed_request(strict)
    request.headers["Authorization"] = authorization
    assert send(request)[:2] == (403, code)


def test_without_strict_any_signature_is_accepted(job: Job) -> None:
    request = make_signed_request(job.emulator)
    _change_body(request)
    assert send(request)[0] == 200


def test_keys_are_read_from_a_file_in_the_format_of_aws_credentials(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(
        "[alice]\naws_access_key_id = A\naws_secret_access_key = a%b\n"
        "[bob]\naws_access_key_id = B\naws_secret_access_key = b\n"
    )
    assert read_keys(file) == {"A": User("alice", "a%b"), "B": User("bob", "b")}
    assert "a%b" not in repr(read_keys(file))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no profile"),
        ("[a]\naws_access_key_id=A\n", "without 'aws_secret"),
        ("secret-text", "line 1 is not in the format"),
        ("[a]\nsecret-text\n", "is not in the format"),
        ("[a]\n[a]\n", "line 2 is not in the format"),
        ("[a]\naws_access_key_id=\naws_secret_access_key=s\n", "profile 'a': an access key id has"),
        (
            "[a]\naws_access_key_id=A/B\naws_secret_access_key=s\n",
            "profile 'a': an access key id has",
        ),
        ("[a]\naws_access_key_id=A\naws_secret_access_key=\n", "its secret is not empty"),
        (
            "[a]\naws_access_key_id=A\naws_secret_access_key=s\n"
            "[b]\naws_access_key_id=A\naws_secret_access_key=t\n",
            "profiles 'a' and 'b' have one key",
        ),
    ],
)
def test_an_unusable_key_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    with pytest.raises(KeyFileError, match=message) as raised:
        read_keys(file)
    assert "secret-text" not in str(raised.value)
    assert "\n" not in str(raised.value)
    with pytest.raises(SystemExit, match="2"):
        main(["--port", "0", "--auth", "strict", "--keys", str(file)])


def test_each_generated_key_is_new() -> None:
    keys: list[Keys] = [generate_keys(), generate_keys()]
    assert not keys[0].keys() & keys[1].keys()

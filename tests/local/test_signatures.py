"""The gateway with AUTH=strict: requests as botocore signs them, and every way in which one may not be as it was signed."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from local.serve import main
from local.signatures import KeyFileError, Keys, User, any_keys, read_keys
from local.stack import Stack
from tests.job import Job

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SERVICES = ("rekognition", "execute-api")
TARGET = "RekognitionService.DescribeProjects"


@pytest.fixture
def strict(stack: Stack) -> Iterator[Stack]:
    stack.gateway.keys = {KEY: User("alice", SECRET)}
    yield stack
    stack.gateway.keys = None


def client(stack: Stack, **changed: Any) -> Any:
    credentials = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
    return boto3.client(
        "rekognition",
        endpoint_url=stack.endpoint,
        **{"region_name": "us-east-1", **credentials, **changed},
        config=Config(retries={"total_max_attempts": 1}),
    )


def signed(
    stack: Stack,
    service: str = "execute-api",
    path: str = "/DescribeProjects",
    body: bytes = b'{"ProjectNames": ["none"]}',
    **headers: str,
) -> AWSPreparedRequest:
    request: Any = AWSRequest("POST", f"{stack.endpoint}{path}", data=body)
    request.headers["Content-Type"] = "application/x-amz-json-1.1"
    for name, value in headers.items():
        request.headers[name.replace("_", "-")] = value
    SigV4Auth(Credentials(KEY, SECRET), service, "us-east-1").add_auth(request)
    prepared: AWSPreparedRequest = request.prepare()
    return prepared


def authorization(request: AWSPreparedRequest) -> str:
    value: Any = request.headers["Authorization"]
    text: str = value.decode() if isinstance(value, bytes) else value
    return text


def send(request: AWSPreparedRequest) -> tuple[int, str, str]:
    """(status, code, message)"""
    answer: Any = URLLib3Session().send(request)
    body = json.loads(answer.content)
    return answer.status_code, body.get("__type", ""), body.get("Message", "")


@pytest.mark.parametrize("service", SERVICES)
def test_a_request_that_is_as_it_was_signed_is_let_in(strict: Stack, service: str) -> None:
    assert send(signed(strict, service))[0] == 200
    assert send(signed(strict, service, path="/", X_Amz_Target=TARGET))[0] == 200


def test_boto3_is_let_in_with_the_key_and_named_by_it(strict: Stack) -> None:
    assert client(strict).describe_projects()["ProjectDescriptions"] is not None
    foreign = "arn:aws:rekognition:us-east-1:999999999999:project/p/1690405809285"
    with pytest.raises(ClientError, match=r"user/alice"):
        client(strict).delete_project(ProjectArn=foreign)


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
def test_boto3_with_other_credentials_is_refused(
    strict: Stack, changed: dict[str, str], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        client(strict, **changed).describe_projects()
    assert refused.value.response["Error"]["Code"] == "InvalidSignatureException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


Alter = Callable[[AWSPreparedRequest], None]


def _body(request: AWSPreparedRequest) -> None:
    request.body = b'{"ProjectNames": ["some"]}'


def _path(request: AWSPreparedRequest) -> None:
    request.url = str(request.url).replace("DescribeProjects", "DeleteProject")


def _query(request: AWSPreparedRequest) -> None:
    request.url += "?a=b"


def _header(name: str, value: str) -> Alter:
    def alter(request: AWSPreparedRequest) -> None:
        request.headers[name] = value

    return alter


def _without_signed(name: str) -> Alter:
    """The header stays and is no longer said to be signed."""

    def alter(request: AWSPreparedRequest) -> None:
        request.headers["Authorization"] = authorization(request).replace(f";{name}", "")

    return alter


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(_body, id="body"),
        pytest.param(_path, id="path"),
        pytest.param(_query, id="query"),
        pytest.param(_header("Content-Type", "application/json"), id="header"),
        pytest.param(_header("X-Amz-Target", "RekognitionService.DescribeProjects"), id="added"),
        pytest.param(_header("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"), id="unsigned body"),
        pytest.param(_without_signed("x-amz-date"), id="date not signed"),
    ],
)
def test_an_altered_request_is_refused(strict: Stack, service: str, alter: Alter) -> None:
    request = signed(strict, service)
    alter(request)
    status, code, message = send(request)
    assert (status, code) == (403, "InvalidSignatureException")
    assert "signature we calculated does not match" in message


def test_a_query_and_text_that_is_not_ascii_are_signed_as_botocore_does_it(strict: Stack) -> None:
    body = '{"ProjectNames": ["p"], "Ü": 1}'.encode()
    assert send(signed(strict, path="/DescribeProjects?b=2&a=1%20&b=1", body=body))[0] == 200


@pytest.mark.parametrize(
    ("minutes", "message"),
    [(-6, "Signature expired"), (6, "Signature not yet current")],
)
def test_a_clock_that_is_off_by_more_than_five_minutes_is_refused(
    strict: Stack, monkeypatch: pytest.MonkeyPatch, minutes: int, message: str
) -> None:
    def at(shift: timedelta) -> tuple[int, str, str]:
        moment = datetime.now(UTC).replace(tzinfo=None) + shift
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)
        return send(signed(strict))

    status, code, said = at(timedelta(minutes=minutes))
    assert (status, code) == (403, "InvalidSignatureException")
    assert said.startswith(message)
    assert at(timedelta(minutes=minutes * 4 / 6))[0] == 200


def test_a_replayed_change_is_answered_and_not_made_again(strict: Stack) -> None:
    """SigV4 lets a request in again for five minutes; to the service it is a repetition of the call."""
    sent: list[AWSPreparedRequest] = []
    caller = client(strict)
    caller.meta.events.register("before-send.*", lambda request, **_: sent.append(request))
    name = "replayed-project"
    made = caller.create_project(ProjectName=name)["ProjectArn"]
    caller.delete_project(ProjectArn=made)
    answer: Any = URLLib3Session().send(sent[0])
    assert made.encode() in answer.content
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
def test_an_unsigned_request_is_refused(strict: Stack, authorization: str, code: str) -> None:
    request = signed(strict)
    request.headers["Authorization"] = authorization
    assert send(request)[:2] == (403, code)


def test_without_strict_any_signature_will_do(job: Job) -> None:
    request = signed(job.stack)
    _body(request)
    assert send(request)[0] == 200


def test_keys_are_read_from_a_file_of_aws_s_form(tmp_path: Path) -> None:
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
        ("x", "read"),
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
def test_a_file_without_keys_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    with pytest.raises(KeyFileError, match=message):
        read_keys(file)
    with pytest.raises(SystemExit, match="2"):
        main(["--port", "0", "--auth", "strict", "--keys", str(file)])


def test_a_key_of_its_own_is_another_each_time() -> None:
    keys: list[Keys] = [any_keys(), any_keys()]
    assert not keys[0].keys() & keys[1].keys()

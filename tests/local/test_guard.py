"""A page in a browser on this machine cannot use the stack, and a request that cannot be read is an error of its service."""

import json
import socket
from urllib.parse import urlsplit

import pytest
import urllib3

from local.stack import Stack
from tests.job import Job
from twofold.settings import Function, function_name

SCOPE = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/{}/aws4_request"
S3 = {"Authorization": SCOPE.format("s3")}
API = {"Authorization": SCOPE.format("rekognition"), "Content-Type": "application/x-amz-json-1.1"}
PAGES = ["https://evil.example", "http://localhost:3000", "null", "http://127.0.0.1:1"]


def send(
    stack: Stack, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> urllib3.BaseHTTPResponse:
    return urllib3.request(method, f"{stack.endpoint}{path}", headers=headers, body=body or None)


@pytest.mark.parametrize("origin", PAGES)
@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/DescribeProjects", API),
        ("GET", "/", S3),
        ("PUT", "/a-page-made-this", S3),
        ("OPTIONS", "/DescribeProjects", {"Access-Control-Request-Method": "POST"}),
        ("OPTIONS", "/bucket/key", {"Access-Control-Request-Method": "PUT"}),
        ("POST", "/moto-api/reset", {}),
    ],
)
def test_a_page_of_another_origin_is_refused_and_cannot_read_why(
    stack: Stack, job: Job, origin: str, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = send(stack, method, path, {**headers, "Origin": origin})
    assert answer.status == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    names = [one["Name"] for one in stack.client("s3").list_buckets()["Buckets"]]
    assert names
    assert "a-page-made-this" not in names


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_an_image_or_a_form_of_another_site_is_refused(stack: Stack, site: str) -> None:
    assert send(stack, "GET", "/", {**S3, "Sec-Fetch-Site": site}).status == 403


def test_who_types_the_address_or_follows_a_link_of_the_stack_is_let_in(stack: Stack) -> None:
    for site in ("none", "same-origin"):
        assert send(stack, "GET", "/", {**S3, "Sec-Fetch-Site": site}).status == 200
    assert send(stack, "GET", "/", {**S3, "Origin": stack.endpoint}).status == 200


def test_no_answer_lets_a_page_read_it(stack: Stack, job: Job) -> None:
    for method, path, headers in (("GET", "/", S3), ("POST", "/DescribeProjects", API)):
        answer = send(stack, method, path, headers)
        assert answer.status == 200
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil", "10.0.0.1"],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/DescribeProjects")])
def test_a_name_that_resolves_to_this_machine_is_refused(
    stack: Stack, host: str, method: str, path: str
) -> None:
    """DNS rebinding: to the browser, the page and the stack are of one origin."""
    headers = {**(S3 if method == "GET" else API), "Host": host, "Origin": f"http://{host}"}
    answer = send(stack, method, path, headers)
    assert answer.status == 403
    assert b"Use http://127.0.0.1 and the port" in answer.data


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "[::1]:8000", "127.0.0.2", "host.docker.internal:8000"]
)
def test_a_name_of_this_machine_is_let_in(stack: Stack, host: str) -> None:
    assert send(stack, "GET", "/", {**S3, "Host": host}).status == 200


@pytest.mark.parametrize("headers", [{}, S3], ids=["unsigned", "signed"])
@pytest.mark.parametrize(
    "path",
    [
        "/moto-api/reset",
        "/moto-api/",
        "/moto-api/data.json",
        "/moto-api/recorder/start-recording",
        "/latest/meta-data/iam/security-credentials/",
        "/latest/api/token",
        "/iam_us-east-1/users",
        "/us-east-1_pool/.well-known/jwks.json",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_paths_of_moto_are_those_of_buckets_that_are_not_there(
    stack: Stack, job: Job, headers: dict[str, str], path: str, method: str
) -> None:
    answer = send(stack, method, path, headers, b"x")
    assert answer.status in (400, 403, 404, 405, 412)
    assert b"<Code>" in answer.data
    assert job.client.describe_projects(ProjectNames=[job.project.split("/")[1]])[
        "ProjectDescriptions"
    ]


def raw(stack: Stack, text: bytes) -> tuple[int, str, bytes]:
    """(status, content type, body) of a request sent as it is."""
    place = urlsplit(stack.endpoint)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=30) as caller:
        caller.sendall(text)
        caller.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: caller.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers["content-type"], body


@pytest.mark.parametrize(
    "framed",
    [
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n\r\n",
        b"Content-Length: abc\r\n\r\nabc",
        b"Content-Length: -1\r\n\r\nabc",
        b"Content-Length: 99\r\n\r\nabc",
        b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    ],
)
@pytest.mark.parametrize(
    ("start", "headers", "kind"),
    [
        (b"PUT /bucket/key", S3, "application/xml"),
        (b"POST /DescribeProjects", API, "application/x-amz-json-1.1"),
    ],
)
def test_a_body_that_is_not_as_its_headers_say_is_an_error_of_the_service(
    stack: Stack, framed: bytes, start: bytes, headers: dict[str, str], kind: str
) -> None:
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items())
    text = start + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + lines + framed
    status, found, body = raw(stack, text)
    assert (status, found) == (400, kind)
    assert b"The body cannot be read" in body


def test_a_request_without_a_host_is_refused(stack: Stack) -> None:
    """As HTTP/1.1 has it; HTTP/1.0 knows no such header."""
    for version, status in ((b"1.1", 400), (b"1.0", 404)):
        text = b"GET /no-bucket/key HTTP/%s\r\nConnection: close\r\n\r\n" % version
        assert raw(stack, text)[0] == status


def test_a_chunked_body_is_read(stack: Stack) -> None:
    """As HTTP has it, for any service."""
    stack.client("s3").create_bucket(Bucket="chunked-bodies")
    for path, headers in (("/chunked-bodies/key", S3), ("/DescribeProjects", API)):
        answer = urllib3.request(
            "PUT" if headers is S3 else "POST",
            f"{stack.endpoint}{path}",
            headers=headers,
            body=iter((b'{"MaxResults"', b": 1}")),
        )
        assert answer.status == 200
    body = stack.client("s3").get_object(Bucket="chunked-bodies", Key="key")["Body"].read()
    assert json.loads(body) == {"MaxResults": 1}


def test_the_api_function_is_not_invoked_past_the_gateway_without_a_signature(stack: Stack) -> None:
    path = f"/2015-03-31/functions/{function_name('local', Function.API)}/invocations"
    before = stack.functions.invocations[Function.API]
    assert send(stack, "POST", path, {}, b"{}").status in (403, 404, 405)
    assert stack.functions.invocations[Function.API] == before

"""Web pages in a browser on this machine cannot use the emulator; unreadable requests get an error of their service."""

import json
import socket
from urllib.parse import urlsplit

import pytest
import urllib3

from local.emulator.server import Emulator
from tests.support.job import Job
from twofold.settings import Function, make_function_name

SCOPE = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/{}/aws4_request"
S3 = {"Authorization": SCOPE.format("s3")}
API = {"Authorization": SCOPE.format("rekognition"), "Content-Type": "application/x-amz-json-1.1"}
PAGES = ["https://evil.example", "http://localhost:3000", "null", "http://127.0.0.1:1"]


def send(
    emulator: Emulator, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> urllib3.BaseHTTPResponse:
    return urllib3.request(method, f"{emulator.endpoint}{path}", headers=headers, body=body or None)


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
def test_a_page_of_another_origin_is_rejected_and_cannot_read_the_response(
    emulator: Emulator, job: Job, origin: str, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = send(emulator, method, path, {**headers, "Origin": origin})
    assert answer.status == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    buckets = emulator.create_client("s3").list_buckets()["Buckets"]
    names = [bucket["Name"] for bucket in buckets]
    assert names
    assert "a-page-made-this" not in names


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_an_image_or_a_form_of_another_site_is_rejected(emulator: Emulator, site: str) -> None:
    assert send(emulator, "GET", "/", {**S3, "Sec-Fetch-Site": site}).status == 403


def test_a_typed_address_and_a_same_origin_link_are_accepted(emulator: Emulator) -> None:
    for site in ("none", "same-origin"):
        assert send(emulator, "GET", "/", {**S3, "Sec-Fetch-Site": site}).status == 200
    assert send(emulator, "GET", "/", {**S3, "Origin": emulator.endpoint}).status == 200


def test_no_response_allows_cross_origin_reads(emulator: Emulator, job: Job) -> None:
    for method, path, headers in (("GET", "/", S3), ("POST", "/DescribeProjects", API)):
        answer = send(emulator, method, path, headers)
        assert answer.status == 200
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 200),
        ("{endpoint}/", 200),
        ("{endpoint}", 200),
        ("{endpoint}?x-id=ListBuckets", 200),
        ("/#", 400),
        ("/bucket/key#part", 400),
        ("/?list-type=2#part", 400),
        ("{endpoint}#/", 400),
        ("{endpoint}/#/bucket", 400),
        ("*", 400),
        ("bucket/key", 400),
        ("@bucket/key", 400),
        ("ftp://127.0.0.1/", 400),
    ],
)
def test_a_request_target_is_a_path_without_a_fragment(
    emulator: Emulator, target: str, status: int
) -> None:
    """RFC 9112, section 3.2: a path with a query, or a URL without a fragment."""
    line = f"GET {target.format(endpoint=emulator.endpoint)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.create_connection(("127.0.0.1", emulator.server.server_port)) as connection:
        connection.sendall(line.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] == b"%d" % status
    assert (b"<Code>InvalidURI</Code>" in answer) == (status == 400)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil", "10.0.0.1"],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/DescribeProjects")])
def test_a_foreign_name_for_this_machine_is_rejected(
    emulator: Emulator, host: str, method: str, path: str
) -> None:
    """DNS rebinding: for the browser, the page and the emulator have the same origin."""
    headers = {**(S3 if method == "GET" else API), "Host": host, "Origin": f"http://{host}"}
    answer = send(emulator, method, path, headers)
    assert answer.status == 403
    assert b"Use http://127.0.0.1 and the port" in answer.data


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "[::1]:8000", "127.0.0.2", "host.docker.internal:8000"]
)
def test_a_name_of_this_machine_is_accepted(emulator: Emulator, host: str) -> None:
    assert send(emulator, "GET", "/", {**S3, "Host": host}).status == 200


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
def test_moto_s_own_paths_are_paths_of_missing_buckets(
    emulator: Emulator, job: Job, headers: dict[str, str], path: str, method: str
) -> None:
    answer = send(emulator, method, path, headers, b"x")
    assert answer.status in (400, 403, 404, 405, 412)
    assert b"<Code>" in answer.data
    assert job.client.describe_projects(ProjectNames=[job.project.split("/")[1]])[
        "ProjectDescriptions"
    ]


def send_raw(emulator: Emulator, text: bytes) -> tuple[int, str, bytes]:
    """Send a raw HTTP request. Return (status, content type, body)."""
    address = urlsplit(emulator.endpoint)
    with socket.create_connection(
        (address.hostname or "", address.port or 0), timeout=30
    ) as caller:
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
        b"Transfer-Encoding: chunked\r\n\r\n7fffffff\r\nabc",
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
def test_a_body_that_contradicts_the_headers_is_an_error_of_the_service(
    emulator: Emulator, framed: bytes, start: bytes, headers: dict[str, str], kind: str
) -> None:
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items())
    text = start + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + lines + framed
    status, content_type, body = send_raw(emulator, text)
    assert (status, content_type) == (400, kind)
    assert b"The body cannot be read" in body


def test_a_chunk_without_end_takes_no_memory(emulator: Emulator) -> None:
    text = b"PUT /b/k HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\nabc"
    status, _, body = send_raw(emulator, text)
    assert status == 400
    assert b"<Code>EntityTooLarge</Code>" in body


def test_a_request_without_a_host_is_rejected(emulator: Emulator) -> None:
    """HTTP/1.1 requires the header; HTTP/1.0 does not know it."""
    for version, status in ((b"1.1", 400), (b"1.0", 404)):
        text = b"GET /no-bucket/key HTTP/%s\r\nConnection: close\r\n\r\n" % version
        assert send_raw(emulator, text)[0] == status


def test_a_chunked_body_is_read(emulator: Emulator) -> None:
    """HTTP's chunked transfer encoding, for any service."""
    emulator.create_client("s3").create_bucket(Bucket="chunked-bodies")
    for path, headers in (("/chunked-bodies/key", S3), ("/DescribeProjects", API)):
        answer = urllib3.request(
            "PUT" if headers is S3 else "POST",
            f"{emulator.endpoint}{path}",
            headers=headers,
            body=iter((b'{"MaxResults"', b": 1}")),
        )
        assert answer.status == 200
    body = (
        emulator.create_client("s3").get_object(Bucket="chunked-bodies", Key="key")["Body"].read()
    )
    assert json.loads(body) == {"MaxResults": 1}


def test_an_unsigned_request_cannot_invoke_the_api_function_directly(
    emulator: Emulator,
) -> None:
    path = f"/2015-03-31/functions/{make_function_name('local', Function.API)}/invocations"
    before = emulator.functions.invocations[Function.API]
    assert send(emulator, "POST", path, {}, b"{}").status in (403, 404, 405)
    assert emulator.functions.invocations[Function.API] == before

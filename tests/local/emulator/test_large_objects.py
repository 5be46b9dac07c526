"""Large objects: responses without moto's copies equal moto's responses."""

from mmap import mmap
from typing import Any
from urllib.parse import quote

import pytest
import urllib3
from botocore.exceptions import ClientError
from botocore.session import Session
from moto.s3.models import s3_backends

from local.emulator.functions import ACCOUNT
from local.emulator.large_objects import memory_budget
from local.emulator.server import Emulator
from tests.local.emulator.s3_support import SIGNED
from twofold.settings import Function

MIB = 1 << 20
BUCKET = "large-objects"
BODY = bytes(range(256)) * (11 * MIB // 256) + b"end"


@pytest.fixture(scope="module")
def s3(emulator: Emulator) -> Any:
    client = emulator.create_client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="a b/ü", Body=BODY, Metadata={"of": "birds"})
    put_in_parts(client, "parts", BODY)
    return client


def put_in_parts(client: Any, key: str, body: bytes, size: int = 5 * MIB) -> None:
    upload = client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    bodies = [body[at : at + size] for at in range(0, len(body), size)]
    parts = [
        {"PartNumber": number, "ETag": put_part(client, key, upload, number, part)}
        for number, part in enumerate(bodies, 1)
    ]
    client.complete_multipart_upload(
        Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
    )


def put_part(client: Any, key: str, upload: str, number: int, body: bytes) -> str:
    answer = client.upload_part(
        Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body
    )
    return str(answer["ETag"])


def get_object(
    emulator: Emulator, key: str, headers: dict[str, str]
) -> tuple[int, bytes, dict[str, str]]:
    answer = urllib3.request("GET", f"{emulator.endpoint}/{BUCKET}{quote(key)}", headers=headers)
    response_headers = {name.lower(): value for name, value in answer.headers.items()}
    return answer.status, answer.data, {name: response_headers.get(name, "") for name in COMPARED}


RANGES = ("bytes=0-0", "bytes=5-5242890", "bytes=10485750-10485765", f"bytes=1-{1 << 40}")
LEFT_TO_MOTO = ("bytes=-3", "bytes=7-", "bytes=9-3", "lines=1-2")
COMPARED = (
    "content-length",
    "content-range",
    "content-type",
    "etag",
    "last-modified",
    "accept-ranges",
    "x-amz-meta-of",
)


@pytest.mark.parametrize("span", [*RANGES, *LEFT_TO_MOTO])
@pytest.mark.parametrize("key", ["/a b/ü", "/parts"])
def test_ranges_equal_moto_s_ranges(emulator: Emulator, s3: Any, key: str, span: str) -> None:
    headers = {**SIGNED, "Range": span}
    by_moto = {**headers, "If-None-Match": '"none"'}
    assert get_object(emulator, key, headers) == get_object(emulator, key, by_moto)


@pytest.mark.parametrize(("key", "status"), [("/parts", 416), ("/nothing-here", 404)])
def test_a_range_beyond_the_object_is_rejected(
    emulator: Emulator, s3: Any, key: str, status: int
) -> None:
    beyond = {**SIGNED, "Range": f"bytes={1 << 40}-{1 << 41}"}
    assert get_object(emulator, key, beyond)[0] == status


def test_an_object_of_several_parts_is_read_completely(s3: Any) -> None:
    assert s3.get_object(Bucket=BUCKET, Key="parts")["Body"].read() == BODY


def test_bodies_above_the_memory_budget_are_stored_in_files(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_budget, "available_bytes", 6 * MIB)
    put_in_parts(s3, "filed", BODY)
    bodies = s3_backends[ACCOUNT]["aws"].buckets[BUCKET].keys["filed"]._value_buffer.bodies
    assert [type(body) for body in bodies] == [bytes, mmap, mmap]
    assert s3.get_object(Bucket=BUCKET, Key="filed")["Body"].read() == BODY
    part = s3.get_object(Bucket=BUCKET, Key="filed", Range="bytes=5-10485765")["Body"].read()
    assert part == BODY[5:10485766]
    s3.put_object(Bucket=BUCKET, Key="filed whole", Body=BODY)
    assert s3.get_object(Bucket=BUCKET, Key="filed whole")["Body"].read() == BODY


def test_a_range_of_a_replaced_object_is_rejected(s3: Any) -> None:
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.get_object(Bucket=BUCKET, Key="parts", Range="bytes=0-9", IfMatch='"another"')


def test_versions_are_read_by_range(s3: Any) -> None:
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    old, new = (
        s3.put_object(Bucket="versions", Key="one", Body=body)["VersionId"]
        for body in (b"old text", b"new text")
    )
    read = [
        s3.get_object(Bucket="versions", Key="one", Range="bytes=0-2", **version)["Body"].read()
        for version in ({"VersionId": old}, {"VersionId": new}, {})
    ]
    assert read == [b"old", b"new", b"new"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"PartNumber": 3}, "InvalidPart"),
        ({"ETag": '"0"'}, "InvalidPart"),
        ({}, "EntityTooSmall"),
    ],
)
def test_an_inconsistent_upload_is_rejected(s3: Any, change: dict[str, Any], code: str) -> None:
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="broken")["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": put_part(s3, "broken", upload, number, b"small")}
        for number in (1, 2)
    ]
    parts[1] |= change
    with pytest.raises(ClientError, match=code):
        s3.complete_multipart_upload(
            Bucket=BUCKET, Key="broken", UploadId=upload, MultipartUpload={"Parts": parts}
        )


def test_an_object_of_several_parts_can_be_replaced(s3: Any) -> None:
    put_in_parts(s3, "again", BODY)
    s3.put_object(Bucket=BUCKET, Key="again", Body=b"short")
    assert s3.get_object(Bucket=BUCKET, Key="again")["Body"].read() == b"short"


def test_an_object_of_several_parts_can_be_written_over_in_place(s3: Any) -> None:
    """moto's own code does so, and tests that damage objects."""
    put_in_parts(s3, "damaged", BODY)
    key: Any = s3_backends[ACCOUNT]["aws"].buckets[BUCKET].keys["damaged"]
    key.value = b"shorter"
    assert key.value == b"shorter"
    assert s3.get_object(Bucket=BUCKET, Key="damaged")["Body"].read() == b"shorter"


def test_functions_do_not_hash_bodies_to_sign_them(
    emulator: Emulator, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in Lambda: over TLS, SDKs sign requests to S3 without the body."""
    environment = emulator.functions._build_environment(Function.MOVE)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("_X_AMZN_TRACE_ID")  # a test's call is not a call of the function
    sent: list[Any] = []
    client: Any = Session().create_client("s3")
    client.meta.events.register("before-send.s3", lambda request, **_: sent.append(request))
    client.put_object(Bucket=BUCKET, Key="signed", Body=b"body")
    assert sent[-1].headers["X-Amz-Content-SHA256"] == b"UNSIGNED-PAYLOAD"

"""S3 rejects an invalid request with a client error that names the cause."""

import json
import logging
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulator.server import Emulator
from tests.local.emulator.s3_support import catch_error, read_error, read_object, send

DIGITS = "9" * 5_000
BODY = b"0123456789"


@pytest.fixture(scope="module")
def bucket(s3: Any) -> str:
    name = f"validation-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="key", Body=BODY)
    return name


@pytest.mark.parametrize("port", ["", ":80", ":8123"])
@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("{}.s3.us-east-1.amazonaws.com", "/key"),
        ("{}.s3.amazonaws.com", "/key"),
        ("s3.amazonaws.com", "/{}/key"),
        ("s3.us-east-1.amazonaws.com", "/{}/key"),
        ("{}.localhost", "/key"),
    ],
)
def test_the_host_of_s3_may_have_a_port(
    emulator: Emulator, bucket: str, host: str, path: str, port: str
) -> None:
    headers = {"Host": host.format(bucket) + port}
    response = send(emulator, "GET", path.format(bucket), headers=headers)
    assert (response.status, response.data) == (200, BODY)


@pytest.mark.parametrize("key", ["new\nline", "\n", "a/\n", "\n/b", "cr\rlf\n", "nul\x00x"])
def test_a_key_may_have_control_characters(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert read_object(s3, bucket, key) == read_object(s3, bucket, "copy") == key.encode()
    s3.delete_object(Bucket=bucket, Key=key)
    assert catch_error(s3.head_object, Bucket=bucket, Key=key)[0] == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE"])
def test_a_key_is_utf_8(emulator: Emulator, bucket: str, method: str) -> None:
    response = send(emulator, method, f"/{bucket}/bad%ffkey", body=b"")
    assert response.status == 400


SUBRESOURCES = [
    *("accelerate", "acl", "cors", "encryption", "inventory&id=1", "lifecycle", "logging"),
    *("notification", "object-lock", "ownershipControls", "publicAccessBlock", "replication"),
    *("tagging", "website"),
]


@pytest.mark.parametrize("body", ["junk", "<x/>", "<!DOCTYPE x [<!ENTITY e 'x'>]><x>&e;</x>"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("PUT", f"?{name}") for name in SUBRESOURCES),
        *(("PUT", f"/key?{name}") for name in ("acl", "legal-hold", "retention", "tagging")),
        *(("POST", path) for path in ("?delete", "/key?restore", "/key?select&select-type=2")),
        ("PUT", "?versioning"),
    ],
)
def test_a_body_with_another_root_element_is_rejected(
    emulator: Emulator, bucket: str, method: str, path: str, body: str
) -> None:
    response = send(emulator, method, f"/{bucket}{path}", body=body.encode())
    assert read_error(response) == (400, "MalformedXML")


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("PUT", "/key?tagging", "<Tagging/>", "MalformedXML"),
        ("PUT", "/key?tagging", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", "MalformedXML"),
        (
            "PUT",
            "/key?tagging",
            f"<Tagging><TagSet>{'<Tag><Key>a</Key><Value>b</Value></Tag>' * 2}</TagSet></Tagging>",
            "InvalidTag",
        ),
        ("POST", "?delete", "<Delete><Object/></Delete>", "MalformedXML"),
        ("PUT", "?versioning", "<VersioningConfiguration/>", "IllegalVersioningConfigurationException"),
        ("PUT", "/key?legal-hold", "<LegalHold/>", "MalformedXML"),
        ("PUT", "/key?retention", "<Retention><Mode>GOVERNANCE</Mode></Retention>", "MalformedXML"),
        ("PUT", "?publicAccessBlock", "<PublicAccessBlockConfiguration>x</PublicAccessBlockConfiguration>", "MalformedXML"),
        ("PUT", "?lifecycle", "<LifecycleConfiguration><Rule/></LifecycleConfiguration>", "MalformedXML"),
        ("POST", "/key?select&select-type=2", "<SelectObjectContentRequest/>", "MalformedXML"),
    ],
)  # fmt: skip
def test_a_body_without_a_required_member_is_rejected(
    emulator: Emulator, bucket: str, method: str, path: str, body: str, code: str
) -> None:
    response = send(emulator, method, f"/{bucket}{path}", body=body.encode())
    assert read_error(response) == (400, code)


STATEMENT = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::{}/secret",
}


@pytest.mark.parametrize(
    "policy",
    [
        *("junk", "", "[]", "{}", "1", '{"Statement": []}', '{"Statement": [1]}'),
        *(
            json.dumps({"Statement": {**STATEMENT, name: value}})
            for name, value in (
                *(("Effect", "Perhaps"), ("Action", None), ("Action", [1]), ("Action", {})),
                *(("Resource", 1), ("Principal", None), ("Condition", 1)),
            )
        ),
        "[" * 100_000,
    ],
)
def test_a_malformed_bucket_policy_is_rejected(
    emulator: Emulator, s3: Any, bucket: str, policy: str
) -> None:
    response = send(emulator, "PUT", f"/{bucket}?policy", body=policy.encode())
    assert read_error(response) == (400, "MalformedPolicy")
    assert read_object(s3, bucket, "key") == BODY


def test_a_bucket_policy_is_kept(s3: Any) -> None:
    bucket = f"policy-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    for key in ("key", "secret"):
        s3.put_object(Bucket=bucket, Key=key, Body=BODY)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]}).replace("{}", bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy
    assert read_object(s3, bucket, "key") == BODY
    assert catch_error(s3.get_object, Bucket=bucket, Key="secret")[0] == 403


STREAMED = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}


@pytest.mark.parametrize("length", [None, "", "3x", "-3", "\u0663", DIGITS])
def test_a_chunked_body_states_its_length(
    emulator: Emulator, bucket: str, length: str | None
) -> None:
    headers = STREAMED if length is None else {**STREAMED, "x-amz-decoded-content-length": length}
    encoded = {name: value.encode() for name, value in headers.items()}
    body = b"3\r\nabc\r\n0\r\n\r\n"
    response = send(emulator, "PUT", f"/{bucket}/chunked", headers=encoded, body=body)
    assert read_error(response) == (411, "MissingContentLength")


@pytest.mark.parametrize(
    ("byte_range", "status"),
    [
        (f"bytes=0-{DIGITS}", 206),
        (f"bytes=-{DIGITS}", 206),
        (f"bytes={'0' * 5_000}1-5", 206),
        (f"bytes={DIGITS}-", 416),
        ("bytes=0=1", 200),
        ("bytes=a-b", 200),
    ],
)
def test_a_range_may_have_any_number_of_digits(
    emulator: Emulator, bucket: str, byte_range: str, status: int
) -> None:
    for method in ("GET", "HEAD"):
        response = send(emulator, method, f"/{bucket}/key", headers={"Range": byte_range})
        assert response.status == status


CRC32, SHA256 = "poTHxg==", "hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII="


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"x-amz-checksum-crc32": CRC32, "x-amz-checksum-sha256": SHA256}, (400, "InvalidRequest")),
        ({"x-amz-checksum-crc32": CRC32, "x-amz-sdk-checksum-algorithm": "SHA256"}, (400, "InvalidRequest")),
        ({"x-amz-checksum-crc32": CRC32, "x-amz-sdk-checksum-algorithm": "CRC32"}, (200, "")),
        ({"x-amz-expected-bucket-owner": "999999999999"}, (403, "AccessDenied")),
        ({"x-amz-expected-bucket-owner": "123456789012"}, (200, "")),
        ({"x-amz-meta-a": "x" * 2_048}, (400, "MetadataTooLarge")),
        ({"x-amz-meta-a": "x" * 2_047}, (200, "")),
        ({"x-amz-tagging": "a=1&a=2"}, (400, "InvalidArgument")),
        ({"x-amz-tagging": "&".join(f"a{n}=1" for n in range(11))}, (400, "BadRequest")),
        ({"x-amz-tagging": "a=1&b=2"}, (200, "")),
    ],
)  # fmt: skip
def test_invalid_headers_of_an_object_are_rejected(
    emulator: Emulator, bucket: str, headers: dict[str, str], error: tuple[int, str]
) -> None:
    response = send(emulator, "PUT", f"/{bucket}/other", headers=headers, body=BODY)
    assert read_error(response) == error


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("PUT", "/", (405, "MethodNotAllowed")),
        ("DELETE", "/", (405, "MethodNotAllowed")),
        ("POST", "/", (405, "MethodNotAllowed")),
        ("GET", "/{}/key?torrent", (405, "MethodNotAllowed")),
        ("GET", "/{}/key?uploads", (400, "InvalidRequest")),
        ("PUT", "/Bad_Name", (400, "InvalidBucketName")),
        ("PUT", "/192.168.1.1", (400, "InvalidBucketName")),
        ("PUT", "/a..b", (400, "InvalidBucketName")),
        ("PUT", "/ab", (400, "InvalidBucketName")),
        ("GET", "/{}/key?attributes", (400, "InvalidArgument")),
    ],
)
def test_an_invalid_path_is_rejected(
    emulator: Emulator, bucket: str, method: str, path: str, error: tuple[int, str]
) -> None:
    assert read_error(send(emulator, method, path.format(bucket))) == error


PARAMETERS = [
    *("max-keys", "max-uploads", "max-parts", "part-number-marker", "partNumber", "uploadId"),
    *("versionId", "continuation-token", "encoding-type", "list-type", "marker", "delimiter"),
    *("prefix", "start-after", "key-marker", "version-id-marker", "upload-id-marker", "id"),
    *("uploads", "versions", "acl", "tagging", "attributes", "legal-hold", "retention"),
    *("lifecycle", "policy", "versioning", "location", "object-lock", "response-expires"),
    *("delete", "restore", "select", "cors", "notification", "website", "publicAccessBlock"),
]
HEADERS = [
    *("Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Range", "Content-MD5"),
    *("x-amz-copy-source", "x-amz-copy-source-range", "x-amz-copy-source-if-match"),
    *("x-amz-metadata-directive", "x-amz-tagging", "x-amz-storage-class", "x-amz-acl"),
    *("x-amz-checksum-crc32", "x-amz-checksum-algorithm", "x-amz-sdk-checksum-algorithm"),
    *("x-amz-checksum-type", "x-amz-checksum-mode", "x-amz-mp-object-size", "x-amz-grant-read"),
    *("x-amz-decoded-content-length", "x-amz-content-sha256", "x-amz-object-attributes"),
    *("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "Content-Encoding"),
    *("x-amz-server-side-encryption", "x-amz-website-redirect-location", "x-amz-meta-a"),
    *("x-amz-bucket-object-lock-enabled", "x-amz-object-ownership", "x-amz-bucket-namespace"),
]
VALUES = st.sampled_from(
    [
        *("", "0", "1", "-1", "1.5", "abc", "null", "2", "true", "*", DIGITS, "\u00e9", "a=b", "="),
        *("bytes=0-1", "bytes=-", "bytes=1=2", "bytes=,", "STREAMING-X", "CRC32", "SHA256"),
        *("COMPOSITE", "FULL_OBJECT", "GOVERNANCE", "COMPLIANCE", "GLACIER", "id=1", "uri=x"),
        *("2030-01-01T00:00:00Z", "Mon, 01 Jan 2001 00:00:00 GMT", "AAAAAA==", "ETag", "a/b"),
    ]
)
BODIES = st.sampled_from(
    [
        *(b"", b"junk", b"<x/>", b"{}", b"\xff", b"<Delete><Object><Key>a</Key></Object></Delete>"),
        b"<LifecycleConfiguration><Rule><ID/></Rule></LifecycleConfiguration>",
        b"<AccessControlPolicy><AccessControlList/></AccessControlPolicy>",
        b"<CORSConfiguration><CORSRule/></CORSConfiguration>",
        b"<RestoreRequest><Days>a</Days></RestoreRequest>",
        b"<ObjectLockConfiguration><Rule><DefaultRetention><Days>a</Days></DefaultRetention></Rule></ObjectLockConfiguration>",
        b"<NotificationConfiguration><QueueConfiguration/></NotificationConfiguration>",
    ]
)
PATHS = st.sampled_from(["", "/", "/key", "/missing", "/key/", "//"])
METHODS = st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"])


class ErrorHandler(logging.Handler):
    """Keeps the logged errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@given(
    METHODS,
    PATHS,
    st.dictionaries(st.sampled_from(PARAMETERS), VALUES, max_size=3),
    st.dictionaries(st.sampled_from(HEADERS), VALUES, max_size=3),
    BODIES,
)
def test_no_request_is_an_internal_error(
    emulator: Emulator,
    s3: Any,
    method: str,
    path: str,
    query: dict[str, str],
    headers: dict[str, str],
    body: bytes,
) -> None:
    bucket = "odd-requests"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="key", Body=BODY)
    members = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    encoded = {name: value.encode("latin-1", "replace") for name, value in headers.items()}
    handler = ErrorHandler()
    logging.getLogger().addHandler(handler)
    try:
        response = send(emulator, method, f"/{bucket}{path}?{members}", headers=encoded, body=body)
    finally:
        logging.getLogger().removeHandler(handler)
    assert (response.status < 500 or response.status == 501, handler.records) == (True, [])


def test_a_signature_for_no_region_gets_the_region_to_sign_for(emulator: Emulator) -> None:
    """s3cmd signs for the region US at first."""
    path, scope = f"/bucket-{uuid4().hex[:12]}", "Credential=any/20260101/{}/s3/aws4_request"
    for region, status in (("US", 400), ("us_east", 400), ("us-east-1", 200)):
        headers = {"Authorization": f"AWS4-HMAC-SHA256 {scope.format(region)}"}
        response = send(emulator, "PUT", path, headers=headers)
        assert response.status == status
        if status == 400:
            assert read_error(response) == (400, "AuthorizationHeaderMalformed")
            assert b"<Region>us-east-1</Region>" in response.data


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"x-amz-write-offset-bytes": "10"}, 501, "NotImplemented"),
        ({"x-amz-server-side-encryption": "foo"}, 400, "InvalidArgument"),
        (
            {"x-amz-server-side-encryption-customer-algorithm": "AES256"},
            400,
            "InvalidArgument",
        ),
        ({"x-amz-content-sha256": "rubbish"}, 400, "InvalidArgument"),
        ({"x-amz-content-sha256": "0" * 63}, 400, "InvalidArgument"),
        ({"x-amz-content-sha256": "0" * 64}, 400, "XAmzContentSHA256Mismatch"),
    ],
)
def test_a_header_that_has_no_effect_here_is_refused(
    emulator: Emulator, s3: Any, bucket: str, headers: dict[str, str], status: int, code: str
) -> None:
    response = send(emulator, "PUT", f"/{bucket}/key", body=b"other", headers=headers)
    assert read_error(response) == (status, code)
    assert read_object(s3, bucket, "key") == BODY


@pytest.mark.parametrize("encryption", ["AES256", "aws:kms"])
def test_usual_encryption_is_accepted(s3: Any, bucket: str, encryption: str) -> None:
    key = {"Bucket": bucket, "Key": "encrypted"}
    stored = s3.put_object(**key, Body=b"1", ServerSideEncryption=encryption)
    assert stored["ServerSideEncryption"] == encryption
    assert s3.head_object(**key)["ServerSideEncryption"] == encryption


@pytest.mark.parametrize("byte_range", ["bytes=-1", "bytes=-9", "bytes=0-", "bytes=0-0"])
def test_an_empty_object_has_no_range(
    emulator: Emulator, s3: Any, bucket: str, byte_range: str
) -> None:
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    response = send(emulator, "GET", f"/{bucket}/empty", headers={"Range": byte_range})
    assert response.status == 416
    assert send(emulator, "GET", f"/{bucket}/empty").status == 200

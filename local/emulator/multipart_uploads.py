"""Multipart uploads: an upload belongs to one key, and its parts match the stated numbers, checksums and sizes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moto.s3.exceptions import S3ClientError
from werkzeug.wrappers import Request

from local.emulator.checksums import (
    COMPOSITE,
    FULL_OBJECT,
    FULL_OBJECT_ALGORITHMS,
    combine_part_checksums,
    compute_joined_checksum,
)
from local.emulator.large_objects import get_bodies, select_listed_parts
from local.emulator.s3_bodies import make_malformed_xml_error, parse_xml, read_text
from local.emulator.s3_parameters import parse_integer
from local.emulator.s3_requests import S3Error, find_bucket, read_checksum_headers, read_target

_NO_UPLOAD = (
    "The specified upload does not exist. "
    "The upload ID may be invalid, or the upload may have been aborted or completed."
)
_INVALID_PART = (
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity "
    "tag may not match the part's entity tag."
)
_ELEMENT = re.compile(r"Checksum(?P<algorithm>[A-Z0-9]+)")
_PART_NUMBERS = (1, 10_000)


@dataclass(frozen=True, slots=True)
class ListedPart:
    """A part in the body of CompleteMultipartUpload; `checksums` are base64 values by algorithm."""

    number: int
    etag: str
    checksums: Mapping[str, str]


def parse_completion(body: bytes) -> list[ListedPart]:
    """Parse the body of CompleteMultipartUpload. Raises S3Error."""
    root = parse_xml(body, "CompleteMultipartUpload")
    return [
        ListedPart(
            parse_integer("partNumber", read_text(part, "PartNumber").strip(), _PART_NUMBERS),
            read_text(part, "ETag"),
            {
                match["algorithm"]: (child.text or "").strip()
                for child, match in _find_checksums(part)
            },
        )
        for part in root.iterfind("Part")
    ]


def _find_checksums(part: Any) -> Iterator[tuple[Any, re.Match[str]]]:
    for child in part:
        match = _ELEMENT.fullmatch(child.tag)
        if match:
            yield child, match


def check_upload(request: Request) -> None:
    """Raise S3Error if a request on a multipart upload or one of its parts contradicts the upload."""
    if "uploadId" not in request.args:
        if request.method == "PUT" and "partNumber" in request.args:
            raise S3Error("InvalidArgument", "A part upload requires the query parameter uploadId")
        return
    target = read_target(request)
    bucket = find_bucket(target.bucket)
    upload = None if bucket is None else bucket.multiparts.get(request.args["uploadId"])
    if upload is None or upload.key_name != target.key:
        raise S3Error("NoSuchUpload", _NO_UPLOAD, 404)
    if request.method == "PUT":
        _check_part(request, upload)
    if request.method == "POST":
        _check_completion(request, upload)


def _check_part(request: Request, upload: Any) -> None:
    if "partNumber" not in request.args:
        raise S3Error("InvalidArgument", "A part upload requires the query parameter partNumber")
    for algorithm, _ in read_checksum_headers(request):
        _check_algorithm(upload, algorithm)
    computed_algorithm = request.headers.get("x-amz-sdk-checksum-algorithm", "").upper()
    if computed_algorithm:
        _check_algorithm(upload, computed_algorithm)


def _get_algorithm(upload: Any) -> str:
    return str(upload.metadata.get("x-amz-checksum-algorithm") or "").upper()


def _check_algorithm(upload: Any, algorithm: str) -> None:
    """Raise S3Error if the upload has been created with another checksum algorithm."""
    expected = _get_algorithm(upload)
    if expected and algorithm != expected:
        message = (
            "Checksum Type mismatch occurred, "
            f"expected checksum Type: {expected.lower()}, actual checksum Type: {algorithm.lower()}"
        )
        raise S3Error("InvalidRequest", message)


def _check_completion(request: Request, upload: Any) -> None:
    listed = parse_completion(request.environ["wsgi.input"].getvalue())
    if not listed:
        raise make_malformed_xml_error()
    _check_size(request, upload, listed)
    try:
        parts = select_listed_parts(upload, [(part.number, part.etag) for part in listed])
    except S3ClientError:
        return  # moto responds with this error.
    for stated, part in zip(listed, parts, strict=True):
        _check_part_checksums(upload, stated, part)
    _check_object_checksums(request, upload, parts)


def _check_size(request: Request, upload: Any, listed: Sequence[ListedPart]) -> None:
    """Compare x-amz-mp-object-size with the sum of the listed parts; unknown parts count 0."""
    stated = request.headers.get("x-amz-mp-object-size")
    size = sum(upload.parts[part.number].size for part in listed if part.number in upload.parts)
    if stated is not None and stated != str(size):
        message = f"x-amz-mp-object-size is {stated}; the listed parts have {size} bytes."
        raise S3Error("InvalidRequest", message)


def _check_part_checksums(upload: Any, stated: ListedPart, part: Any) -> None:
    for algorithm, value in stated.checksums.items():
        _check_algorithm(upload, algorithm)
        if value != compute_joined_checksum(get_bodies(part), algorithm):
            raise S3Error("InvalidPart", _INVALID_PART)


def _check_object_checksums(request: Request, upload: Any, parts: Sequence[Any]) -> None:
    """Compare the checksum headers with the checksum of the object."""
    checksum_type = upload.metadata.get("x-amz-checksum-type")
    stated_type = request.headers.get("x-amz-checksum-type")
    if checksum_type and stated_type and stated_type != checksum_type:
        message = (
            f"The upload was created using the {checksum_type} checksum mode. "
            "The complete request must use the same checksum mode."
        )
        raise S3Error("InvalidRequest", message)
    for algorithm, value in read_checksum_headers(request):
        _check_algorithm(upload, algorithm)
        if not _get_algorithm(upload) and algorithm in FULL_OBJECT_ALGORITHMS:
            stated_type = stated_type or FULL_OBJECT
        if value not in _list_accepted_values(algorithm, checksum_type or stated_type, parts):
            message = (
                f"The {algorithm.lower()} you specified did not match the calculated checksum."
            )
            raise S3Error("BadDigest", message)


def _list_accepted_values(
    algorithm: str, checksum_type: str | None, parts: Sequence[Any]
) -> tuple[str, ...]:
    """Return the values of the checksum of the joined parts: a composite checksum may end with the number of parts."""
    bodies = [get_bodies(part) for part in parts]
    combined_type, value, count = combine_part_checksums(algorithm, checksum_type, bodies)
    return (value, f"{value}-{count}") if combined_type == COMPOSITE else (value,)

"""ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads and ListParts with S3's pages.

moto's pages lack common prefixes, markers or limits, or have common prefixes of deleted objects.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import md5
from typing import Any
from urllib.parse import quote

from moto.core.responses import ActionResult
from moto.s3.models import FakeKey, FakeMultipart, S3Backend
from moto.s3.responses import S3Response

_MAX_PAGE = 1_000
_OWNER = {
    "ID": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a",
    "DisplayName": "webfile",
}


@cache
def patch_listings() -> None:
    """Patch moto's handlers of these operations."""
    response_class: Any = S3Response
    response_class.list_objects = list_objects
    response_class.list_object_versions = list_object_versions
    response_class.list_multipart_uploads = list_multipart_uploads
    upload_class: Any = FakeMultipart
    upload_class.list_parts = list_parts
    backend_class: Any = S3Backend
    backend_class.is_truncated = has_parts_after
    backend_class.list_objects_v2 = list_current_keys


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The parameters of a listing. `encode` converts keys to the requested encoding."""

    prefix: str
    delimiter: str
    page_size: int
    encoding: str | None

    @classmethod
    def read(cls, query: Any, size_name: str) -> "ListQuery":
        def get(name: str) -> str:
            return str(query.get(name, [""])[0])

        size = int(get(size_name) or _MAX_PAGE)
        return cls(get("prefix"), get("delimiter"), size, get("encoding-type") or None)

    def encode(self, name: str) -> str:
        return quote(name) if self.encoding == "url" else name

    def find_common_prefix(self, name: str) -> str | None:
        """Return the name up to the first delimiter after the prefix, or None."""
        end = name.find(self.delimiter, len(self.prefix)) if self.delimiter else -1
        return None if end < 0 else name[: end + len(self.delimiter)]


@dataclass(frozen=True, slots=True)
class Page:
    """Entries and common prefixes of a page. `last` is the last entry or common prefix, or None for an empty page."""

    entries: Sequence[Any]
    prefixes: Sequence[str]
    is_truncated: bool
    last: Any


def select_page(
    entries: Sequence[Any],
    get_name: Callable[[Any], str],
    query: ListQuery,
    is_after: Callable[[Any], bool],
) -> Page:
    """Return the first page of the sorted entries, of which common prefixes count as one, after a marker."""
    items: list[Any] = []
    for entry in entries:
        name = get_name(entry)
        if not name.startswith(query.prefix):
            continue
        prefix = query.find_common_prefix(name)
        item = entry if prefix is None else prefix
        if is_after(item) and not (prefix is not None and items and items[-1] == prefix):
            items.append(item)
    page = items[: query.page_size]
    return Page(
        [item for item in page if not isinstance(item, str)],
        [item for item in page if isinstance(item, str)],
        0 < len(page) < len(items),
        page[-1] if page else None,
    )


def _describe_page(query: ListQuery, page: Page) -> dict[str, Any]:
    """Return the members that both listings with common prefixes have."""
    members: dict[str, Any] = {
        "Prefix": query.encode(query.prefix),
        "IsTruncated": page.is_truncated,
        "CommonPrefixes": [{"Prefix": query.encode(prefix)} for prefix in page.prefixes],
        "EncodingType": query.encoding,
    }
    return members | ({"Delimiter": query.encode(query.delimiter)} if query.delimiter else {})


def list_objects(response: Any) -> Any:
    """Replacement of S3Response.list_objects."""
    parameters = response._get_querystring(response.request, response.uri)
    query = ListQuery.read(parameters, "max-keys")
    marker = str(parameters.get("marker", [""])[0])
    bucket = response.backend.get_bucket(response.bucket_name)
    page = _select_current_keys(bucket, query, marker)
    result = {
        **_describe_page(query, page),
        "Name": bucket.name,
        "Marker": query.encode(marker),
        "MaxKeys": query.page_size,
        "Contents": [_describe_key(key, query) for key in page.entries],
    }
    if query.delimiter and page.is_truncated:
        result["NextMarker"] = query.encode(_get_key_name(page.last))
    response.data["Action"] = "ListObjects"
    return response.serialized(ActionResult(result))


def _select_current_keys(bucket: Any, query: ListQuery, after: str) -> Page:
    """Return the page of objects, without delete markers."""
    keys = sorted(
        (key for _, key in bucket.keys.items() if isinstance(key, FakeKey)),
        key=lambda key: key.name,
    )
    return select_page(keys, _get_key_name, query, lambda item: _get_key_name(item) > after)


def list_current_keys(
    backend: Any,
    bucket: Any,
    prefix: str | None,
    delimiter: str | None,
    continuation_token: str | None,
    start_after: str | None,
    max_keys: int,
) -> tuple[list[Any], bool, str | None]:
    """Replacement of S3Backend.list_objects_v2. moto's common prefixes include prefixes of delete markers.

    Returns the objects and common prefixes of the page, whether it is truncated, and the token of the next page.
    """
    tokens: dict[str, str] = backend._pagination_tokens
    after = tokens[continuation_token] if continuation_token else start_after or ""
    page = _select_current_keys(
        bucket, ListQuery(prefix or "", delimiter or "", max_keys, None), after
    )
    items = [*page.entries, *page.prefixes]
    if not page.is_truncated:
        return items, False, None
    last = _get_key_name(page.last)
    token = md5(last.encode(), usedforsecurity=False).hexdigest()
    tokens[token] = last
    return items, True, token


def list_object_versions(response: Any) -> Any:
    """Replacement of S3Response.list_object_versions. moto encodes no keys, and a page of no entries is truncated."""
    parameters = response._get_querystring(response.request, response.uri)
    query = ListQuery.read(parameters, "max-keys")
    key_marker, id_marker = (
        str(parameters.get(name, [""])[0]) for name in ("key-marker", "version-id-marker")
    )
    versions, prefixes, delete_markers, next_key, next_id = (
        response.backend.list_object_versions(
            response.bucket_name,
            delimiter=query.delimiter or None,
            key_marker=key_marker or None,
            max_keys=query.page_size,
            prefix=query.prefix,
            version_id_marker=id_marker or None,
        )
        if query.page_size
        else ([], [], [], None, None)
    )
    page = Page([], prefixes or (), next_key is not None, None)
    result = {
        **_describe_page(query, page),
        "Name": response.bucket_name,
        "KeyMarker": query.encode(key_marker),
        "VersionIdMarker": id_marker,
        "MaxKeys": query.page_size,
        "Versions": [_describe_key(key, query) | _describe_version(key) for key in versions],
        "DeleteMarkers": [
            {
                "Key": query.encode(marker.name),
                "LastModified": marker.last_modified_ISO8601,
                "Owner": _OWNER,
                **_describe_version(marker),
            }
            for marker in delete_markers
        ],
    }
    if page.is_truncated:
        result |= {"NextKeyMarker": query.encode(next_key), "NextVersionIdMarker": next_id}
    response.data["Action"] = "ListObjectVersions"
    return response.serialized(ActionResult(result))


def _describe_version(version: Any) -> dict[str, Any]:
    return {
        "VersionId": version.version_id or "null",
        "IsLatest": getattr(version, "is_latest", False),
    }


def _get_key_name(item: Any) -> str:
    return item if isinstance(item, str) else str(item.name)


def _describe_key(key: Any, query: ListQuery) -> dict[str, Any]:
    return {
        "Key": query.encode(key.name),
        "LastModified": key.last_modified_ISO8601,
        "ETag": key.etag,
        "Size": key.size,
        "StorageClass": key.storage_class,
        "Owner": _OWNER,
    }


def list_multipart_uploads(response: Any) -> Any:
    """Replacement of S3Response.list_multipart_uploads."""
    parameters = response._get_querystring(response.request, response.uri)
    query = ListQuery.read(parameters, "max-uploads")
    key_marker = str(parameters.get("key-marker", [""])[0])
    id_marker = str(parameters.get("upload-id-marker", [""])[0])
    multiparts = response.backend.list_multipart_uploads(response.bucket_name)
    uploads = sorted(multiparts.values(), key=lambda upload: (upload.key_name, upload.id))

    def is_after(item: Any) -> bool:
        name = _get_upload_key(item)
        has_later_id = not isinstance(item, str) and id_marker != "" and item.id > id_marker
        return name > key_marker or (name == key_marker and has_later_id)

    page = select_page(uploads, _get_upload_key, query, is_after)
    result = {
        **_describe_page(query, page),
        "Bucket": response.bucket_name,
        "KeyMarker": query.encode(key_marker),
        "UploadIdMarker": id_marker,
        "MaxUploads": query.page_size,
        "Uploads": [_describe_upload(upload, query) for upload in page.entries],
    }
    if page.is_truncated:
        result["NextKeyMarker"] = query.encode(_get_upload_key(page.last))
        result["NextUploadIdMarker"] = getattr(page.last, "id", "")
    response.data["Action"] = "ListMultipartUploads"
    return response.serialized(ActionResult(result))


def _get_upload_key(item: Any) -> str:
    return item if isinstance(item, str) else str(item.key_name)


def _describe_upload(upload: Any, query: ListQuery) -> dict[str, Any]:
    return {
        "Key": query.encode(upload.key_name),
        "UploadId": upload.id,
        "Initiator": _OWNER,
        "Owner": _OWNER,
        "StorageClass": upload.storage or "STANDARD",
        "Initiated": "2010-11-10T20:48:33.000Z",
        "ChecksumAlgorithm": upload.metadata.get("x-amz-checksum-algorithm"),
        "ChecksumType": upload.metadata.get("x-amz-checksum-type"),
    }


def list_parts(upload: Any, part_number_marker: int, max_parts: int) -> Iterator[Any]:
    """Replacement of FakeMultipart.list_parts: yield the parts with numbers above the marker, at most `max_parts`."""
    numbers = [number for number in upload.partlist if number > part_number_marker]
    for number in numbers[:max_parts]:
        yield upload.parts[number]


def has_parts_after(backend: Any, bucket_name: str, upload_id: str, part_number: int) -> bool:
    """Replacement of S3Backend.is_truncated: whether the upload has parts with higher numbers."""
    upload = backend.get_bucket(bucket_name).multiparts[upload_id]
    return any(number > part_number for number in upload.parts)

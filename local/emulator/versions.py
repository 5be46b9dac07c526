"""Versions of objects: moto's store with S3's rules for suspended versioning and for deletions.

While versioning is suspended, PUT and DELETE replace the version `null` only. A deletion of a version deletes no other version.
"""

from functools import cache
from threading import RLock
from types import SimpleNamespace
from typing import Any

from moto.s3 import notifications
from moto.s3.exceptions import AccessDeniedByLock
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeTableStorageBucket, S3Backend
from werkzeug.wrappers import Request, Response

from local.emulator.s3_requests import (
    S3Error,
    find_bucket,
    find_version,
    is_delete_marker,
    is_object_read,
    make_missing_key_error,
    read_target,
)

write_lock = RLock()
"""Held while a version is added or deleted, and from the check of a condition on an object until the write."""
_NULL = "null"
_EVENTS = {
    "PUT": notifications.S3NotificationEvent.OBJECT_CREATED_PUT_EVENT,
    "POST": notifications.S3NotificationEvent.OBJECT_CREATED_POST_EVENT,
}


@cache
def patch_versions() -> None:
    """Patch moto's methods that add and delete versions."""
    backend_class: Any = S3Backend
    bucket_class: Any = FakeBucket
    put_object, delete_object = backend_class.put_object, backend_class.delete_object

    def put_version(
        self: Any,
        bucket_name: str,
        *arguments: Any,
        request_method: str = "PUT",
        disable_notification: bool = False,
        **options: Any,
    ) -> Any:
        with write_lock:
            key = put_object(self, bucket_name, *arguments, disable_notification=True, **options)
            bucket = self.get_bucket(bucket_name)
            if bucket.versioning_status == "Suspended":
                _replace_null_version(bucket, key)
        if not disable_notification:
            notifications.send_event(self.account_id, _EVENTS[request_method], bucket, key)
        return key

    def delete_version(
        self: Any,
        bucket_name: str,
        key_name: str,
        version_id: str | None = None,
        bypass: bool = False,
    ) -> tuple[bool, dict[str, str]]:
        bucket = self.get_bucket(bucket_name)
        with write_lock:
            if isinstance(bucket, FakeTableStorageBucket):
                deleted: tuple[bool, dict[str, str]] = delete_object(self, bucket_name, key_name)
                return deleted
            if version_id is not None:
                return _delete_one_version(bucket, key_name, version_id, bypass)
            if not bucket.is_versioned:
                return _delete_one_version(bucket, key_name, _NULL, bypass)
            return True, _add_delete_marker(bucket, key_name)

    backend_class.put_object, backend_class.delete_object = put_version, delete_version
    bucket_class.is_versioned = property(lambda self: self.versioning_status is not None)


def _replace_null_version(bucket: Any, version: Any) -> None:
    """Make the version the current one and the version `null`."""
    version._version_id = _NULL
    older_versions = [
        other
        for other in bucket.keys.getlist(version.name, [])
        if other is not version and other.version_id != _NULL
    ]
    bucket.keys.setlist(version.name, [*older_versions, version])


def _add_delete_marker(bucket: Any, key_name: str) -> dict[str, str]:
    """Add a delete marker. Return the headers of the response, without `x-amz-`."""
    current: Any = bucket.keys.get(key_name) or SimpleNamespace(name=key_name)
    marker: Any = FakeDeleteMarker(current)
    if bucket.versioning_status == "Suspended":
        _replace_null_version(bucket, marker)
    else:
        bucket.keys[key_name] = marker
    return {"version-id": marker.version_id, "delete-marker": "true"}


def _delete_one_version(
    bucket: Any, key_name: str, version_id: str, bypass: bool
) -> tuple[bool, dict[str, str]]:
    """Delete a version if it exists. Return whether it existed, and the headers of the response, without `x-amz-`."""
    versions = bucket.keys.getlist(key_name, [])
    headers = {"version-id": version_id} if bucket.is_versioned else {}
    deleted = next((version for version in versions if version.version_id == version_id), None)
    if deleted is None:
        return False, headers
    if is_delete_marker(deleted):
        headers["delete-marker"] = "true"
    elif deleted.is_locked(bypass):
        raise AccessDeniedByLock
    bucket.keys.setlist(key_name, [version for version in versions if version is not deleted])
    if not bucket.keys.getlist(key_name):
        bucket.keys.pop(key_name)
        event = notifications.S3NotificationEvent.OBJECT_REMOVED_DELETE_EVENT
        notifications.send_event(bucket.account_id, event, bucket, deleted)
    return True, headers


def check_read_version(request: Request) -> None:
    """Raise S3Error if a GET reads a delete marker. moto responds to HEAD in the same way."""
    if request.method != "GET" or not is_object_read(request):
        return
    version_id = request.args.get("versionId")
    marker = find_version(read_target(request), version_id)
    if marker is None or not is_delete_marker(marker):
        return
    headers = {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version_id}
    if version_id is None:
        raise make_missing_key_error(headers)
    message = "The specified method is not allowed against this resource."
    raise S3Error("MethodNotAllowed", message, 405, {**headers, "Allow": "DELETE"})


def add_null_version(request: Request, response: Response) -> None:
    """Add the version id `null` to the response of a read in a bucket with versioning. moto omits it."""
    if response.status_code not in (200, 206) or not is_object_read(request):
        return
    bucket = find_bucket(read_target(request).bucket)
    if bucket is not None and bucket.is_versioned:
        response.headers.setdefault("x-amz-version-id", _NULL)

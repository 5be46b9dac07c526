"""Apply lifecycle rules of a template to a bucket as S3 documents; moto stores lifecycle rules without applying any."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any


def expire_objects(s3: Any, bucket: str, rules: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Run S3 Lifecycle once at the time `now`, for rules in CloudFormation's notation."""
    for rule in rules:
        assert rule["Status"] == "Enabled", rule
        for history in _list_histories(s3, bucket, rule.get("Prefix", "")):
            _expire_current(s3, bucket, rule, history, now)
            _expire_noncurrent(s3, bucket, rule, history, now)


def _list_histories(s3: Any, bucket: str, prefix: str) -> Iterable[list[dict[str, Any]]]:
    """Return the versions and delete markers of each key, newest first."""
    histories: dict[str, list[dict[str, Any]]] = {}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        markers = [{**marker, "Marker": True} for marker in page.get("DeleteMarkers", ())]
        for version in (*page.get("Versions", ()), *markers):
            histories.setdefault(version["Key"], []).append(version)
    for history in histories.values():
        history.sort(key=lambda version: version["IsLatest"], reverse=True)
    return histories.values()


def _expire_current(
    s3: Any, bucket: str, rule: Mapping[str, Any], history: list[dict[str, Any]], now: datetime
) -> None:
    current = history[0]
    days = rule.get("ExpirationInDays")
    old = days is not None and now >= current["LastModified"] + timedelta(days=days)
    if "Marker" not in current:
        if old:
            s3.delete_object(Bucket=bucket, Key=current["Key"])
    elif len(history) == 1 and (old or rule.get("ExpiredObjectDeleteMarker")):
        _delete_version(s3, bucket, current)


def _expire_noncurrent(
    s3: Any, bucket: str, rule: Mapping[str, Any], history: list[dict[str, Any]], now: datetime
) -> None:
    limit = rule.get("NoncurrentVersionExpiration")
    for version, successor in zip(history[1:], history, strict=False):
        superseded_at = successor["LastModified"]
        if limit and now >= superseded_at + timedelta(days=limit["NoncurrentDays"]):
            _delete_version(s3, bucket, version)


def _delete_version(s3: Any, bucket: str, version: Mapping[str, Any]) -> None:
    s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])

"""What lies below a prefix of the bucket, and links by which others read what lies there."""

from functools import cache
from typing import Any

from botocore.config import Config

from twofold.settings import Service
from twofold.stores.clients import client
from twofold.stores.objects import Bucket, _client

MAX_FOLDERS = 10_000


@cache
def _signer() -> Any:
    """Objects under a customer's key need version 4, and presigned URLs have another by default."""
    return client(Service.S3, Config(signature_version="s3v4"))


def folders(bucket: Bucket, prefix: str) -> frozenset[str]:
    """The names of the first MAX_FOLDERS folders right below a prefix that ends with a slash."""
    pages = (
        _client()
        .get_paginator("list_objects_v2")
        .paginate(
            Bucket=bucket.name,
            Prefix=prefix,
            Delimiter="/",
            PaginationConfig={"MaxItems": MAX_FOLDERS},
        )
    )
    found = (one["Prefix"] for page in pages for one in page.get("CommonPrefixes", ()))
    return frozenset(name.removeprefix(prefix).removesuffix("/") for name in found)


def link(bucket: Bucket, key: str, seconds: int) -> str:
    """A URL by which anyone can read the object for so long; nothing is asked of S3."""
    address = {"Bucket": bucket.name, "Key": key}
    url: str = _signer().generate_presigned_url("get_object", address, ExpiresIn=seconds)
    return url

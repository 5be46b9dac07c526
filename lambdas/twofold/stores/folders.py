"""List folders of the bucket, and presign URLs of objects."""

from functools import cache
from typing import Any

from botocore.config import Config

from twofold.settings import Service
from twofold.stores.clients import create_client
from twofold.stores.objects import Bucket, get_client

MAX_FOLDERS = 10_000


@cache
def get_signing_client() -> Any:
    """Return a client with Signature Version 4, which objects under a customer managed key require."""
    return create_client(Service.S3, Config(signature_version="s3v4"))


def list_folders(bucket: Bucket, prefix: str) -> frozenset[str]:
    """Return the names of the first MAX_FOLDERS folders directly below a prefix that ends with a slash."""
    pages = (
        get_client()
        .get_paginator("list_objects_v2")
        .paginate(
            Bucket=bucket.name,
            Prefix=prefix,
            Delimiter="/",
            PaginationConfig={"MaxItems": MAX_FOLDERS},
        )
    )
    prefixes = (entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", ()))
    return frozenset(name.removeprefix(prefix).removesuffix("/") for name in prefixes)


def presign_url(bucket: Bucket, key: str, seconds: int) -> str:
    """Return a URL for reading the object without credentials, valid for `seconds`. No request is sent."""
    parameters = {"Bucket": bucket.name, "Key": key}
    url: str = get_signing_client().generate_presigned_url(
        "get_object", parameters, ExpiresIn=seconds
    )
    return url

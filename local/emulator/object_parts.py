"""Reads of one part of an object: GetObject and HeadObject with `partNumber`, converted to range requests."""

from itertools import accumulate
from typing import Any

from werkzeug.wrappers import Request, Response

from local.emulator.large_objects import get_part_sizes
from local.emulator.s3_requests import (
    S3Error,
    find_object,
    is_object_read,
    read_target,
    replace_query,
)

_PART_NUMBER = "partNumber"


def use_part_range(environ: dict[str, Any]) -> int:
    """Convert `partNumber` to a range. Return the number of parts, or 0 if the request or the object has no parts.

    Raises S3Error if the object does not have the part. An object of a single PUT has one part.
    """
    request = Request(environ)
    if not is_object_read(request) or _PART_NUMBER not in request.args:
        return 0
    if "Range" in request.headers:
        message = "Cannot specify both Range header and partNumber query parameter"
        raise S3Error("InvalidRequest", message)
    key = find_object(read_target(request), request.args.get("versionId"))
    replace_query(environ, {_PART_NUMBER: None})
    if key is None:
        return 0
    sizes = get_part_sizes(key)
    ends = list(accumulate(sizes or [key.size], initial=0))
    number = int(request.args[_PART_NUMBER])
    if number >= len(ends):
        raise S3Error("InvalidPartNumber", "The requested partnumber is not satisfiable", 416)
    if ends[number] > ends[number - 1]:
        environ["HTTP_RANGE"] = f"bytes={ends[number - 1]}-{ends[number] - 1}"
    return len(sizes)


def add_parts_count(response: Response, parts_count: int) -> None:
    if parts_count and response.status_code in (200, 206):
        response.headers["x-amz-mp-parts-count"] = str(parts_count)

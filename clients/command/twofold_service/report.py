"""`twofold report` of a project: the report of its last distribution, from the service's bucket."""

import json
from typing import Any

from twofold_command.errors import CommandError
from twofold_service.session import Service, explained

LOCAL_BUCKET = "twofold-local-123456789012-us-east-1"


def last_report(service: Service, project: str, bucket: str | None) -> dict[str, Any]:
    """Raises CommandError if there is none, or no bucket is named."""
    if bucket is None and service.is_local:
        bucket = LOCAL_BUCKET
    if bucket is None:
        raise CommandError(
            "Give --bucket: the output Bucket of the deployed stack, where reports lie."
        )
    with explained():
        pages = service.s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"reports/{project}/"
        )
        found = [one for page in pages for one in page.get("Contents", ())]
        reports = [one for one in found if one["Key"].endswith("/report.json")]
        if not reports:
            raise CommandError(f"The project {project} has no report: nothing was distributed.")
        last = max(reports, key=lambda one: (one["LastModified"], one["Key"]))
        body = service.s3.get_object(Bucket=bucket, Key=last["Key"])["Body"]
        report: dict[str, Any] = json.load(body)
    return report

"""`twofold report` of a project: download the report of its last distribution from the presigned URL."""

import json
from http.client import HTTPException
from typing import Any
from urllib.request import urlopen

from twofold_command.errors import CommandError
from twofold_service.history import list_distributions
from twofold_service.session import Service

_TIMEOUT_SECONDS = 60


def fetch_last_report(service: Service, project: str) -> dict[str, Any]:
    """Returns the report. Raises CommandError if the project has no distribution, or the download fails."""
    distribution = next(list_distributions(service, project), None)
    if distribution is None:
        raise CommandError(f"The project {project} has no report: nothing was distributed.")
    url: str = distribution["ReportUrl"]
    if not url.startswith(("https://", "http://")):
        raise CommandError(f"The report URL of the service is not HTTP: {url[:100]!r}.")
    try:
        with urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 checked above
            report: dict[str, Any] = json.load(response)
    except (OSError, HTTPException, ValueError) as error:
        raise CommandError(
            f"The report cannot be downloaded: {error}. Run the command again for a new URL."
        ) from error
    return report

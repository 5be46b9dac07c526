"""`twofold report` of a project: the report of its last distribution, by the link that the service hands out."""

import json
from http.client import HTTPException
from typing import Any
from urllib.request import urlopen

from twofold_command.errors import CommandError
from twofold_service.history import distributions
from twofold_service.session import Service

_PATIENCE_SECONDS = 60


def last_report(service: Service, project: str) -> dict[str, Any]:
    """Raises CommandError if there is none."""
    last = next(distributions(service, project), None)
    if last is None:
        raise CommandError(f"The project {project} has no report: nothing was distributed.")
    url: str = last["ReportUrl"]
    if not url.startswith(("https://", "http://")):
        raise CommandError(f"The service names a report that is nowhere on the web: {url[:100]!r}.")
    try:
        with urlopen(url, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310 checked above
            report: dict[str, Any] = json.load(answer)
    except (OSError, HTTPException, ValueError) as error:
        raise CommandError(
            f"The report cannot be fetched: {error}. Run the command again for a new link."
        ) from error
    return report

"""What ListDatasetEntries and ListDatasetLabels have in common: the contents that a request is about, and where it goes on.

A list goes on in the contents that its first page was of, even if the dataset has others by now: they are kept for the
retention time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from twofold.api import tokens
from twofold.api.service import Service
from twofold.errors import ResourceInUseException, ResourceNotReadyException
from twofold.records import Status
from twofold.stores.contents import StoredContents
from twofold.stores.objects import ObjectUnreachableError


@dataclass(frozen=True, slots=True)
class Listing:
    """`folder` is empty for an empty dataset; the page begins with item `first`. `checksum`: of the index, if known."""

    service: Service
    folder: str
    first: int
    request: list[Any]
    current: bool
    checksum: str = ""

    def token(self, position: int) -> str:
        return self.service.token(self.request, [self.folder, position])

    @contextmanager
    def contents(self) -> Iterator[StoredContents]:
        """For reading. Older contents may be gone; then the token that leads to them is no longer good."""
        try:
            yield StoredContents.open(self.service.bucket, self.folder, self.checksum)
        except ObjectUnreachableError:
            if self.current:
                raise
            raise tokens.invalid() from None


def listing(service: Service, arn: str, token: str | None, *filters: Any) -> Listing:
    """Raises ResourceNotReadyException, ResourceInUseException, InvalidPaginationTokenException."""
    dataset = service.dataset(arn)
    if dataset.status is Status.CREATE_IN_PROGRESS:
        raise ResourceNotReadyException(f"The dataset {arn} is being created.")
    if dataset.status is Status.DELETE_IN_PROGRESS:
        raise ResourceInUseException(f"The dataset {arn} is being deleted.")
    request = [service.operation.value, dataset.id.path, *filters]
    current = dataset.contents.folder if dataset.contents else ""
    checksum = dataset.contents.index if dataset.contents else ""
    if not token:
        return Listing(service, current, 0, request, True, checksum)
    folder, first = service.position(request, token, str, int)
    # The token's seal covers the dataset, so the folder is one that this dataset had, a copy's shared one included.
    now = folder == current
    return Listing(service, folder, first, request, now, checksum if now else "")

"""What ListDatasetEntries and ListDatasetLabels have in common: the contents that a request is about, and where it goes on.

A list goes on in the contents that its first page was of, even if the dataset has others by now: they are kept for the
retention time.
"""

from dataclasses import dataclass
from typing import Any

from twofold.api import tokens
from twofold.api.service import Service
from twofold.errors import ResourceInUseException, ResourceNotReadyException
from twofold.records import Dataset, Status
from twofold.stores import keys
from twofold.stores.contents import StoredContents
from twofold.stores.objects import ObjectUnreachableError


@dataclass(frozen=True, slots=True)
class Listing:
    """`contents` is None for an empty dataset; the page begins with item `first`."""

    contents: StoredContents | None
    first: int
    request: list[Any]

    def token(self, position: int) -> str:
        folder = self.contents.folder if self.contents else ""
        return tokens.encode(self.request, [folder, position])


def listing(service: Service, arn: str, token: str | None, *filters: Any) -> Listing:
    """Raises ResourceNotReadyException, ResourceInUseException, InvalidPaginationTokenException."""
    dataset = service.dataset(arn)
    if dataset.status is Status.CREATE_IN_PROGRESS:
        raise ResourceNotReadyException(f"The dataset {arn} is being created.")
    if dataset.status is Status.DELETE_IN_PROGRESS:
        raise ResourceInUseException(f"The dataset {arn} is being deleted.")
    request = [service.operation.value, dataset.id.path, *filters]
    current = dataset.contents.folder if dataset.contents else ""
    if not token:
        return Listing(_stored(service, current), 0, request)
    folder, first = tokens.decode(request, token, str, int)
    return Listing(_continued(service, dataset, current, folder), first, request)


def _stored(service: Service, folder: str) -> StoredContents | None:
    return StoredContents.open(service.bucket, folder) if folder else None


def _continued(service: Service, dataset: Dataset, current: str, folder: str) -> StoredContents:
    """A token may lead to what this dataset has, or once had, and nowhere else."""
    if folder != current and not folder.startswith(keys.contents(dataset.id.path, "")):
        raise tokens.invalid()
    try:
        return StoredContents.open(service.bucket, folder)
    except ObjectUnreachableError:
        if folder == current:
            raise
        raise tokens.invalid() from None

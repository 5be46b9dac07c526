"""The contents and the start position of a page, for ListDatasetEntries and ListDatasetLabels.

All pages of a list come from the same contents as the first page, even if the dataset changes in the meantime: old contents
stay for the retention time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from twofold.api import tokens
from twofold.api.context import RequestContext
from twofold.errors import ResourceInUseException, ResourceNotReadyException
from twofold.records import DatasetStatus
from twofold.stores.contents import StoredContents
from twofold.stores.objects import ObjectUnreachableError


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list, before any item is read.

    folder       of the contents; empty for an empty dataset
    first        number of the page's first item
    request      the members of the request, sealed into tokens
    is_current   whether the dataset still has these contents
    checksum     of the index; empty for earlier contents
    """

    context: RequestContext
    folder: str
    first: int
    request: list[Any]
    is_current: bool
    checksum: str = ""

    def encode_token(self, position: int) -> str:
        """Return the NextToken for a page from item `position` on."""
        return self.context.encode_token(self.request, [self.folder, position])

    @contextmanager
    def open_contents(self) -> Iterator[StoredContents]:
        """Open the contents for reading. Raises InvalidPaginationTokenException if earlier contents have been deleted."""
        try:
            yield StoredContents.open(self.context.bucket, self.folder, self.checksum)
        except ObjectUnreachableError:
            if self.is_current:
                raise
            raise tokens.make_invalid_token_error() from None


def open_listing(context: RequestContext, arn: str, token: str | None, *filters: Any) -> Listing:
    """Find the contents and position of a request; `filters` are the remaining members.

    Raises ResourceNotReadyException, ResourceInUseException, InvalidPaginationTokenException.
    """
    dataset = context.get_dataset(arn)
    if dataset.status is DatasetStatus.CREATE_IN_PROGRESS:
        raise ResourceNotReadyException(f"The dataset {arn} is being created.")
    if dataset.status is DatasetStatus.DELETE_IN_PROGRESS:
        raise ResourceInUseException(f"The dataset {arn} is being deleted.")
    request = [context.api_operation.value, dataset.id.path, *filters]
    current_folder = dataset.contents.folder if dataset.contents else ""
    checksum = dataset.contents.index_checksum if dataset.contents else ""
    if not token:
        return Listing(context, current_folder, 0, request, True, checksum)
    folder, first = context.decode_token(request, token, str, int)
    # The seal of the token covers the dataset, so the folder is one that this dataset has or had.
    is_current = folder == current_folder
    return Listing(context, folder, first, request, is_current, checksum if is_current else "")

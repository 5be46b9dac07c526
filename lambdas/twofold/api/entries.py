"""ListDatasetEntries."""

from typing import Any

import orjson

from twofold.api import tokens
from twofold.api.context import RequestContext
from twofold.api.listing import open_listing
from twofold.api.requests import ListDatasetEntriesRequest
from twofold.api.search import EntryFilter, Search
from twofold.manifest.line.listing import add_service_members

MAX_RESPONSE_BYTES = 5_000_000
"""Maximum size of the entries in a response. Lambda's limit is 6 MB, in which an entry is JSON within JSON within JSON."""


def list_dataset_entries(
    context: RequestContext, request: ListDatasetEntriesRequest
) -> dict[str, Any]:
    """List a page of entries in the order of the manifest. A short or empty page can have a NextToken.

    With `supplied_text` the entries are the stored lines, and the response has `SuppliedText`: true. The member is missing
    from the response of a service without this mode.
    """
    mode = {"SuppliedText": True} if request.supplied_text else {}
    entry_filter = EntryFilter(
        labels=tuple(sorted(set(request.contains_labels))),
        labeled=request.labeled,
        source_ref=request.source_ref_contains,
        has_errors=request.has_errors,
    )
    # A token is sealed for the filter and the mode. Without the mode it has the form of earlier releases, so that a client
    # can continue a list across an upgrade.
    listing = open_listing(context, request.dataset_arn, request.next_token, *entry_filter, *mode)
    if not listing.folder:
        return {"DatasetEntries": [], **mode}
    with listing.open_contents() as contents:
        if not 0 <= listing.first <= contents.entries:
            raise tokens.make_invalid_token_error()
        page = Search(contents, entry_filter).find_page(listing.first, request.max_results)
    render = bytes.decode if request.supplied_text else add_service_members
    entries = _fit_to_response([render(line) for line in page.lines])
    is_complete = len(entries) == len(page.lines)
    next_number = page.next_number if is_complete else page.numbers[len(entries)]
    result: dict[str, Any] = {"DatasetEntries": entries, **mode}
    if next_number < contents.entries:
        result["NextToken"] = listing.encode_token(next_number)
    return result


def _fit_to_response(entries: list[str]) -> list[str]:
    """Return the first entries up to MAX_RESPONSE_BYTES; always at least the first."""
    size = 0
    for count, entry in enumerate(entries):
        size += len(orjson.dumps(orjson.dumps(entry).decode()))
        if size > MAX_RESPONSE_BYTES and count:
            return entries[:count]
    return entries

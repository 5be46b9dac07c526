"""ListDatasetEntries."""

from typing import Any

import orjson

from twofold.api import tokens
from twofold.api.contract import ListDatasetEntriesRequest
from twofold.api.pages import listing
from twofold.api.search import Filter, Search
from twofold.api.service import Service
from twofold.manifest.lines import list_entry

MAX_ANSWER_BYTES = 5_000_000
"""Of the 6 MB that Lambda answers with, as the entries are there: JSON within JSON within JSON."""


def list_dataset_entries(service: Service, request: ListDatasetEntriesRequest) -> dict[str, Any]:
    """A page in the order of the manifest. It may be short, or empty, and have a NextToken.

    With `supplied_text` the entries are the stored lines, and the answer has `SuppliedText`: true, which tells a client
    that the service knows the member.
    """
    mode = {"SuppliedText": True} if request.supplied_text else {}
    wanted = Filter(
        labels=tuple(sorted(set(request.contains_labels))),
        labeled=request.labeled,
        source_ref=request.source_ref_contains,
        has_errors=request.has_errors,
    )
    # A token without the mode is the same as before there was one, so lists that are under way go on.
    page = listing(service, request.dataset_arn, request.next_token, *wanted, *mode)
    if not page.folder:
        return {"DatasetEntries": [], **mode}
    with page.contents() as contents:
        if not 0 <= page.first <= contents.entries:
            raise tokens.invalid()
        found = Search(contents, wanted).page(page.first, request.max_results)
    render = bytes.decode if request.supplied_text else list_entry
    entries = _fitting([render(line) for line in found.lines])
    after = found.after if len(entries) == len(found.lines) else found.numbers[len(entries)]
    result: dict[str, Any] = {"DatasetEntries": entries, **mode}
    return result | ({"NextToken": page.token(after)} if after < contents.entries else {})


def _fitting(entries: list[str]) -> list[str]:
    """As many as the answer takes, at least one."""
    size = 0
    for count, entry in enumerate(entries):
        size += len(orjson.dumps(orjson.dumps(entry).decode()))
        if size > MAX_ANSWER_BYTES and count:
            return entries[:count]
    return entries

"""Collect: remove contents that no dataset has pointed to for the retention time.

Until then a list that began in them can go on, and what was there before a change can be had back. Copies share contents, so a
folder that was left may still be in use; then only the note of it goes, and comes again when the last copy leaves.
"""

from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket
from twofold.stores.table import Table, released

DAY_MILLISECONDS = 86_400_000


def collect(table: Table, bucket: Bucket, retention_days: int, now: int) -> list[str]:
    """Answers with the folders whose objects it deleted. Run twice, or broken off, it does no harm."""
    due = list(released.before(table, now - retention_days * DAY_MILLISECONDS))
    in_use = released.in_use(table) if due else frozenset()
    collected = []
    for one in due:
        if one.folder in in_use:
            released.forget(table, one)
        elif released.hold(table, one):
            bucket.delete(ContentsKeys(one.folder).all())
            released.forget(table, one)
            collected.append(one.folder)
    return collected

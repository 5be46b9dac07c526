"""Collect: delete contents without a pointer from any dataset for the retention time.

Until then, a list that began in these contents can continue, and a distribution can be reverted. Copies share contents, so a
retired folder may still be in use. Collect then deletes only the retirement; the last copy to leave the folder retires it
again.
"""

from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket
from twofold.stores.table import Table, projects, retired

DAY_MILLISECONDS = 86_400_000


def collect_retired_folders(
    table: Table, bucket: Bucket, retention_days: int, now: int
) -> list[str]:
    """Delete the objects of retired folders and return the folders. The function may run twice or end at any point."""
    due = list(retired.list_retired_before(table, now - retention_days * DAY_MILLISECONDS))
    in_use = projects.find_folders_in_use(table) if due else frozenset()
    collected = []
    for folder in due:
        if folder.folder in in_use:
            retired.delete_retirement(table, folder)
        elif retired.hold_folder(table, folder):
            bucket.delete(ContentsKeys(folder.folder).list_all())
            retired.delete_retirement(table, folder)
            collected.append(folder.folder)
    return collected

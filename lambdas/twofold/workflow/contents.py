"""Write and read a version of a dataset's contents: the whole index, and the manifest as a pinned source."""

from collections.abc import Sequence

from twofold.errors import DamagedObjectError
from twofold.manifest.index import columns
from twofold.manifest.index.dataset_index import DatasetIndex
from twofold.records import Contents, DatasetId, Operation, SourceObject
from twofold.stores.keys import ContentsKeys, build_contents_folder
from twofold.stores.objects import Bucket
from twofold.workflow.plan_transfer import Output


def write_index(
    bucket: Bucket, operation: Operation, dataset: DatasetId, index: DatasetIndex
) -> Output:
    """Write the index of the dataset's new contents and return the `Output` for its manifest, which Move will write.

    The contents have the index's counts. Publish adds the digest.
    """
    keys = ContentsKeys(build_contents_folder(dataset.path, operation.id))
    encoded = index.encode()
    bucket.put(keys.index, encoded)
    stats = index.compute_stats()
    contents = Contents(
        folder=keys.folder,
        entries=stats.total_entries,
        bytes=index.manifest_bytes,
        digest="",
        index_checksum=columns.read_header(encoded).checksum,
        labeled_entries=stats.labeled_entries,
        total_labels=stats.total_labels,
        error_entries=stats.error_entries,
    )
    return Output(keys.manifest, dataset, contents)


def read_index(bucket: Bucket, contents: Contents) -> DatasetIndex:
    """Read the index of a dataset's contents. Raises LostObjectError, DamagedObjectError."""
    data = bucket.get(ContentsKeys(contents.folder).index)
    columns.read_header(data).verify_checksum(contents.index_checksum)
    return DatasetIndex.decode(data)


def pin_manifests(bucket: Bucket, contents: Sequence[Contents]) -> SourceObject:
    """Return manifests, in order, as one source. Raises DamagedObjectError, ObjectUnreachableError."""
    source: SourceObject | None = None
    for version in reversed(contents):
        source = pin_manifest(bucket, version).model_copy(update={"following": source})
    if source is None:
        raise ValueError("There are no contents to read.")
    return source


def pin_manifest(bucket: Bucket, contents: Contents) -> SourceObject:
    """Return the manifest as the source of a transfer. Raises DamagedObjectError, ObjectUnreachableError."""
    source = bucket.pin(ContentsKeys(contents.folder).manifest)
    if source.size != contents.bytes:
        raise DamagedObjectError(
            f"{source.key} has {source.size} bytes; the dataset's manifest had {contents.bytes}."
        )
    return source

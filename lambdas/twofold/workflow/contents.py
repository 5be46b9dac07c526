"""A version of a dataset's contents, as workflows write it and read it: the index whole, the manifest pinned."""

from twofold.errors import DamagedObjectError
from twofold.manifest import columns
from twofold.manifest.index import Index
from twofold.records import Contents, DatasetId, Operation, Source
from twofold.stores import keys
from twofold.stores.keys import ContentsKeys
from twofold.stores.objects import Bucket
from twofold.workflow.carving import Side


def put_index(bucket: Bucket, operation: Operation, dataset: DatasetId, index: Index) -> Side:
    """Writes the index that the operation gives the dataset; the side that its manifest will be.

    What the index says of the contents stands in it; the digest is for Publish to find.
    """
    place = ContentsKeys(keys.contents(dataset.path, operation.id))
    encoded = index.encode()
    bucket.put(place.index, encoded)
    stats = index.stats()
    contents = Contents(
        folder=place.folder,
        entries=stats.total_entries,
        bytes=index.manifest_bytes,
        digest="",
        index=columns.read_header(encoded).checksum,
        labeled_entries=stats.labeled_entries,
        total_labels=stats.total_labels,
        error_entries=stats.error_entries,
    )
    return Side(place.manifest, dataset, contents)


def pinned_contents(bucket: Bucket, before: Contents) -> Source:
    """The manifest of contents, as the source of a carve. Raises DamagedObjectError, ObjectUnreachableError."""
    source = bucket.pin(ContentsKeys(before.folder).manifest)
    if source.size != before.bytes:
        raise DamagedObjectError(
            f"{source.key} has {source.size} bytes; the dataset's manifest had {before.bytes}."
        )
    return source


def get_index(bucket: Bucket, contents: Contents) -> Index:
    """The index of a dataset's contents; raises LostObjectError, DamagedObjectError."""
    place = ContentsKeys(contents.folder).index
    data = bucket.get(place)
    columns.read_header(data).require(contents.index)
    return Index.decode(data)

"""Checks of the files: lines, partition, contents, number of test entries, groups, and the previous split."""

from collections import Counter
from itertools import chain
from typing import Any

from twofold_verify.bounds import find_nearest_sum, round_share
from twofold_verify.keys import SINGLE
from twofold_verify.order import ALGORITHM_VERSIONS
from twofold_verify.runner import Split, WrongError, require_equal

_MAX_NAMED = 3
_MAX_NAME_CHARACTERS = 200


def check_lines(split: Split) -> str:
    faults = split.train.faults + split.test.faults
    if faults:
        more = split.train.fault_count + split.test.fault_count - len(faults)
        suffix = f"; and {more} more lines that Twofold rejects" if more else ""
        raise WrongError(f"{'; '.join(faults)}{suffix}.")
    buckets = split.train.buckets | split.test.buckets
    if len(buckets) > 1:
        raise WrongError(f"The images are in {len(buckets)} buckets: {list_names(buckets)}.")
    return f"All {split.size} lines are entries, and their images are in one bucket."


def check_partition(split: Split) -> str:
    occurrences = Counter(entry.source_ref for entry in split.iterate_entries())
    repeated = [source_ref for source_ref, times in occurrences.items() if times > 1]
    if repeated:
        raise WrongError(
            f"{len(repeated)} source-refs occur more than once: {list_names(repeated)}."
        )
    return "No source-ref occurs twice, in one manifest or in both."


def check_contents(split: Split) -> str:
    for kind, side in (("train", split.train), ("test", split.test)):
        claims = split.report.raw["datasets"][kind]
        require_equal(claims["entries"], len(side.entries), f"entries of {side.name}")
        require_equal(claims["bytes"], side.bytes, f"bytes of {side.name}")
        require_equal(claims["digest"], f"{side.digest:016x}", f"digest of {side.name}")
    source = split.report.raw["source"]
    total = f"{(split.train.digest + split.test.digest) % (1 << 64):016x}"
    require_equal(source["digest"], total, "digest of the source")
    require_equal(source["entries"], split.size, "entries of the source")
    if "bytes" in source:
        require_equal(source["bytes"], split.train.bytes + split.test.bytes, "bytes of the source")
    return "Entries, bytes and digests equal the report; the digests add up to the source's digest."


def check_count(split: Split) -> str:
    certificate, fraction = split.report.certificate, split.report.fraction
    requested = round_share(split.size, fraction)
    sizes = _count_group_sizes(split)
    reachable = requested if sizes is None else find_nearest_sum(sizes.values(), requested)
    version = certificate["algorithmVersion"]
    if version not in ALGORITHM_VERSIONS:
        raise WrongError(
            f"The certificate has version {version} of the algorithm; this verifier knows "
            f"{list_names(ALGORITHM_VERSIONS)}."
        )
    expected = {
        "seed": split.report.seed,
        "fraction": str(fraction),
        "entries": split.size,
        "groups": None if sizes is None else len(sizes),
        "testEntriesWanted": requested,
        "testEntriesReachable": reachable,
        "testEntriesReached": split.test_size,
    }
    require_equal({name: certificate[name] for name in expected}, expected, "the certificate")
    require_equal(split.test_size, reachable, "test entries that can be reached")
    if not 0 < split.test_size < split.size:
        raise WrongError(
            f"A side is empty: {split.test_size} of {split.size} entries in the test set."
        )
    share = f"{split.test_size} of {split.size} entries are in the test set"
    if sizes is None:
        return f"{share}: {fraction}, rounded to the nearest integer."
    return f"{share}: the nearest total of whole groups to {requested} ({fraction})."


def _count_group_sizes(split: Split) -> Counter[str | None] | None:
    if split.report.group_by is None:
        return None
    return Counter(entry.group for entry in split.iterate_entries())


def check_groups(split: Split) -> str:
    if split.report.group_by is None:
        require_equal("groups" in split.report.raw, False, "a table of groups")
        require_equal(split.report.allows_singles, False, "entries without a group")
        return "No groups."
    if any(not entry.group for entry in split.iterate_entries()):
        raise WrongError("Some entries have no group.")
    sizes = [
        Counter(str(entry.group) for entry in side.entries) for side in (split.train, split.test)
    ]
    divided = sorted(sizes[0].keys() & sizes[1].keys())
    if divided:
        raise WrongError(f"{len(divided)} groups are divided: {list_names(divided)}.")
    train, test = (list(side.values()) for side in sizes)
    table = _build_group_table(train, test) | {"labelsInOneGroup": _find_confined_labels(split)}
    if split.report.allows_singles:
        groups = (*sizes[0], *sizes[1])
        table["ungrouped"] = sum(group.startswith(SINGLE) for group in groups)
    require_equal(split.report.raw.get("groups"), table, "groups")
    return f"{len(test)} of {len(train) + len(test)} groups are in the test set, none is divided."


def _find_confined_labels(split: Split) -> list[str]:
    """Returns the labels with two or more images, all in a single group: no split of whole groups has both sides."""
    images: Counter[str] = Counter()
    groups: dict[str, set[str | None]] = {}
    for entry in split.iterate_entries():
        images.update(entry.labels)
        for label in entry.labels:
            groups.setdefault(label, set()).add(entry.group)
    return sorted(label for label, among in groups.items() if len(among) == 1 and images[label] > 1)


def _build_group_table(train: list[int], test: list[int]) -> dict[str, Any]:
    """Returns the report's table of groups from the group sizes of both sides, in the size classes 1, 2-3, 4-7 and so on."""
    classes = [Counter(size.bit_length() - 1 for size in side) for side in (train, test)]
    return {
        "groups": len(train) + len(test),
        "testGroups": len(test),
        "largestGroup": max(train + test),
        "sizes": [
            {"from": 1 << i, "to": (2 << i) - 1, "train": classes[0][i], "test": classes[1][i]}
            for i in sorted(classes[0].keys() | classes[1].keys())
        ],
    }


def check_previous(split: Split) -> str:
    claimed = split.report.raw.get("previous")
    if not split.report.keeps_previous:
        if split.previous:
            raise WrongError("The report names no previous split.")
        require_equal(claimed, None, "the previous split")
        return "No previous split was kept."
    if split.previous is None:
        split.unchecked.append(
            "parameters.previous, previous, certificate.swappedEntries and the order of keys: "
            "name the folder of the previous split with --previous."
        )
        return "Not checked, nor the order: name the folder of the previous split with --previous."
    for side, name in zip(split.previous, ("train", "test"), strict=True):
        digest = split.report.parameters["previous"][f"{name}Digest"]
        require_equal(digest, f"{side.digest:016x}", f"digest of the previous {side.name}")
    renamed = _is_bucket_renamed(split, split.previous)
    require_equal(split.report.matches_previous_by_key, renamed, "matched by key")
    expected = _compare_sides(split, split.previous)
    require_equal(claimed, expected, "the previous split")
    return (
        f"{expected['leftTest']} of {expected['testEntries']} test entries left the test set, "
        f"{expected['enteredTest']} entered it."
        + (" No previous image is in this bucket: matched by key." if renamed else "")
    )


def _is_bucket_renamed(split: Split, previous: tuple[Any, Any]) -> bool:
    """Whether the previous split has images, and none in a bucket of this split."""
    buckets, previous_buckets = (
        {entry.source_ref.split("/", 3)[2] for entry in entries}
        for entries in (split.iterate_entries(), chain(*(side.entries for side in previous)))
    )
    return bool(previous_buckets) and buckets.isdisjoint(previous_buckets)


def _compare_sides(split: Split, previous: tuple[Any, Any]) -> dict[str, int]:
    name_image = split.report.name_image
    previous_train, previous_test = (
        {name_image(entry.source_ref) for entry in side.entries} for side in previous
    )
    train, test = (
        {name_image(entry.source_ref) for entry in side.entries}
        for side in (split.train, split.test)
    )
    return {
        "testEntries": len(previous_test & (train | test)),
        "trainEntries": len(previous_train & (train | test)),
        "newEntries": len((train | test) - previous_test - previous_train),
        "leftTest": len(previous_test & train),
        "enteredTest": len(previous_train & test),
    }


def list_names(names: Any) -> str:
    """Returns the first names in order, with long names cut."""
    return ", ".join(str(name)[:_MAX_NAME_CHARACTERS] for name in sorted(names)[:_MAX_NAMED])

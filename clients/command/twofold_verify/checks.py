"""Checks of the files themselves: lines, partition, contents, count, groups, the split before."""

from collections import Counter
from typing import Any

from twofold_verify.bounds import nearest_sum, rounded_share
from twofold_verify.checking import Split, WrongError, require
from twofold_verify.order import ALGORITHM_VERSION

_MAX_NAMED = 3
_MAX_NAME_CHARACTERS = 200


def check_lines(split: Split) -> str:
    faults = split.train.faults + split.test.faults
    if faults:
        more = split.train.fault_count + split.test.fault_count - len(faults)
        rest = f"; and {more} more lines that Twofold drops" if more else ""
        raise WrongError(f"{'; '.join(faults)}{rest}.")
    buckets = split.train.buckets | split.test.buckets
    if len(buckets) > 1:
        raise WrongError(f"The images are in {len(buckets)} buckets: {name_some(buckets)}.")
    return f"All {split.size} lines are entries, and their images are in one bucket."


def check_partition(split: Split) -> str:
    seen = Counter(entry.source_ref for entry in split.entries())
    repeated = [source_ref for source_ref, times in seen.items() if times > 1]
    if repeated:
        raise WrongError(
            f"{len(repeated)} source-refs are there more than once: {name_some(repeated)}."
        )
    return "No source-ref is there twice, in one manifest or in both."


def check_contents(split: Split) -> str:
    for kind, side in (("train", split.train), ("test", split.test)):
        claims = split.report.raw["datasets"][kind]
        require(claims["entries"], len(side.entries), f"entries of {side.name}")
        require(claims["bytes"], side.bytes, f"bytes of {side.name}")
        require(claims["digest"], f"{side.digest:016x}", f"digest of {side.name}")
    source = split.report.raw["source"]
    total = f"{(split.train.digest + split.test.digest) % (1 << 64):016x}"
    require(source["digest"], total, "digest of the source")
    require(source["entries"], split.size, "entries of the source")
    if "bytes" in source:
        require(source["bytes"], split.train.bytes + split.test.bytes, "bytes of the source")
    return "Entries, bytes and digests are the reported ones; the digests add up to the source's."


def check_count(split: Split) -> str:
    certificate, fraction = split.report.certificate, split.report.fraction
    wanted = rounded_share(split.size, fraction)
    sizes = _group_sizes(split)
    reachable = wanted if sizes is None else nearest_sum(sizes.values(), wanted)
    found = {
        "algorithmVersion": ALGORITHM_VERSION,
        "seed": split.report.seed,
        "fraction": str(fraction),
        "entries": split.size,
        "groups": None if sizes is None else len(sizes),
        "testEntriesWanted": wanted,
        "testEntriesReachable": reachable,
        "testEntriesReached": split.tested,
    }
    require({name: certificate[name] for name in found}, found, "the certificate")
    require(split.tested, reachable, "test entries that can be reached")
    if not 0 < split.tested < split.size:
        raise WrongError(f"{split.tested} of {split.size} entries are tested: a side is empty.")
    share = f"{split.tested} of {split.size} entries are tested: {fraction}, rounded"
    if sizes is None:
        return f"{share} to a whole entry."
    return f"{share}, as nearly as whole groups add up ({wanted} wanted)."


def _group_sizes(split: Split) -> Counter[str | None] | None:
    if split.report.group_by is None:
        return None
    return Counter(entry.group for entry in split.entries())


def check_groups(split: Split) -> str:
    if split.report.group_by is None:
        require("groups" in split.report.raw, False, "a table of groups")
        return "There are none."
    if any(not entry.group for entry in split.entries()):
        raise WrongError("Some entries have no group.")
    sizes = [
        Counter(str(entry.group) for entry in side.entries) for side in (split.train, split.test)
    ]
    divided = sorted(sizes[0].keys() & sizes[1].keys())
    if divided:
        raise WrongError(f"{len(divided)} groups are divided: {name_some(divided)}.")
    train, test = (list(side.values()) for side in sizes)
    table = _table_of_groups(train, test) | {"labelsInOneGroup": _find_confined_labels(split)}
    require(split.report.raw.get("groups"), table, "groups")
    return f"{len(test)} of {len(train) + len(test)} groups are tested, none is on both sides."


def _find_confined_labels(split: Split) -> list[str]:
    """Labels of two images or more that are all in one group; no split of whole groups has them on both sides."""
    images: Counter[str] = Counter()
    groups: dict[str, set[str | None]] = {}
    for entry in split.entries():
        images.update(entry.labels)
        for label in entry.labels:
            groups.setdefault(label, set()).add(entry.group)
    return sorted(label for label, among in groups.items() if len(among) == 1 and images[label] > 1)


def _table_of_groups(train: list[int], test: list[int]) -> dict[str, Any]:
    """From the sizes of the groups of both sides, in classes 1, 2-3, 4-7 and so on."""
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
    if not split.report.coordinated:
        if split.previous:
            raise WrongError("The report names no previous split.")
        require(claimed, None, "the previous split")
        return "None was kept."
    if split.previous is None:
        split.unchecked.append(
            "parameters.previous, previous, certificate.swappedEntries and the order of keys: "
            "name the folder of the previous split with --previous."
        )
        return "Not checked, nor the order: name the folder of the previous split with --previous."
    for side, name in zip(split.previous, ("train", "test"), strict=True):
        digest = split.report.parameters["previous"][f"{name}Digest"]
        require(digest, f"{side.digest:016x}", f"digest of the previous {side.name}")
    found = _compare_sides(split, split.previous)
    require(claimed, found, "the previous split")
    return (
        f"{found['leftTest']} of {found['testEntries']} test entries left the test side, "
        f"{found['enteredTest']} came to it."
    )


def _compare_sides(split: Split, previous: tuple[Any, Any]) -> dict[str, int]:
    trained, tested = ({entry.source_ref for entry in side.entries} for side in previous)
    train, test = (
        {entry.source_ref for entry in side.entries} for side in (split.train, split.test)
    )
    return {
        "testEntries": len(tested & (train | test)),
        "trainEntries": len(trained & (train | test)),
        "newEntries": len((train | test) - tested - trained),
        "leftTest": len(tested & train),
        "enteredTest": len(trained & test),
    }


def name_some(names: Any) -> str:
    """The first few, each cut where it is long."""
    return ", ".join(str(name)[:_MAX_NAME_CHARACTERS] for name in sorted(names)[:_MAX_NAMED])

"""Every check by its name, and those of the files themselves: lines, partition, contents, count, groups, the split before."""

from collections import Counter
from collections.abc import Mapping

from twofold_verify.balance import boxes, labels, optimum, pairs
from twofold_verify.bounds import nearest_sum, rounded_share
from twofold_verify.checking import CheckOf, Split, WrongError, require

_NAMED = 3

NOT_CHECKED = (
    "That no line of the source is missing and that its order was kept: only the report speaks of the source. "
    "Its digest is compared with those of the manifests.",
    "That the same quotas come out again, and a bound that a MILP proved: for that, split the source again "
    "with the report's parameters.",
)


def lines(split: Split) -> str:
    faults = split.train.faults + split.test.faults
    if faults:
        raise WrongError("; ".join(faults) + ".")
    return f"All {split.size} lines are entries."


def partition(split: Split) -> str:
    seen = Counter(entry.source_ref for entry in split.entries())
    twice = [source_ref for source_ref, times in seen.items() if times > 1]
    if twice:
        named = ", ".join(twice[:_NAMED])
        raise WrongError(f"{len(twice)} source-refs are there more than once: {named}.")
    return "No source-ref is there twice, in one manifest or in both."


def contents(split: Split) -> str:
    for kind, side in (("train", split.train), ("test", split.test)):
        claims = split.report.claim("datasets", kind)
        found = {
            "entries": len(side.entries),
            "bytes": side.bytes,
            "digest": f"{side.digest:016x}",
        }
        for member, value in found.items():
            require(claims.get(member), value, f"{member} of {side.name}")
    if "source" not in split.report.raw:
        return "Entries, bytes and digests are the reported ones."
    total = f"{(split.train.digest + split.test.digest) % (1 << 64):016x}"
    require(split.report.claim("source", "digest"), total, "digest of the source")
    return "Entries, bytes and digests are the reported ones; the digests add up to the source's."


def count(split: Split) -> str:
    proof = split.report.claim("certificate")
    wanted = rounded_share(split.size, split.report.fraction)
    require(split.report.number("certificate", "fraction"), split.report.fraction, "fraction")
    require(proof.get("entries"), split.size, "entries")
    require(proof.get("testEntriesWanted"), wanted, "test entries wanted")
    require(proof.get("testEntriesReached"), split.tested, "test entries")
    share = f"{split.tested} of {split.size} entries are tested: {split.report.fraction}, rounded"
    if split.report.group_by is None:
        require(split.tested, wanted, "test entries")
        return f"{share} to a whole entry."
    sizes = Counter(entry.group for entry in split.entries())
    nearest = nearest_sum(sizes.values(), wanted)
    if abs(split.tested - wanted) > abs(nearest - wanted):
        raise WrongError(f"Whole groups add up to {nearest} test entries, nearer to {wanted}.")
    return f"{share}, as nearly as whole groups add up ({wanted} wanted)."


def groups(split: Split) -> str:
    if split.report.group_by is None:
        return "There are none."
    if any(not entry.group for entry in split.entries()):
        raise WrongError("Some entries have no group.")
    train, test = ({entry.group for entry in side.entries} for side in (split.train, split.test))
    divided = sorted(str(group) for group in train & test)
    if divided:
        raise WrongError(f"{len(divided)} groups are divided: {', '.join(divided[:_NAMED])}.")
    return f"{len(test)} of {len(train | test)} groups are tested, none is on both sides."


def previous(split: Split) -> str:
    if not split.report.coordinated:
        if split.previous:
            raise WrongError("The report names no previous split.")
        return "None was kept."
    if split.previous is None:
        return "Not checked, nor the order: name the folder of the previous split with --previous."
    for side, name in zip(split.previous, ("train", "test"), strict=True):
        claimed = split.report.claim("parameters", "previous", f"{name}Digest")
        require(claimed, f"{side.digest:016x}", f"digest of the previous {side.name}")
    trained, tested = ({entry.source_ref for entry in side.entries} for side in split.previous)
    here = [{entry.source_ref for entry in side.entries} for side in (split.train, split.test)]
    found = {
        "testEntries": len(tested & (here[0] | here[1])),
        "trainEntries": len(trained & (here[0] | here[1])),
        "newEntries": len((here[0] | here[1]) - tested - trained),
        "leftTest": len(tested & here[0]),
        "enteredTest": len(trained & here[1]),
    }
    require(split.report.claim("previous"), found, "the previous split")
    return f"{found['leftTest']} of {found['testEntries']} test entries left the test side, {found['enteredTest']} came to it."


CHECKS: Mapping[str, CheckOf] = {
    "lines": lines,
    "partition": partition,
    "contents": contents,
    "count": count,
    "groups": groups,
    "previous": previous,
    "labels": labels,
    "boxes": boxes,
    "optimum": optimum,
    "pairs": pairs,
}

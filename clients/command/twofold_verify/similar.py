"""Checks of file names that several images have, which the report counts by 32-bit hashes."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from twofold_verify.checking import Split, WrongError, require
from twofold_verify.hashes import xxh3_64
from twofold_verify.keys import canonical

_MAX_COPIES = 5
_MAX_EXAMPLES = 20

Copies = dict[int, tuple[list[str], list[str]]]
"""By the hash of a file name the source-refs that have it, in train and in test."""


def check_similar(split: Split) -> str:
    claimed, copies = split.report.raw.get("similarSources"), _find_copies(split)
    if not copies:
        require(claimed, None, "similarSources")
        return "No file name is there two to five times."
    divided = sum(bool(train and test) for train, test in copies.values())
    found = {
        "names": len(copies),
        "entries": sum(len(train) + len(test) for train, test in copies.values()),
        "divided": divided,
        "byChance": round(split.size**2 / 2**33),
    }
    if claimed is None:
        raise WrongError(f"The report has no similarSources, but {len(copies)} file names recur.")
    require({name: claimed[name] for name in found}, found, "similarSources")
    _check_examples(split, claimed["examples"], copies)
    return f"{len(copies)} file names are there two to five times, {divided} of them on both sides."


def _find_copies(split: Split) -> Copies:
    numbers: Counter[int] = Counter()
    hashes: dict[str, int] = {}
    for entry in split.entries():
        name = file_name(entry.source_ref)
        if name not in hashes:
            hashes[name] = xxh3_64(name.encode()) & 0xFFFFFFFF
        numbers[hashes[name]] += 1
    copies: defaultdict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for place, side in enumerate((split.train, split.test)):
        for entry in side.entries:
            number = hashes[file_name(entry.source_ref)]
            if 1 < numbers[number] <= _MAX_COPIES:
                copies[number][place].append(entry.supplied_ref)
    return dict(copies)


def file_name(source_ref: str) -> str:
    """What follows the last slash, or all if nothing does."""
    return source_ref.rpartition("/")[2] or source_ref


def _check_examples(split: Split, examples: list[Mapping[str, Any]], copies: Copies) -> None:
    """Raises WrongError unless each example is true, those on both sides are first, and as many as can be are shown."""
    for example in examples:
        number = xxh3_64(example["name"].encode()) & 0xFFFFFFFF
        train, test = copies.get(number, ([], []))
        found = {"name": example["name"], "train": train, "test": test}
        require(example, found, "examples of similarSources")
    names = [example["name"] for example in examples]
    if len(set(names)) < len(names):
        raise WrongError("An example of similarSources is there twice.")
    divided = [bool(example["train"] and example["test"]) for example in examples]
    require(divided, sorted(divided, reverse=True), "examples of similarSources on both sides")
    _check_choice(split, examples, copies)


def _check_choice(split: Split, examples: list[Mapping[str, Any]], copies: Copies) -> None:
    """Of names with the same hash none is shown, but they count among the first _MAX_EXAMPLES."""
    single = {number: _name_of(sides) for number, sides in copies.items()}
    require(
        [each["name"] in single.values() for each in examples], [True] * len(examples), "examples"
    )
    if split.source is not None:
        place = split.source.places
        order = sorted(
            copies,
            key=lambda number: (
                not all(copies[number]),
                min(place.get(canonical(ref), 0) for side in copies[number] for ref in side),
            ),
        )
        names = [single[number] for number in order[:_MAX_EXAMPLES] if single[number]]
        require([each["name"] for each in examples], names, "examples of similarSources")
        return
    split.unchecked.append(
        "similarSources.examples: which are shown, and their order; name the source with --source."
    )
    clashes = sum(name is None for name in single.values())
    most = min(_MAX_EXAMPLES, len(copies))
    if not most - clashes <= len(examples) <= most:
        raise WrongError(f"There are {len(examples)} examples of similarSources, not {most}.")
    divided = sum(all(each[side] for side in ("train", "test")) for each in examples)
    shown = min(_MAX_EXAMPLES, sum(all(sides) for sides in copies.values()))
    if not shown - clashes <= divided <= shown:
        raise WrongError(f"There are {divided} examples of names on both sides, not {shown}.")


def _name_of(sides: tuple[list[str], list[str]]) -> str | None:
    """The file name that all have; None where two names have the same hash."""
    names = {file_name(source_ref) for side in sides for source_ref in side}
    return names.pop() if len(names) == 1 else None

"""Check of recurring file names; the report counts these by 32-bit hashes."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from twofold_verify.hashes import hash_xxh3_64
from twofold_verify.keys import normalize_source_ref
from twofold_verify.runner import Split, WrongError, require_equal

_MAX_COPIES = 5
_MAX_EXAMPLES = 20

Copies = dict[int, tuple[list[str], list[str]]]
"""Source-refs in the training set and in the test set, by the hash of their file name."""


def check_similar(split: Split) -> str:
    claimed, copies = split.report.raw.get("similarSources"), _find_copies(split)
    if not copies:
        require_equal(claimed, None, "similarSources")
        return "No file name occurs two to five times."
    divided = sum(bool(train and test) for train, test in copies.values())
    expected = {
        "names": len(copies),
        "entries": sum(len(train) + len(test) for train, test in copies.values()),
        "divided": divided,
        "byChance": round(split.size**2 / 2**33),
    }
    if claimed is None:
        raise WrongError(f"The report has no similarSources, but {len(copies)} file names recur.")
    require_equal({name: claimed[name] for name in expected}, expected, "similarSources")
    _check_examples(split, claimed["examples"], copies)
    return f"{len(copies)} file names occur two to five times, {divided} of them on both sides."


def _find_copies(split: Split) -> Copies:
    occurrences: Counter[int] = Counter()
    hashes: dict[str, int] = {}
    for entry in split.iterate_entries():
        name = extract_file_name(entry.source_ref)
        if name not in hashes:
            hashes[name] = hash_xxh3_64(name.encode()) & 0xFFFFFFFF
        occurrences[hashes[name]] += 1
    copies: defaultdict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side_number, side in enumerate((split.train, split.test)):
        for entry in side.entries:
            name_hash = hashes[extract_file_name(entry.source_ref)]
            if 1 < occurrences[name_hash] <= _MAX_COPIES:
                copies[name_hash][side_number].append(entry.supplied_ref)
    return dict(copies)


def extract_file_name(source_ref: str) -> str:
    """Returns the part after the last slash, or the whole source-ref if that part is empty."""
    return source_ref.rpartition("/")[2] or source_ref


def _check_examples(split: Split, examples: list[Mapping[str, Any]], copies: Copies) -> None:
    """Raises WrongError unless the examples are right, divided names come first, and no example is omitted."""
    for example in examples:
        name_hash = hash_xxh3_64(example["name"].encode()) & 0xFFFFFFFF
        train, test = copies.get(name_hash, ([], []))
        expected = {"name": example["name"], "train": train, "test": test}
        require_equal(example, expected, "examples of similarSources")
    names = [example["name"] for example in examples]
    if len(set(names)) < len(names):
        raise WrongError("An example of similarSources occurs twice.")
    divided = [bool(example["train"] and example["test"]) for example in examples]
    require_equal(
        divided, sorted(divided, reverse=True), "examples of similarSources on both sides"
    )
    _check_choice(split, examples, copies)


def _check_choice(split: Split, examples: list[Mapping[str, Any]], copies: Copies) -> None:
    """Raises WrongError for a wrong choice of examples. Names with equal hashes are not shown, but count to _MAX_EXAMPLES."""
    common_names = {number: _find_common_name(sides) for number, sides in copies.items()}
    require_equal(
        [each["name"] in common_names.values() for each in examples],
        [True] * len(examples),
        "examples",
    )
    if split.source is not None:
        line_numbers = split.source.line_numbers
        order = sorted(
            copies,
            key=lambda number: (
                not all(copies[number]),
                min(
                    line_numbers.get(normalize_source_ref(ref), 0)
                    for side in copies[number]
                    for ref in side
                ),
            ),
        )
        names = [common_names[number] for number in order[:_MAX_EXAMPLES] if common_names[number]]
        require_equal([each["name"] for each in examples], names, "examples of similarSources")
        return
    split.unchecked.append(
        "similarSources.examples: the choice of examples and their order; pass the source with --source."
    )
    clashes = sum(name is None for name in common_names.values())
    max_examples = min(_MAX_EXAMPLES, len(copies))
    if not max_examples - clashes <= len(examples) <= max_examples:
        raise WrongError(
            f"There are {len(examples)} examples of similarSources, not {max_examples}."
        )
    divided = sum(all(each[side] for side in ("train", "test")) for each in examples)
    max_divided = min(_MAX_EXAMPLES, sum(all(sides) for sides in copies.values()))
    if not max_divided - clashes <= divided <= max_divided:
        raise WrongError(f"There are {divided} examples of names on both sides, not {max_divided}.")


def _find_common_name(sides: tuple[list[str], list[str]]) -> str | None:
    """Returns the common file name of the source-refs, or None if two names have the same hash."""
    names = {extract_file_name(source_ref) for side in sides for source_ref in side}
    return names.pop() if len(names) == 1 else None

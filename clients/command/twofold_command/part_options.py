"""The parts of `--parts` and `--folds`: names that are safe as file names, and exact fractions."""

import re
from dataclasses import dataclass
from fractions import Fraction

from twofold.split.parts import MAX_PARTS, PartShares

MAX_NAME_CHARACTERS = 50

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{MAX_NAME_CHARACTERS - 1}}}")
_WEIGHT = re.compile(r"([0-9]{1,20})/([0-9]{1,20})|([0-9]{0,20}\.?[0-9]{0,20})(%?)")
_DEVICES = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]", re.IGNORECASE)
"""Names that Windows reserves for devices."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a split: the manifest is `<name>.manifest`."""

    name: str
    fraction: Fraction


def parse_parts(text: str) -> tuple[Part, ...]:
    """Returns the parts of `train=70,val=15,test=15`; the weights add up to 100 or to 1. Raises ValueError."""
    pairs = [item.strip().partition("=") for item in text.split(",")]
    names = [_check_name(name.strip()) for name, _, _ in pairs]
    weights = [_parse_weight(name, weight.strip()) for name, _, weight in pairs]
    repeated = {name for name in names if [each.lower() for each in names].count(name.lower()) > 1}
    if repeated:
        raise ValueError(
            f"{_list(repeated)} occurs twice; file names may not differ in case alone."
        )
    total = sum(weights, Fraction(0))
    if total not in (1, 100):
        raise ValueError(
            f"the parts add up to {_format(total)}; let them add up to 100 or to 1, as train=70,val=15,test=15 does."
        )
    parts = tuple(Part(name, weight / total) for name, weight in zip(names, weights, strict=True))
    PartShares.from_fractions([part.fraction for part in parts])
    return parts


def make_folds(count: int) -> tuple[Part, ...]:
    """Returns the equal parts fold-1, fold-2 and so on."""
    return tuple(Part(f"fold-{number}", Fraction(1, count)) for number in range(1, count + 1))


def get_test_fraction(parts: tuple[Part, ...]) -> Fraction | None:
    """Returns the test fraction of the parts train and test alone, the split into two; None for other parts."""
    if {part.name for part in parts} != {"train", "test"}:
        return None
    return next(part.fraction for part in parts if part.name == "test")


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name) or _DEVICES.fullmatch(name):
        raise ValueError(
            f"{name[:50]!r} is not a name of a part: use 1 to {MAX_NAME_CHARACTERS} letters, digits, '-' and '_', "
            "beginning with a letter or a digit, and no device name such as con."
        )
    return name


def _parse_weight(name: str, text: str) -> Fraction:
    form = _WEIGHT.fullmatch(text)
    weight = None
    if form and form[1] and int(form[2]):
        weight = Fraction(int(form[1]), int(form[2]))
    elif form and form[3] and form[3] != ".":
        weight = Fraction(form[3]) / (100 if form[4] else 1)
    if not weight:
        raise ValueError(
            f"{name}={text[:50]} is not the share of a part; write a positive number, such as {name}=15, 0.15 or 3/20."
        )
    return weight


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _format(total: Fraction) -> str:
    return str(total) if total.denominator == 1 else f"{total} ({float(total):g})"


__all__ = ["MAX_PARTS", "Part", "get_test_fraction", "make_folds", "parse_parts"]

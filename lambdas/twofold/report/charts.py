"""The drawings of the page, as SVG: nothing is fetched, and they print."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from math import log10

from twofold.report.markup import Html, element, joined
from twofold.report.rows import Row
from twofold.report.text import counted, percent, whole

MAX_DOTS = 3_000
_WIDTH, _HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 18, 16, 46
_STEPS = 90
_SMALLEST_HALF = 0.005
_BAR = 1_000
_NAMED = 3


def bar(before: int, test: int, longest: int, fraction: Fraction | None = None) -> Html:
    """Train and test one after the other, to the scale of the longest bar, and where the target would cut."""
    scale = _BAR / max(longest, 1)
    train = (before - test) * scale
    parts = [
        element("rect", class_="train", width=_short(train), height=8),
        element("rect", class_="test", x=_short(train), width=_short(test * scale), height=8),
    ]
    if fraction is not None:
        cut = float(1 - fraction) * before * scale
        parts.append(element("rect", class_="cut", x=_short(cut - 1), y=-2, width=2, height=12))
    return element(
        "svg",
        *parts,
        class_="bar",
        viewBox=f"0 -2 {_BAR} 12",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


@dataclass(slots=True)
class _Dot:
    """Labels with the same counts."""

    row: Row
    labels: list[str] = field(default_factory=list)
    count: int = 0


def funnel(rows: Iterable[Row], fraction: Fraction) -> Html:
    """Each label's test share over its number of images, around the target; and how near whole images can come to it."""
    dots = _dots(rows)
    plane = _plane(dots, float(fraction))
    return element(
        "svg",
        element("path", class_="reach", d=plane.envelope()),
        *plane.grid(),
        element("line", class_="target", x1=_LEFT, x2=_WIDTH - _RIGHT, **plane.level(plane.target)),
        *(_drawn(dot, plane) for dot in dots),
        class_="funnel",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=f"Test share of each label over its images; the target is {percent(fraction, 1)}",
    )


def _dots(rows: Iterable[Row]) -> list[_Dot]:
    found: dict[tuple[int, int], _Dot] = {}
    for row in rows:
        dot = found.setdefault((row.before, row.test), _Dot(row))
        dot.count += 1
        if len(dot.labels) < _NAMED:
            dot.labels.append(row.name)
    return list(islice(found.values(), MAX_DOTS))


def _drawn(dot: _Dot, plane: "_Plane") -> Html:
    row = dot.row
    more = f" and {dot.count - _NAMED} more" if dot.count > _NAMED else ""
    text = (
        f"{', '.join(dot.labels)}{more}: {whole(row.test)} of {counted(row.before, 'image', 'images')} tested, "
        f"{percent(row.test, row.before)}"
    )
    return element(
        "circle",
        element("title", text),
        class_="dot" if row.as_near_as_possible else "dot off",
        cx=_short(plane.x(row.before)),
        cy=_short(plane.y(row.test / row.before)),
        r=_short(min(3.5 + 0.7 * dot.count**0.5, 9)),
    )


def _plane(dots: list[_Dot], target: float) -> "_Plane":
    """As near to the target as all dots allow."""
    images = [dot.row.before for dot in dots] or [1]
    away = [abs(dot.row.test / dot.row.before - target) for dot in dots]
    half = 1.15 * max(*away, _SMALLEST_HALF) if away else target
    least = 10 ** int(log10(min(images)))
    return _Plane(
        target, least, max(*images, 10 * least), max(target - half, 0), min(target + half, 1)
    )


@dataclass(frozen=True, slots=True)
class _Plane:
    """From `least` images, a power of ten, to `most` on a logarithmic scale; shares from `low` to `high`."""

    target: float
    least: int
    most: int
    low: float
    high: float

    def x(self, images: float) -> float:
        span = log10(self.most / self.least)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * log10(images / self.least) / span

    def y(self, share: float) -> float:
        part = (share - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * min(max(part, 0), 1)

    def level(self, share: float) -> dict[str, object]:
        height = _short(self.y(share))
        return {"y1": height, "y2": height}

    def envelope(self) -> str:
        """Where the nearest whole number of images lies."""
        span = self.most / self.least
        images = [self.least * span ** (step / _STEPS) for step in range(_STEPS + 1)]
        over = [(self.x(n), self.y(self.target + 0.5 / n)) for n in images]
        under = [(self.x(n), self.y(self.target - 0.5 / n)) for n in reversed(images)]
        return "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in [*over, *under]) + "Z"

    def grid(self) -> Iterator[Html]:
        floor = _HEIGHT - _BOTTOM
        yield element("line", class_="axis", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=floor, y2=floor)
        for share in (self.low, self.target, self.high):
            label = f"{100 * share:.1f}".rstrip("0").rstrip(".") + " %"
            height = _short(self.y(share) + 4)
            yield element("text", label, x=_LEFT - 8, y=height, text_anchor="end")
        power = self.least
        while power <= self.most:
            place = _short(self.x(power))
            yield element("line", class_="axis", x1=place, x2=place, y1=floor, y2=floor + 5)
            yield element("text", whole(power), x=place, y=floor + 20, text_anchor="middle")
            power *= 10
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        yield element("text", "images of the label", x=middle, y=_HEIGHT - 6, text_anchor="middle")


def groups(sizes: list[dict[str, int]]) -> Html:
    """A bar for each class of group sizes."""
    most = max((one["train"] + one["test"] for one in sizes), default=1)
    return joined(
        element(
            "tr",
            element("th", _span(one["from"], one["to"]), scope="row"),
            element("td", bar(one["train"] + one["test"], one["test"], most), class_="wide"),
            element("td", whole(one["train"]), class_="number"),
            element("td", whole(one["test"]), class_="number"),
        )
        for one in sizes
    )


def _span(first: int, last: int) -> str:
    return whole(first) if first == last else f"{whole(first)} to {whole(last)}"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")

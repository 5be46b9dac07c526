"""Charts of the page, as inline SVG."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from math import log10

from twofold.report.formatting import format_count, format_integer, format_percent
from twofold.report.label_rows import Row
from twofold.report.markup import Html, join, make_element

MAX_DOTS = 3_000
_WIDTH, _HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 18, 16, 46
_STEPS = 90
_SMALLEST_HALF = 0.005
_BAR = 1_000
_NAMED = 3


def draw_bar(before: int, test: int, longest: int, fraction: Fraction | None = None) -> Html:
    """A bar of training images, then test images, to the scale of the longest bar, with a mark at the target."""
    scale = _BAR / max(longest, 1)
    train = (before - test) * scale
    parts = [
        make_element("rect", class_="train", width=_format_coordinate(train), height=8),
        make_element(
            "rect",
            class_="test",
            x=_format_coordinate(train),
            width=_format_coordinate(test * scale),
            height=8,
        ),
    ]
    if fraction is not None:
        cut = float(1 - fraction) * before * scale
        parts.append(
            make_element(
                "rect", class_="cut", x=_format_coordinate(cut - 1), y=-2, width=2, height=12
            )
        )
    return make_element(
        "svg",
        *parts,
        class_="bar",
        viewBox=f"0 -2 {_BAR} 12",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


@dataclass(slots=True)
class _Dot:
    """Labels with equal counts."""

    row: Row
    labels: list[str] = field(default_factory=list)
    count: int = 0


def draw_funnel(rows: Iterable[Row], fraction: Fraction) -> Html:
    """A dot for each label: test share over number of images, with the funnel of shares within half an image of the target."""
    dots = _collect_dots(rows)
    plane = _fit_plane(dots, float(fraction))
    return make_element(
        "svg",
        make_element("path", class_="reach", d=plane.draw_envelope()),
        *plane.draw_grid(),
        make_element(
            "line",
            class_="target",
            x1=_LEFT,
            x2=_WIDTH - _RIGHT,
            **plane.compute_level(plane.target),
        ),
        *(_draw_dot(dot, plane) for dot in dots),
        class_="funnel",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=f"Test share of each label over its images; the target is {format_percent(fraction, 1)}",
    )


def _collect_dots(rows: Iterable[Row]) -> list[_Dot]:
    dots: dict[tuple[int, int], _Dot] = {}
    for row in rows:
        dot = dots.setdefault((row.before, row.test), _Dot(row))
        dot.count += 1
        if len(dot.labels) < _NAMED:
            dot.labels.append(row.name)
    return list(islice(dots.values(), MAX_DOTS))


def _draw_dot(dot: _Dot, plane: "_Plane") -> Html:
    row = dot.row
    more = f" and {dot.count - _NAMED} more" if dot.count > _NAMED else ""
    text = (
        f"{', '.join(dot.labels)}{more}: {format_integer(row.test)} of {format_count(row.before, 'image', 'images')} "
        f"in the test set, {format_percent(row.test, row.before)}"
    )
    return make_element(
        "circle",
        make_element("title", text),
        class_="dot" if row.is_nearest else "dot off",
        cx=_format_coordinate(plane.compute_x(row.before)),
        cy=_format_coordinate(plane.compute_y(row.test / row.before)),
        r=_format_coordinate(min(3.5 + 0.7 * dot.count**0.5, 9)),
    )


def _fit_plane(dots: list[_Dot], target: float) -> "_Plane":
    """The plane around the target with all dots inside."""
    images = [dot.row.before for dot in dots] or [1]
    distances = [abs(dot.row.test / dot.row.before - target) for dot in dots]
    half = 1.15 * max(*distances, _SMALLEST_HALF) if distances else target
    least = 10 ** int(log10(min(images)))
    return _Plane(
        target, least, max(*images, 10 * least), max(target - half, 0), min(target + half, 1)
    )


@dataclass(frozen=True, slots=True)
class _Plane:
    """Axes: images from `least`, a power of ten, to `most`, logarithmic; test shares from `low` to `high`, linear."""

    target: float
    least: int
    most: int
    low: float
    high: float

    def compute_x(self, images: float) -> float:
        span = log10(self.most / self.least)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * log10(images / self.least) / span

    def compute_y(self, share: float) -> float:
        part = (share - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * min(max(part, 0), 1)

    def compute_level(self, share: float) -> dict[str, object]:
        height = _format_coordinate(self.compute_y(share))
        return {"y1": height, "y2": height}

    def draw_envelope(self) -> str:
        """The path around the shares that are half an image or less from the target."""
        span = self.most / self.least
        images = [self.least * span ** (step / _STEPS) for step in range(_STEPS + 1)]
        upper = [(self.compute_x(n), self.compute_y(self.target + 0.5 / n)) for n in images]
        lower = [
            (self.compute_x(n), self.compute_y(self.target - 0.5 / n)) for n in reversed(images)
        ]
        return (
            "M"
            + "L".join(
                f"{_format_coordinate(x)} {_format_coordinate(y)}" for x, y in [*upper, *lower]
            )
            + "Z"
        )

    def draw_grid(self) -> Iterator[Html]:
        floor = _HEIGHT - _BOTTOM
        yield make_element("line", class_="axis", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=floor, y2=floor)
        for share in (self.low, self.target, self.high):
            label = f"{100 * share:.1f}".rstrip("0").rstrip(".") + " %"
            height = _format_coordinate(self.compute_y(share) + 4)
            yield make_element("text", label, x=_LEFT - 8, y=height, text_anchor="end")
        power = self.least
        while power <= self.most:
            x = _format_coordinate(self.compute_x(power))
            yield make_element("line", class_="axis", x1=x, x2=x, y1=floor, y2=floor + 5)
            yield make_element(
                "text", format_integer(power), x=x, y=floor + 20, text_anchor="middle"
            )
            power *= 10
        center = (_LEFT + _WIDTH - _RIGHT) / 2
        yield make_element(
            "text", "images of the label", x=center, y=_HEIGHT - 6, text_anchor="middle"
        )


def draw_group_rows(sizes: list[dict[str, int]]) -> Html:
    """A table row with a bar for each class of group sizes."""
    most = max((size_class["train"] + size_class["test"] for size_class in sizes), default=1)
    return join(
        make_element(
            "tr",
            make_element("th", _format_range(size_class["from"], size_class["to"]), scope="row"),
            make_element(
                "td",
                draw_bar(size_class["train"] + size_class["test"], size_class["test"], most),
                class_="wide",
            ),
            make_element("td", format_integer(size_class["train"]), class_="number"),
            make_element("td", format_integer(size_class["test"]), class_="number"),
        )
        for size_class in sizes
    )


def _format_range(first: int, last: int) -> str:
    return (
        format_integer(first)
        if first == last
        else f"{format_integer(first)} to {format_integer(last)}"
    )


def _format_coordinate(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")

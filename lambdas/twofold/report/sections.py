"""The parts of the page that every report has: the outcome, the warnings, the labels."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from twofold.report.charts import bar, funnel
from twofold.report.markup import Html, element, joined
from twofold.report.rows import Row, all_rows
from twofold.report.text import counted, decimal, name, percent, signed, whole
from twofold.report.warnings import MAX_NAMED

OPEN_ROWS = 25

Report = dict[str, Any]


def section(title: str, *children: str, id_: str) -> Html:
    heading = element("h2", title, id=f"{id_}-heading")
    return element("section", heading, *children, id=id_, aria_labelledby=f"{id_}-heading")


def columns(*names: str) -> Html:
    """The first is of names, the others of numbers."""
    first, *others = names
    heads = [element("th", first, scope="col")]
    heads += [element("th", each, scope="col", class_="number") for each in others]
    return element("thead", element("tr", *heads))


def scrolled(table: Html, label: str) -> Html:
    """A table that is too wide for a phone scrolls by itself; the page does not."""
    return element("div", table, class_="scroll", tabindex=0, role="region", aria_label=label)


def outcome(report: Report, rows: Sequence[Row]) -> Html:
    """What one wants to know in the first five seconds."""
    proof = report["certificate"]
    entries, test = proof["entries"], proof["testEntriesReached"]
    shares = element(
        "div",
        _side("train", "Train", entries - test, entries),
        _side("test", "Test", test, entries),
        class_="sides",
    )
    drawn = bar(entries, test, entries, Fraction(proof["fraction"]))
    tiles = element("dl", *_tiles(report, rows), class_="tiles")
    return element("div", shares, drawn, _verdict(proof), tiles, class_="outcome")


def _side(class_: str, title: str, count: int, entries: int) -> Html:
    return element(
        "p",
        element("span", title, class_="title"),
        " ",
        element("strong", whole(count)),
        " ",
        element("span", percent(count, entries), class_="share"),
        class_=class_,
    )


def _verdict(proof: dict[str, Any]) -> Html:
    deviation = Fraction(proof["deviation"])
    total = f"All labels together are {_images(deviation)} away from their exact shares"
    if not deviation:
        total = "Every label has its exact share"
    if proof["optimal"]:
        text = f"{total}. No split of this size can be nearer."
        return element("p", element("b", "Proven best"), " ", text, class_="verdict proven")
    text = f"{total}. No split of this size can be nearer than {_images(Fraction(proof['lowerBound']))}."
    near = f"Within {_images(Fraction(proof['gap']))} of the best possible"
    return element("p", element("b", near), " ", text, class_="verdict open")


def _images(number: Fraction) -> str:
    text = decimal(number)
    return f"{text} {'image' if text == '1' else 'images'}"


def _tiles(report: Report, rows: Sequence[Row]) -> Iterator[Html]:
    labels = len(report["labels"])
    missing = {*report["labelsMissingInTest"], *report["labelsMissingInTrain"]}
    yield _tile("Labels on both sides", whole(labels - len(missing)), f"of {whole(labels)}")
    if rows:
        worst = rows[0]
        where = joined(["images: ", element("bdi", worst.name)])
        yield _tile("Furthest from its share", decimal(worst.deviation), where)
    if "groups" in report:
        groups = report["groups"]
        told = f"of {counted(groups['groups'], 'group', 'groups')}, none divided"
        yield _tile("Groups tested", whole(groups["testGroups"]), told)
    if "previous" in report:
        kept = report["previous"]["testEntries"] - report["previous"]["leftTest"]
        told = f"of {counted(report['previous']['testEntries'], 'test entry', 'test entries')} of the previous split"
        yield _tile("Tested again", whole(kept), told)
    if "boxDeviation" in report:
        off = decimal(Fraction(report["boxDeviation"]))
        yield _tile("Boxes off by", off, "in all, over all labels")
    swapped = report["certificate"]["swappedEntries"]
    yield _tile("Swapped for balance", whole(swapped), "of the test entries")
    count = len(report["warnings"])
    yield _tile("To look at", whole(count), "below" if count else "nothing stands out")


def _tile(title: str, value: str, note: str) -> Html:
    return element(
        "div",
        element("dt", title),
        element("dd", element("strong", value), " ", element("span", note)),
    )


def warned(report: Report) -> Iterator[Html]:
    if report["warnings"]:
        items = [_warning(one) for one in report["warnings"]]
        yield section("Worth a look", element("ul", *items, class_="warnings"), id_="warnings")


def _warning(one: dict[str, Any]) -> Html:
    level = element("b", "Warning" if one["level"] == "warning" else "Note", class_="level")
    text = [level, " ", element("span", one["message"])]
    labels = one.get("labels", [])
    if labels:
        more = one["count"] - len(labels)
        names = [element("li", element("bdi", name(label))) for label in labels]
        if more > 0:
            names.append(element("li", f"and {whole(more)} more"))
        text.append(element("ul", *names, class_="names", title=f"The first {MAX_NAMED}"))
    return element("li", *text, class_=one["level"])


def shares(report: Report) -> Html:
    fraction = Fraction(report["certificate"]["fraction"])
    return section(
        "Share of each label",
        element(
            "p",
            "A dot is a label, or several with the same counts. The line is the target; the shaded funnel is as near to it as "
            "whole images can be, so a label with few images may stand far from the line and still have its best share.",
        ),
        funnel(all_rows(report), fraction),
        id_="shares",
    )


def labels(report: Report, rows: Sequence[Row]) -> Html:
    """The first OPEN_ROWS in a table, the others folded away; a script makes one table of them, to search and sort."""
    fraction = Fraction(report["certificate"]["fraction"])
    longest = max((row.before for row in rows), default=1)
    drawn = [_label_row(row, longest, fraction) for row in rows]
    boxes = ("Boxes", "In test") if "boxDeviation" in report else ()
    heads = columns("Label", "Images", "Train", "Test", "Test share", "Off by", *boxes)
    table = element(
        "table", heads, element("tbody", *drawn[:OPEN_ROWS]), class_="labels", id="label-table"
    )
    parts = [_label_words(report, rows), scrolled(table, "Table of labels")]
    if len(drawn) > OPEN_ROWS:
        rest = element("table", heads, element("tbody", *drawn[OPEN_ROWS:]), class_="labels")
        summary = element("summary", f"{whole(len(drawn) - OPEN_ROWS)} more, nearer to their share")
        parts.append(element("details", summary, scrolled(rest, "More labels"), id="more-labels"))
    return section("Labels", *parts, id_="labels")


def _label_words(report: Report, rows: Sequence[Row]) -> Html:
    every = len(report["labels"]) + bool(report["unlabelled"]["before"])
    text = (
        "The furthest from its share comes first. A bar is a label before the split; its colours are the two sides after it, "
        "and the mark is where the target would divide it."
    )
    if every > len(rows):
        text += f" These are the first {whole(len(rows))} of {whole(every)}; report.json has all of them."
    return element("p", text)


def _label_row(row: Row, longest: int, fraction: Fraction) -> Html:
    title = element("bdi" if row.is_label else "i", row.name)
    share = row.test / row.before
    return element(
        "tr",
        element("th", title, bar(row.before, row.test, longest, fraction), scope="row"),
        *(_number(whole(number), number) for number in (row.before, row.train, row.test)),
        _number(percent(row.test, row.before), f"{share:.6f}"),
        _number(
            signed(row.deviation),
            f"{float(abs(row.deviation)):.6f}",
            "number" if row.as_near_as_possible else "number off",
        ),
        *_boxes(row),
    )


def _boxes(row: Row) -> Iterator[Html]:
    if row.boxes is not None:
        total, tested = row.boxes
        yield _number(whole(total), total)
        share = f", {percent(tested, total)}" if total else ""
        yield _number(f"{whole(tested)}{share}", tested)


def _number(text: str, value: object, class_: str = "number") -> Html:
    return element("td", text, class_=class_, data_value=value)


def rows_of(pairs: Sequence[dict[str, Any]], fraction: Fraction) -> Html:
    """Pairs of labels, as rows of a table."""
    return joined(
        element(
            "tr",
            element("th", *_both(pair["labels"]), scope="row"),
            _number(whole(pair["before"]), pair["before"]),
            _number(whole(pair["test"]), pair["test"]),
            _number(percent(pair["test"], pair["before"]), pair["share"]),
            _number(signed(pair["test"] - fraction * pair["before"]), pair["deviation"]),
        )
        for pair in pairs
    )


def _both(labels: Sequence[str]) -> Iterator[Html]:
    first, second = (element("bdi", name(label)) for label in labels)
    yield joined([first, " + ", second])

"""The parts of the page that go deeper: pairs of labels, groups, dropped lines, how to make the split again."""

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from twofold.escaping import make_printable
from twofold.report.charts import groups as group_rows
from twofold.report.markup import Html, element
from twofold.report.sections import Report, columns, rows_of, scrolled, section
from twofold.report.similar import MAX_COPIES
from twofold.report.text import bytes_of, counted, name, percent, whole

DROPPED_SHOWN = 50
_LEVELS = 10


def together(report: Report) -> Iterator[Html]:
    found = report.get("coOccurrence")
    if not found or not found["pairs"]:
        return
    fraction = Fraction(report["certificate"]["fraction"])
    heads = columns("Labels", "Images", "Test", "Test share", "Off by")
    common = element("table", heads, element("tbody", rows_of(found["mostFrequent"], fraction)))
    furthest = element("table", heads, element("tbody", rows_of(found["furthest"], fraction)))
    yield section(
        "Labels that occur together",
        element("p", _pairs_told(report)),
        scrolled(_matrix(found["matrix"]), "Matrix of labels that occur together"),
        _folded(f"The {len(found['mostFrequent'])} most frequent pairs", common),
        _folded(f"The {len(found['furthest'])} pairs furthest from their share", furthest),
        id_="together",
    )


def _pairs_told(report: Report) -> str:
    found = report["coOccurrence"]
    return (
        f"{counted(found['pairs'], 'pair', 'pairs')} of labels occur together, counted among the "
        f"{counted(found['labels'], 'most frequent label', 'most frequent labels')}. In a row: of the label's images, the "
        "percentage that also have the label of the column. The split keeps pairs near their share where that costs no label."
    )


def _matrix(matrix: dict[str, Any]) -> Html:
    names = [name(label) for label in matrix["labels"]]
    numbered = [element("th", str(i), scope="col", title=label) for i, label in enumerate(names, 1)]
    head = element("thead", element("tr", element("th", "Label", scope="col"), *numbered))
    body = [
        element(
            "tr",
            element("th", f"{i + 1} ", element("bdi", label), scope="row"),
            *(_cell(counts, i, j, names) for j in range(len(names))),
        )
        for i, (label, counts) in enumerate(zip(names, matrix["images"], strict=True))
    ]
    return element("table", head, element("tbody", *body), class_="matrix")


def _cell(counts: list[int], row: int, column: int, names: list[str]) -> Html:
    if row == column:
        return element("td", "·", class_="self")
    both, own = counts[column], counts[row]
    share = 100 * both // own
    text = f"{names[row]}: {whole(both)} of {counted(own, 'image', 'images')} with {names[column]}"
    shown = "" if not both else str(share) if share else "<1"
    return element(
        "td", shown, title=text, class_=f"l{-(-both * _LEVELS // own)}" if both else None
    )


def _folded(title: str, table: Html) -> Html:
    return element("details", element("summary", title), scrolled(table, title))


def groups(report: Report) -> Iterator[Html]:
    found = report.get("groups")
    if not found:
        return
    told = (
        f"{counted(found['groups'], 'group', 'groups')} by {make_printable(report['parameters'].get('groupBy', 'group'))}; "
        f"{whole(found['testGroups'])} of them are tested, none is on both sides. The largest has "
        f"{counted(found['largestGroup'], 'entry', 'entries')}."
    )
    heads = columns("Entries in the group", "Both", "Train", "Test")
    table = element("table", heads, element("tbody", group_rows(found["sizes"])))
    yield section("Groups", element("p", told), scrolled(table, "Groups by size"), id_="groups")


def similar(report: Report) -> Iterator[Html]:
    found = report.get("similarSources")
    if not found or not found["examples"]:
        return
    rows = [
        element(
            "tr",
            element("th", element("bdi", name(one["name"])), scope="row"),
            *(element("td", *_lines_of(one[side])) for side in ("train", "test")),
        )
        for one in found["examples"]
    ]
    told = (
        f"{counted(found['names'], 'file name', 'file names')} in two to {MAX_COPIES} folders each, "
        f"{whole(found['divided'])} of them on both sides. These are {whole(len(rows))}, those on both sides first."
    )
    if found["byChance"]:
        told += f" Names are counted by hashes; about {whole(found['byChance'])} of them differ in truth."
    table = element(
        "table", _heads("File name", "Train", "Test"), element("tbody", *rows), class_="sources"
    )
    yield section(
        "The same file name in several folders",
        element("p", told),
        scrolled(table, "Table of file names"),
        id_="similar",
    )


def _lines_of(sources: list[str]) -> Iterator[Html]:
    return (element("div", element("bdi", name(source))) for source in sources)


def _heads(*names: str) -> Html:
    return element("thead", element("tr", *(element("th", each, scope="col") for each in names)))


def dropped(report: Report) -> Iterator[Html]:
    found = report.get("dropped")
    if not found or not found["lines"]:
        return
    rows = [
        element(
            "tr",
            element("th", whole(one["line"]), scope="row"),
            element("td", element("code", one["reason"])),
            element("td", name(one["detail"])),
        )
        for one in found["reasons"][:DROPPED_SHOWN]
    ]
    told = f"{counted(found['lines'], 'line is', 'lines are')} in neither dataset."
    if found["lines"] > len(rows):
        told += f" These are the first {whole(len(rows))}."
    table = element("table", _heads("Line", "Reason", "Detail"), element("tbody", *rows))
    yield section(
        "Dropped lines",
        element("p", told),
        scrolled(table, "Table of dropped lines"),
        id_="dropped",
    )


def again(report: Report) -> Html:
    """What a reader needs to make the split again, and to check it."""
    return section(
        "Make it again, and check it",
        element("pre", element("code", _commands(report)), tabindex=0),
        element("dl", *_facts(report), class_="facts"),
        id_="again",
    )


def _commands(report: Report) -> str:
    asked = report["parameters"]
    source = report.get("source", {}).get("manifest", "all.manifest")
    manifest = make_printable(source.rpartition("/")[2] if "project" in report else source)
    command = ["twofold", "split", manifest, "-o", "again"]
    command += ["--test-fraction", asked["testFraction"], "--seed", str(asked["seed"])]
    if "groupBy" in asked:
        command += ["--group-by", make_printable(asked["groupBy"])]
    if "objective" in asked:
        command += ["--objective", asked["objective"]]
    if "previous" in asked:
        command += ["--previous", "the-previous-split"]
    return f"{shlex.join(command)}\ntwofold verify again"


def _facts(report: Report) -> Iterator[Html]:
    proof = report["certificate"]
    yield _fact("Test fraction", f"{proof['fraction']} ({percent(Fraction(proof['fraction']), 1)})")
    yield _fact("Seed", str(proof["seed"]))
    yield _fact("Twofold, algorithm", f"{report['twofold']}, {proof['algorithmVersion']}")
    yield _fact("Proof", proof["proof"])
    for key, title in (("operation", "Operation"), ("project", "Project"), ("created", "Begun")):
        if key in report:
            yield _fact(
                title,
                _moment(report[key]) if key == "created" else make_printable(str(report[key])),
            )
    sides = dict(report.get("datasets", {}))
    if "source" in report:
        sides["source"] = report["source"]
    for side, one in sides.items():
        size = f", {bytes_of(one['bytes'])}" if "bytes" in one else ""
        entries = counted(one["entries"], "entry", "entries")
        told = f"{make_printable(one['manifest'])}: {entries}{size}, digest {one['digest']}"
        yield _fact(side.capitalize(), told)


def _fact(title: str, value: str) -> Html:
    return element("div", element("dt", title), element("dd", value))


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

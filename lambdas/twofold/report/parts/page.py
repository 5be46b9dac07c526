"""The sections of the page of a split into parts: a column for each part."""

import heapq
import shlex
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from twofold.escaping import make_printable
from twofold.report.details import render_dropped_lines, render_fact
from twofold.report.formatting import (
    format_bytes,
    format_count,
    format_decimal,
    format_integer,
    format_name,
    format_percent,
)
from twofold.report.label_rows import MAX_ROWS, NO_LABEL
from twofold.report.markup import Html, make_element
from twofold.report.sections import (
    OPEN_ROWS,
    render_section,
    render_tile,
    render_verdict,
    render_warnings,
)
from twofold.report.tables import render_columns, render_number, render_scrollable

Report = dict[str, Any]


def render_parts(report: Report) -> Iterator[Html]:
    """The sections of the page, in order."""
    yield _render_outcome(report)
    yield from render_warnings(report)
    yield _render_parts_table(report)
    yield _render_labels(report)
    yield from _render_groups(report)
    yield from render_dropped_lines(report)
    yield _render_reproduction(report)


def describe_parts(report: Report) -> str:
    """The number of entries of each part."""
    reached = report["certificate"]["entriesReached"]
    return ", ".join(
        f"{format_integer(count)} {name}"
        for name, count in zip(_list_names(report), reached, strict=True)
    )


def _list_names(report: Report) -> list[str]:
    return [make_printable(part["name"]) for part in report["parameters"]["parts"]]


def _list_fractions(report: Report) -> list[Fraction]:
    return [Fraction(part["fraction"]) for part in report["parameters"]["parts"]]


def _render_outcome(report: Report) -> Html:
    certificate = report["certificate"]
    labels = len(report["labels"])
    missing = {label for labels in report["labelsMissing"].values() for label in labels}
    tiles = [
        render_tile("Parts", format_integer(len(_list_names(report))), "chosen jointly"),
        render_tile(
            "Labels in every part",
            format_integer(labels - len(missing)),
            f"of {format_integer(labels)}",
        ),
        render_tile("Moved for balance", format_integer(certificate["movedEntries"]), "entries"),
        render_tile("To review", format_integer(len(report["warnings"])), "warnings and notes"),
    ]
    if "groups" in report:
        note = "none divided"
        tiles.insert(2, render_tile("Groups", format_integer(report["groups"]["groups"]), note))
    return make_element(
        "div",
        render_verdict(certificate),
        make_element("dl", *tiles, class_="tiles"),
        class_="outcome",
    )


def _render_parts_table(report: Report) -> Html:
    certificate = report["certificate"]
    names, fractions = _list_names(report), _list_fractions(report)
    head = render_columns("Part", "Share", "Wanted", "Entries", "Of all", "Labels missing")
    rows = [
        make_element(
            "tr",
            make_element("th", name, scope="row"),
            render_number(str(fractions[number]), float(fractions[number])),
            *(
                render_number(format_integer(counts[number]), counts[number])
                for counts in (certificate["entriesWanted"], certificate["entriesReached"])
            ),
            render_number(
                format_percent(certificate["entriesReached"][number], certificate["entries"]),
                certificate["entriesReached"][number],
            ),
            render_number(format_integer(len(missing)), len(missing)),
        )
        for number, (name, missing) in enumerate(
            zip(names, report["labelsMissing"].values(), strict=True)
        )
    ]
    table = make_element("table", head, make_element("tbody", *rows))
    return render_section("Parts", render_scrollable(table, "Table of parts"), id_="parts")


def _render_labels(report: Report) -> Html:
    rows = list(report["labels"])
    if report["unlabelled"]["before"]:
        rows.append({"label": None, **report["unlabelled"]})
    shown = heapq.nsmallest(
        MAX_ROWS, rows, key=lambda row: (-Fraction(row["deviation"]), -row["before"])
    )
    fractions = _list_fractions(report)
    text = "The label furthest from its shares comes first. A part has the number of images; its tooltip has the share."
    if len(rows) > len(shown):
        text += (
            f" The table has the first {format_integer(len(shown))} of {format_integer(len(rows))}; "
            "report.json has all of them."
        )
    head = render_columns("Label", "Images", *_list_names(report), "Off by")
    tables = [shown[:OPEN_ROWS], shown[OPEN_ROWS:]]
    first, more = (
        make_element(
            "table",
            head,
            make_element("tbody", *(_render_label_row(row, fractions) for row in rows_shown)),
            class_="labels",
        )
        for rows_shown in tables
    )
    parts = [make_element("p", text), render_scrollable(first, "Table of labels")]
    if tables[1]:
        summary = make_element(
            "summary", f"{format_integer(len(tables[1]))} more, nearer to their shares"
        )
        parts.append(make_element("details", summary, render_scrollable(more, "More labels")))
    return render_section("Labels", *parts, id_="labels")


def _render_label_row(row: dict[str, Any], fractions: Sequence[Fraction]) -> Html:
    is_label = row["label"] is not None
    name = format_name(row["label"]) if is_label else NO_LABEL
    deviation = Fraction(row["deviation"])
    cells = [
        make_element(
            "td",
            format_integer(count),
            class_="number",
            title=f"share: {format_decimal(fraction * row['before'])}",
        )
        for count, fraction in zip(row["parts"], fractions, strict=True)
    ]
    return make_element(
        "tr",
        make_element("th", make_element("bdi" if is_label else "i", name), scope="row"),
        render_number(format_integer(row["before"]), row["before"]),
        *cells,
        render_number(format_decimal(deviation), f"{float(deviation):.6f}"),
    )


def _render_groups(report: Report) -> Iterator[Html]:
    groups = report.get("groups")
    if not groups:
        return
    group_by = make_printable(report["parameters"].get("groupBy", "group"))
    text = (
        f"{format_count(groups['groups'], 'group', 'groups')} by {group_by}, each whole in one part. "
        f"The largest has {format_count(groups['largestGroup'], 'entry', 'entries')}."
    )
    if groups.get("ungrouped"):
        entries = format_count(groups["ungrouped"], "entry", "entries")
        text += f" {entries} without a key, each a group of its own."
    rows = [
        make_element(
            "tr",
            make_element(
                "th", f"{format_integer(row['from'])} to {format_integer(row['to'])}", scope="row"
            ),
            *(render_number(format_integer(count), count) for count in row["parts"]),
        )
        for row in groups["sizes"]
    ]
    head = render_columns("Entries in the group", *_list_names(report))
    table = make_element("table", head, make_element("tbody", *rows))
    yield render_section(
        "Groups", make_element("p", text), render_scrollable(table, "Groups by size"), id_="groups"
    )


def _render_reproduction(report: Report) -> Html:
    return render_section(
        "Reproduce and verify",
        make_element("pre", make_element("code", _format_commands(report)), tabindex=0),
        make_element("dl", *_render_facts(report), class_="facts"),
        id_="again",
    )


def _format_commands(report: Report) -> str:
    parameters = report["parameters"]
    command = ["twofold", "split", make_printable(report["source"]["manifest"]), "-o", "again"]
    count = len(parameters["parts"])
    folds = [{"name": f"fold-{i}", "fraction": f"1/{count}"} for i in range(1, count + 1)]
    if parameters["parts"] == folds:
        command += ["--folds", str(count)]
    else:
        parts = [
            f"{make_printable(part['name'])}={part['fraction']}" for part in parameters["parts"]
        ]
        command += ["--parts", ",".join(parts)]
    command += ["--seed", str(parameters["seed"])]
    if "groupBy" in parameters:
        command += ["--group-by", make_printable(parameters["groupBy"])]
    if "ungrouped" in parameters:
        command += ["--ungrouped", parameters["ungrouped"]]
    return f"{shlex.join(command)}\ntwofold verify again"


def _render_facts(report: Report) -> Iterator[Html]:
    certificate = report["certificate"]
    yield render_fact("Seed", str(certificate["seed"]))
    yield render_fact(
        "Twofold, algorithm", f"{report['twofold']}, parts {certificate['algorithmVersion']}"
    )
    yield render_fact("Proof", certificate["proof"])
    for name, dataset in {**report["datasets"], "source": report["source"]}.items():
        size = f", {format_bytes(dataset['bytes'])}" if "bytes" in dataset else ""
        entries = format_count(dataset["entries"], "entry", "entries")
        text = f"{make_printable(dataset['manifest'])}: {entries}{size}, digest {dataset['digest']}"
        yield render_fact(make_printable(name), text)

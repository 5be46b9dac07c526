"""Sections of the page on details: pairs of labels, groups, dropped lines, and how to reproduce the split."""

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from twofold.escaping import make_printable
from twofold.report.charts import draw_group_rows
from twofold.report.formatting import (
    format_bytes,
    format_count,
    format_decimal,
    format_integer,
    format_name,
    format_percent,
)
from twofold.report.markup import Html, make_element
from twofold.report.sections import (
    Report,
    render_section,
)
from twofold.report.similar_sources import MAX_COPIES
from twofold.report.tables import render_columns, render_pair_rows, render_scrollable

DROPPED_SHOWN = 50
_LEVELS = 10


def render_pairs(report: Report) -> Iterator[Html]:
    pairs = report.get("coOccurrence")
    if not pairs or not pairs["pairs"]:
        return
    fraction = Fraction(report["certificate"]["fraction"])
    head = render_columns("Labels", "Images", "Test", "Test share", "Off by")
    common = make_element(
        "table", head, make_element("tbody", render_pair_rows(pairs["mostFrequent"], fraction))
    )
    furthest = make_element(
        "table", head, make_element("tbody", render_pair_rows(pairs["furthest"], fraction))
    )
    yield render_section(
        "Labels that occur together",
        make_element("p", _describe_pairs(pairs)),
        render_scrollable(_render_matrix(pairs["matrix"]), "Matrix of labels that occur together"),
        render_details(f"The {len(pairs['mostFrequent'])} most frequent pairs", common),
        render_details(f"The {len(pairs['furthest'])} pairs furthest from their share", furthest),
        id_="together",
    )


def _describe_pairs(pairs: dict[str, Any]) -> str:
    return (
        f"{format_count(pairs['pairs'], 'pair', 'pairs')} of labels occur together, counted among the "
        f"{format_count(pairs['labels'], 'most frequent label', 'most frequent labels')}. A cell is the "
        "percentage of the row label's images that also have the column label. The split keeps pairs near their share where "
        "that costs no label."
    )


def _render_matrix(matrix: dict[str, Any]) -> Html:
    names = [format_name(label) for label in matrix["labels"]]
    numbered = [
        make_element("th", str(i), scope="col", title=label) for i, label in enumerate(names, 1)
    ]
    head = make_element(
        "thead", make_element("tr", make_element("th", "Label", scope="col"), *numbered)
    )
    body = [
        make_element(
            "tr",
            make_element("th", f"{i + 1} ", make_element("bdi", label), scope="row"),
            *(_render_cell(counts, i, j, names) for j in range(len(names))),
        )
        for i, (label, counts) in enumerate(zip(names, matrix["images"], strict=True))
    ]
    return make_element("table", head, make_element("tbody", *body), class_="matrix")


def _render_cell(counts: list[int], row: int, column: int, names: list[str]) -> Html:
    if row == column:
        return make_element("td", "·", class_="self")
    shared, images = counts[column], counts[row]
    share = 100 * shared // images
    text = f"{names[row]}: {format_integer(shared)} of {format_count(images, 'image', 'images')} with {names[column]}"
    shown = "" if not shared else str(share) if share else "<1"
    return make_element(
        "td", shown, title=text, class_=f"l{-(-shared * _LEVELS // images)}" if shared else None
    )


def render_details(title: str, table: Html) -> Html:
    return make_element("details", make_element("summary", title), render_scrollable(table, title))


def render_groups(report: Report) -> Iterator[Html]:
    groups = report.get("groups")
    if not groups:
        return
    group_by = make_printable(report["parameters"].get("groupBy", "group"))
    text = (
        f"{format_count(groups['groups'], 'group', 'groups')} by {group_by}; "
        f"{format_integer(groups['testGroups'])} of them are in the test set, none is on both sides. The largest has "
        f"{format_count(groups['largestGroup'], 'entry', 'entries')}."
    )
    if groups.get("ungrouped"):
        entries = format_count(groups["ungrouped"], "entry", "entries")
        text += f" {entries} without a key, each a group of its own."
    head = render_columns("Entries in the group", "Both", "Train", "Test")
    table = make_element("table", head, make_element("tbody", draw_group_rows(groups["sizes"])))
    yield render_section(
        "Groups", make_element("p", text), render_scrollable(table, "Groups by size"), id_="groups"
    )


def render_similar_sources(report: Report) -> Iterator[Html]:
    similar = report.get("similarSources")
    if not similar or not similar["examples"]:
        return
    rows = [
        make_element(
            "tr",
            make_element("th", make_element("bdi", format_name(example["name"])), scope="row"),
            *(make_element("td", *_render_lines(example[side])) for side in ("train", "test")),
        )
        for example in similar["examples"]
    ]
    text = (
        f"{format_count(similar['names'], 'file name', 'file names')} in two to {MAX_COPIES} folders each, "
        f"{format_integer(similar['divided'])} of them on both sides. "
        f"The table has {format_integer(len(rows))}, those on both sides first."
    )
    if similar["byChance"]:
        by_chance = format_integer(similar["byChance"])
        text += f" Names are counted by hashes; about {by_chance} of them are different names with equal hashes."
    table = make_element(
        "table",
        _render_heads("File name", "Train", "Test"),
        make_element("tbody", *rows),
        class_="sources",
    )
    yield render_section(
        "The same file name in several folders",
        make_element("p", text),
        render_scrollable(table, "Table of file names"),
        id_="similar",
    )


def _render_lines(sources: list[str]) -> Iterator[Html]:
    return (make_element("div", make_element("bdi", format_name(source))) for source in sources)


def _render_heads(*names: str) -> Html:
    return make_element(
        "thead", make_element("tr", *(make_element("th", column, scope="col") for column in names))
    )


def render_dropped_lines(report: Report) -> Iterator[Html]:
    dropped = report.get("dropped")
    if not dropped or not dropped["lines"]:
        return
    rows = [
        make_element(
            "tr",
            make_element("th", format_integer(reason["line"]), scope="row"),
            make_element("td", make_element("code", reason["reason"])),
            make_element("td", format_name(reason["detail"])),
        )
        for reason in dropped["reasons"][:DROPPED_SHOWN]
    ]
    text = f"{format_count(dropped['lines'], 'line is', 'lines are')} in neither dataset."
    if dropped["lines"] > len(rows):
        text += f" The table has the first {format_integer(len(rows))}."
    table = make_element(
        "table", _render_heads("Line", "Reason", "Detail"), make_element("tbody", *rows)
    )
    yield render_section(
        "Dropped lines",
        make_element("p", text),
        render_scrollable(table, "Table of dropped lines"),
        id_="dropped",
    )


def render_reproduction(report: Report) -> Html:
    """Commands to reproduce and verify the split, with parameters, proof and digests."""
    return render_section(
        "Reproduce and verify",
        make_element("pre", make_element("code", _format_commands(report)), tabindex=0),
        make_element("dl", *_render_facts(report), class_="facts"),
        id_="again",
    )


def _format_commands(report: Report) -> str:
    parameters = report["parameters"]
    source = report.get("source", {})
    name = source.get("manifest", "all.manifest")
    manifest = make_printable(name.rpartition("/")[2] if "project" in report else name)
    # With KeepTest the source is two manifests, which the user joins.
    manifest = "test-and-train.manifest" if "testManifest" in source else manifest
    command = ["twofold", "split", manifest, "-o", "again"]
    command += ["--test-fraction", parameters["testFraction"], "--seed", str(parameters["seed"])]
    if "groupBy" in parameters:
        command += ["--group-by", make_printable(parameters["groupBy"])]
    if "ungrouped" in parameters:
        command += ["--ungrouped", parameters["ungrouped"]]
    if "balanceBy" in parameters:
        command += ["--balance-by", make_printable(",".join(parameters["balanceBy"]))]
    if "minPerLabel" in parameters:
        command += ["--min-per-label", str(parameters["minPerLabel"])]
    if "objective" in parameters:
        command += ["--objective", parameters["objective"]]
    if "previous" in parameters:
        command += ["--previous", "the-previous-split"]
    return f"{shlex.join(command)}\ntwofold verify again"


def _render_facts(report: Report) -> Iterator[Html]:
    certificate = report["certificate"]
    yield render_fact(
        "Test fraction",
        f"{certificate['fraction']} ({format_percent(Fraction(certificate['fraction']), 1)})",
    )
    yield render_fact("Seed", str(certificate["seed"]))
    yield render_fact(
        "Twofold, algorithm", f"{report['twofold']}, {certificate['algorithmVersion']}"
    )
    yield render_fact("Proof", certificate["proof"])
    if "dualBound" in certificate and certificate["proof"] != "integrality floor":
        yield render_fact("Checkable lower bound", _describe_dual_bound(certificate["dualBound"]))
    for key, title in (("operation", "Operation"), ("project", "Project"), ("created", "Started")):
        if key in report:
            yield render_fact(
                title,
                _format_time(report[key]) if key == "created" else make_printable(str(report[key])),
            )
    datasets = dict(report.get("datasets", {}))
    if "source" in report:
        datasets["source"] = report["source"]
    for side, dataset in datasets.items():
        size = f", {format_bytes(dataset['bytes'])}" if "bytes" in dataset else ""
        entries = format_count(dataset["entries"], "entry", "entries")
        first = f"{dataset['testManifest']}, " if "testManifest" in dataset else ""
        manifests = make_printable(f"{first}{dataset['manifest']}")
        text = f"{manifests}: {entries}{size}, digest {dataset['digest']}"
        yield render_fact(side.capitalize(), text)


def _describe_dual_bound(dual_bound: dict[str, Any]) -> str:
    """The bound that `twofold verify` recomputes, with the number of multipliers other than zero."""
    count = len(dual_bound["labels"]) + bool(dual_bound["unlabelled"]) + bool(dual_bound["entries"])
    bound = format_decimal(Fraction(dual_bound["bound"]))
    source = format_count(count, "multiplier", "multipliers") if count else "whole images alone"
    return f"{bound} images, by {source}"


def render_fact(title: str, value: str) -> Html:
    return make_element("div", make_element("dt", title), make_element("dd", value))


def _format_time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

"""report.html: a self-contained page, rendered from report.json."""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from typing import Any

from twofold.report.details import (
    render_dropped_lines,
    render_groups,
    render_pairs,
    render_reproduction,
    render_similar_sources,
)
from twofold.report.formatting import format_integer, format_name
from twofold.report.label_rows import select_rows
from twofold.report.level_tables import render_coverage, render_levels
from twofold.report.markup import Html, join, make_element
from twofold.report.parts.page import describe_parts, render_parts
from twofold.report.sections import render_labels, render_outcome, render_shares, render_warnings
from twofold.report.warnings import find_warnings


def render_page(report: dict[str, Any]) -> str:
    """The HTML document, bounded in size for any number of labels.

    The page works without the script and fetches nothing: the content security policy allows only the embedded style and
    script.
    """
    sections = render_parts(report) if "format" in report else _render_sections(report)
    main = make_element("main", *sections)
    body = make_element(
        "body", _render_header(report), main, _render_footer(report), _render_script()
    )
    return f"<!doctype html>\n{make_element('html', _render_head(report), body, lang='en')}\n"


def _render_sections(report: dict[str, Any]) -> Iterator[Html]:
    """The sections of a split into train and test."""
    report = {**report, "warnings": report.get("warnings", find_warnings(report))}
    rows = select_rows(report)
    yield from (
        render_outcome(report, rows),
        *render_warnings(report),
        render_shares(report),
        render_labels(report, rows),
        *render_levels(report),
        *render_coverage(report),
        *render_pairs(report),
        *render_groups(report),
        *render_similar_sources(report),
        *render_dropped_lines(report),
        render_reproduction(report),
    )


def _render_head(report: dict[str, Any]) -> Html:
    style, script = _read_asset("page.css"), _read_asset("page.js")
    sources = f"style-src {_hash_source(style)}; script-src {_hash_source(script)}"
    policy = f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"
    return make_element(
        "head",
        make_element("meta", charset="utf-8"),
        make_element("meta", http_equiv="Content-Security-Policy", content=policy),
        make_element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        make_element("meta", name="color-scheme", content="light dark"),
        make_element("title", _format_title(report)),
        make_element("style", style),
    )


def _render_script() -> Html:
    return make_element("script", _read_asset("page.js"))


def _read_asset(file: str) -> Html:
    """The text of a style or a script of this package, without a closing tag."""
    return Html((files("twofold.report") / file).read_text(encoding="utf-8"))


def _hash_source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _format_title(report: dict[str, Any]) -> str:
    if "format" in report:
        return f"{_format_subject(report)}: {describe_parts(report)}"
    certificate = report["certificate"]
    test = certificate["testEntriesReached"]
    return f"{_format_subject(report)}: {format_integer(certificate['entries'] - test)} train, {format_integer(test)} test"


def _format_subject(report: dict[str, Any]) -> str:
    """The name of the project, or else of the manifest: manifests of the service have no meaningful names."""
    return format_name(report.get("project") or report.get("source", {}).get("manifest") or "Split")


def _render_header(report: dict[str, Any]) -> Html:
    entries = format_integer(report["certificate"]["entries"])
    labels_ = format_integer(len(report["labels"]))
    heading = make_element("h1", make_element("bdi", _format_subject(report)))
    into = describe_parts(report) if "format" in report else "train and test"
    text = f"{entries} entries with {labels_} labels, split into {into}"
    if report.get("dryRun"):
        text = f"Dry run: nothing was moved. {text}, as it would be"
    return make_element("header", heading, make_element("p", text))


def _render_footer(report: dict[str, Any]) -> Html:
    return make_element(
        "footer",
        make_element(
            "p",
            join(
                [f"Twofold {report['twofold']}. The numbers are in report.json beside this page."]
            ),
        ),
    )

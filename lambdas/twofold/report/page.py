"""report.html: one page that needs nothing but itself, made from report.json."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Any

from twofold.report.details import again, dropped, groups, similar, together
from twofold.report.markup import Html, element, joined
from twofold.report.rows import shown_rows
from twofold.report.sections import labels, outcome, shares, warned
from twofold.report.text import name, whole
from twofold.report.warnings import warnings


def page(report: dict[str, Any]) -> str:
    """The whole document; its size is bounded whatever the number of labels. Works without its script, and fetches nothing:
    its policy allows no more than its own style and script.
    """
    report = {**report, "warnings": report.get("warnings", warnings(report))}
    rows = shown_rows(report)
    main = element(
        "main",
        outcome(report, rows),
        *warned(report),
        shares(report),
        labels(report, rows),
        *together(report),
        *groups(report),
        *similar(report),
        *dropped(report),
        again(report),
    )
    body = element("body", _header(report), main, _footer(report), _script())
    return f"<!doctype html>\n{element('html', _head(report), body, lang='en')}\n"


def _head(report: dict[str, Any]) -> Html:
    style, script = _asset("page.css"), _asset("page.js")
    own = f"style-src {_allowed(style)}; script-src {_allowed(script)}"
    policy = f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", _title(report)),
        element("style", style),
    )


def _script() -> Html:
    return element("script", _asset("page.js"))


def _asset(file: str) -> Html:
    """Ours, and free of what would end its element."""
    return Html((files("twofold.report") / file).read_text(encoding="utf-8"))


def _allowed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _title(report: dict[str, Any]) -> str:
    proof = report["certificate"]
    test = proof["testEntriesReached"]
    return f"{_subject(report)}: {whole(proof['entries'] - test)} train, {whole(test)} test"


def _subject(report: dict[str, Any]) -> str:
    """The service's manifests have names that say nothing; its projects' say what it is about."""
    return name(report.get("project") or report.get("source", {}).get("manifest") or "Split")


def _header(report: dict[str, Any]) -> Html:
    entries = whole(report["certificate"]["entries"])
    labels_ = whole(len(report["labels"]))
    heading = element("h1", element("bdi", _subject(report)))
    told = f"{entries} entries with {labels_} labels, split into train and test"
    if report.get("dryRun"):
        told = f"Dry run: nothing was moved. {told}, as it would be"
    return element("header", heading, element("p", told))


def _footer(report: dict[str, Any]) -> Html:
    return element(
        "footer",
        element(
            "p",
            joined(
                [
                    f"Twofold {report['twofold']}. The numbers are those of report.json beside this page."
                ]
            ),
        ),
    )

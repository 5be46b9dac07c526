"""The report of a split: the contents (report.json) and the page (report.html). Pure.

Read the contents first: label_pairs, document, similar_sources, warnings. Then the page: formatting, markup, label_rows,
charts, tables, sections, level_tables and details (parts of the page), page. `parts` has the contents and the sections of
a split into parts.
"""

from twofold.report.document import build_dataset_report, build_split_report
from twofold.report.page import render_page
from twofold.report.similar_sources import find_similar_sources
from twofold.report.warnings import find_warnings

__all__ = [
    "build_dataset_report",
    "build_split_report",
    "find_similar_sources",
    "find_warnings",
    "render_page",
]

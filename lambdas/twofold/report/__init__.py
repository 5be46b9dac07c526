"""The report of a split: what it says (report.json) and how it is shown (report.html). Pure."""

from twofold.report.document import dataset_report, split_report
from twofold.report.page import page
from twofold.report.similar import similar_sources
from twofold.report.warnings import warnings

__all__ = ["dataset_report", "page", "similar_sources", "split_report", "warnings"]

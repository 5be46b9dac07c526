"""The report of a split into parts: document (report.json), warnings, page."""

from twofold.report.parts.document import FORMAT, build_parts_report
from twofold.report.parts.warnings import find_parts_warnings

__all__ = ["FORMAT", "build_parts_report", "find_parts_warnings"]

"""All checks by name, in the order of the output, and the files and claims that no check covers."""

from collections.abc import Mapping

from twofold_verify.balance_checks import check_boxes, check_labels
from twofold_verify.coverage_checks import check_coverage
from twofold_verify.file_checks import (
    check_contents,
    check_count,
    check_groups,
    check_lines,
    check_partition,
    check_previous,
)
from twofold_verify.label_pairs import check_pairs
from twofold_verify.level_checks import check_levels
from twofold_verify.optimum_check import check_optimum
from twofold_verify.order import check_order
from twofold_verify.report_warnings import check_warnings
from twofold_verify.runner import CheckFunction
from twofold_verify.similar_sources import check_similar
from twofold_verify.source_checks import check_dropped, check_source

CHECKS: Mapping[str, CheckFunction] = {
    "lines": check_lines,
    "partition": check_partition,
    "contents": check_contents,
    "source": check_source,
    "dropped": check_dropped,
    "count": check_count,
    "groups": check_groups,
    "previous": check_previous,
    "labels": check_labels,
    "coverage": check_coverage,
    "levels": check_levels,
    "boxes": check_boxes,
    "optimum": check_optimum,
    "pairs": check_pairs,
    "order": check_order,
    "similar": check_similar,
    "warnings": check_warnings,
}

NOT_CHECKED = (
    "report.html, which is rendered from report.json: `twofold report DIR -o DIR` renders it again.",
    "Reproducibility: split the source again with the report's parameters, and compare.",
)

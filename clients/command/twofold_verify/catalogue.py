"""Every check by its name, in the order in which they are told; and what none of them sees."""

from collections.abc import Mapping

from twofold_verify.balance import check_boxes, check_labels, check_optimum
from twofold_verify.checking import CheckOf
from twofold_verify.checks import (
    check_contents,
    check_count,
    check_groups,
    check_lines,
    check_partition,
    check_previous,
)
from twofold_verify.conservation import check_dropped, check_source
from twofold_verify.notices import check_warnings
from twofold_verify.order import check_order
from twofold_verify.similar import check_similar
from twofold_verify.together import check_pairs

CHECKS: Mapping[str, CheckOf] = {
    "lines": check_lines,
    "partition": check_partition,
    "contents": check_contents,
    "source": check_source,
    "dropped": check_dropped,
    "count": check_count,
    "groups": check_groups,
    "previous": check_previous,
    "labels": check_labels,
    "boxes": check_boxes,
    "optimum": check_optimum,
    "pairs": check_pairs,
    "order": check_order,
    "similar": check_similar,
    "warnings": check_warnings,
}

NOT_CHECKED = (
    "report.html, which is made from report.json: `twofold report DIR -o DIR` makes it again.",
    "That the same allocation comes out again: split the source again with the report's parameters.",
)

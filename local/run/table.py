"""The table of labels in the terminal output of `make run`."""

from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from twofold.report.formatting import format_decimal
from twofold.report.label_rows import Row
from twofold_command.summary import (
    TABLE_COLUMNS,
    build_total_row,
    build_unlabelled_row,
    rank_labels,
    render_cells,
)

MAX_ROWS = 25


def draw_label_table(report: dict[str, Any]) -> Table:
    """Return a table with a row for each label, the largest deviations first and in bold.

    With more than MAX_ROWS labels, one row summarizes the labels with the smallest deviations.
    """
    table = Table(box=box.SIMPLE_HEAD, show_footer=True)
    for column, footer in zip(TABLE_COLUMNS, _draw_cells(build_total_row(report)), strict=True):
        justify = "left" if column == TABLE_COLUMNS[0] else "right"
        table.add_column(column, footer=footer, justify=justify, overflow="fold")  # type: ignore[arg-type]
    rows = rank_labels(report)
    largest = abs(rows[0].deviation) if rows else 0
    for row in rows[:MAX_ROWS]:
        style = "bold yellow" if largest and abs(row.deviation) == largest else None
        table.add_row(*_draw_cells(row), style=style)
    hidden = rows[MAX_ROWS:]
    if hidden:
        bound = f"at most {format_decimal(abs(hidden[0].deviation))}"
        table.add_row(f"{len(hidden)} more labels", "", "", "", "", bound, style="dim")
    unlabelled = build_unlabelled_row(report)
    if unlabelled:
        table.add_row(*_draw_cells(unlabelled))
    return table


def _draw_cells(row: Row) -> list[Text]:
    """Return the cells as rich texts, in which markup is not interpreted."""
    return [Text(cell) for cell in render_cells(row)]

"""Rows of Markdown tables."""


def render_header(*cells: str) -> str:
    return "\n".join([render_row(*cells), render_row("---", *(["---:"] * (len(cells) - 1)))])


def render_row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"

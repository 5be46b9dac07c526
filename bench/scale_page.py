"""The section on the data path in docs/performance.md, and its plot."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.page_sections import describe_measurement, replace_section

BEGIN, END = "<!-- data path: python -m bench scale -->", "<!-- end of data path -->"


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a tool: wall and processor seconds, and bytes of the largest process.

    `split` is the seconds of Twofold for a manifest with an index.
    """

    entries: int
    name: str
    seconds: float
    processor: float
    peak: int
    worker_peak: int | None
    split: float | None


def select_fastest(runs: Iterable[Run]) -> list[Run]:
    """The fastest run of each size and tool, in order of appearance."""
    fastest: dict[tuple[int, str], Run] = {}
    for run in runs:
        key = (run.entries, run.name)
        if key not in fastest or run.seconds < fastest[key].seconds:
            fastest[key] = run
    return list(fastest.values())


def put_section(path: Path, runs: Sequence[Run]) -> None:
    """Replace the section of the page, or create the page."""
    if not path.exists():
        path.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    replace_section(path, BEGIN, END, "\n".join(render_section(select_fastest(runs))))


def render_section(runs: Sequence[Run]) -> Iterator[str]:
    yield f"{describe_measurement()}\n"
    yield "| Entries | | Seconds | Times `shuf` | Processor seconds | Largest process, MB |"
    yield "| ---: | --- | ---: | ---: | ---: | ---: |"
    shuffled = {run.entries: run.seconds for run in runs if run.name == "shuf"}
    for run in runs:
        yield _render_row(run, run.name, run.seconds, f"{run.processor:.1f}", run.peak, shuffled)
        if run.split is not None:
            name = f"{run.name}, once indexed; a worker's memory"
            yield _render_row(run, name, run.split, "", run.worker_peak or 0, shuffled)


def _render_row(
    run: Run, name: str, seconds: float, processor: str, peak: int, shuffled: dict[int, float]
) -> str:
    ratio = f"{seconds / shuffled[run.entries]:.2f}" if run.entries in shuffled else ""
    size = f"{peak / 1e6:.0f}"
    return f"| {run.entries:,} | {name} | {seconds:.2f} | {ratio} | {processor} | {size} |"


def plot(path: Path, runs: Sequence[Run]) -> None:
    """Time and memory against entries, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "twofold"
    from matplotlib import pyplot

    figure, (time, memory) = pyplot.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for axes, title, unit in ((time, "Seconds", 1), (memory, "Largest process, MB", 1e6)):
        for name in dict.fromkeys(run.name for run in runs):
            own = [run for run in select_fastest(runs) if run.name == name]
            values = [(run.seconds if axes is time else run.peak) / unit for run in own]
            width = 2.5 if name == "Twofold" else 1.2
            axes.plot([run.entries for run in own], values, "o-", label=name, linewidth=width)
        axes.set(xscale="log", yscale="log", xlabel="Entries", title=title)
        axes.grid(alpha=0.3)
    workers = [run for run in select_fastest(runs) if run.worker_peak]
    memory.plot(
        [run.entries for run in workers],
        [(run.worker_peak or 0) / 1e6 for run in workers],
        "o--",
        color="C0",
        label="Twofold, a worker",
    )
    memory.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)

"""Measures on which a peer is better than Twofold."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import isclose
from typing import NamedTuple

from bench.compare import Result
from bench.divisions import DIVISIONS
from bench.methods import METHODS
from bench.worker import Run

_MEASURES = {
    "misplaced": "size error",
    "worst": "worst",
    "total": "total",
    "relative": "splitkit's cost",
}
_TOLERANCE = 1e-6
"""Relative: sums of floating-point numbers in another order differ by less."""


class Defeat(NamedTuple):
    """A cell where the best peer is better than Twofold, as text."""

    dataset: str
    division: str
    measure: str
    twofold: str
    peer: str
    value: str
    reason: str


def list_defeats(results: Sequence[Result]) -> Iterator[Defeat]:
    """The measures of each dataset and division on which a peer is better than Twofold.

    In data with groups (where Twofold ran by group), only peers with whole groups count.
    """
    for (dataset, division), cell in groupby(
        results, lambda result: (result.dataset, result.division)
    ):
        runs = {result.method: result.run for result in cell if result.run}
        grouped = "twofold-grouped" in runs
        ours = runs.get("twofold-grouped" if grouped else "twofold")
        peers = {
            key: run
            for key, run in runs.items()
            if METHODS[key].package != "twofold" and (METHODS[key].grouped or not grouped)
        }
        for attribute, measure in _MEASURES.items() if ours and peers else ():
            key = min(peers, key=lambda key: getattr(peers[key], attribute))
            value, best = getattr(ours, attribute), getattr(peers[key], attribute)
            if ours and best < value - _TOLERANCE * abs(value):
                yield Defeat(
                    dataset,
                    DIVISIONS[division].title,
                    measure,
                    f"{value:.4g}",
                    METHODS[key].title,
                    f"{best:.4g}",
                    _explain(attribute, ours, peers[key]),
                )


def _explain(attribute: str, ours: Run, peer: Run) -> str:
    excess = peer.misplaced - ours.misplaced
    sizes = f"; its sizes are off by {_count_entries(peer.misplaced)}" if excess > 0 else ""
    if peer.total > ours.total and not isclose(peer.total, ours.total):
        aim = "the worst label" if attribute == "worst" else "rare labels"
        return f"better for {aim}, with a total of {peer.total:,.1f} (Twofold: {ours.total:,.1f}){sizes}"
    if attribute == "misplaced":
        return "the sizes of groups do not add up for Twofold's parts"
    if isclose(peer.total, ours.total):
        return f"equal total; Twofold does not choose by this measure{sizes}"
    if excess > 0:
        return f"total of {peer.total:,.1f}{sizes}"
    return "Twofold does not reach the optimum"


def _count_entries(count: int) -> str:
    return f"{count:,} entries" if count > 1 else "1 entry"

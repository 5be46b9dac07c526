"""The protocol as TLA+ writes it: its promises hold in every state, and what the service writes is one of its behaviours."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.campaign import schedule
from tests.faults.interrupted import interrupted
from tests.faults.scene import Job, Stage, stage
from tests.faults.test_protocol import claim_of_changed, weaken, weakened
from tests.specification.recording import TableTrace
from tests.specification.tlc import AVAILABLE, BrokenError, check, check_traces, laid_out
from twofold.stores.table import operations, released

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="needs Java")
SEEDS = range(20)


@pytest.fixture(scope="module")
def the_stage() -> Any:
    with stage() as begun:
        yield begun


def test_the_promises_hold_in_every_state(tmp_path: Path) -> None:
    assert check(laid_out(tmp_path), "Check", deadlock=False) > 50_000


@pytest.mark.parametrize(
    ("guard", "promise"),
    [
        ("/\\ datasets[d].status \\in Settled \\union", "Claimed"),
        ("/\\ \\A d \\in ds : datasets[d].contents = IF", "NotLost"),
    ],
)
def test_a_weaker_specification_breaks_a_promise(tmp_path: Path, guard: str, promise: str) -> None:
    specification = laid_out(tmp_path) / "Twofold.tla"
    kept = [line for line in specification.read_text().splitlines() if guard not in line]
    specification.write_text("\n".join(kept))
    with pytest.raises(BrokenError, match=f"Invariant {promise} is violated"):
        check(tmp_path, "Check", deadlock=False)


def traced(the_stage: Stage, seeds: range) -> list[str]:
    """The tables of random schedules, with all their faults."""
    traces: list[TableTrace] = []
    for seed in seeds:
        schedule(the_stage, seed, watch=lambda scene: traces.append(TableTrace.of(scene)))
    return [trace.spelled() for trace in traces]


def test_what_the_service_writes_is_a_behaviour(the_stage: Stage, tmp_path: Path) -> None:
    assert check_traces(tmp_path, traced(the_stage, SEEDS)) > 2 * len(SEEDS)


def interrupted_trace(the_stage: Stage) -> str:
    """Of an update that has read a dataset when another one comes first, and of a distribution that cannot be started."""
    traces: list[TableTrace] = []
    with interrupted(
        the_stage, Job.UPDATE, watch=lambda scene: traces.append(TableTrace.of(scene))
    ) as scene:
        scene.theatre.refusal = "AccessDeniedException"
        scene.do(Job.DISTRIBUTE)
    return traces[0].spelled()


def lose_an_update(patch: pytest.MonkeyPatch) -> None:
    weaken(patch, operations, "_claim", claim_of_changed)


def claim_what_is_busy(patch: pytest.MonkeyPatch) -> None:
    weaken(patch, operations, "_claim", weakened)


def leave_no_note(patch: pytest.MonkeyPatch) -> None:
    """What an operation wrote in vain is nobody's."""
    patch.setattr(
        released,
        "note",
        lambda table, folder, now: table.update(
            "elsewhere", folder, change="SET #Released = :released", values={":released": now}
        ),
    )


def keep_the_operation(patch: pytest.MonkeyPatch) -> None:
    """The datasets settle, and the operation's item stays."""
    patch.setattr(
        operations,
        "_end",
        lambda table, operation: table.update(
            "elsewhere", operation.id, change="SET #Ended = :ended", values={":ended": True}
        ),
    )


@pytest.mark.parametrize(
    "mutation", [lose_an_update, claim_what_is_busy, leave_no_note, keep_the_operation]
)
def test_a_mutated_service_is_refused_by_its_traces(
    the_stage: Stage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mutation: Callable[[pytest.MonkeyPatch], None],
) -> None:
    mutation(monkeypatch)
    trace = interrupted_trace(the_stage)
    with pytest.raises(BrokenError, match="Deadlock reached"):
        check_traces(tmp_path, [trace])


def test_an_interrupted_client_leaves_a_behaviour(the_stage: Stage, tmp_path: Path) -> None:
    assert check_traces(tmp_path, [interrupted_trace(the_stage)]) > 2

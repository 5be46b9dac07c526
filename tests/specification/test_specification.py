"""The protocol in TLA+: the invariants hold in every state, and the recorded writes of the service are a valid behaviour."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.campaign import run_schedule
from tests.faults.interleaving import interrupt_claim
from tests.faults.scenario import Action
from tests.faults.simulated_service import SimulatedService, start_service
from tests.faults.test_protocol import claim_changed_dataset, patch_write, weaken_condition
from tests.specification.recording import TableTrace
from tests.specification.tlc import AVAILABLE, BrokenError, check, check_traces, write_files
from twofold.stores.table import operations, retired

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="needs Java")
SEEDS = range(20, 30)
"""Other seeds than those of tests/faults/test_schedules.py."""


@pytest.fixture(scope="module")
def service() -> Any:
    with start_service() as simulated_service:
        yield simulated_service


def test_the_promises_hold_in_every_state(tmp_path: Path) -> None:
    assert check(write_files(tmp_path), "Check", deadlock=False) > 50_000


@pytest.mark.parametrize(
    ("guard", "promise"),
    [
        ("/\\ datasets[d].status \\in Settled \\union", "Claimed"),
        ("/\\ \\A d \\in ds : datasets[d].contents = IF", "(Apart|NotLost)"),
    ],
)
def test_a_weaker_specification_breaks_a_promise(tmp_path: Path, guard: str, promise: str) -> None:
    specification = write_files(tmp_path) / "Twofold.tla"
    remaining = [line for line in specification.read_text().splitlines() if guard not in line]
    specification.write_text("\n".join(remaining))
    with pytest.raises(BrokenError, match=f"Invariant {promise} is violated"):
        check(tmp_path, "Check", deadlock=False)


def record_trace(service: SimulatedService, seeds: range) -> list[str]:
    """Record the tables of random schedules with faults."""
    traces: list[TableTrace] = []
    for seed in seeds:
        run_schedule(
            service, seed, watch=lambda scenario: traces.append(TableTrace.start(scenario))
        )
    return [trace.format_tables() for trace in traces]


def test_what_the_service_writes_is_a_behaviour(service: SimulatedService, tmp_path: Path) -> None:
    assert check_traces(tmp_path, record_trace(service, SEEDS)) > 2 * len(SEEDS)


def record_interrupted_trace(service: SimulatedService) -> str:
    """Record an update that loses a race with another update, and a distribution whose workflow cannot start."""
    traces: list[TableTrace] = []
    with interrupt_claim(
        service, Action.UPDATE, watch=lambda scenario: traces.append(TableTrace.start(scenario))
    ) as scenario:
        scenario.simulator.start_error = "AccessDeniedException"
        scenario.perform(Action.DISTRIBUTE)
    return traces[0].format_tables()


def lose_an_update(patch: pytest.MonkeyPatch) -> None:
    patch_write(patch, operations, "_build_claim", claim_changed_dataset)


def claim_what_is_busy(patch: pytest.MonkeyPatch) -> None:
    patch_write(patch, operations, "_build_claim", weaken_condition)


def leave_no_note(patch: pytest.MonkeyPatch) -> None:
    """Omit the note of the contents that a failed operation wrote."""
    patch.setattr(
        retired,
        "build_retirement",
        lambda table, folder, now: table.build_update(
            "elsewhere", folder, change="SET #Released = :released", values={":released": now}
        ),
    )


def keep_the_operation(patch: pytest.MonkeyPatch) -> None:
    """Keep the item of an operation whose datasets have settled."""
    patch.setattr(
        operations,
        "_build_operation_delete",
        lambda table, operation: table.build_update(
            "elsewhere", operation.id, change="SET #Ended = :ended", values={":ended": True}
        ),
    )


@pytest.mark.parametrize(
    "mutation", [lose_an_update, claim_what_is_busy, leave_no_note, keep_the_operation]
)
def test_a_mutated_service_is_refused_by_its_traces(
    service: SimulatedService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mutation: Callable[[pytest.MonkeyPatch], None],
) -> None:
    mutation(monkeypatch)
    trace = record_interrupted_trace(service)
    with pytest.raises(BrokenError, match="Deadlock reached"):
        check_traces(tmp_path, [trace])


def test_an_interrupted_client_leaves_a_behaviour(
    service: SimulatedService, tmp_path: Path
) -> None:
    assert check_traces(tmp_path, [record_interrupted_trace(service)]) > 2

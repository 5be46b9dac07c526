"""Replace the worker processes that run the steps of the emulator's workflows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.emulator.fork_server import ForkServer
from local.emulator.server import Emulator
from local.emulator.worker_pool import WorkerPool


@contextmanager
def use_step_workers(emulator: Emulator, setup: Path, size: int) -> Iterator[None]:
    """Run the steps in `size` workers that have run the script `setup`, while the block runs."""
    fork_server = ForkServer(
        emulator.functions.workflow_pool.fork_server.bundle, emulator.log, setup
    )
    with pytest.MonkeyPatch.context() as patch:
        pool = WorkerPool(size, fork_server)
        patch.setattr(emulator.functions, "workflow_pool", pool)
        pool.start()
        yield
        pool.stop()
        fork_server.stop()

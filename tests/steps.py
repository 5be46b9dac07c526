"""Other worker processes for the steps of the running stack's workflows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.forks import ForkServer
from local.pool import Pool
from local.stack import Stack


@contextmanager
def steps_run_by(stack: Stack, setup: Path, size: int) -> Iterator[None]:
    """In the block `size` workers that have run the script `setup` run the steps."""
    forks = ForkServer(stack.functions.steps.forks.bundle, stack.log, setup)
    with pytest.MonkeyPatch.context() as patch:
        pool = Pool(size, forks)
        patch.setattr(stack.functions, "steps", pool)
        pool.start()
        yield
        pool.stop()
        forks.stop()

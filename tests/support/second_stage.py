"""A second stage in the same emulator: the same functions with another table and another bucket."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.emulator.server import Emulator
from twofold.settings import Variable

RESTORED = "twofold-restored"
"""The prefix of these tables and buckets; `python -m tests privileges` treats them as the table and bucket of the stack."""


@contextmanager
def use_stage(emulator: Emulator, table: str, bucket: str, **more: str) -> Iterator[None]:
    """Use a table and a bucket while the block runs. `more` are other variables by their names in `Variable`."""
    before = {f: dict(variables) for f, variables in emulator.functions.environments.items()}
    values = {Variable.TABLE: table, Variable.BUCKET: bucket}
    values |= {Variable[name]: value for name, value in more.items()}
    for variables in emulator.functions.environments.values():
        variables.update({key.value: v for key, v in values.items() if key.value in variables})
    try:
        yield
    finally:
        emulator.functions.environments.update(before)

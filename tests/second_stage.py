"""A second stage in one embedded stack: the same functions, with another table and another bucket behind them."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.stack import Stack
from twofold.settings import Variable

RESTORED = "twofold-restored"
"""Begins the name of each such table and bucket; `make privileges` takes them for those of the stack."""


@contextmanager
def stage_with(stack: Stack, table: str, bucket: str, **more: str) -> Iterator[None]:
    """`more` are variables of the functions by their names in `Variable`."""
    before = {f: dict(variables) for f, variables in stack.functions.environments.items()}
    values = {Variable.TABLE: table, Variable.BUCKET: bucket}
    values |= {Variable[name]: value for name, value in more.items()}
    for variables in stack.functions.environments.values():
        variables.update({key.value: v for key, v in values.items() if key.value in variables})
    try:
        yield
    finally:
        stack.functions.environments.update(before)

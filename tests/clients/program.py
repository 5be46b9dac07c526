"""A client that runs in a process of its own for the length of a test: a line of JSON in, a line of JSON out."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Program:
    process: "subprocess.Popen[str]"

    def ask(self, question: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "The client has died; what it said last is on standard error."
        return json.loads(answer)


@contextmanager
def started(command: Sequence[str], environment: dict[str, str]) -> Iterator[Program]:
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield Program(process)
        finally:
            process.kill()

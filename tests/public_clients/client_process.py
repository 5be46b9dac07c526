"""A client in another process for the duration of a test: one line of JSON for each request and for each result."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ClientProcess:
    process: "subprocess.Popen[str]"

    def call(self, request: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        result = self.process.stdout.readline()
        assert result, "The client has ended; see standard error."
        return json.loads(result)


@contextmanager
def start_client(command: Sequence[str], environment: dict[str, str]) -> Iterator[ClientProcess]:
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield ClientProcess(process)
        finally:
            process.kill()

"""The emulator binds no fixed port, so several can start at the same time."""

from pathlib import Path

from tests.rehearsal.emulator import Emulator

_LISTEN = "0A"
_FIXED_PORTS = range(1024)


def test_the_emulator_binds_no_fixed_port(emulator: Emulator) -> None:
    ports = _list_listening_ports(emulator.process_id)
    assert ports
    assert not ports & set(_FIXED_PORTS)


def _list_listening_ports(process_id: int) -> set[int]:
    """Return the TCP ports on which a process listens, from Linux's /proc."""
    process = Path(f"/proc/{process_id}")
    sockets = {str(descriptor.readlink()) for descriptor in (process / "fd").iterdir()}
    rows = [row.split() for row in (process / "net/tcp").read_text().splitlines()[1:]]
    return {
        int(row[1].split(":")[1], 16)
        for row in rows
        if row[3] == _LISTEN and f"socket:[{row[9]}]" in sockets
    }

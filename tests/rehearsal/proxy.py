"""An HTTPS proxy that connects AWS's host names to the emulator, and refuses every other host.

The CDK CLI, boto3 and the functions use AWS's endpoints, as in an account. The proxy forwards encrypted bytes, so signatures
and `Host` headers reach the emulator unchanged.
"""

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"
AWS_DOMAIN = ".amazonaws.com"
_CHUNK_BYTES = 1 << 16
_IDLE_SECONDS = 600


@contextmanager
def serve_proxy(emulator_port: int) -> Iterator[str]:
    """Run the proxy during the block; yields the URL for HTTPS_PROXY."""
    handler = type("Handler", (_ConnectHandler,), {"emulator_port": emulator_port})
    with _Server((HOST, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_address[1]}"
        server.shutdown()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


class _ConnectHandler(socketserver.StreamRequestHandler):
    emulator_port = 0

    def handle(self) -> None:
        host = self._read_target()
        if not host.endswith(AWS_DOMAIN):
            self.wfile.write(b"HTTP/1.1 403 Only AWS's hosts are emulated\r\n\r\n")
            return
        with suppress(OSError), socket.create_connection((HOST, self.emulator_port)) as emulator:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _forward_bytes(self.connection, emulator)

    def _read_target(self) -> str:
        """Return the host of `CONNECT host:port`; empty for other requests."""
        method, _, target = self.rfile.readline().decode("latin-1").partition(" ")
        while self.rfile.readline().strip():
            pass
        return target.split(":")[0] if method == "CONNECT" else ""


def _forward_bytes(client: socket.socket, emulator: socket.socket) -> None:
    """Copy bytes both ways until one side closes."""
    peers = {client: emulator, emulator: client}
    while readable := select.select(list(peers), [], [], _IDLE_SECONDS)[0]:
        for source in readable:
            data = source.recv(_CHUNK_BYTES)
            if not data:
                return
            peers[source].sendall(data)

"""`python -m tests.local.emulator.plain_moto` serves unpatched moto and prints the port."""

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server


class _Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None:
        pass


def serve_moto() -> None:
    services = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, services, threaded=True, request_handler=_Handler)
    print(server.server_port, flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    serve_moto()

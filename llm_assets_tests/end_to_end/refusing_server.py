"""A server that answers every chat request with the same error."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True)
class RefusingServer:
    """A running server."""

    base_url: str
    bodies: list[bytes] = field(default_factory=list[bytes])
    """What it was sent."""


@contextmanager
def open_refusing_server(status: int, error: dict[str, str]) -> Generator[RefusingServer]:
    """Serve at a free port of the loopback."""
    answer = json.dumps({"error": error}).encode()
    refusing = RefusingServer("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            refusing.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it so
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 100

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that has heard enough hangs up, which is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    refusing.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield refusing
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

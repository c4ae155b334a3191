"""A receiver of events on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Server(ThreadingHTTPServer):
    """A receiver on loopback: `answers` are the statuses of the next posts, then 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.hang_s = 0.0
        self.url = f"http://127.0.0.1:{self.server_port}/events?token=secret"

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.got]


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.server.hang_s)
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            assert self.headers["Content-Type"] == "application/json"
            self.server.got.append((self.headers["Idempotency-Key"], json.loads(body)))
        self.send_response(status)
        if status in (301, 307):
            self.send_header("Location", self.server.url)
        self.end_headers()

    def do_GET(self) -> None:
        self.server.got.append(("GET", {}))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        return None


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Yield a receiver on loopback."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()

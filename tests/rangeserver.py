"""A web server of static files for tests: ranges, versions, and whatever can go wrong with them.

It lists no files. `faults` is asked before each answer: given the request it returns `None`, or what to do instead.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    name: str
    range: str
    headers: dict[str, str]
    query: str = ""

    @property
    def is_data(self) -> bool:
        return "Npix=" in self.name or "appended/" in self.name


@dataclass
class Fault:
    """What to do instead of answering well."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    """Bytes of the body that are sent before the connection is closed."""
    wait_s: float = 0.0
    ignore_range: bool = False
    shift: int = 0
    """By how much the bytes that come are off those that are promised."""
    wrong_range: str = ""
    body: bytes | None = None


@dataclass
class RangeServer:
    """A directory over HTTP."""

    root: Path
    url: str = ""
    requests: list[Asked] = field(default_factory=list)
    n_bytes: int = 0
    faults: Callable[[Asked], Fault | None] = lambda asked: None
    has_etags: bool = True
    has_conditions: bool = True
    login: str = ""

    def forget(self) -> None:
        self.requests.clear()
        self.n_bytes = 0

    @property
    def data_requests(self) -> list[Asked]:
        return [asked for asked in self.requests if asked.is_data]


@contextmanager
def serving(root: Path, *, tls: ssl.SSLContext | None = None) -> Iterator[RangeServer]:
    """Serve a directory on a free port of this machine, over https if a context is given."""
    server = RangeServer(root)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def log_message(self, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            place, _, query = self.path.partition("?")
            name = place.lstrip("/").replace("%3D", "=")
            headers = {key.lower(): value for key, value in self.headers.items()}
            asked = Asked(self.command, name, headers.get("range", ""), headers, query)
            with lock:
                server.requests.append(asked)
                fault = server.faults(asked) or Fault()
            time.sleep(fault.wait_s)
            path = server.root / name
            if fault.status is not None:
                return self._send(fault.status, fault.headers, fault.body or b"no", fault)
            if not path.is_file():
                return self._send(404, {}, b"nothing", fault)
            status = os.stat(path)
            size = status.st_size
            stamp = {"Last-Modified": formatdate(status.st_mtime, usegmt=True), "Accept-Ranges": "bytes"}
            tag = f'"{status.st_mtime_ns:x}-{size:x}"'
            if server.has_etags:
                stamp["ETag"] = tag
            stamp |= fault.headers
            if server.has_conditions:
                if headers.get("if-match", tag) != tag:
                    return self._send(412, {}, b"", fault)
                if headers.get("if-unmodified-since", stamp["Last-Modified"]) != stamp["Last-Modified"]:
                    return self._send(412, {}, b"", fault)
                if headers.get("if-none-match") == tag or headers.get("if-modified-since") == stamp["Last-Modified"]:
                    return self._send(304, stamp, b"", fault)
            found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked.range)
            if not found or fault.ignore_range:
                return self._send(200, stamp, path.read_bytes(), fault)
            start = int(found[1]) if found[1] else max(0, size - int(found[2]))
            stop = min(int(found[2]) + 1, size) if found[1] and found[2] else size
            if start >= size:
                return self._send(416, {"Content-Range": f"bytes */{size}"}, b"", fault)
            stamp["Content-Range"] = fault.wrong_range or f"bytes {start}-{stop - 1}/{size}"
            with path.open("rb") as file:
                file.seek(start + fault.shift)
                return self._send(206, stamp, file.read(stop - start), fault)

        def _send(self, status: int, headers: dict[str, str], body: bytes, fault: Fault) -> None:
            self.send_response(status)
            for key, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "HEAD" or status == 304:
                return
            sent = body if fault.cut_after is None else body[: fault.cut_after]
            with lock:
                server.n_bytes += len(sent)
            self.wfile.write(sent)
            if fault.cut_after is not None:
                self.wfile.flush()
                self.close_connection = True

    connections: list[socket.socket] = []

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
            connection, address = super().get_request()
            connections.append(connection)
            return connection, address

        def handle_error(self, *args: object) -> None:
            pass

    http = Server(("127.0.0.1", 0), Handler)
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{http.server_port}"
    if tls is not None:  # hands are shaken in the thread of the connection
        http.socket = tls.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        for connection in connections:  # who keeps one alive would be answered still
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        thread.join()

"""A server on loopback that fails on purpose, as services and networks do."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import socket
import struct
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np


def fits_bytes(n_bytes: int = 28_800, *, seed: int = 1) -> bytes:
    """Bytes that begin as FITS does."""
    return b"SIMPLE  =                    T" + np.random.default_rng(seed).bytes(n_bytes - 30)


class FaultyServer:
    """Serves `files` by path, and does what `faults[path]` lists, one for each request, before it behaves.

    A fault is: a number (the status), `("cut", n)` (the connection is reset after n bytes of the body), `("short", n)`
    (it is closed properly after n bytes, without a length), `("html",)`, `("wait", seconds)` (status 429 with
    Retry-After), `("hang",)`, `("to", path)` (a redirect), `("swap", bytes)` (the file changes), `("wrong",)` (a byte
    is flipped).
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list] = {}
        self.names: dict[str, str] = {}
        """What it calls files."""
        self.has_validators = True
        self.has_digests = False
        self.pace_s = 0.0
        """Pause between pieces of 4 kB."""
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.is_over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.answer(self)

            def do_POST(self):
                self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.answer(self)

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.httpd = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.httpd.server_address[1]}"
        threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def counts(self) -> Counter:
        return Counter(path for path, _ in self.requests)

    def close(self) -> None:
        self.is_over.set()
        self.httpd.shutdown()
        self.httpd.server_close()

    def answer(self, call) -> None:
        path = call.path
        self.requests.append((path, dict(call.headers.items())))
        faults = self.faults.get(path, [])
        fault = faults.pop(0) if faults else None
        if isinstance(fault, int):
            words = b"out of order"
            call.send_response(fault)
            call.send_header("Content-Length", str(len(words)))
            call.end_headers()
            call.wfile.write(words)
            return
        kind, *given = fault or ("",)
        if kind == "wait":
            call.send_response(429)
            call.send_header("Retry-After", str(given[0]))
            call.send_header("Content-Length", "0")
            call.end_headers()
        elif kind == "to":
            call.send_response(302)
            call.send_header("Location", given[0])
            call.send_header("Content-Length", "0")
            call.end_headers()
        elif kind == "html":
            self._whole(call, b"<!DOCTYPE html><html><body>Please log in</body></html>", "text/html")
        elif kind == "hang":
            self.is_over.wait(30)
        elif kind == "short":
            call.send_response(200)
            call.send_header("Connection", "close")
            call.end_headers()
            call.wfile.write(self.files[path][: given[0]])
            call.close_connection = True
        else:
            if kind == "swap":
                self.files[path] = given[0]
            self._file(call, path, cut=given[0] if kind == "cut" else None, is_wrong=kind == "wrong")

    def _whole(self, call, content: bytes, media_type: str) -> None:
        call.send_response(200)
        call.send_header("Content-Type", media_type)
        call.send_header("Content-Length", str(len(content)))
        call.end_headers()
        call.wfile.write(content)

    def _file(self, call, path: str, *, cut: int | None, is_wrong: bool) -> None:
        content = self.files.get(path)
        if content is None:
            self.faults.setdefault(path, []).insert(0, 404)
            self.requests.pop()
            self.answer(call)
            return
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        start, status = 0, 200
        found = re.fullmatch(r"bytes=(\d+)-", call.headers.get("range", ""))
        if found and call.headers.get("if-range") == tag:
            start, status = int(found[1]), 206
        call.send_response(416 if start >= len(content) else status)
        if start >= len(content):
            call.send_header("Content-Length", "0")
            call.end_headers()
            return
        if status == 206:
            call.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.has_validators:
            call.send_header("ETag", tag)
        if self.has_digests:
            digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
            call.send_header("Repr-Digest", f"sha-256=:{digest}:")
        if path in self.names:
            call.send_header("Content-Disposition", f'attachment; filename="{self.names[path]}"')
        body = content[start:]
        call.send_header("Content-Length", str(len(body)))
        call.end_headers()
        if is_wrong:
            body = body[:-1] + bytes([body[-1] ^ 1])
        self._send(call, body if cut is None else body[:cut])
        if cut is not None:
            call.wfile.flush()
            linger = struct.pack("ii", 1, 0)
            call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            call.close_connection = True

    def _send(self, call, body: bytes) -> None:
        if not self.pace_s:
            call.wfile.write(body)
            return
        for first in range(0, len(body), 4096):
            call.wfile.write(body[first : first + 4096])
            time.sleep(self.pace_s)


@contextlib.contextmanager
def faulty():
    server = FaultyServer()
    try:
        yield server
    finally:
        server.close()

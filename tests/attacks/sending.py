"""How a record's request reaches the server, and what came back."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

BOUNDARY = "----attack-record"


@dataclass(frozen=True)
class Outcome:
    """What came back, if anything."""

    status: int | None
    """HTTP status; None where there was no answer."""
    headers: tuple[tuple[str, str], ...]
    """As they came, names in lower case."""
    body: bytes
    """As it came."""
    seconds: float
    """How long it took."""
    is_closed: bool = False
    """Whether the other end closed the connection."""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


def send(request: Mapping[str, Any], port: int, base_path: str, deadline_s: float) -> Outcome:
    """Send a request of the usual kind."""
    path = base_path + quote(request.get("path", ""), safe="/%:?&=,.;~!$'()*+@\\")
    if request.get("query"):
        path += ("&" if "?" in path else "?") + urlencode([tuple(pair) for pair in request["query"]])
    body, headers = _body(request)
    headers |= request.get("headers", {})
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=deadline_s + 5)
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the answer may come before all is sent
            connection.request(request["method"], path, body, headers)
        answer = connection.getresponse()
        found = tuple((key.lower(), value) for key, value in answer.getheaders())
        return Outcome(answer.status, found, answer.read(), time.monotonic() - start)
    except (http.client.HTTPException, OSError):
        return Outcome(None, (), b"", time.monotonic() - start, is_closed=True)
    finally:
        connection.close()


def _body(request: Mapping[str, Any]) -> tuple[bytes | None, dict[str, str]]:
    if "encode" in request:
        return request["encode"], {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if "files" in request:
        return _multipart(request), {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if "form" in request:
        return urlencode([tuple(pair) for pair in request["form"]]).encode(), {
            "Content-Type": "application/x-www-form-urlencoded"
        }
    body = request.get("body")
    return (body.encode() if isinstance(body, str) else body), {}


def _multipart(request: Mapping[str, Any]) -> bytes:
    parts = []
    for name, value in request.get("form", []):
        parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for file in request["files"]:
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{file["name"]}"; filename="{file["filename"]}"\r\n'
            f"Content-Type: {file['content_type']}\r\n\r\n"
        )
        body = file["body"] if isinstance(file["body"], bytes) else file["body"].encode()
        parts.append(head.encode() + body + b"\r\n")
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def send_raw(script: list[Any], port: int, deadline_s: float) -> Outcome:
    """Send what no HTTP client would: texts, drips, silences, resets."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        received = bytearray()
        for step in script:
            if not _step(sock, step, received):
                break
        is_closed = _listen(sock, received, start + deadline_s)
    status, headers, body = _parsed(bytes(received))
    return Outcome(status, headers, body, time.monotonic() - start, is_closed)


def _step(sock: socket.socket, step: Any, received: bytearray) -> bool:
    """Do one step of a script; false when the other end has closed."""
    try:
        if isinstance(step, str | bytes):
            sock.sendall(step if isinstance(step, bytes) else step.encode("latin-1"))
            return True
        if "drip" in step:
            return _drip(sock, step, received)
        if "hold" in step:
            return not _listen(sock, received, time.monotonic() + step["hold"])
        if "reset" in step:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
            return False
    except OSError:
        return False
    raise AssertionError(f"a script cannot have the step {step}")


def _drip(sock: socket.socket, step: Mapping[str, Any], received: bytearray) -> bool:
    end = time.monotonic() + step["for_s"]
    while time.monotonic() < end:
        sock.sendall(step["drip"].encode("latin-1"))
        if _listen(sock, received, time.monotonic() + step["every_s"]):
            return False
    return True


def _listen(sock: socket.socket, received: bytearray, end: float) -> bool:
    """Take in what comes until a time; true when the other end has closed."""
    while (left := end - time.monotonic()) > 0:
        try:
            sock.settimeout(left)
            piece = sock.recv(1 << 16)
        except TimeoutError:
            return False
        except OSError:
            return True
        if not piece:
            return True
        received += piece
    return False


def _parsed(answer: bytes) -> tuple[int | None, tuple[tuple[str, str], ...], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else None
    pairs = tuple((key.lower(), value.strip()) for key, _, value in (line.partition(":") for line in lines))
    return status, pairs, body

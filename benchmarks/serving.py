"""A real server on loopback, and the leanest client there is for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.processes import cpu_s

__all__ = ["Download", "Server", "download", "request_bytes", "serving", "started", "stop", "upload_bytes", "wait_for"]

HOST = "127.0.0.1"
_START_S, _STOP_S, _SILENCE_S = 60.0, 30.0, 120.0
_PIECE = 1 << 20


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    port: int
    """Where, on loopback."""
    process: subprocess.Popen[bytes]
    """Its first process."""

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def cpu_s(self) -> float:
        """Seconds of CPU that all its processes have taken so far."""
        return cpu_s(self.process.pid)


@dataclass(frozen=True)
class Download:
    """One answer, as it arrived."""

    first_byte_s: float
    """From the request to the first byte behind the header."""
    total_s: float
    """From the request to the last byte."""
    n_bytes: int
    """Of the answer, with what HTTP puts between."""


@contextmanager
def serving(archive: Path, *, cores: str = "", **settings: object) -> Iterator[Server]:
    """`skydex serve` in processes of its own, from its first answer on; on some cores alone, if they are named."""
    pinned = ["taskset", "-c", cores] if cores else []
    server = started([*pinned, sys.executable, "-m", "skydex", "serve", str(archive)], **settings)
    try:
        wait_for(f"{server.url}/availability")
        yield server
    finally:
        stop(server)


def started(command: Sequence[str], **settings: object) -> Server:
    """Start a server, told by `--port` where to listen, and by the environment what else is not as usual."""
    with socket.create_server((HOST, 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**_environment(), **{f"SKYDEX_{key.upper()}": str(value) for key, value in settings.items()}},
    )
    return Server(port, process)


def stop(server: Server) -> None:
    """End a server as an operator would."""
    server.process.send_signal(signal.SIGTERM)
    try:
        server.process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


def wait_for(url: str) -> None:
    """Ask until there is an answer; one that says "busy" is none.

    Raises
    ------
    TimeoutError
        There was none.
    """
    until = time.perf_counter() + _START_S
    while time.perf_counter() < until:
        try:
            urllib.request.urlopen(url, timeout=_SILENCE_S).read()
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
        except OSError:
            time.sleep(0.005)
        else:
            return
    raise TimeoutError(f"{url} does not answer.")


def request_bytes(port: int, path: str, parameters: dict[str, object], *, keep_alive: bool = True) -> bytes:
    """A GET request as it goes over the wire."""
    connection = "keep-alive" if keep_alive else "close"
    head = f"GET {path}?{urlencode(parameters)} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: {connection}\r\n\r\n"
    return head.encode()


def upload_bytes(port: int, path: str, parameters: dict[str, object], files: dict[str, bytes]) -> bytes:
    """A POST of parameters and of tables to be uploaded inline, in VOTable, as it goes over the wire."""
    boundary = "benchmark-of-uploads"
    upload = ";".join(f"{name},param:{name}" for name in files)
    fields = [(f'name="{name}"', str(value).encode()) for name, value in {**parameters, "UPLOAD": upload}.items()]
    fields += [(f'name="{name}"; filename="{name}.vot"', content) for name, content in files.items()]
    start = f"--{boundary}\r\nContent-Disposition: form-data; "
    parts = [start.encode() + facts.encode() + b"\r\n\r\n" + content + b"\r\n" for facts, content in fields]
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n".encode() + body


def download(port: int, path: str, parameters: dict[str, object]) -> Download:
    """Ask on a connection of its own and drop the answer as it comes: what the server needs, and little else.

    Raises
    ------
    RuntimeError
        It is no answer, or it broke off.
    """
    request = request_bytes(port, path, parameters, keep_alive=False)
    with socket.create_connection((HOST, port), timeout=_SILENCE_S) as connection:
        started_at = time.perf_counter()
        connection.sendall(request)
        head = b""
        while not head.partition(b"\r\n\r\n")[2]:
            if not (piece := connection.recv(_PIECE)):
                raise RuntimeError(f"There was no answer to {path}.")
            head += piece
        first_byte_s = time.perf_counter() - started_at
        n_bytes, tail = _drained(connection, head)
        total_s = time.perf_counter() - started_at
    if not head.startswith(b"HTTP/1.1 200") or not (b"content-length" in head[:2000] or tail == b"0\r\n\r\n"):
        raise RuntimeError(f"The answer to {path} is not whole: {head[:200]!r}")
    return Download(first_byte_s, total_s, n_bytes)


def _drained(connection: socket.socket, head: bytes) -> tuple[int, bytes]:
    """Number of bytes up to the end, and the last few of them."""
    buffer = bytearray(_PIECE)
    n_bytes, tail = len(head), head[-5:]
    while n := connection.recv_into(buffer):
        n_bytes += n
        tail = (tail + bytes(buffer[max(0, n - 5) : n]))[-5:]
    return n_bytes, tail


def _environment() -> dict[str, str]:
    """Without settings of the operator of this machine."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("SKYDEX_")}
    return {**plain, "SKYDEX_CACHE_MB": "0"}  # the same questions come again, and each is to be worked out

"""A load generator: as many clients as asked for, each with one kept-alive connection, in a process of its own.

Runs as `python -m benchmarks.load`, told by a pickled `Load` on its input and answering with a pickled `Report`. Every
client asks the next question as soon as it has the answer to the last. An answer counts if it has status 200 and the
bytes of the first answer to the same question; those are handed over for whoever started this to check.
"""

from __future__ import annotations

import asyncio
import itertools
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import uvloop

__all__ = ["Load", "Report", "first_answers", "put_load"]

_MOST_S = 60.0


@dataclass(frozen=True)
class Load:
    """What to ask, how often, by how many."""

    port: int
    """Of a server on loopback."""
    requests: list[bytes]
    """Whole requests; asked in turn."""
    answers: list[bytes]
    """What each must be answered with."""
    n_clients: int
    """Connections."""
    n_requests: int
    """Requests of all clients together."""
    most_s: float = 20.0
    """When to stop, whatever has been asked."""


@dataclass
class Report:
    """What came of it."""

    latencies_s: list[float] = field(default_factory=list)
    """Of good answers, from the request to the last byte."""
    n_bad: int = 0
    """Answers that were none."""
    wall_s: float = 0.0
    """From the first request to the last answer."""
    cpu_s: float = 0.0
    """CPU that this process itself took: what the server had to do without."""
    server_cpu_s: float = 0.0
    """CPU of the server meanwhile, if whoever started this measured it."""


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load, numbers: Iterator[int], report: Report, until: float) -> None:
        self._load, self._numbers, self._report, self._until = load, numbers, report, until
        self._buffer = bytearray()
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        body = whole_body(self._buffer)
        if body is None:
            return
        if self._buffer.startswith(b"HTTP/1.1 200") and body == self._expected:
            self._report.latencies_s.append(time.perf_counter() - self._asked_at)
        else:
            self._report.n_bad += 1
        self._buffer.clear()
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._report.n_bad += 1
            self.done.set_result(None)

    def _ask(self) -> None:
        number = next(self._numbers, None)
        if number is None or time.perf_counter() > self._until:
            self.done.set_result(None)
            self._transport.close()
            return
        which = number % len(self._load.requests)
        self._expected = self._load.answers[which]
        self._asked_at = time.perf_counter()
        self._transport.write(self._load.requests[which])


def whole_body(buffer: bytes | bytearray) -> bytes | None:
    """The body of an HTTP answer, chunked or not, once it is whole."""
    head_end = buffer.find(b"\r\n\r\n") + 4
    if head_end < 4:
        return None
    head = bytes(buffer[:head_end]).lower()
    if b"\r\ncontent-length:" in head:
        length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        return bytes(buffer[head_end : head_end + length]) if len(buffer) >= head_end + length else None
    if not buffer.endswith(b"\r\n0\r\n\r\n"):
        return None
    return b"".join(_chunks(bytes(buffer[head_end:])))


def _chunks(body: bytes) -> Iterator[bytes]:
    at = 0
    while True:
        line_end = body.index(b"\r\n", at)
        size = int(body[at:line_end], 16)
        if not size:
            return
        yield body[line_end + 2 : line_end + 2 + size]
        at = line_end + 4 + size


def first_answers(port: int, requests: list[bytes]) -> list[bytes]:
    """Ask each question once, one after the other, on one connection.

    Raises
    ------
    RuntimeError
        Something else than an answer came.
    """
    answers = []
    with socket.create_connection(("127.0.0.1", port), timeout=_MOST_S) as connection:
        for request in requests:
            connection.sendall(request)
            buffer = bytearray()
            while (body := whole_body(buffer)) is None:
                if not (piece := connection.recv(1 << 20)):
                    raise RuntimeError(f"The connection was closed upon {request!r}.")
                buffer += piece
            if not buffer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"{request!r} was answered with {bytes(buffer[:500])!r}")
            answers.append(body)
    return answers


def put_load(load: Load) -> Report:
    """Put a load on a server from another process.

    Raises
    ------
    RuntimeError
        Any answer was wrong.
    """
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, input=pickle.dumps(load), stdout=subprocess.PIPE, check=True, timeout=2 * _MOST_S)
    report: Report = pickle.loads(done.stdout)
    if report.n_bad:
        raise RuntimeError(f"{report.n_bad} of {report.n_bad + len(report.latencies_s)} answers were wrong.")
    return report


async def _run(load: Load) -> Report:
    report, numbers = Report(), iter(range(load.n_requests))
    started, cpu = time.perf_counter(), time.process_time()
    until = started + min(load.most_s, _MOST_S)
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: _Client(load, numbers, report, until), "127.0.0.1", load.port))[1]
        for _ in itertools.repeat(None, load.n_clients)
    ]
    await asyncio.wait_for(asyncio.gather(*(client.done for client in clients)), 1.5 * _MOST_S)
    report.wall_s, report.cpu_s = time.perf_counter() - started, time.process_time() - cpu
    return report


if __name__ == "__main__":
    from benchmarks.load import Load, Report  # so that both sides pickle the same classes

    asked = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(pickle.dumps(uvloop.run(_run(asked))))

"""A trivial asynchronous query, from the POST that makes and starts it to its result, over one kept-alive connection.

Beside it, what no durable job can do without: the flushes to the disk that lie between the two, one after another, of
a small file in the same place.
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup
from benchmarks.serving import Server, serving
from benchmarks.timing import Work, timed

__all__ = ["TITLE", "measure"]

TITLE = "Asynchronous queries"
_ROUND_TRIP = Budget("<= 50 ms", 0.050)
_N_FLUSHES = 5
"""The job; its result, the name of that, and of the directory that it is in; and that the job is completed."""
_N_RUNS = 9
_A_FEW = 5
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def measure(setup: Setup) -> Iterator[Finding]:
    """The round trip, beside the flushes and beside the same query without a job."""
    holdings = Holdings(setup)
    query = urlencode({"LANG": "ADQL", "QUERY": f"SELECT TOP 1 * FROM {holdings.sources()}"})
    with serving(holdings.directory) as server:
        client = _Client(server)
        job = Work(partial(_repeat, partial(client.asynchronous, query)), _A_FEW, server.cpu_s)
        direct = Work(partial(_repeat, partial(client.synchronous, query)), _A_FEW, server.cpu_s)
        flushes = Work(partial(_repeat, partial(_flush, setup.cache / "flushed")), _A_FEW)
        ours, sync, bare = timed(job, direct, flushes, n_runs=_N_RUNS)
        assert client.asynchronous(query) == client.synchronous(query)
    work = "Asynchronous trivial query, POST to result"
    beside = f"{_N_FLUSHES} flushes to the same disk"
    yield Finding(work, ours.wall, beside, bare.wall, _ROUND_TRIP, "1.02 s")
    yield Finding(f"{work}, CPU of the server", ours.cpu, "the same query over /sync", sync.cpu)


def _repeat(call: Callable[[], object]) -> None:
    for _ in range(_A_FEW):
        call()


class _Client:
    """Raw HTTP on one connection."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port)

    def synchronous(self, query: str) -> bytes:
        """The answer, at once."""
        return self._asked("POST", "/tap/sync", query)[1]

    def asynchronous(self, query: str) -> bytes:
        """The answer, by a job."""
        location, _ = self._asked("POST", "/tap/async", f"{query}&PHASE=RUN", status=303)
        job = urlsplit(location).path
        _, document = self._asked("GET", f"{job}?WAIT=-1")
        assert b">COMPLETED<" in document, document
        return self._asked("GET", f"{job}/results/result")[1]

    def _asked(self, method: str, path: str, body: str | None = None, *, status: int = 200) -> tuple[str, bytes]:
        """Where the answer points, and its body."""
        self._connection.request(method, path, body, _FORM if body else {})
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == status, content
        return answer.headers.get("Location", ""), content


def _flush(file: Path) -> None:
    with file.open("wb") as opened:
        for _ in range(_N_FLUSHES):
            opened.write(b"x")
            opened.flush()
            os.fsync(opened.fileno())

"""What the server takes: memory at rest and under load, time to its first answer; and what importing skydex takes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

from benchmarks import simulated
from benchmarks.child import Spent, python, run_child
from benchmarks.delivery import large_answer
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup
from benchmarks.load import Load, first_answers, put_load
from benchmarks.processes import pss_mib
from benchmarks.sample import Sample, Unit
from benchmarks.serving import Server, download, request_bytes, serving, started, stop, wait_for
from benchmarks.traffic import cone_request

__all__ = ["TITLE", "measure"]

TITLE = "Memory, start and import"
_REST = Budget("<= 150 MiB at rest", 150)
_LOADED = Budget("<= 500 MiB under load", 500)
_START = Budget("start of the server to its first answer < 2 s", 2.0)
_IMPORT = Budget("import of the client < 0.5 s", 0.5)
_REMARKS = {"skydex": " (which imports nothing; the client is yet to come)"}
_FEW = 5
_LOOK_EVERY_S = 0.1


def measure(setup: Setup) -> Iterator[Finding]:
    """Memory of all processes of the server, starts and imports."""
    holdings = Holdings(setup)
    field, sources = holdings.field(), holdings.sources()
    at_rest, under_load = zip(*(_memory(holdings.directory, field, sources) for _ in range(_FEW)), strict=True)
    rest, load = (Sample.of(values, Unit.MEBIBYTES) for values in (at_rest, under_load))
    yield Finding("Memory of the server at rest (PSS of all its processes)", rest, budget=_REST, dachs="153-722 MiB")
    work = "Memory of the server, 8 clients with cones and 2 with 406,089 rows (greatest PSS)"
    yield Finding(work, load, budget=_LOADED, dachs="870 MiB")
    yield Finding("Start of the server to its first cone", _starts(holdings.directory, field), budget=_START)
    yield from _imports()


def _memory(archive: Path, field: str, sources: str) -> tuple[float, float]:
    """MiB at rest, and the most of all looks while it works."""
    with serving(archive) as server:
        wait_for(_cone_address(server, field))
        time.sleep(1.0)
        at_rest = pss_mib(server.process.pid)
        looks: list[float] = []
        is_over = threading.Event()
        watch = threading.Thread(target=_watch, args=(server, is_over, looks))
        watch.start()
        try:
            _work(server, field, sources)
        finally:
            is_over.set()
            watch.join()
    return at_rest, max(looks)


def _watch(server: Server, is_over: threading.Event, looks: list[float]) -> None:
    while not is_over.wait(_LOOK_EVERY_S):
        looks.append(pss_mib(server.process.pid))


def _work(server: Server, field: str, sources: str) -> None:
    """Cones by eight clients, and large answers by two more."""
    path, parameters = cone_request(field, *simulated.FIELD_CENTRE)
    request = request_bytes(server.port, path, parameters)
    answers = first_answers(server.port, [request])
    with ThreadPoolExecutor(3) as pool:
        downloads = [pool.submit(_download_often, server, sources, form) for form in ("votable", "votable/td")]
        pool.submit(put_load, Load(server.port, [request], answers, 8, 3000)).result()
        for done in downloads:
            done.result()


def _download_often(server: Server, sources: str, form: str) -> None:
    for _ in range(4):
        download(server.port, *large_answer(sources, form))


def _starts(archive: Path, field: str) -> Sample:
    """Seconds from the command to the answer to a cone."""
    seconds = []
    for _ in range(_FEW + 1):
        began = time.perf_counter()
        server = started([sys.executable, "-m", "skydex", "serve", str(archive)])
        try:
            wait_for(_cone_address(server, field))
            seconds.append(time.perf_counter() - began)
        finally:
            stop(server)
    return Sample.of(seconds[1:], Unit.SECONDS)


def _cone_address(server: Server, field: str) -> str:
    path, parameters = cone_request(field, *simulated.FIELD_CENTRE)
    return f"{server.url}{path}?{urlencode(parameters)}"


def _imports() -> Iterator[Finding]:
    """Whole processes, the interpreter's own start taken off."""
    imported = {"skydex": _IMPORT, "skydex.archive": None, "skydex.web": None}
    others = {"skydex": "astropy.table", "skydex.archive": "pyvo", "skydex.web": "pyvo"}
    for name, budget in imported.items():
        spent: dict[str, list[Spent]] = {"sys": [], name: [], others[name]: []}
        for _ in range(_FEW + 1):
            for module, runs in spent.items():
                runs.append(run_child(python(f"import {module}")))
        bare, ours, theirs = ([run.wall_s for run in runs[1:]] for runs in spent.values())
        yield Finding(
            f"import {name}{_REMARKS.get(name, '')}",
            _less(ours, bare),
            f"import {others[name]}",
            _less(theirs, bare),
            budget,
        )


def _less(runs: list[float], bare: list[float]) -> Sample:
    return Sample.of([max(a - b, 1e-4) for a, b in zip(runs, bare, strict=True)], Unit.SECONDS)

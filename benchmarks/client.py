"""What an astronomer waits for: answers as tables of astropy, beside pyvo; and the import.

The client's own time is from the bytes in memory to a `QTable` with units. The whole way is a question to a server on
this machine, in a connection that is kept; and to an archive in this process.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from functools import partial

import pyvo
from astropy.io.votable import parse
from astropy.table import QTable

import skydex
from benchmarks.child import python, run_child
from benchmarks.delivery import large_answer
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import N_SOURCES, Holdings, Setup
from benchmarks.sample import Sample, Unit
from benchmarks.serving import serving
from benchmarks.timing import Work, timed
from skydex.client.answers import result_of_answer
from skydex.client.http import Web
from skydex.connection.rows import result_table

__all__ = ["TITLE", "measure"]

TITLE = "The client"
_ROWS = f"{N_SOURCES:,} x 10"
_OF_ARROW = Budget("< 0.2 s of the client's time", 0.2)
_OF_BINARY2 = Budget("< 0.6 s of the client's time", 0.6)
_IN_CLIENT = Budget("<= 0.5 s with our client", 0.5)
_IMPORT = Budget("import < 0.5 s", 0.5)
_N_RUNS = 7
_SCRIPTS = {
    "import of skydex": ("import skydex", _IMPORT),
    "skydex.connect of a directory, import and all": ("import skydex, sys; skydex.connect(sys.argv[1]).verbs", None),
}


def measure(setup: Setup) -> Iterator[Finding]:
    """The client's own time, the whole way, and the import."""
    holdings = Holdings(setup)
    table = holdings.sources()
    with serving(holdings.directory) as server:
        path, web = f"{server.url}/tap/sync", Web()
        answers = {form: web.post(path, form=large_answer(table, form)[1]) for form in ("arrow", "votable")}
        yield from _own_time(answers)
        yield from _whole_way(server.url, str(holdings.directory), table)
    yield from _imports(str(holdings.directory))


def _own_time(answers: dict[str, bytes]) -> Iterator[Finding]:
    arrow, binary2, astropy = timed(
        Work(partial(_check, partial(_ours, answers["arrow"]))),
        Work(partial(_check, partial(_ours, answers["votable"]))),
        Work(partial(_check, partial(_theirs, answers["votable"]))),
        n_runs=_N_RUNS,
    )
    beside = "pyvo, of BINARY2"
    for name, ours, budget in (("Arrow", arrow, _OF_ARROW), ("BINARY2", binary2, _OF_BINARY2)):
        yield Finding(f"{_ROWS}, from bytes of {name} to a QTable", ours.wall, beside, astropy.wall, budget)
        yield Finding(f"{_ROWS}, from bytes of {name} to a QTable, CPU", ours.cpu, beside, astropy.cpu)


def _ours(answer: bytes) -> QTable:
    return result_table(result_of_answer([answer], host="here"))


def _theirs(answer: bytes) -> QTable:
    with warnings.catch_warnings(action="ignore"):
        return pyvo.dal.TAPResults(parse(io.BytesIO(answer))).to_qtable()


def _whole_way(url: str, directory: str, table: str) -> Iterator[Finding]:
    query = f"SELECT * FROM {table}"
    service = pyvo.dal.TAPService(f"{url}/tap")
    with skydex.connect(url) as far, skydex.connect(directory) as near:
        ask_far = partial(_check, lambda: far.query(query, maxrec=1_000_000))
        ask_near = partial(_check, lambda: near.query(query, maxrec=1_000_000))
        ask_pyvo = partial(_check, partial(_pyvo, service, query))
        away, here, theirs = timed(Work(ask_far), Work(ask_near), Work(ask_pyvo), n_runs=_N_RUNS)
    beside = "pyvo, from the same server"
    dachs = "7.6 s with pyvo"
    yield Finding(f"{_ROWS} as a QTable, asked of a server", away.wall, beside, theirs.wall, _IN_CLIENT, dachs)
    yield Finding(f"{_ROWS} as a QTable, asked of a server, CPU of the client", away.cpu, beside, theirs.cpu)
    yield Finding(f"{_ROWS} as a QTable, asked of a directory", here.wall, beside, theirs.wall, _IN_CLIENT, dachs)


def _pyvo(service: pyvo.dal.TAPService, query: str) -> QTable:
    with warnings.catch_warnings(action="ignore"):
        return service.search(query, maxrec=1_000_000).to_qtable()


def _check(client: Callable[[], QTable]) -> None:
    table = client()
    assert len(table) == N_SOURCES, f"{len(table)} rows"
    assert len(table.colnames) == 10, table.colnames


def _imports(directory: str) -> Iterator[Finding]:
    theirs = _seconds("import pyvo")
    for work, (script, budget) in _SCRIPTS.items():
        yield Finding(work, _seconds(script, directory), "import of pyvo", theirs, budget)


def _seconds(script: str, *arguments: str) -> Sample:
    """What a process takes, less what an interpreter takes that does nothing."""
    bare = [run_child(python("pass")).wall_s for _ in range(_N_RUNS)]
    whole = [run_child(python(script, *arguments)).wall_s for _ in range(_N_RUNS)]
    return Sample.of([wall_s - min(bare) for wall_s in whole], Unit.SECONDS)

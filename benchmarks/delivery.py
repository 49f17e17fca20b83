"""A large answer over TAP from a real server: first byte, whole answer, and as a table in the client."""

from __future__ import annotations

import io
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlencode

import duckdb
import pyarrow as pa
import pyvo
from astropy.io.votable import parse_single_table

from benchmarks.finding import Budget, Finding
from benchmarks.holdings import N_SOURCES, Holdings, Setup, duckdb_beside
from benchmarks.sample import Sample, Unit
from benchmarks.serving import Server, download, serving
from benchmarks.timing import Work, timed
from skydex.formats.votable import read_votable

__all__ = ["TITLE", "large_answer", "measure"]

TITLE = "A large answer over TAP"
WORK = f"{N_SOURCES:,} x 10 over TAP"
_AT_SERVER = Budget("<= 0.3 s", 0.3)
_OVER_ENGINE = Budget("<= 1.5x the bare engine", 1.5, of_ratio=True)
_FIRST_BYTE = Budget("first byte <= 50 ms", 0.05)
_IN_CLIENT = Budget("<= 0.5 s with our client", 0.5)
_AS_PARSING = Budget("nothing but pyvo's own parsing: at most 1.15 times", 1.15, of_ratio=True)
_DACHS = {"BINARY2": "3.2 s (BINARY)", "TABLEDATA": "5.4 s", "CSV": "4.4 s"}
_FORMATS = {"BINARY2": "votable", "TABLEDATA": "votable/td", "CSV": "csv"}
_N_RUNS = 7


def measure(setup: Setup) -> Iterator[Finding]:
    """What the server needs, then what clients need."""
    holdings = Holdings(setup)
    table = holdings.sources()
    bare = partial(_bare, duckdb_beside(), holdings.glob(table))
    with serving(holdings.directory) as server:
        for name in _FORMATS:
            yield from _at_server(server, table, name, bare)
        yield from _in_client(server, table)


def _bare(connection: duckdb.DuckDBPyConnection, glob: str) -> None:
    """The columns by DuckDB alone, as a table in memory."""
    rows = connection.sql(f"SELECT * EXCLUDE (_healpix_29) FROM read_parquet('{glob}')").to_arrow_table()
    assert rows.num_rows == N_SOURCES


def large_answer(table: str, form: str) -> tuple[str, dict[str, object]]:
    """Path and parameters of a request for the whole of a table."""
    query = f"SELECT * FROM {table}"
    return "/tap/sync", {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": query, "FORMAT": form, "MAXREC": 1_000_000}


def _at_server(server: Server, table: str, name: str, bare: Callable[[], object]) -> Iterator[Finding]:
    first_bytes: list[float] = []

    def ask() -> None:
        first_bytes.append(download(server.port, *large_answer(table, _FORMATS[name])).first_byte_s)

    ours, engine = timed(Work(ask, cpu_clock=server.cpu_s), Work(bare), n_runs=_N_RUNS)
    engine_name = "DuckDB to Arrow, in process"
    yield Finding(f"{WORK}, {name}, at the server", ours.wall, engine_name, engine.wall, _AT_SERVER, _DACHS[name])
    yield Finding(f"{WORK}, {name}, over the engine", ours.wall, engine_name, engine.wall, _OVER_ENGINE)
    yield Finding(f"{WORK}, {name}, CPU of the server", ours.cpu, engine_name, engine.cpu)
    first = Sample.of(first_bytes[1:], Unit.SECONDS)
    yield Finding(f"{WORK}, {name}, first byte", first, budget=_FIRST_BYTE, dachs="2.4 s")


def _in_client(server: Server, table: str) -> Iterator[Finding]:
    fetch = partial(_opened, server, table)
    document = fetch("votable").read()
    service = pyvo.dal.TAPService(f"{server.url}/tap")
    clients: dict[str, Callable[[], int]] = {
        "our decoder of BINARY2": lambda: read_votable(fetch("votable").read())[1].num_rows,
        "Arrow": lambda: pa.ipc.open_stream(fetch("arrow")).read_all().num_rows,
        "pyvo": partial(_pyvo, service, table),
        "parsing": partial(_parsed, document),
    }
    decoder, arrow, whole, parsing = timed(*(Work(partial(_check, client)) for client in clients.values()))
    beside = "pyvo, from the same server"
    for name, ours in (("our decoder of BINARY2", decoder), ("Arrow", arrow)):
        work = f"{WORK} as a table in the client, {name}"
        yield Finding(f"{work}, time", ours.wall, beside, whole.wall, _IN_CLIENT, "7.6 s with pyvo")
        yield Finding(f"{work}, CPU of the client", ours.cpu, beside, whole.cpu)
    work, beside = f"{WORK} as a table in the client, pyvo", "astropy, parsing the same bytes from memory"
    yield Finding(f"{work}, time", whole.wall, beside, parsing.wall, _AS_PARSING, "7.6 s")
    yield Finding(f"{work}, CPU of the client", whole.cpu, beside, parsing.cpu)


def _opened(server: Server, table: str, form: str) -> io.BufferedIOBase:
    path, parameters = large_answer(table, form)
    answer: io.BufferedIOBase = urllib.request.urlopen(f"{server.url}{path}", urlencode(parameters).encode())
    return answer


def _pyvo(service: pyvo.dal.TAPService, table: str) -> int:
    with warnings.catch_warnings(action="ignore"):
        return len(service.search(f"SELECT * FROM {table}", maxrec=1_000_000).to_table())


def _parsed(document: bytes) -> int:
    with warnings.catch_warnings(action="ignore"):
        return len(parse_single_table(io.BytesIO(document)).to_table())


def _check(client: Callable[[], int]) -> None:
    n_rows = client()
    assert n_rows == N_SOURCES, f"{n_rows} rows"

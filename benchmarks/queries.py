"""Larger questions to a real server: an aggregate over all rows of a deep field, and a cone of half a degree in it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks import simulated
from benchmarks.cones import cone_condition
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup, duckdb_beside
from benchmarks.load import first_answers
from benchmarks.serving import Server, download, request_bytes, serving
from benchmarks.timing import Work, timed
from skydex.formats.votable import read_votable

__all__ = ["TITLE", "measure"]

TITLE = "Larger questions"
_ENGINE = "DuckDB, glob, in process, no HTTP"
_AGGREGATE = Budget("<= 0.03 s", 0.03)
_AT_SERVER = Budget("<= 0.03 s at the server", 0.03)
_IN_CLIENT = Budget("<= 0.08 s with our client", 0.08)
_N_RUNS = 9
_A_FEW = 5


def measure(setup: Setup) -> Iterator[Finding]:
    """Time of both by TAP, and of DuckDB alone."""
    holdings = Holdings(setup)
    name = holdings.field()
    with serving(holdings.directory) as server:
        yield from _aggregate(server, name, holdings.glob(name), holdings.n_field)
        yield from _half_degree(server, name, holdings.glob(name))


def _aggregate(server: Server, name: str, glob: str, n_rows: int) -> Iterator[Finding]:
    what = "n_obs, COUNT(*) AS n, AVG(g_mag) AS mean_g"
    query = f"SELECT {what} FROM {name} GROUP BY n_obs"
    connection = duckdb_beside()
    request = [request_bytes(server.port, "/tap/sync", {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": query})]
    (answer,) = first_answers(server.port, request)
    assert sum(read_votable(answer)[1]["n"].to_pylist()) == n_rows

    def bare() -> None:
        connection.sql(f"SELECT {what} FROM read_parquet('{glob}') GROUP BY n_obs").to_arrow_table()

    ask = Work(partial(first_answers, server.port, request * _A_FEW), _A_FEW, server.cpu_s)
    ours, engine = timed(ask, Work(bare), n_runs=_N_RUNS)
    work = f"GROUP BY over {n_rows:,} rows by TAP"
    yield Finding(f"{work}, time", ours.wall, _ENGINE, engine.wall, _AGGREGATE, "0.28 s")
    yield Finding(f"{work}, CPU of the server", ours.cpu, _ENGINE, engine.cpu)


def _half_degree(server: Server, name: str, glob: str) -> Iterator[Finding]:
    ra, dec = simulated.FIELD_CENTRE
    bright = "g_mag < 23.5 AND n_obs >= 11"
    cone = f"1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', {ra}, {dec}, 0.5))"
    query = f"SELECT * FROM {name} WHERE {cone} AND {bright}"
    connection = duckdb_beside()
    where = f"{cone_condition((ra, dec), 0.5)} AND {bright}"
    parameters: dict[str, object] = {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": query}
    request = [request_bytes(server.port, "/tap/sync", parameters)]

    def bare() -> int:
        sql = f"SELECT * EXCLUDE (_healpix_29) FROM read_parquet('{glob}') WHERE {where}"
        return len(connection.sql(sql).to_arrow_table())

    def client() -> int:
        return len(read_votable(first_answers(server.port, request)[0])[1])

    n_rows = bare()
    assert client() == n_rows
    ask = Work(partial(_downloads, server, parameters), _A_FEW, server.cpu_s)
    at_server, in_client, engine = timed(ask, Work(client), Work(bare), n_runs=_N_RUNS)
    work = f"Cone of 0.5 deg with 2 constraints, {n_rows:,} rows x 14, by TAP"
    yield Finding(f"{work}, at the server", at_server.wall, _ENGINE, engine.wall, _AT_SERVER, "0.16 s")
    yield Finding(f"{work}, CPU of the server", at_server.cpu, _ENGINE, engine.cpu)
    beside = "0.44 s with pyvo"
    yield Finding(f"{work}, as a table in the client", in_client.wall, _ENGINE, engine.wall, _IN_CLIENT, beside)


def _downloads(server: Server, parameters: dict[str, object]) -> None:
    for _ in range(_A_FEW):
        download(server.port, "/tap/sync", parameters)

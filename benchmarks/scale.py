"""10^8 rows on this machine: built, verified, asked and served.

Cones are those of 2 arcmin with all columns around sources of the table; what they must give DuckDB says, which reads
the same files by itself. Building counts sorting, checking and making durable.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks import simulated
from benchmarks.child import run_child
from benchmarks.cones import RADIUS_DEG, cone_condition
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup, duckdb_beside
from benchmarks.load import Load, first_answers, put_load
from benchmarks.processes import pss_mib
from benchmarks.sample import Sample, Unit
from benchmarks.serving import Server, request_bytes, serving
from benchmarks.timing import Timing, Work, timed
from benchmarks.traffic import cone_request
from skydex.archive import Archive, ConeRequest, QueryRequest

__all__ = ["TITLE", "measure"]

TITLE = "A hundred million rows"
_N_ROWS = 10**8
_N_MATCHED = 10**6
_N_CONES = 60
_N_CHECKED = 10
_N_RUNS = 3
_DUCKDB = "DuckDB, glob"
_SERVED = Budget("warm p50 <= 10 ms CPU of the server", 0.010)
_P99 = Budget("p99 at 8 clients <= 50 ms", 0.050)
_CPU = Budget("<= 5 ms CPU in 10^8 rows, warm", 0.005)
_BUILT = Budget(">= 10^6 rows/s", 1e6)

Centre = tuple[float, float]


def measure(setup: Setup) -> Iterator[Finding]:
    """From the file to the answers."""
    yield from _built(setup)
    holdings = Holdings(setup)
    name, few = holdings.sky(_N_ROWS), holdings.second_sky(_N_MATCHED)
    archive = Archive.open(holdings.directory)
    centres = _centres(archive, name)
    yield from _cones(archive, holdings, name, centres)
    yield from _questions(archive, holdings, name)
    yield from _matched(holdings, name, few)
    with serving(holdings.directory) as server:
        yield from _served(server, name, centres)


def _built(setup: Setup) -> Iterator[Finding]:
    """Ingest and verification, each in a process of its own."""
    file, room = simulated.sky(_N_ROWS, setup.cache), setup.cache / "scale"
    shutil.rmtree(room, ignore_errors=True)
    skydex = [sys.executable, "-m", "skydex"]
    ingested = run_child([*skydex, "ingest", file, "--into", room / "archive", "--name", "sim.sky"])
    verified = run_child([*skydex, "verify", room / "archive"])
    size = sum(path.stat().st_size for path in room.rglob("*.parquet"))
    shutil.rmtree(room)
    work = f"{_N_ROWS:,} rows x 14 from Parquet"
    rate = Sample.of(_N_ROWS / ingested.wall_s, Unit.ROWS_PER_SECOND)
    yield Finding(f"Ingest of {work}", rate, budget=_BUILT)
    yield Finding(f"Peak memory of ingest of {work}", Sample.of(ingested.peak_mib, Unit.MEBIBYTES))
    yield Finding(f"Size of {work}", Sample.of(size / 1e6, Unit.MEGABYTES))
    yield Finding(f"Verification of {work}", Sample.of(verified.wall_s, Unit.SECONDS))
    yield Finding(f"Peak memory of verification of {work}", Sample.of(verified.peak_mib, Unit.MEBIBYTES))


def _centres(archive: Archive, name: str) -> list[Centre]:
    """Positions of sources from all over the sky, away from the poles and RA 0, so that DuckDB's box is simple."""
    numbers = np.random.default_rng(8).integers(0, _N_ROWS, 3 * _N_CONES)
    text = f"SELECT ra, dec FROM {name} WHERE obj_id IN ({', '.join(map(str, numbers))})"
    places = archive.query(QueryRequest(text)).to_arrow()
    pairs = zip(places["ra"].to_pylist(), places["dec"].to_pylist(), strict=True)
    return [(ra, dec) for ra, dec in pairs if abs(dec) < 75 and 1 < ra < 359][:_N_CONES]


def _cones(archive: Archive, holdings: Holdings, name: str, centres: list[Centre]) -> Iterator[Finding]:
    beside = duckdb_beside()
    sql = f"SELECT * EXCLUDE (_healpix_29) FROM read_parquet('{holdings.glob(name)}') WHERE "

    def ours(asked: list[Centre]) -> list[int]:
        cones = (ConeRequest(name, *centre, RADIUS_DEG, verbosity=3) for centre in asked)
        return [archive.query(cone).to_arrow().num_rows for cone in cones]

    def theirs() -> list[int]:
        conditions = (cone_condition(centre, RADIUS_DEG) for centre in centres[:_N_CHECKED])
        return [beside.sql(sql + condition).to_arrow_table().num_rows for condition in conditions]

    assert ours(centres[:_N_CHECKED]) == theirs()
    timing, other = timed(Work(partial(ours, centres), len(centres)), Work(theirs, _N_CHECKED), n_runs=_N_RUNS)
    yield from _both(f"Cone of 2 arcmin in {_N_ROWS:,} rows, in process", timing, other, _CPU)


def _questions(archive: Archive, holdings: Holdings, name: str) -> Iterator[Finding]:
    """Questions about all rows, beside DuckDB over the same files."""
    beside, files = duckdb_beside(), f"read_parquet('{holdings.glob(name)}')"
    means = "COUNT(*) AS n, AVG(r_mag) AS mean"
    ends = "COUNT(*) AS n, MIN(g_mag) AS least, MAX(mean_epoch) AS latest"
    questions = {
        "GROUP BY over everything": (
            f"SELECT FLOOR(g_mag) AS bin, {means} FROM {name} GROUP BY bin",
            f"SELECT floor(g_mag) AS bin, {means} FROM {files} GROUP BY bin",
        ),
        "COUNT(*), MIN, MAX": (f"SELECT {ends} FROM {name}", f"SELECT {ends} FROM {files}"),
        "The ten brightest": (
            f"SELECT TOP 10 obj_id, g_mag FROM {name} ORDER BY g_mag",
            f"SELECT obj_id, g_mag FROM {files} ORDER BY g_mag LIMIT 10",
        ),
        "Row by its number": (
            f"SELECT * FROM {name} WHERE obj_id = 77777777",
            f"SELECT * FROM {files} WHERE obj_id = 77777777",
        ),
    }
    for work, (text, sql) in questions.items():
        request = QueryRequest(text)

        def ours(request: QueryRequest = request) -> int:
            return archive.query(request).to_arrow().num_rows

        def theirs(sql: str = sql) -> int:
            return beside.sql(sql).to_arrow_table().num_rows

        assert ours() == theirs()
        timing, other = timed(Work(ours), Work(theirs), n_runs=_N_RUNS)
        yield from _both(f"{work}, {_N_ROWS:,} rows", timing, other)


def _matched(holdings: Holdings, name: str, few: str) -> Iterator[Finding]:
    """A cross-match with 10^6 rows, in a process of its own, as a query and into a table."""
    near = "DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 1./3600."
    text = f"SELECT COUNT(*) FROM {few} AS a JOIN {name} AS b ON {near}"
    spent = run_child([sys.executable, "-m", "skydex", "query", holdings.directory, text])
    work = f"{_N_MATCHED:,} rows matched with {_N_ROWS:,}, 1 arcsec, as a query"
    yield Finding(f"{work}, time", Sample.of(spent.wall_s, Unit.SECONDS))
    yield Finding(f"{work}, CPU", Sample.of(spent.cpu_s, Unit.CPU_SECONDS))
    yield Finding(f"{work}, peak memory", Sample.of(spent.peak_mib, Unit.MEBIBYTES))


def _served(server: Server, name: str, centres: list[Centre]) -> Iterator[Finding]:
    """Cones over HTTP: alone and by eight clients."""
    asked = (cone_request(name, *centre) for centre in centres)
    requests = [request_bytes(server.port, path, parameters) for path, parameters in asked]
    answers = first_answers(server.port, requests)
    put_load(Load(server.port, requests, answers, 8, 600))
    work = f"Cone of 2 arcmin in {_N_ROWS:,} rows by SCS, warm"
    for n_clients in (1, 8):
        before = server.cpu_s()
        report = put_load(Load(server.port, requests, answers, n_clients, 300 * n_clients))
        cpu = (server.cpu_s() - before) / len(report.latencies_s)
        p50, p99 = (Sample.of(float(np.percentile(report.latencies_s, q)), Unit.SECONDS) for q in (50, 99))
        clients = f"{n_clients} client{'s' * (n_clients > 1)}"
        yield Finding(f"{work}, {clients}, CPU of the server", Sample.of(cpu, Unit.CPU_SECONDS), budget=_SERVED)
        yield Finding(f"{work}, {clients}, p50", p50)
        yield Finding(f"{work}, {clients}, p99", p99, budget=_P99 if n_clients == 8 else None)
    memory = Sample.of(pss_mib(server.process.pid), Unit.MEBIBYTES)
    yield Finding(f"Memory of the server of {_N_ROWS:,} rows after that (PSS of all its processes)", memory)


def _both(work: str, ours: Timing, theirs: Timing, budget: Budget | None = None) -> Iterator[Finding]:
    yield Finding(f"{work}, CPU", ours.cpu, _DUCKDB, theirs.cpu, budget)
    yield Finding(f"{work}, time", ours.wall, _DUCKDB, theirs.wall)

"""How costs grow with the number of rows: cone, look-up, aggregate, cross-match, ingest; and the memory that they take.

Catalogues of the whole sky of 10^5 to 10^7 rows, and 10^8 in a long run. Times are those of questions to an open
archive in this process; memory is the peak of a process that does the one thing and ends. Others do the same in the
same run: DuckDB and polars over the same files; astropy, and a KD-tree of unit vectors, on positions in memory.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from astropy import units as u
from astropy.coordinates import SkyCoord, search_around_sky
from scipy.spatial import cKDTree

from benchmarks import simulated
from benchmarks.child import Spent, python, run_child
from benchmarks.cones import RADIUS_DEG, cone_condition
from benchmarks.curve import Curve
from benchmarks.finding import Finding
from benchmarks.holdings import Holdings, Setup, duckdb_beside
from benchmarks.sample import Sample, Unit
from benchmarks.timing import Timing, Work, timed
from skydex.archive import Archive, ConeRequest, QueryRequest

__all__ = ["TITLE", "measure"]

TITLE = "How costs grow"
_N_CONES = 20
_N_RUNS = 5
_MATCHED = 100_000
_MOST_IN_MEMORY = 10**7
_MOST_BY_ASTROPY = 10**6
_CHORD = 2 * np.sin(np.radians(1 / 3600) / 2)
_DUCKDB_INGEST = """
import sys, duckdb
duckdb.execute(f"COPY (SELECT * FROM '{sys.argv[1]}') TO '{sys.argv[2]}' (FORMAT parquet, COMPRESSION zstd)")
"""

Timings = dict[str, dict[int, Timing]]
"""By who, and by the number of rows."""


def measure(setup: Setup) -> Iterator[Finding | Curve]:
    """A curve for each kind of work."""
    holdings = Holdings(setup)
    tables = {n_rows: holdings.sky(n_rows) for n_rows in setup.sizes}
    archive = Archive.open(holdings.directory)
    yield _curve("Cone of 2 arcmin, CPU", _grown(partial(_cone, archive, holdings), tables), of_cpu=True)
    yield _curve("Row by its number, CPU", _grown(partial(_row, archive, holdings), tables), of_cpu=True)
    yield _curve("GROUP BY over everything", _grown(partial(_aggregate, archive, holdings), tables))
    few = holdings.second_sky(_MATCHED)
    work = f"{_MATCHED:,} rows matched with N, 1 arcsec"
    yield _curve(work, _grown(partial(_match, archive, few), tables))
    alike = {n_rows: name for n_rows, name in tables.items() if n_rows <= _MOST_IN_MEMORY}
    both = _grown(partial(_match_alike, archive, holdings, setup), alike)
    yield _curve("N rows matched with N, 1 arcsec", both)
    yield _curve("N rows matched with N, 1 arcsec, CPU", both, of_cpu=True)
    yield from _memory(holdings, tables, few)
    yield from _ingest(setup)


def _curve(work: str, timings: Timings, *, of_cpu: bool = False) -> Curve:
    lines = {
        who: {n_rows: timing.cpu if of_cpu else timing.wall for n_rows, timing in line.items()}
        for who, line in timings.items()
    }
    return Curve(work, lines.pop("skydex"), lines)


def _grown(works: Callable[[int, str], dict[str, Work]], tables: dict[int, str]) -> Timings:
    """Time what is to be done with each table."""
    grown: Timings = {}
    for n_rows, name in tables.items():
        named = works(n_rows, name)
        for who, timing in zip(named, timed(*named.values(), n_runs=_N_RUNS), strict=True):
            grown.setdefault(who, {})[n_rows] = timing
    return grown


def _cone(archive: Archive, holdings: Holdings, n_rows: int, name: str) -> dict[str, Work]:
    sources = archive.query(QueryRequest(f"SELECT TOP 200000 ra, dec FROM {name}")).to_arrow()
    ra, dec = sources["ra"].to_numpy(), sources["dec"].to_numpy()
    simple = np.flatnonzero((np.abs(dec) < 75) & (ra > 1) & (ra < 359))
    chosen = np.random.default_rng(n_rows).choice(simple, _N_CONES, replace=False)
    centres = [(float(ra[i]), float(dec[i])) for i in chosen]
    beside = duckdb_beside()
    sql = f"SELECT * EXCLUDE (_healpix_29) FROM read_parquet('{holdings.glob(name)}') WHERE "

    def ours() -> list[int]:
        cones = (ConeRequest(name, *centre, RADIUS_DEG, verbosity=3) for centre in centres)
        return [archive.query(cone).to_arrow().num_rows for cone in cones]

    def theirs() -> list[int]:
        conditions = (cone_condition(centre, RADIUS_DEG) for centre in centres)
        return [beside.sql(sql + condition).to_arrow_table().num_rows for condition in conditions]

    assert ours() == theirs()
    return {"skydex": Work(ours, _N_CONES), "DuckDB, glob": Work(theirs, _N_CONES)}


def _row(archive: Archive, holdings: Holdings, n_rows: int, name: str) -> dict[str, Work]:
    numbers = np.random.default_rng(n_rows).integers(0, n_rows, 5).tolist()
    beside = duckdb_beside()
    sql = f"SELECT * EXCLUDE (_healpix_29) FROM read_parquet('{holdings.glob(name)}') WHERE obj_id = "

    def ours() -> None:
        for number in numbers:
            request = QueryRequest(f"SELECT * FROM {name} WHERE obj_id = {number}")
            assert archive.query(request).to_arrow().num_rows == 1

    def theirs() -> None:
        for number in numbers:
            assert beside.sql(f"{sql}{number}").to_arrow_table().num_rows == 1

    return {"skydex": Work(ours, len(numbers)), "DuckDB, glob": Work(theirs, len(numbers))}


def _aggregate(archive: Archive, holdings: Holdings, n_rows: int, name: str) -> dict[str, Work]:
    glob, beside = holdings.glob(name), duckdb_beside()
    counts = "COUNT(*) AS n, AVG(r_mag) AS mean"
    ours = QueryRequest(f"SELECT FLOOR(g_mag) AS bin, {counts} FROM {name} GROUP BY bin ORDER BY bin")
    theirs = f"SELECT floor(g_mag) AS bin, {counts} FROM read_parquet('{glob}') GROUP BY bin ORDER BY bin"

    def by_polars() -> int:
        rows = pl.scan_parquet(glob).group_by(pl.col("g_mag").floor().alias("bin"))
        return len(rows.agg(pl.len(), pl.col("r_mag").mean()).sort("bin").collect())

    def by_us() -> int:
        return archive.query(ours).to_arrow().num_rows

    def by_duckdb() -> int:
        return beside.sql(theirs).to_arrow_table().num_rows

    assert by_us() == by_duckdb() == by_polars()
    return {"skydex": Work(by_us), "DuckDB, glob": Work(by_duckdb), "polars, glob": Work(by_polars)}


def _pairs_of(archive: Archive, first: str, second: str) -> Callable[[], int]:
    near = "DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 1./3600."
    request = QueryRequest(f"SELECT a.obj_id, b.obj_id FROM {first} AS a JOIN {second} AS b ON {near}")
    return lambda: archive.query(request).to_arrow().num_rows


def _match(archive: Archive, few: str, n_rows: int, name: str) -> dict[str, Work]:
    return {"skydex": Work(_pairs_of(archive, few, name))}


def _match_alike(archive: Archive, holdings: Holdings, setup: Setup, n_rows: int, name: str) -> dict[str, Work]:
    second = holdings.second_sky(n_rows)
    left, right = (_positions(make(n_rows, setup.cache)) for make in (simulated.sky, simulated.second_sky))
    vectors = [place.cartesian.xyz.value.T.copy() for place in (left, right)]
    ours = _pairs_of(archive, name, second)

    def by_tree() -> int:
        return int(cKDTree(vectors[0]).sparse_distance_matrix(cKDTree(vectors[1]), _CHORD, output_type="ndarray").size)

    def by_astropy() -> int:
        return len(search_around_sky(left, right, 1 * u.arcsec, storekdtree=False)[0])

    assert ours() == by_tree()
    works = {"skydex": Work(ours), "KD-trees (scipy), in memory": Work(by_tree)}
    return {**works, "astropy, in memory": Work(by_astropy)} if n_rows <= _MOST_BY_ASTROPY else works


def _positions(file: Path) -> SkyCoord:
    rows = pq.read_table(file, columns=["ra", "dec"])
    return SkyCoord(rows["ra"].to_numpy(), rows["dec"].to_numpy(), unit="deg")


def _memory(holdings: Holdings, tables: dict[int, str], few: str) -> Iterator[Curve]:
    """Peaks of processes that answer one question each."""
    near = "DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 1./3600."
    questions = {
        "GROUP BY over everything": "SELECT FLOOR(g_mag) AS bin, COUNT(*) AS n FROM {name} GROUP BY bin",
        f"{_MATCHED:,} rows matched with N": f"SELECT COUNT(*) FROM {few} AS a JOIN {{name}} AS b ON {near}",
        "All rows as CSV": "SELECT obj_id, ra, dec FROM {name}",
    }
    answer = holdings.directory.parent / "answer.csv"
    for work, text in questions.items():
        peaks = {}
        for n_rows, name in tables.items():
            command = [sys.executable, "-m", "skydex", "query", holdings.directory, text.format(name=name)]
            peaks[n_rows] = _peak(run_child([*command, "--maxrec", n_rows, "--output", answer]))
            answer.unlink()
        yield Curve(f"{work}, peak memory", peaks)


def _ingest(setup: Setup) -> Iterator[Curve]:
    spent: dict[str, dict[int, Spent]] = {"skydex": {}, "DuckDB, unsorted": {}}
    room = setup.cache / "ingest"
    for n_rows in setup.sizes:
        file = simulated.sky(n_rows, setup.cache)
        ours = [sys.executable, "-m", "skydex", "ingest", file, "--into", room / "archive", "--name", "sim.new"]
        theirs = python(_DUCKDB_INGEST, file, room / "out.parquet")
        for who, command in (("skydex", ours), ("DuckDB, unsorted", theirs)):
            shutil.rmtree(room, ignore_errors=True)
            room.mkdir(parents=True)
            spent[who][n_rows] = run_child(command)
    shutil.rmtree(room)
    times = {who: {n: Sample.of(each.wall_s, Unit.SECONDS) for n, each in line.items()} for who, line in spent.items()}
    peaks = {who: {n: _peak(each) for n, each in line.items()} for who, line in spent.items()}
    yield Curve("Ingest of 14 columns from Parquet", times.pop("skydex"), times)
    yield Curve("Ingest of 14 columns from Parquet, peak memory", peaks.pop("skydex"), peaks)


def _peak(spent: Spent) -> Sample:
    return Sample.of(spent.peak_mib, Unit.MEBIBYTES)

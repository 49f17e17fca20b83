"""Cones of 2 arcmin, and rows by their numbers, through `Archive.query` in this process, as the catalogue grows.

References: DuckDB over the same files, told by a glob, with the box around the cone so that it can skip row groups by
their statistics; and astropy's separation from every position, held in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import astropy.units as u
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.coordinates import SkyCoord

from benchmarks import simulated
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup, duckdb_beside
from benchmarks.sample import Sample, Unit
from benchmarks.timing import Timing, Work, timed
from skydex.archive import Archive, ConeRequest, QueryRequest
from skydex.store import Among

__all__ = ["TITLE", "cone_condition", "measure"]

TITLE = "Cones and single rows"
RADIUS_DEG = 2 / 60
_N_CONES = 100
_FEW = 5
_CPU = Budget("<= 5 ms CPU in 10^8 rows, warm", 0.005)
_FLAT = Budget("flat: at most 1.5 times", 1.5)

Centre = tuple[float, float]


def measure(setup: Setup) -> Iterator[Finding]:
    """CPU and time of a cone and of a row by its number, for each size."""
    holdings = Holdings(setup)
    tables = {n_rows: holdings.sky(n_rows) for n_rows in setup.sizes}
    archive = Archive.open(holdings.directory)
    cones: dict[int, Timing] = {}
    rows: dict[int, Timing] = {}
    lists: dict[int, Timing] = {}
    for n_rows, name in tables.items():
        asked = _Asked(archive, name, holdings.glob(name), _centres(n_rows, setup), n_rows)
        cones[n_rows], beside = _cones(asked, n_rows, setup)
        yield from _findings(f"Cone of 2 arcmin in {n_rows:,} rows", cones[n_rows], beside, _CPU)
        rows[n_rows], reference = timed(Work(asked.ours_by_number, 3), Work(asked.duckdb_by_number, 3), n_runs=_FEW)
        yield from _findings(f"Row by its number in {n_rows:,} rows", rows[n_rows], [("DuckDB, glob", reference)])
        lists[n_rows], reference = timed(Work(asked.ours_by_numbers), Work(asked.duckdb_by_numbers), n_runs=_FEW)
        yield from _findings(f"20 rows by their numbers in {n_rows:,}", lists[n_rows], [("DuckDB, glob", reference)])
        found = timed(Work(asked.row_groups_of_many), n_runs=_FEW)[0]
        yield Finding(f"Row groups of 10,000 numbers in {n_rows:,} rows, CPU", found.cpu)
    yield _growth("a cone", cones)
    yield _growth("a row by its number", rows)
    yield _growth("20 rows by their numbers", lists)


class _Asked:
    """The same questions to us and to DuckDB."""

    def __init__(self, archive: Archive, name: str, glob: str, centres: Sequence[Centre], n_rows: int) -> None:
        self._archive, self._name, self._glob, self._centres = archive, name, glob, centres
        self._numbers = np.random.default_rng(n_rows).choice(n_rows, 20, replace=False).tolist()
        self._many = tuple(np.random.default_rng(n_rows).integers(0, n_rows, 10_000).tolist())
        self._beside = duckdb_beside()

    def ours(self, centres: Sequence[Centre]) -> list[int]:
        requests = (ConeRequest(self._name, *centre, RADIUS_DEG, verbosity=3) for centre in centres)
        return [self._archive.query(request).to_arrow().num_rows for request in requests]

    def duckdb(self, centres: Sequence[Centre]) -> list[int]:
        sql = "SELECT * EXCLUDE (_healpix_29) FROM read_parquet('{}') WHERE {}"
        conditions = (cone_condition(centre, RADIUS_DEG) for centre in centres)
        return [_table(self._beside, sql.format(self._glob, where)).num_rows for where in conditions]

    def ours_by_number(self) -> None:
        for number in (17, 4711, 77_777):
            request = QueryRequest(f"SELECT * FROM {self._name} WHERE obj_id = {number}")
            assert self._archive.query(request).to_arrow().num_rows == 1

    def duckdb_by_number(self) -> None:
        for number in (17, 4711, 77_777):
            sql = f"SELECT * EXCLUDE (_healpix_29) FROM read_parquet('{self._glob}') WHERE obj_id = {number}"
            assert _table(self._beside, sql).num_rows == 1

    def ours_by_numbers(self) -> None:
        request = QueryRequest(f"SELECT * FROM {self._name} WHERE obj_id IN ({self._listed})")
        assert self._archive.query(request).to_arrow().num_rows == len(self._numbers)

    def duckdb_by_numbers(self) -> None:
        sql = f"SELECT * EXCLUDE (_healpix_29) FROM read_parquet('{self._glob}') WHERE obj_id IN ({self._listed})"
        assert _table(self._beside, sql).num_rows == len(self._numbers)

    def row_groups_of_many(self) -> None:
        dataset = self._archive.namespace().get(self._name).dataset
        assert dataset is not None
        assert dataset.select(None, Among("obj_id", self._many)).n_groups

    @property
    def _listed(self) -> str:
        return ", ".join(map(str, self._numbers))

    @property
    def centres(self) -> Sequence[Centre]:
        return self._centres


def _table(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    return connection.sql(sql).to_arrow_table()


def cone_condition(centre: Centre, radius_deg: float) -> str:
    """A cone in SQL: the box around it, then the haversine."""
    ra, dec = centre
    half_ra = math.degrees(math.asin(min(1.0, math.sin(math.radians(radius_deg)) / math.cos(math.radians(dec)))))
    h = math.sin(math.radians(radius_deg) / 2) ** 2
    return (
        f"dec BETWEEN {dec - radius_deg} AND {dec + radius_deg} AND ra BETWEEN {ra - half_ra} AND {ra + half_ra} AND "
        f"pow(sin(radians(dec - {dec}) / 2), 2) + "
        f"cos(radians(dec)) * cos(radians({dec})) * pow(sin(radians(ra - {ra}) / 2), 2) <= {h}"
    )


def _centres(n_rows: int, setup: Setup) -> list[Centre]:
    """Positions of sources far from the poles and from RA 0, so that the box is a simple one."""
    positions = pq.ParquetFile(simulated.sky(n_rows, setup.cache)).read_row_group(0, ["ra", "dec"])
    ra, dec = positions["ra"].to_numpy(), positions["dec"].to_numpy()
    simple = np.flatnonzero((np.abs(dec) < 75) & (ra > 1) & (ra < 359))
    chosen = np.random.default_rng(n_rows).choice(simple, _N_CONES, replace=False)
    return [(float(ra[i]), float(dec[i])) for i in chosen]


def _cones(asked: _Asked, n_rows: int, setup: Setup) -> tuple[Timing, list[tuple[str, Timing]]]:
    few = asked.centres[:_FEW]
    counts: dict[str, list[int]] = {}

    def run(name: str, ask: Callable[[Sequence[Centre]], list[int]], centres: Sequence[Centre]) -> None:
        counts[name] = ask(centres)

    works = [
        Work(partial(run, "ours", asked.ours, asked.centres), _N_CONES),
        Work(partial(run, "duckdb", asked.duckdb, asked.centres[:20]), 20),
    ]
    names = ["DuckDB, glob"]
    if 10**6 <= n_rows <= 10**7:
        brute_force = _brute_force(n_rows, setup)
        works.append(Work(partial(run, "astropy", brute_force, few), _FEW))
        names.append("astropy, all separations")
    ours, *theirs = timed(*works, n_runs=_FEW)
    for name, found in counts.items():
        assert found == counts["ours"][: len(found)], f"{name} finds other rows: {found}"
    return ours, list(zip(names, theirs, strict=True))


def _brute_force(n_rows: int, setup: Setup) -> Callable[[Sequence[Centre]], list[int]]:
    positions = pq.read_table(simulated.sky(n_rows, setup.cache), columns=["ra", "dec"])
    everything = SkyCoord(positions["ra"].to_numpy(), positions["dec"].to_numpy(), unit="deg")

    def count(centres: Sequence[Centre]) -> list[int]:
        points = (SkyCoord(*centre, unit="deg") for centre in centres)
        return [int(np.count_nonzero(everything.separation(point) <= RADIUS_DEG * u.deg)) for point in points]

    return count


def _findings(
    what: str, ours: Timing, beside: Sequence[tuple[str, Timing]], budget: Budget | None = None
) -> Iterator[Finding]:
    for name, theirs in beside:
        yield Finding(f"{what}, CPU", ours.cpu, name, theirs.cpu, budget)
        yield Finding(f"{what}, time", ours.wall, name, theirs.wall)


def _growth(what: str, timings: dict[int, Timing]) -> Finding:
    least, most = min(timings), max(timings)
    growth = timings[most].cpu.median / timings[least].cpu.median
    work = f"Growth of the CPU of {what} from {least:,} to {most:,} rows"
    return Finding(work, Sample.of(growth, Unit.TIMES), budget=_FLAT)

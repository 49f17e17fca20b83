"""Cross-matches: an upload against a deep field over HTTP, and two catalogues of the whole sky with each other.

References: astropy's `search_around_sky` on positions that are in memory already, which sends and reads nothing; and
LSDB over the very files that we read, which looks for the nearest neighbour only.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.coordinates import SkyCoord, search_around_sky
from astropy.table import Table
from lsdb.loaders.hats.read_hats import open_catalog

from benchmarks import simulated
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup
from benchmarks.load import first_answers
from benchmarks.serving import Server, serving, upload_bytes
from benchmarks.timing import Work, timed
from skydex.archive import Archive, QueryRequest
from skydex.formats.votable import read_votable

__all__ = ["TITLE", "measure"]

TITLE = "Cross-matches"
N_UPLOADED = 10_000
N_MATCHED = 1_000_000
_RADIUS_DEG = 1 / 3600
_NOISE_DEG = 0.3 / 3600
_UPLOAD = Budget("<= 0.15 s", 0.15)
_TABLES = Budget("<= 0.5 s CPU", 0.5)
_DACHS = "0.74-1.19 s"
_ASTROPY = "astropy, search_around_sky in memory"
_LSDB = "LSDB over the same files, nearest neighbour"
_N_RUNS = 7


def measure(setup: Setup) -> Iterator[Finding]:
    """Time and CPU of both."""
    holdings = Holdings(setup)
    name = holdings.field()
    with serving(holdings.directory) as server:
        yield from _upload(server, name, _positions(simulated.field(holdings.n_field, setup.cache)))
    yield from _tables(holdings, min(N_MATCHED, setup.rows), setup)


def _upload(server: Server, name: str, field: SkyCoord) -> Iterator[Finding]:
    chosen = np.random.default_rng(N_UPLOADED).choice(len(field), N_UPLOADED, replace=False)
    mine = field[chosen].spherical_offsets_by(_NOISE_DEG * u.deg, _NOISE_DEG * u.deg)
    pairs = partial(search_around_sky, mine, field, _RADIUS_DEG * u.deg, storekdtree=False)
    n_pairs = len(pairs()[0])
    file = io.BytesIO()
    Table({"id": chosen, "ra": mine.ra, "dec": mine.dec}).write(file, format="votable", tabledata_format="binary2")
    for columns, shown in (("u.id, f.obj_id, f.ra, f.dec, f.g_mag", "5 columns"), ("*", "all columns")):
        near = "1 = CONTAINS(POINT('ICRS', f.ra, f.dec), CIRCLE('ICRS', u.ra, u.dec, 1./3600.))"
        query = f"SELECT {columns} FROM {name} AS f JOIN TAP_UPLOAD.mine AS u ON {near}"
        parameters = {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": query, "MAXREC": 1_000_000}
        request = [upload_bytes(server.port, "/tap/sync", parameters, {"mine": file.getvalue()})]
        assert read_votable(first_answers(server.port, request)[0])[1].num_rows == n_pairs
        ask = Work(partial(first_answers, server.port, request), 1, server.cpu_s)
        ours, astropy = timed(ask, Work(pairs), n_runs=_N_RUNS)
        work = f"{N_UPLOADED:,}-row upload against {len(field):,} rows, 1 arcsec, {shown}"
        yield Finding(f"{work}, end to end", ours.wall, _ASTROPY, astropy.wall, _UPLOAD, _DACHS)
        yield Finding(f"{work}, CPU of the server", ours.cpu, _ASTROPY, astropy.cpu)


def _tables(holdings: Holdings, n_rows: int, setup: Setup) -> Iterator[Finding]:
    first, second = holdings.sky(n_rows), holdings.second_sky(n_rows)
    archive = Archive.open(holdings.directory)
    near = "DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 1./3600."
    request = QueryRequest(f"SELECT a.obj_id, b.obj_id FROM {first} AS a JOIN {second} AS b ON {near}")
    left, right = (_positions(make(n_rows, setup.cache)) for make in (simulated.sky, simulated.second_sky))
    pairs = partial(search_around_sky, left, right, _RADIUS_DEG * u.deg, storekdtree=False)

    columns = ["obj_id", "ra", "dec"]

    def ours() -> pa.Table:
        return archive.query(request).to_arrow()

    def by_lsdb() -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            left, right = (open_catalog(holdings.hats_path(table), columns=columns) for table in (first, second))
            return len(left.crossmatch(right, radius_arcsec=1.0, suffixes=("_a", "_b")).compute(progress_bar=False))

    n_pairs = len(pairs()[0])
    assert ours().num_rows == n_pairs >= by_lsdb()
    works = (Work(ours), Work(pairs), Work(by_lsdb))
    timing, *others = timed(*works, n_runs=_N_RUNS)
    work = f"{n_rows:,} x {n_rows:,} rows, 1 arcsec, all {n_pairs:,} pairs"
    for name, other in zip((_ASTROPY, _LSDB), others, strict=True):
        yield Finding(f"{work}, CPU", timing.cpu, name, other.cpu, _TABLES)
        yield Finding(f"{work}, time", timing.wall, name, other.wall)


def _positions(file: Path) -> SkyCoord:
    rows = pq.read_table(file, columns=["ra", "dec"])
    return SkyCoord(rows["ra"].to_numpy(), rows["dec"].to_numpy(), unit="deg")

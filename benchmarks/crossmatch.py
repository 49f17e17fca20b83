"""Cross-matches: an upload against a deep field over HTTP, and two catalogues of the whole sky with each other.

References: astropy's `search_around_sky` and scipy's KD-trees on positions that are in memory already, which send and
read nothing; LSDB over the very files that we read, which looks for the nearest neighbour only; DuckDB over them, in
SQL that somebody who knows it well would write; STILTS on FITS files, where it is installed.
"""

from __future__ import annotations

import io
import resource
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import astropy.units as u
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.coordinates import SkyCoord, search_around_sky
from astropy.table import Table
from lsdb.loaders.hats.read_hats import open_catalog
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from benchmarks import simulated
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup
from benchmarks.load import first_answers
from benchmarks.serving import Server, serving, upload_bytes
from benchmarks.timing import Work, timed
from skydex.archive import Archive, QueryRequest
from skydex.formats.votable import read_votable
from skydex.sky import unit_vectors

__all__ = ["TITLE", "measure", "pairs_by_duckdb"]

Floats = NDArray[np.float64]

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
_TREE = "scipy, two KD-trees of unit vectors, from positions in memory"
_DUCKDB = "DuckDB alone over the same files, join of cubes"
_STILTS = "STILTS, tskymatch2 on FITS"
_OF_OTHERS = {
    _ASTROPY: Budget("<= 1/3 of astropy's time", 1 / 3, of_ratio=True),
    _TREE: Budget("<= 0.8 of a KD-tree's time", 0.8, of_ratio=True),
    _LSDB: Budget("ahead of LSDB", 1.0, of_ratio=True),
    _STILTS: Budget("ahead of STILTS", 1.0, of_ratio=True),
}
_CHORD = float(2.0 * np.sin(np.radians(_RADIUS_DEG) / 2.0))
_NEAR = "DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 1./3600."
_CONTAINS = "1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, 1./3600.))"
_CUBES = """
WITH a AS (SELECT obj_id, cos(radians(dec)) * cos(radians(ra)) AS x, cos(radians(dec)) * sin(radians(ra)) AS y,
                  sin(radians(dec)) AS z FROM read_parquet('{first}', hive_partitioning = false)),
     b AS (SELECT obj_id, cos(radians(dec)) * cos(radians(ra)) AS x, cos(radians(dec)) * sin(radians(ra)) AS y,
                  sin(radians(dec)) AS z FROM read_parquet('{second}', hive_partitioning = false)),
     cubes AS (SELECT *, floor(x * 1e4)::BIGINT AS i, floor(y * 1e4)::BIGINT AS j, floor(z * 1e4)::BIGINT AS k FROM a),
     i AS (SELECT *, unnest(range(floor(x * 1e4 - .05)::BIGINT, floor(x * 1e4 + .05)::BIGINT + 1)) AS i FROM b),
     j AS (SELECT *, unnest(range(floor(y * 1e4 - .05)::BIGINT, floor(y * 1e4 + .05)::BIGINT + 1)) AS j FROM i),
     k AS (SELECT *, unnest(range(floor(z * 1e4 - .05)::BIGINT, floor(z * 1e4 + .05)::BIGINT + 1)) AS k FROM j)
SELECT a.obj_id AS a, b.obj_id AS b FROM cubes AS a JOIN k AS b USING (i, j, k)
WHERE (a.x - b.x) ** 2 + (a.y - b.y) ** 2 + (a.z - b.z) ** 2 <= {limit!r}
"""
"""A cube is 21 arcsec wide, and 1 arcsec less than 0.05 of that."""
_N_RUNS = 7


def measure(setup: Setup) -> Iterator[Finding]:
    """Time and CPU of both."""
    holdings = Holdings(setup)
    name = holdings.field()
    with serving(holdings.directory) as server:
        yield from _upload(server, name, _positions(simulated.field(holdings.n_field, setup.cache)))
    yield from _tables(holdings, min(N_MATCHED, setup.rows), setup)
    yield from _large(holdings, setup)


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
    """Two whole skies with each other by everybody, of whom all but LSDB must find astropy's pairs."""
    first, second = holdings.sky(n_rows), holdings.second_sky(n_rows)
    archive = Archive.open(holdings.directory)
    left, right = (make(n_rows, setup.cache) for make in (simulated.sky, simulated.second_sky))
    by_astropy = partial(search_around_sky, _positions(left), _positions(right), _RADIUS_DEG * u.deg, storekdtree=False)
    asked = {
        "a.obj_id, b.obj_id": _NEAR,
        "a.obj_id, b.obj_id, by CONTAINS": _CONTAINS,
        "all columns of both": _NEAR,
        "COUNT(*)": _NEAR,
    }
    columns = ("a.obj_id, b.obj_id", "a.obj_id, b.obj_id", "a.*, b.*", "COUNT(*)")
    tables = f"{first} AS a JOIN {second} AS b"
    texts = [f"SELECT {c} FROM {tables} ON {near}" for c, near in zip(columns, asked.values(), strict=True)]
    ours = [partial(_answered, archive, text) for text in texts]
    others = {
        _ASTROPY: Work(by_astropy),
        _TREE: Work(partial(_by_tree, _places(left), _places(right))),
        _DUCKDB: Work(partial(pairs_by_duckdb, holdings.glob(first), holdings.glob(second))),
        _LSDB: Work(partial(_by_lsdb, holdings.hats_path(first), holdings.hats_path(second))),
    }
    pairs = _ids(by_astropy(), left, right)
    assert _sorted(ours[0]()) == _sorted(ours[1]()) == pairs
    assert _sorted(others[_DUCKDB].call()) == _ids(others[_TREE].call(), left, right) == pairs
    assert others[_LSDB].call() <= len(pairs)
    if shutil.which("stilts"):
        files = [_as_fits(file) for file in (left, right)]
        assert _sorted(_by_stilts(*files, setup.cache / "pairs.fits")) == pairs
        others[_STILTS] = Work(partial(_by_stilts, *files), 1, _cpu_of_children)
    timings = timed(*(Work(call) for call in ours), *others.values(), n_runs=_N_RUNS)
    timing, work = timings[0], f"{n_rows:,} x {n_rows:,} rows, 1 arcsec, all {len(pairs):,} pairs"
    for name, other in zip(others, timings[len(ours) :], strict=True):
        yield Finding(f"{work}, CPU", timing.cpu, name, other.cpu, _TABLES)
        yield Finding(f"{work}, time", timing.wall, name, other.wall, _OF_OTHERS.get(name))
    for what, timing in list(zip(asked, timings, strict=False))[1:]:
        yield Finding(f"{work}, {what}, CPU", timing.cpu, _ASTROPY, timings[len(ours)].cpu)


def _large(holdings: Holdings, setup: Setup) -> Iterator[Finding]:
    """A million rows with ever more of the same sky."""
    archive = Archive.open(holdings.directory)
    second = holdings.second_sky(N_MATCHED)
    for n_rows in (size for size in setup.sizes if size > N_MATCHED):
        first = holdings.sky(n_rows)
        count = partial(_answered, archive, f"SELECT COUNT(*) FROM {second} AS a JOIN {first} AS b ON {_NEAR}")
        by_duckdb = partial(pairs_by_duckdb, holdings.glob(second), holdings.glob(first))
        assert count()["count"].to_pylist() == [by_duckdb().num_rows]
        ours, other = timed(Work(count), Work(by_duckdb), n_runs=_N_RUNS)
        work = f"{N_MATCHED:,} x {n_rows:,} rows, 1 arcsec"
        yield Finding(f"{work}, CPU", ours.cpu, _DUCKDB, other.cpu)
        yield Finding(f"{work}, time", ours.wall, _DUCKDB, other.wall)


def _answered(archive: Archive, text: str) -> pa.Table:
    return archive.query(QueryRequest(text)).to_arrow()


def _by_tree(left: Floats, right: Floats) -> tuple[Any, Any]:
    """Rows of the pairs by two trees of unit vectors, which are not balanced, as that is quicker here."""
    trees = [cKDTree(unit_vectors(*place).T, balanced_tree=False, compact_nodes=False) for place in (left, right)]
    pairs = trees[0].sparse_distance_matrix(trees[1], _CHORD, output_type="ndarray")
    return pairs["i"], pairs["j"]


def pairs_by_duckdb(first: str, second: str) -> pa.Table:
    """Ids of the pairs by a join of cubes that unit vectors are in; circles of the second stand in all they touch."""
    return duckdb.sql(_CUBES.format(first=first, second=second, limit=_CHORD**2)).to_arrow_table()


def _by_lsdb(first: str, second: str) -> int:
    columns = ["obj_id", "ra", "dec"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        left, right = (open_catalog(path, columns=columns) for path in (first, second))
        return len(left.crossmatch(right, radius_arcsec=1.0, suffixes=("_a", "_b")).compute(progress_bar=False))


def _by_stilts(first: Path, second: Path, out: Path | None = None) -> pa.Table:
    """Ids of the pairs, if they are to be written."""
    words = ["stilts", "tskymatch2", f"in1={first}", f"in2={second}", "error=1", "find=all", "join=1and2"]
    words += [f"{name}{number}={name}" for name in ("ra", "dec") for number in (1, 2)]
    words += ["omode=count"] if out is None else [f"out={out}", "ofmt=fits"]
    subprocess.run(words, check=True, capture_output=True)
    if out is None:
        return pa.table({})
    pairs = Table.read(out)
    return pa.table([np.asarray(pairs[name], dtype=np.int64) for name in ("obj_id_1", "obj_id_2")], names=["a", "b"])


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _as_fits(file: Path) -> Path:
    """The ids and positions of a file, as STILTS reads them fastest."""
    fits = file.with_suffix(".places.fits")
    if not fits.exists():
        rows = pq.read_table(file, columns=["obj_id", "ra", "dec"])
        Table({name: rows[name].to_numpy() for name in rows.column_names}).write(fits)
    return fits


def _ids(rows: tuple[Any, ...], left: Path, right: Path) -> list[tuple[int, int]]:
    ids = [
        pq.read_table(file, columns=["obj_id"])["obj_id"].to_numpy()[i]
        for file, i in zip((left, right), rows[:2], strict=True)
    ]
    return _sorted(pa.table(ids, names=["a", "b"]))


def _sorted(pairs: pa.Table) -> list[tuple[int, int]]:
    return sorted(zip(*(column.to_pylist() for column in pairs.columns), strict=True))


def _places(file: Path) -> Floats:
    rows = pq.read_table(file, columns=["ra", "dec"])
    return np.stack([rows["ra"].to_numpy(), rows["dec"].to_numpy()])


def _positions(file: Path) -> SkyCoord:
    rows = pq.read_table(file, columns=["ra", "dec"])
    return SkyCoord(rows["ra"].to_numpy(), rows["dec"].to_numpy(), unit="deg")

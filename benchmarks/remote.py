"""Catalogues far away: cones over HTTP on this machine, cold and warm, with the bytes that come.

The web server is a process of its own, and like most it lists nothing. References: LSDB over the same address, and
DuckDB over the same files where they lie, told by a glob. The delay of a real network is not simulated: what counts
there are requests and bytes, which are given beside the times.
"""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb
import numpy as np
from tests.rangeserver import serving

from benchmarks.finding import Finding
from benchmarks.holdings import Holdings, Setup, duckdb_beside
from benchmarks.sample import Sample, Unit
from benchmarks.timing import Work, timed
from skydex.archive import Archive, ConeRequest
from skydex.store import ArchiveDirectory, counting

__all__ = ["TITLE", "measure"]

TITLE = "Catalogues far away"
RADIUS_DEG = 2 / 60
_N_CONES = 10
_N_LSDB = 2
_N_RUNS = 3
_NAME = "far.sky"


def measure(setup: Setup) -> Iterator[Finding]:
    """Cones in a catalogue over HTTP."""
    holdings = Holdings(setup)
    n_rows = min(setup.rows, 1_000_000)
    table = holdings.sky(n_rows)
    centres = _centres()
    with _served(Path(holdings.hats_path(table))) as url:
        cold, warm, near = timed(
            Work(lambda: _cold(url, centres), _N_CONES),
            Work(_warm(url, centres), _N_CONES),
            Work(_near(holdings.glob(table), centres), _N_CONES),
            n_runs=_N_RUNS,
        )
        work = f"Cone of 2 arcmin in {n_rows:,} rows over HTTP"
        yield Finding(f"{work}, nothing known", cold.wall, *_beside(url, centres))
        yield Finding(f"{work}, again", warm.wall, "DuckDB, glob, files here", near.wall)
        yield Finding(f"{work}, again", warm.cpu, "DuckDB, glob, files here", near.cpu)
        n_bytes, n_requests = _traffic(url, centres)
        size = sum(file.stat().st_size for file in Path(holdings.hats_path(table)).rglob("*.parquet"))
        megabytes = Sample.of([n_bytes / 1e6 / _N_CONES], Unit.MEGABYTES)
        yield Finding(f"{work}: read for one, in {n_requests / _N_CONES:.1f} requests", megabytes)
        yield Finding(f"{work}: the whole catalogue", Sample.of([size / 1e6], Unit.MEGABYTES))


def _centres() -> list[tuple[float, float]]:
    rng = np.random.default_rng(20_261_122)
    ra, dec = rng.uniform(0, 360, _N_CONES), np.degrees(np.arcsin(rng.uniform(-1, 1, _N_CONES)))
    return list(zip(ra.tolist(), dec.tolist(), strict=True))


def _asked(archive: Archive, centres: list[tuple[float, float]]) -> int:
    requests = (ConeRequest(_NAME, *centre, RADIUS_DEG, verbosity=3) for centre in centres)
    return sum(archive.query(request).to_arrow().num_rows for request in requests)


def _cold(url: str, centres: list[tuple[float, float]]) -> int:
    """Mount, open and ask, with an empty cache."""
    folder = tempfile.mkdtemp(prefix="skydex-far-")
    try:
        ArchiveDirectory.create(Path(folder) / "archive").mount(_NAME, url)
        return _asked(Archive.open(Path(folder) / "archive"), centres)
    finally:
        shutil.rmtree(folder)


def _warm(url: str, centres: list[tuple[float, float]]) -> Callable[[], int]:
    folder = Path(tempfile.mkdtemp(prefix="skydex-far-"))
    ArchiveDirectory.create(folder / "archive").mount(_NAME, url)
    archive = Archive.open(folder / "archive")
    return lambda: _asked(archive, centres)


def _traffic(url: str, centres: list[tuple[float, float]]) -> tuple[int, int]:
    with counting() as traffic:
        _cold(url, centres)
    return traffic.n_bytes, traffic.n_requests


def _near(glob: str, centres: list[tuple[float, float]]) -> Callable[[], int]:
    beside = duckdb_beside()
    return lambda: sum(_cone(beside, glob, centre) for centre in centres)


def _cone(beside: duckdb.DuckDBPyConnection, glob: str, centre: tuple[float, float]) -> int:
    from benchmarks.cones import cone_condition

    sql = f"SELECT * EXCLUDE (_healpix_29) FROM read_parquet('{glob}') WHERE {cone_condition(centre, RADIUS_DEG)}"
    return int(beside.sql(sql).to_arrow_table().num_rows)


def _beside(url: str, centres: list[tuple[float, float]]) -> tuple[str, Sample | None]:
    """LSDB over the same address, if it can read it."""
    try:
        import lsdb
    except ImportError:
        return "", None

    def ask() -> int:
        catalog = lsdb.open_catalog(url)
        return sum(len(catalog.cone_search(*centre, RADIUS_DEG * 3600).compute()) for centre in centres[:_N_LSDB])

    try:
        (found,) = timed(Work(ask, _N_LSDB), n_runs=1)
    except Exception as error:
        return f"LSDB over HTTP fails: {type(error).__name__}", None
    return "LSDB over HTTP", found.wall


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Serve a directory from another process, so that its work is not ours."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(str(folder), there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        here.send(None)
        process.join()


def _serve(folder: str, pipe: Connection) -> None:
    with serving(Path(folder)) as server:
        pipe.send(server.url)
        pipe.recv()

"""Looks at a large table: a density raster, counts by pixel, a histogram, facets, columns at a glance.

The raster is a colour-magnitude diagram of 256 x 256 cells with every row in it. Reference: DuckDB over the same files,
which groups by the number of the cell that arithmetic gives; its limits are no edges of what is stored, so that its
counts must be the same. Kept answers are asked of a server over loopback.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pyarrow as pa

from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup, duckdb_beside
from benchmarks.serving import serving
from benchmarks.timing import Timing, Work, timed
from skydex.archive import (
    Archive,
    Axis,
    ColumnsRequest,
    DensityRequest,
    FacetsRequest,
    HistogramRequest,
    Look,
    SkyRequest,
    Subject,
)
from skydex.settings import Settings

__all__ = ["TITLE", "measure"]

TITLE = "Looks at a table"
_N, _X, _Y = 256, (-1.00037, 2.00059), (11.00041, 25.00073)
_BY_DUCKDB = "DuckDB, glob"
_FIRST = Budget("10^8 rows: < 3 s", 3.0)
_KEPT = Budget("kept: < 100 ms", 0.1)
_N_RUNS = 3


def measure(setup: Setup) -> Iterator[Finding]:
    """The largest catalogue of the run."""
    holdings, n_rows = Holdings(setup), setup.sizes[-1]
    name = holdings.sky(n_rows)
    archive, settings = Archive.open(holdings.directory), Settings()
    rows = {"subject": Subject(name), "sample_rows": settings.look_sample_rows}
    raster = DensityRequest(**rows, x=Axis("g_mag - r_mag", _N, _X), y=Axis("g_mag", _N, _Y))
    theirs = partial(_grouped, holdings, name)
    assert np.array_equal(_raster(archive.query(raster).to_arrow()), _raster(theirs()))
    work = f"Raster of {_N} x {_N} cells, {n_rows:,} rows"
    yield from _both(work, *timed(Work(partial(_asked, archive, raster)), Work(theirs), n_runs=_N_RUNS))
    others: dict[str, Look] = {
        "Raster without a range": DensityRequest(**rows, x=Axis("g_mag - r_mag", _N), y=Axis("g_mag", _N)),
        "Raster with a colour": DensityRequest(
            **rows, x=Axis("g_mag - r_mag", _N, _X), y=Axis("g_mag", _N, _Y), color="i_mag", median_rows=10**6
        ),
        "Counts by HEALPix pixel": SkyRequest(**rows, most_pixels=settings.look_cells),
        "Histogram": HistogramRequest(**rows, x=Axis("g_mag", 100)),
        "Facets": FacetsRequest(**rows, exact_rows=settings.look_exact_rows),
        "Columns at a glance": ColumnsRequest(**rows),
    }
    for kind, look in others.items():
        (timing,) = timed(Work(partial(_asked, archive, look)), n_runs=_N_RUNS)
        yield Finding(f"{kind}, {n_rows:,} rows", timing.wall)
        yield Finding(f"{kind}, {n_rows:,} rows, CPU", timing.cpu)
    yield _kept(holdings.directory, name, work)


def _asked(archive: Archive, look: Look) -> int:
    return archive.query(look).to_arrow().num_rows


def _grouped(holdings: Holdings, name: str) -> pa.Table:
    """The same cells by DuckDB."""
    x, y = "(g_mag::DOUBLE - r_mag::DOUBLE)", "g_mag::DOUBLE"
    cells = ", ".join(
        f"floor(({value} - {low}) * {_N / (high - low)!r})::INTEGER AS i{axis}"
        for axis, value, (low, high) in (("x", x, _X), ("y", y, _Y))
    )
    inside = f"{x} BETWEEN {_X[0]} AND {_X[1]} AND {y} BETWEEN {_Y[0]} AND {_Y[1]}"
    source = f"SELECT {cells} FROM read_parquet('{holdings.glob(name)}') WHERE {inside}"
    found: pa.Table = (
        duckdb_beside().sql(f"SELECT ix, iy, count(*) AS n FROM ({source}) GROUP BY ix, iy").to_arrow_table()
    )
    return found


def _raster(cells: pa.Table) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    counts = np.zeros((_N, _N), np.int64)
    counts[cells["ix"].to_numpy(), cells["iy"].to_numpy()] = cells["n"].to_numpy()
    return counts


def _both(work: str, ours: Timing, theirs: Timing) -> Iterator[Finding]:
    yield Finding(work, ours.wall, _BY_DUCKDB, theirs.wall, _FIRST)
    yield Finding(f"{work}, CPU", ours.cpu, _BY_DUCKDB, theirs.cpu)


def _kept(directory: Path, name: str, work: str) -> Finding:
    """The same again from a server that has it."""
    with serving(directory, cache_mb=Settings().cache_mb) as server:
        asked = urlencode({"x": "g_mag - r_mag", "y": "g_mag"})
        url = f"{server.url}/look/density/{name}.arrow?{asked}"

        def fetched() -> int:
            with urlopen(url) as answer:
                return len(answer.read())

        fetched()
        (timing,) = timed(Work(fetched), n_runs=7)
    return Finding(f"{work}, kept, over loopback", timing.wall, budget=_KEPT)

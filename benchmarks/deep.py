"""Detections in a long form: objects of 10 to 1000 measurements each, filed by their object's place, sorted by time.

The rows are simulated piece by piece and go through the sort on the disk, so that 10^9 of them need no more memory than
10^7. `python -m benchmarks deep --rows 1e9` makes them; a row takes 10 bytes, and 46 more while it is sorted: 10 GB and
46 GB beside. A build that was killed goes on where it was when it is started again, by `python -m benchmarks.deep
DIRECTORY ROWS`. Nothing in the rows is an observation.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.child import Spent, run_child
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Setup, duckdb_beside
from benchmarks.sample import Sample, Unit
from benchmarks.timing import Work, timed
from skydex.archive import Archive, QueryRequest
from skydex.sky import index29
from skydex.store import ArchiveDirectory, Layout, Staging
from skydex.tables import INDEX_COLUMN, Column, Datatype, Position, Table, arrow_schema

__all__ = ["TITLE", "build", "measure"]

TITLE = "Detections in a long form"
NAME = "sim.detections"
_OBJECTS_OF_PIECE = 4_000
_FEWEST, _MOST = 10.0, 1000.0
_SEED = 20_251_122
_N_CURVES = 15
_FLAT = Budget("independent of size: at most 1.25 times", 1.25)
_CURVE = Budget("light curve of one object, two bands: <= 10 ms", 0.010)
_TABLE = Table(
    NAME,
    (
        Column("obj_id", Datatype.LONG, ucd="meta.id;meta.main"),
        Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("mjd", Datatype.DOUBLE, unit="d", ucd="time.epoch"),
        Column("band", Datatype.SHORT, ucd="meta.code"),
        Column("flux", Datatype.FLOAT, unit="uJy", ucd="phot.flux"),
        Column("flux_err", Datatype.FLOAT, unit="uJy", ucd="stat.error;phot.flux"),
    ),
    description="Simulated for benchmarks: no row is an observation.",
    position=Position("ra", "dec"),
)


def measure(setup: Setup) -> Iterator[Finding]:
    """Rows a second, peak memory and bytes of a row of two sizes; light curves in the larger one."""
    few, many = setup.rows // 4, setup.rows
    spent = {n_rows: _built(setup.cache / f"deep_{n_rows}", n_rows) for n_rows in (few, many)}
    for n_rows, (child, staged, kept) in spent.items():
        work = f"{n_rows:,} detections"
        yield Finding(f"{work}: simulated, sorted, published", Sample.of(n_rows / child.wall_s, Unit.ROWS_PER_SECOND))
        yield Finding(f"{work}: peak memory", Sample.of(child.peak_mib, Unit.MEBIBYTES))
        yield Finding(f"{work}: disk", Sample.of(kept / 1e6, Unit.MEGABYTES), "staged while it is built",
                      Sample.of((staged + kept) / 1e6, Unit.MEGABYTES))  # fmt: skip
    growth = Sample.of(spent[many][0].peak_mib / spent[few][0].peak_mib, Unit.TIMES)
    yield Finding(f"Growth of peak memory from {few:,} to {many:,} detections", growth, budget=_FLAT)
    yield from _light_curves(setup.cache / f"deep_{many}", many)
    for n_rows in (few, many):
        shutil.rmtree(setup.cache / f"deep_{n_rows}")


def build(directory: Path, n_rows: int) -> None:
    """Publish a table of about so many detections; goes on where an earlier attempt was killed."""
    archive = ArchiveDirectory.create(directory)
    there = next((entry for entry in archive.tables() if entry.name == NAME), None)
    if there is not None and (there.n_rows or 0) >= n_rows:
        return
    staged = archive.staging_directory(NAME, f"deep-{n_rows}")
    with Staging.open(staged, table=_TABLE, layout=Layout(sort_by=("obj_id", "mjd"))) as staging:
        number = 0
        while staging.rows_done < n_rows or staging.is_done(str(number)):
            if not staging.is_done(str(number)):
                staging.add(str(number), _piece(number))
            number += 1
        archive.publish(NAME, staging.finish().directory)


def _piece(number: int) -> pa.Table:
    """The detections of some objects that lie anywhere; their numbers say nothing of their places."""
    rng = np.random.default_rng([_SEED, number])
    n = _OBJECTS_OF_PIECE
    ra, dec = rng.random(n) * 360.0, np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, n)))
    counts = np.exp(rng.uniform(np.log(_FEWEST), np.log(_MOST), n)).round().astype(np.int64)
    of = np.repeat(np.arange(n), counts)
    m = len(of)
    period, amplitude, mean = rng.lognormal(0.0, 1.5, n), rng.rayleigh(0.1, n), np.exp(rng.normal(3.0, 1.5, n))
    mjd = 58_000.0 + rng.integers(0, 3650, m) + rng.normal(0.3, 0.08, m)
    error = (0.02 * mean[of] + 0.3).astype(np.float32)
    flux = mean[of] * (1.0 + amplitude[of] * np.sin(2.0 * np.pi * mjd / period[of])) + rng.normal(0.0, 1.0, m) * error
    columns = {
        INDEX_COLUMN: index29(ra, dec)[of],
        "obj_id": number * n + of,
        "ra": ra[of],
        "dec": dec[of],
        "mjd": mjd,
        "band": rng.integers(1, 3, m).astype(np.int16),
        "flux": flux.astype(np.float32),
        "flux_err": error,
    }
    schema = arrow_schema(_TABLE.columns).insert(0, pa.field(INDEX_COLUMN, pa.int64()))
    return pa.table(columns, schema=schema)


def _built(directory: Path, n_rows: int) -> tuple[Spent, int, int]:
    """What building took in a process of its own, the bytes that were staged for it, and those that stay."""
    shutil.rmtree(directory, ignore_errors=True)
    spent = run_child([sys.executable, "-m", "benchmarks.deep", directory, n_rows])
    dataset = Archive.open(directory).namespace().get(NAME).dataset
    assert dataset is not None
    assert dataset.table.n_rows is not None
    row = sum(field.type.bit_width for field in dataset.arrow_schema) // 8
    kept = sum(file.stat().st_size for file in Path(dataset.directory).rglob("*") if file.is_file())
    return spent, row * dataset.table.n_rows, kept


def _light_curves(directory: Path, n_rows: int) -> Iterator[Finding]:
    """Light curves of objects of which the place is known, and of which only the number is."""
    archive = Archive.open(directory)
    rng = np.random.default_rng(_SEED)
    of_pieces = _piece(0).group_by(["obj_id", "ra", "dec"]).aggregate([("mjd", "count")]).to_pylist()
    objects = [of_pieces[int(i)] for i in rng.integers(0, len(of_pieces), _N_CURVES)]
    connection = duckdb_beside()
    glob = f"{archive.namespace().get(NAME).dataset.directory}/dataset/Norder=*/Dir=*/Npix=*.parquet"  # type: ignore[union-attr]
    work = f"Light curve of one of {n_rows:,} detections"

    def asked(condition: str) -> None:
        for each in objects:
            text = f"SELECT mjd, band, flux, flux_err FROM {NAME} WHERE {condition.format(**each)} ORDER BY mjd"
            assert archive.query(QueryRequest(text)).to_arrow().num_rows == each["mjd_count"]

    def bare() -> None:
        for each in objects:
            where = f"obj_id = {each['obj_id']}"
            sql = f"SELECT mjd, band, flux, flux_err FROM read_parquet('{glob}') WHERE {where} ORDER BY mjd"
            assert len(connection.sql(sql).to_arrow_table()) == each["mjd_count"]

    near = "DISTANCE(ra, dec, {ra!r}, {dec!r}) < 0.0001 AND obj_id = {obj_id}"
    by_place, by_number, theirs = timed(
        Work(partial(asked, near), _N_CURVES), Work(partial(asked, "obj_id = {obj_id}"), _N_CURVES),
        Work(bare, _N_CURVES), n_runs=3,
    )  # fmt: skip
    name = "DuckDB, glob, by number"
    yield Finding(f"{work}, by place and number", by_place.wall, name, theirs.wall, _CURVE)
    yield Finding(f"{work}, by number alone", by_number.wall, name, theirs.wall, _CURVE)


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(float(sys.argv[2])))

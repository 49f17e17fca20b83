"""What the columns cost that say nothing: a summary of 418 columns, of whose 133 filters ten were ever used.

References: the same rows without the 369 columns that say nothing, published by us too; and one plain Parquet file as
pyarrow writes it with zstd, read by pyarrow.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Setup
from benchmarks.sample import Sample, Unit
from benchmarks.timing import Timing, Work, timed
from skydex.archive import Archive, QueryRequest
from skydex.formats import get_format
from skydex.ingest import ingest_files
from skydex.objects import FILTERS, summary_columns
from skydex.store import ArchiveDirectory
from skydex.tables import arrow_schema, metadata_of_columns

__all__ = ["TITLE", "measure"]

TITLE = "Wide tables"
_LIVE = (
    *("A_F475W", "A_F555W", "A_F606W", "A_F814W", "A_F850LP"),
    *("W3_F275W", "W3_F336W", "W3_F160W", "W2_F606W", "W2_F814W"),
)
_ASKED = (
    "MatchID, MatchRA, MatchDec, NumFilters, NumVisits, NumImages, StartMJD, StopMJD, "
    "A_F475W, A_F475W_N, A_F475W_MAD, A_F814W, A_F814W_N, A_F814W_MAD"
)
_FIELD_ROWS = 18_000
_ANSWER_ROWS = 18_000
_BLOCK_ROWS = 100_000
_RADIUS_DEG = 2 / 60
_NEARLY = Budget("nearly nothing: at most 1.15 times the narrow table", 1.15, of_ratio=True)
_NO_DEARER = Budget("nearly nothing: at most 1.25 times the narrow table", 1.25, of_ratio=True)
_NARROW, _PLAIN = "the same without the silent columns", "one plain Parquet file, pyarrow"


def measure(setup: Setup) -> Iterator[Finding]:
    """Room on the disk, cones, all columns, opening and ingest, of few rows and of many."""
    for n_rows in (20_000, min(setup.rows, 1_000_000)):
        room = setup.cache / "wide"
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir(parents=True)
        work = f"{n_rows:,} rows x 418"
        wide, narrow = _make(room / "wide.parquet", n_rows), room / "narrow.parquet"
        _without_silence(wide, narrow)
        ingest = {
            file: timed(Work(partial(_ingest, file, room / file.stem), n_rows), n_runs=1)[0] for file in (wide, narrow)
        }
        ours = _Asked(room / "wide", wide)
        beside = _Asked(room / "narrow", narrow)
        budget = _NEARLY if n_rows > 20_000 else None  # what the columns mean takes half a megabyte in any case
        yield Finding(f"{work} on disk", _megabytes(room / "wide"), _NARROW, _megabytes(room / "narrow"), budget)
        yield Finding(f"{work} on disk", _megabytes(room / "wide"), _PLAIN, _megabytes(wide))
        yield from _cones(work, ours, beside)
        yield from _everything(work, ours, beside)
        opened, of_narrow = timed(Work(ours.open), Work(beside.open))
        yield Finding(f"{work}: open the archive, CPU", opened.cpu, _NARROW, of_narrow.cpu)
        copied = timed(Work(partial(_copied, wide, room / "copy.parquet"), n_rows), n_runs=1)[0]
        yield Finding(f"{work}: ingest, CPU of a row", ingest[wide].cpu, _NARROW, ingest[narrow].cpu)
        yield Finding(f"{work}: ingest, CPU of a row", ingest[wide].cpu, "pyarrow, read and written again", copied.cpu)
        yield Finding(f"{work}: ingest", _rate(ingest[wide]), _NARROW, _rate(ingest[narrow]))
        shutil.rmtree(room)


@dataclass
class _Asked:
    """Questions to one archive, and to the file that it was made of."""

    directory: Path
    file: Path

    def __post_init__(self) -> None:
        self.archive = Archive.open(self.directory)
        first = pq.ParquetFile(self.file).read_row_group(0, ["MatchRA", "MatchDec"])
        self.ra, self.dec = first["MatchRA"][5].as_py(), first["MatchDec"][5].as_py()

    def open(self) -> None:
        archive = Archive.open(self.directory)
        assert archive.query(QueryRequest("SELECT TOP 1 MatchID FROM sim.summary")).to_arrow().num_rows == 1

    def cone(self, columns: str) -> int:
        where = f"DISTANCE(MatchRA, MatchDec, {self.ra}, {self.dec}) <= {_RADIUS_DEG} AND NumImages >= 1"
        query = QueryRequest(f"SELECT {columns} FROM sim.summary WHERE {where}")
        return int(self.archive.query(query).to_arrow().num_rows)

    def cone_of_pyarrow(self, columns: str) -> int:
        """The box around the cone is asked for, which is less work."""
        half = _RADIUS_DEG / np.cos(np.radians(self.dec))
        inside = (pc.field("MatchDec") >= self.dec - _RADIUS_DEG) & (pc.field("MatchDec") <= self.dec + _RADIUS_DEG)
        inside &= (pc.field("MatchRA") >= self.ra - half) & (pc.field("MatchRA") <= self.ra + half)
        names = None if columns == "*" else columns.split(", ")
        return int(pq.read_table(self.file, columns=names, filters=inside).num_rows)

    def written(self, form: str) -> int:
        write = get_format(form).write
        assert write is not None
        result = self.archive.query(QueryRequest(f"SELECT TOP {_ANSWER_ROWS} * FROM sim.summary"))
        return sum(map(len, write(result)))

    def csv_of_pyarrow(self) -> None:
        rows = next(pq.ParquetFile(self.file).iter_batches(_ANSWER_ROWS))
        pacsv.write_csv(pa.Table.from_batches([rows]), io.BytesIO())


def _cones(work: str, ours: _Asked, beside: _Asked) -> Iterator[Finding]:
    what = f"{work}: cone of 2 arcmin, 14 columns, CPU"
    mine, of_narrow, plain = timed(
        Work(partial(ours.cone, _ASKED)),
        Work(partial(beside.cone, _ASKED)),
        Work(partial(ours.cone_of_pyarrow, _ASKED)),
    )
    yield Finding(what, mine.cpu, _NARROW, of_narrow.cpu, _NO_DEARER)
    yield Finding(what, mine.cpu, _PLAIN, plain.cpu)


def _everything(work: str, ours: _Asked, beside: _Asked) -> Iterator[Finding]:
    mine, of_narrow, plain = timed(
        Work(partial(ours.cone, "*")), Work(partial(beside.cone, "*")), Work(partial(ours.cone_of_pyarrow, "*"))
    )
    yield Finding(f"{work}: cone of 2 arcmin, all columns, CPU", mine.cpu, _NARROW, of_narrow.cpu)
    yield Finding(f"{work}: cone of 2 arcmin, all columns, CPU", mine.cpu, _PLAIN, plain.cpu)
    for name, form in (("CSV", "csv"), ("VOTable", "votable")):
        mine, of_narrow = timed(Work(partial(ours.written, form)), Work(partial(beside.written, form)), n_runs=3)
        yield Finding(f"{work}: {_ANSWER_ROWS:,} of them as {name}, CPU", mine.cpu, _NARROW, of_narrow.cpu)
        if form == "csv":
            plain = timed(Work(ours.csv_of_pyarrow), n_runs=3)[0]
            yield Finding(f"{work}: {_ANSWER_ROWS:,} of them as {name}, CPU", mine.cpu, _PLAIN, plain.cpu)


def _ingest(file: Path, directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    about = "Simulated for benchmarks: no row is an observation."
    ingest_files([file], ArchiveDirectory.create(directory), "sim.summary", description=about)


def _copied(file: Path, copy: Path) -> None:
    pq.write_table(pq.read_table(file), copy, compression="zstd")


def _rate(timing: Timing) -> Sample:
    return Sample.of([1.0 / seconds for seconds in timing.wall_s], Unit.ROWS_PER_SECOND)


def _megabytes(place: Path) -> Sample:
    files = [file for file in place.rglob("*") if file.is_file()] if place.is_dir() else [place]
    return Sample.of(sum(file.stat().st_size for file in files) / 1e6, Unit.MEGABYTES)


def _make(file: Path, n_rows: int) -> Path:
    columns = summary_columns()
    schema = arrow_schema(columns).with_metadata(metadata_of_columns(columns))
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for start in range(0, n_rows, _BLOCK_ROWS):
            writer.write_table(_block(schema, min(_BLOCK_ROWS, n_rows - start), start))
    return file


def _without_silence(wide: Path, narrow: Path) -> None:
    silent = {name for one in FILTERS if one.summary_name not in _LIVE for name in _triplet(one.summary_name)}
    source = pq.ParquetFile(wide)
    names = [name for name in source.schema_arrow.names if name not in silent]
    schema = pa.schema([source.schema_arrow.field(name) for name in names])
    with pq.ParquetWriter(narrow, schema, compression="zstd") as writer:
        for batch in source.iter_batches(_BLOCK_ROWS, columns=names):
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))


def _triplet(name: str) -> tuple[str, str, str]:
    return name, f"{name}_MAD", f"{name}_N"


def _block(schema: pa.Schema, n: int, start: int) -> pa.Table:
    """Fields of 0.03 degrees and 18,000 objects, each seen in two of the ten filters."""
    rng = np.random.default_rng(start)
    field = rng.integers(0, max(1, n // _FIELD_ROWS), n)
    centre_ra, centre_dec = rng.random(n) * 360.0, np.degrees(np.arcsin(rng.uniform(-0.99, 0.99, n)))
    dec = centre_dec[field] + rng.normal(0.0, 0.03, n)
    ra = (centre_ra[field] + rng.normal(0.0, 0.03, n) / np.cos(np.radians(dec))) % 360.0
    day = rng.integers(0, 300, n)
    values = {
        "MatchID": np.arange(n) + start + 9 * 10**12,
        "MatchRA": ra,
        "MatchDec": dec,
        "DSigma": rng.rayleigh(8.0, n),
        "AbsCorr": np.where(rng.random(n) < 0.9, "Y", "N"),
        "NumFilters": rng.integers(1, 4, n),
        "NumVisits": rng.integers(1, 15, n),
        "NumImages": rng.integers(1, 27, n),
        "StartTime": np.char.add("2005 day ", day.astype("U3")),
        "StopTime": np.char.add("2006 day ", day.astype("U3")),
        "StartMJD": 53_400.0 + day,
        "StopMJD": 53_765.5 + day,
        "TargetName": np.char.add("FIELD-", field.astype("U3")),
        "CI": rng.normal(1.0, 0.1, n),
        "CI_Sigma": rng.rayleigh(0.1, n),
        "KronRadius": rng.normal(0.2, 0.02, n),
        "KronRadius_Sigma": rng.rayleigh(0.02, n),
        "SpectrumFlag": np.full(n, "N"),
    }
    arrays = {name: pa.array(column) for name, column in values.items()}
    for number, live in enumerate(_LIVE):
        is_empty = (field % 5 != number % 5) | (rng.random(n) < 0.1)
        magnitude, deviation, count = _triplet(live)
        arrays[magnitude] = pa.array(np.round(rng.normal(24.0, 1.5, n), 4), mask=is_empty)
        arrays[deviation] = pa.array(np.round(rng.rayleigh(0.03, n), 4), mask=is_empty)
        arrays[count] = pa.array(np.where(is_empty, 0, rng.integers(1, 13, n)))
    zeros = pa.array(np.zeros(n, np.int32))
    silent = (zeros if item.name.endswith("_N") else pa.nulls(n, item.type) for item in schema)
    columns = [arrays.get(item.name, other).cast(item.type) for item, other in zip(schema, silent, strict=True)]
    return pa.Table.from_arrays(columns, schema=schema)

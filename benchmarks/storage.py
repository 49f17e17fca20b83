"""How much room a catalogue takes on the disk, beside other ways of keeping the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from benchmarks import simulated
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Holdings, Setup
from benchmarks.sample import Sample, Unit

__all__ = ["TITLE", "measure"]

TITLE = "Storage"
_BUDGET = Budget("457 against 780 MB of plain zstd: at most 0.6 of it", 0.6, of_ratio=True)


def measure(setup: Setup) -> Iterator[Finding]:
    """Bytes of the largest catalogue of the whole sky, index and manifest included."""
    holdings = Holdings(setup)
    n_rows = setup.sizes[-1] if not setup.is_long else setup.sizes[-2]
    rows = simulated.sky(n_rows, setup.cache)
    ours = _megabytes(Path(holdings.glob(holdings.sky(n_rows)).partition("/dataset/")[0]).resolve())
    work = f"{n_rows:,} rows x 14 columns on disk"
    for name, write, budget in (
        ("Parquet with zstd, otherwise as pyarrow writes it", _plain_parquet, _BUDGET),
        ("DuckDB's own file", _duckdb_file, None),
        ("CSV as pyarrow writes it", _csv, None),
    ):
        beside = setup.cache / "beside"
        write(rows, beside)
        yield Finding(work, ours, name, _megabytes(beside), budget)
        beside.unlink()


def _megabytes(place: Path) -> Sample:
    files = [file for file in place.rglob("*") if file.is_file()] if place.is_dir() else [place]
    return Sample.of(sum(file.stat().st_size for file in files) / 1e6, Unit.MEGABYTES)


def _plain_parquet(rows: Path, beside: Path) -> None:
    source = pq.ParquetFile(rows)
    with pq.ParquetWriter(beside, source.schema_arrow, compression="zstd") as writer:
        for batch in source.iter_batches(1_000_000):
            writer.write_batch(batch)


def _duckdb_file(rows: Path, beside: Path) -> None:
    beside.unlink(missing_ok=True)
    with duckdb.connect(str(beside)) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT * FROM '{rows}'")
        connection.execute("CHECKPOINT")


def _csv(rows: Path, beside: Path) -> None:
    source = pq.ParquetFile(rows)
    with pacsv.CSVWriter(beside, source.schema_arrow) as writer:
        for batch in source.iter_batches(1_000_000):
            writer.write_batch(batch)

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
    n_rows = max(n for n in setup.sizes if n <= 10**7)
    work = f"{n_rows:,} rows x 14 columns on disk"
    exact, decimal = simulated.sky(n_rows, setup.cache), simulated.decimal_sky(n_rows, setup.cache)
    yield from _beside_others(work, exact, _directory(holdings, holdings.sky(n_rows)), setup.cache)
    work += ", every column rounded"
    yield from _beside_others(work, decimal, _directory(holdings, holdings.decimal_sky(n_rows)), setup.cache)


def _directory(holdings: Holdings, name: str) -> Path:
    return Path(holdings.glob(name).partition("/dataset/")[0]).resolve()


def _beside_others(work: str, rows: Path, ours: Path, cache: Path) -> Iterator[Finding]:
    beside = cache / "beside"
    for name, write, budget in (
        ("Parquet with zstd, otherwise as pyarrow writes it", _plain_parquet, _BUDGET),
        ("DuckDB's own file", _duckdb_file, None),
        ("CSV as pyarrow writes it", _csv, None),
    ):
        write(rows, beside)
        yield Finding(work, _megabytes(ours), name, _megabytes(beside), budget)
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

"""How fast files become published tables, and in how much memory; each ingest is a process of its own.

The references only read the file and write one Parquet file: they neither sort rows by position, nor check them, nor
make them durable.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import simulated
from benchmarks.child import Spent, python, run_child
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Setup
from benchmarks.sample import Sample, Unit

__all__ = ["TITLE", "measure"]

TITLE = "Ingest"
_DACHS = "4,600 rows/s; 75,760 rows/s with its C booster"
_BUDGETS = {"Parquet": Budget(">= 10^6 rows/s", 1e6), "FITS": Budget(">= 3x10^5 rows/s", 3e5)}
_FLAT = Budget("independent of size: at most 1.25 times", 1.25)
_FEW = 3

_ASTROPY = """
import sys
from astropy.table import Table
Table.read(sys.argv[1]).write(sys.argv[2], format="parquet", overwrite=True)
"""
_DUCKDB = """
import sys, duckdb
duckdb.execute(f"COPY (SELECT * FROM '{sys.argv[1]}') TO '{sys.argv[2]}' (FORMAT parquet, COMPRESSION zstd)")
"""


def measure(setup: Setup) -> Iterator[Finding]:
    """Rows a second and peak memory, from Parquet and from FITS, at two sizes; and how memory grows beyond them."""
    sizes = [n for n in (10**6, 10**7) if n <= setup.rows] or [setup.rows]
    for kind in ("Parquet", "FITS"):
        for n_rows in sizes:
            parquet = simulated.sky(n_rows, setup.cache)
            file = parquet if kind == "Parquet" else simulated.fits_copy(parquet)
            spent = _in_turns(file, setup.cache / "ingest", with_duckdb=kind == "Parquet")
            yield from _findings(f"{n_rows:,} rows x 14 from {kind}", spent, n_rows, _BUDGETS[kind])
    yield _growth(setup.rows // 2, 2 * setup.rows, setup)


def _growth(few: int, many: int, setup: Setup) -> Finding:
    """Peak memory of four times as many rows, divided by that of fewer; what fits into buffers is no measure."""
    peaks = {
        n_rows: _in_turns(simulated.sky(n_rows, setup.cache), setup.cache / "ingest", with_duckdb=False)
        for n_rows in (few, many)
    }
    ours, theirs = (
        Sample.of(_peak(peaks[many][name]).median / _peak(peaks[few][name]).median, Unit.TIMES)
        for name in ("skydex", "astropy")
    )
    work = f"Growth of peak memory from {few:,} to {many:,} rows of Parquet"
    return Finding(work, ours, "astropy, whole process, unsorted", theirs, _FLAT)


def _in_turns(file: Path, room: Path, *, with_duckdb: bool) -> dict[str, list[Spent]]:
    out = room / "out.parquet"
    commands: dict[str, list[object]] = {
        "skydex": [sys.executable, "-m", "skydex", "ingest", file, "--into", room / "archive", "--name", "sim.new"],
        "astropy": [*python(_ASTROPY, file, out)],
    }
    if with_duckdb:
        commands["DuckDB"] = [*python(_DUCKDB, file, out)]
    spent: dict[str, list[Spent]] = {name: [] for name in commands}
    for _ in range(_FEW):
        for name, command in commands.items():
            shutil.rmtree(room, ignore_errors=True)
            room.mkdir(parents=True)
            spent[name].append(run_child(command))
    shutil.rmtree(room)
    return spent


def _findings(what: str, spent: dict[str, list[Spent]], n_rows: int, budget: Budget) -> Iterator[Finding]:
    ours = spent.pop("skydex")
    for name, theirs in spent.items():
        how = f"{name}, whole process, unsorted"
        yield Finding(f"Ingest of {what}", _rate(ours, n_rows), how, _rate(theirs, n_rows), budget, _DACHS)
        yield Finding(f"CPU of ingest of {what}", _cpu(ours), how, _cpu(theirs))
        yield Finding(f"Peak memory of ingest of {what}", _peak(ours), how, _peak(theirs))


def _rate(spent: list[Spent], n_rows: int) -> Sample:
    return Sample.of([n_rows / each.wall_s for each in spent], Unit.ROWS_PER_SECOND)


def _cpu(spent: list[Spent]) -> Sample:
    return Sample.of([each.cpu_s for each in spent], Unit.CPU_SECONDS)


def _peak(spent: list[Spent]) -> Sample:
    return Sample.of([each.peak_mib for each in spent], Unit.MEBIBYTES)

"""Whole tables matched by the command `skydex xmatch`, which keeps its rows in a file: time, CPU and memory.

The start of the command is counted, which for small tables is most of it. How many rows must come out DuckDB says, by a
join of cubes over the same files, which keeps nothing. In the long form 10^8 rows are matched with 10^6, either way
round, and once the command is killed and given again.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.child import Spent, run_child
from benchmarks.crossmatch import pairs_by_duckdb
from benchmarks.finding import Finding
from benchmarks.holdings import Holdings, Setup
from benchmarks.sample import Sample, Unit
from benchmarks.timing import Work, timed

__all__ = ["TITLE", "measure"]

TITLE = "Whole tables matched by a command"
_N_ROWS = 1_000_000
_LARGE = 10**8
_N_RUNS = 3
_KILLED_AT = 0.6
"""Part of its time after which a command is killed."""
_DUCKDB = "DuckDB alone, join of cubes, pairs in memory"
_COLUMNS = ("--columns", "obj_id,ra,dec", "--columns", "obj_id")


@dataclass(frozen=True)
class _Match:
    """Two tables, and how many rows must come out."""

    first: str
    second: str
    work: str
    n_pairs: int
    n_matched: int
    n_first: int

    def n_out(self, keep: str) -> int:
        """Rows that come out."""
        return {"all": self.n_pairs, "nearest": self.n_matched, "none": self.n_first - self.n_matched}[keep]


def measure(setup: Setup) -> Iterator[Finding]:
    """What the command takes, and what DuckDB takes for the pairs."""
    holdings, n_rows = Holdings(setup), min(_N_ROWS, setup.rows)
    sky, second = holdings.sky(n_rows), holdings.second_sky(n_rows)
    (both,) = _matches(holdings, sky, second, (n_rows, n_rows), both_ways=False)
    (beside,) = timed(Work(lambda: pairs_by_duckdb(holdings.glob(sky), holdings.glob(second))), n_runs=_N_RUNS)
    for keep, more in (("nearest", ()), ("all", ()), ("none", ()), ("nearest", ("--chance",))):
        spent = [_run(holdings, both, keep, more) for _ in range(_N_RUNS)]
        yield from _findings(" ".join((f"{both.work}, {keep}", *more)), spent, beside.cpu)
    if setup.is_long:
        large = _matches(holdings, holdings.sky(_LARGE), second, (_LARGE, n_rows), both_ways=True)
        for match in large:
            yield from _findings(f"{match.work}, nearest", [_run(holdings, match, "nearest")], None)
        yield from _killed(holdings, large[0])


def _matches(
    holdings: Holdings, sky: str, second: str, sizes: tuple[int, int], *, both_ways: bool
) -> tuple[_Match, ...]:
    pairs = pairs_by_duckdb(holdings.glob(sky), holdings.glob(second))
    n_each = [pc.count_distinct(pairs[side]).as_py() for side in ("a", "b")]
    names, ways = (sky, second), ((0, 1), (1, 0)) if both_ways else ((0, 1),)
    return tuple(
        _Match(
            names[i],
            names[j],
            f"{sizes[i]:,} rows with {sizes[j]:,}, 1 arcsec",
            len(pairs),
            n_each[i],
            sizes[i],
        )
        for i, j in ways
    )


def _command(holdings: Holdings, match: _Match, keep: str, file: Path, more: Sequence[str] = ()) -> list[object]:
    columns = _COLUMNS[: 2 if keep == "none" else 4]
    words = ["xmatch", holdings.directory, match.first, match.second, "-r", "1arcsec", "--keep", keep, *columns, *more]
    return [sys.executable, "-m", "skydex", *words, "-o", file]


def _run(holdings: Holdings, match: _Match, keep: str, more: Sequence[str] = ()) -> Spent:
    """Give the command, and see that it kept as many rows as it must."""
    file = holdings.directory.parent / "matched.parquet"
    spent = run_child(_command(holdings, match, keep, file, more))
    assert pq.read_metadata(file).num_rows == match.n_out(keep)
    file.unlink()
    return spent


def _killed(holdings: Holdings, match: _Match) -> Iterator[Finding]:
    """The same command, killed on its way and given again, beside one that was left alone."""
    whole = _run(holdings, match, "all")
    file = holdings.directory.parent / "matched.parquet"
    begun = time.perf_counter()
    process = subprocess.Popen([*map(str, _command(holdings, match, "all", file))], stdout=subprocess.DEVNULL)
    time.sleep(_KILLED_AT * whole.wall_s)
    process.kill()
    process.wait()
    first_s = time.perf_counter() - begun
    again = _run(holdings, match, "all")
    work = f"{match.work}, all, killed after {_KILLED_AT:.0%} of its time and given again"
    both = Sample.of((first_s + again.wall_s) / whole.wall_s, Unit.TIMES)
    yield Finding(f"{work}: time of both, by that of one left alone", both)


def _findings(work: str, spent: list[Spent], beside: Sample | None) -> Iterator[Finding]:
    cpu = Sample(tuple(each.cpu_s for each in spent), Unit.CPU_SECONDS)
    yield Finding(f"{work}, CPU", cpu, *((_DUCKDB, beside) if beside is not None else ()))
    yield Finding(f"{work}, time", Sample(tuple(each.wall_s for each in spent), Unit.SECONDS))
    yield Finding(f"{work}, peak memory", Sample(tuple(each.peak_mib for each in spent), Unit.MEBIBYTES))

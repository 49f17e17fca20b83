"""Checks: what rows cannot be, and what is odd about them.

A row whose position is missing or impossible is *bad*: the recipe says whether it is refused, kept without a position
or dropped. Everything else is only counted: negative errors, infinities, suspected sentinels. Each check counts its
rows and keeps the first few row numbers, so that a person can look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.ingest.nulls import SentinelTally, Suspicion
from skydex.ingest.vocabulary import ERROR_NAME
from skydex.tables import Table

__all__ = ["Count", "Counts", "PositionCheck", "ValueChecks", "check_positions"]

N_EXAMPLES = 5
MISSING = "position missing"
BAD_DEC = "declination outside -90..90"
BAD_RA = "right ascension outside -180..360"
WRAPPED = "right ascension brought into 0..360"


@dataclass(frozen=True)
class Count:
    """How many rows a check caught."""

    check: str
    """What was found."""
    n_rows: int
    """How many rows."""
    examples: tuple[int, ...]
    """The first few row numbers of the input, from 0."""

    def __str__(self) -> str:
        rows = ", ".join(f"{row:,}" for row in self.examples)
        more = ", ..." if self.n_rows > len(self.examples) else ""
        return f"{self.check}: {self.n_rows:,} rows (row {rows}{more})"


class Counts:
    """Counts of several checks, growing batch by batch."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._examples: dict[str, list[int]] = {}

    def add(self, check: str, caught: NDArray[np.bool_], first_row: int) -> None:
        """Count the rows of a batch that a check caught."""
        n_rows = int(np.count_nonzero(caught))
        if n_rows == 0:
            return
        self._rows[check] = self._rows.get(check, 0) + n_rows
        examples = self._examples.setdefault(check, [])
        examples += [int(row) + first_row for row in np.flatnonzero(caught)[: N_EXAMPLES - len(examples)]]

    def all(self) -> tuple[Count, ...]:
        return tuple(Count(check, n_rows, tuple(self._examples[check])) for check, n_rows in self._rows.items())


@dataclass(frozen=True)
class PositionCheck:
    """Positions of a batch after they were looked at."""

    ra_deg: NDArray[np.float64]
    """In [0, 360); NaN where the row is bad."""
    dec_deg: NDArray[np.float64]
    """In [-90, 90]; NaN where the row is bad."""
    is_bad: NDArray[np.bool_]
    """Rows without a possible position."""
    was_wrapped: NDArray[np.bool_]
    """Rows whose right ascension was given as -180..0, or as 360 itself."""


def check_positions(
    ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64], counts: Counts, *, first_row: int
) -> PositionCheck:
    """Look at the positions of a batch and count what is wrong with them.

    Right ascensions from -180 to 0 and exactly 360 are the same sky written otherwise: they are brought into 0..360
    and counted. Anything farther out (-999, 370) is no right ascension.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) float64 array
        ICRS, degrees, NaN for missing.
    counts : Counts
        Where to count.
    first_row : int
        Number of the batch's first row in the input.
    """
    missing = np.isnan(ra_deg) | np.isnan(dec_deg)
    bad_dec = ~missing & ~(np.abs(dec_deg) <= 90.0)
    bad_ra = ~missing & ~((ra_deg >= -180.0) & (ra_deg <= 360.0))
    is_bad = missing | bad_dec | bad_ra
    wrapped = ~is_bad & ((ra_deg < 0.0) | (ra_deg == 360.0))
    for check, caught in ((MISSING, missing), (BAD_DEC, bad_dec), (BAD_RA, bad_ra), (WRAPPED, wrapped)):
        counts.add(check, caught, first_row)
    return PositionCheck(
        ra_deg=_wrapped(np.where(is_bad, np.nan, ra_deg), wrapped),
        dec_deg=np.where(is_bad, np.nan, dec_deg),
        is_bad=is_bad,
        was_wrapped=wrapped,
    )


def _wrapped(ra_deg: NDArray[np.float64], wrapped: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Bring marked values into [0, 360); one so close below 0 that its sum rounds to 360 becomes 0."""
    if not wrapped.any():
        return ra_deg
    turned = np.where(wrapped, ra_deg % 360.0, ra_deg)
    return np.where(turned >= 360.0, 0.0, turned)


@dataclass
class ValueChecks:
    """Checks of every numeric column but ids and positions, from one look at each batch's extremes."""

    table: Table
    """The table whose rows pass by."""
    counts: Counts
    """Where to count."""
    _sentinels: dict[str, SentinelTally] = field(default_factory=dict)

    def see(self, rows: pa.Table, first_row: int) -> None:
        """Look at one batch."""
        for name in self._watched():
            values = rows[name]
            low, high = pc.min_max(values).as_py().values()
            if low is None:
                continue
            self._check_finite(name, values, (low, high), first_row)
            if low < 0 and _is_error(self.table.get_column(name).ucd, name):
                self._count(f"{name} is an error but negative", pc.less(values, pa.scalar(0, values.type)), first_row)
            self._sentinels.setdefault(name, SentinelTally(name)).see(values, (low, high))

    def suspicions(self) -> tuple[Suspicion, ...]:
        """Values that look like sentinels."""
        return tuple(suspicion for tally in self._sentinels.values() for suspicion in tally.suspicions())

    def _watched(self) -> Iterable[str]:
        spared = {column.name for column in self.table.position_columns()} | {self.table.id_column}
        for column in self.table.columns:
            if column.datatype.is_numeric and not column.is_array and column.name not in spared:
                yield column.name

    def _check_finite(self, name: str, values: pa.ChunkedArray, extremes: tuple[Any, Any], first_row: int) -> None:
        if any(isinstance(end, float) and not np.isfinite(end) for end in extremes):
            self._count(f"{name} is infinite", pc.is_inf(values), first_row)

    def _count(self, check: str, caught: pa.ChunkedArray, first_row: int) -> None:
        self.counts.add(check, caught.fill_null(False).to_numpy(), first_row)


def _is_error(ucd: str | None, name: str) -> bool:
    return (ucd or "").startswith("stat.error") or (ucd is None and ERROR_NAME.search(name) is not None)

"""Values that mean "no value": replaced where the recipe says so, reported where they are only suspected.

FITS TNULL and VOTable `VALUES null` are the readers' affair; floating NaN becomes null in every column. What is left
are the numbers that catalogues write instead (-999, 99.99, -1). Replacing them unasked would lose real values, so a
suspect is only reported, with the line of the recipe that would mend it. Infinities are values and stay: a catalogue
that writes inf for a ratio by zero means something else than "not measured".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.ingest.recipe import Sentinel

__all__ = ["SentinelTally", "Suspicion", "without_sentinels"]

_NEGATIVE = (
    -1,
    -9,
    -9.9,
    -9.99,
    -99,
    -99.9,
    -99.99,
    -99.999,
    -999,
    -999.9,
    -9999,
    -9999.9,
    -99999,
    -1e10,
    -1e30,
    -1e31,
)
_POSITIVE = (99, 99.9, 99.99, 99.999, 999, 999.9, 999.99, 9999, 9999.9, 99999, 999999, 1e10, 1e20, 1e30, 1e31)
_LIMITS = (-(2**15), 2**15 - 1, -(2**31), 2**31 - 1, -(2**63), 2**63 - 1)
_CANDIDATES = frozenset(f"{value:.6g}" for value in (*_NEGATIVE, *_POSITIVE, *_LIMITS))
_AT_LEAST = 2
"""A single odd value is more often an odd object."""


def without_sentinels(array: pa.Array, sentinels: Sequence[Sentinel]) -> pa.Array:
    """Replace sentinels by nulls; those that a column of this type cannot hold are passed over.

    Numbers are compared after rounding to the column's own type (so -99.99 is found in float32), texts without
    surrounding blanks.
    """
    for sentinel in _of_type(sentinels, array.type):
        values = pc.utf8_trim_whitespace(array) if pa.types.is_string(array.type) else array
        hit = pc.equal(values, sentinel)
        if pc.any(hit).as_py():
            array = pc.if_else(hit, pa.scalar(None, array.type), array)
    return array


def _of_type(sentinels: Sequence[Sentinel], kind: pa.DataType) -> list[pa.Scalar]:
    if pa.types.is_string(kind):
        return [pa.scalar(value.strip(), kind) for value in sentinels if isinstance(value, str)]
    numbers = [value for value in sentinels if not isinstance(value, str)]
    if pa.types.is_floating(kind):
        return [pa.scalar(float(value), pa.float64()).cast(kind, safe=False) for value in numbers]
    if pa.types.is_integer(kind):
        limits = np.iinfo(kind.to_pandas_dtype())
        fitting = [value for value in numbers if value == int(value) and limits.min <= value <= limits.max]
        return [pa.scalar(int(value), kind) for value in fitting]
    return []


@dataclass(frozen=True)
class Suspicion:
    """A value that looks as if it stood for "no value"."""

    column: str
    """Where."""
    value: float
    """Which."""
    n_rows: int
    """How often."""
    rest: tuple[float, float]
    """Smallest and largest of the other values."""

    def __str__(self) -> str:
        low, high = self.rest
        return (
            f"{self.column} is {self.value:g} in {self.n_rows:,} rows, all else lies in {low:g} to {high:g}; "
            f"if it means no value: {self.recipe_line}"
        )

    @property
    def recipe_line(self) -> str:
        """What to write into the recipe to have it replaced."""
        return f"columns: {{{self.column}: {{null: [{self.value:g}]}}}}"


@dataclass
class SentinelTally:
    """What was seen of one column while it passed by: its range without the usual sentinels, and how many of these."""

    column: str
    """Name of the column."""
    counts: dict[str, int] = field(default_factory=dict)
    """How often each candidate was an extreme of a batch."""
    low: float = float("inf")
    """Smallest other value so far."""
    high: float = float("-inf")
    """Largest other value so far."""

    def see(self, values: pa.ChunkedArray, extremes: tuple[Any, Any]) -> None:
        """Note one batch, given its smallest and largest value.

        Sentinels lie at the ends of a distribution, so only ends that are candidates cost more than the comparison.
        """
        low, high = extremes
        while (hit := _candidate(low, high)) is not None:
            is_hit = pc.equal(values, pa.scalar(hit, values.type))
            self.counts[_key(hit)] = self.counts.get(_key(hit), 0) + pc.sum(is_hit).as_py()
            values = values.filter(pc.invert(is_hit))
            low, high = pc.min_max(values).as_py().values()
        if low is not None:
            self.low, self.high = min(self.low, low), max(self.high, high)

    def suspicions(self) -> list[Suspicion]:
        """Candidates that occur repeatedly and far outside all else."""
        if self.low > self.high:
            return []
        seen = [(float(key), n) for key, n in self.counts.items() if n >= _AT_LEAST]
        rest = (float(self.low), float(self.high))
        return [Suspicion(self.column, value, n, rest) for value, n in seen if _is_far(value, *rest)]


def _candidate(low: Any, high: Any) -> Any:
    """The end of a range that is a usual sentinel, if one is."""
    return next((end for end in (low, high) if end is not None and _key(end) in _CANDIDATES), None)


def _key(value: float) -> str:
    return f"{value:.6g}"


def _is_far(value: float, low: float, high: float) -> bool:
    """Whether a value is farther from the others than they are from each other, or negative where they never are."""
    if value < 0 <= low:
        return value < -1 or low > 0
    return max(low - value, value - high) > (high - low)

"""Cells: counting rows along one axis or two, and what else a value is in each cell.

Rows come batch by batch and memory grows with the cells, not with the rows. Where several threads read, each finds the
cells of its own rows, and one counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.archive.looks.binning import Bins, logarithms
from skydex.archive.looks.look import Rows
from skydex.archive.looks.ranges import Range, find_range
from skydex.archive.looks.sampling import sample_of
from skydex.query import Plan

__all__ = ["Axis", "Cells", "Floats", "Ints", "find_ranges", "numbers_of"]

_WAITING = 1 << 20
"""Cells that wait for being counted together."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """What rows are counted along."""

    value: str
    """A column, or an expression of columns."""
    n: int
    """Number of cells."""
    range: tuple[float, float] | None = None
    """From where to where; None leaves it to the data."""
    is_log: bool = False
    """Whether cells are of one width in the logarithm; `range` is not in logarithms."""

    def bins(self, found: Range) -> Bins:
        """The cells of a range that was found for it."""
        return Bins(found.low, found.high, self.n, self.is_log)

    def scaled(self, values: Floats) -> Floats:
        """Values as their ranges are."""
        return logarithms(values) if self.is_log else values

    @property
    def asked(self) -> Range | None:
        """The range that the request has."""
        if self.range is None:
            return None
        low, high = self.scaled(np.array(self.range)).tolist()
        return Range(low, high, "request")


def find_ranges(axes: Sequence[Axis], plan: Plan, sample_rows: int, rows: Rows) -> list[Range]:
    """The ranges of the first outputs of a plan: as asked, else as a sample of its rows has them."""
    asked = [axis.asked for axis in axes]
    if None not in asked:
        return [found for found in asked if found is not None]
    sample = sample_of(plan, sample_rows)
    values = rows.each(sample.plan, lambda batch: [numbers_of(batch.column(place)) for place in range(len(axes))])
    columns = [np.concatenate(parts) for parts in zip([np.empty(0)] * len(axes), *values, strict=True)]
    return [
        asked[place] or find_range(place, axis.scaled(columns[place]), sample, axis.scaled)
        for place, axis in enumerate(axes)
    ]


def numbers_of(array: pa.Array) -> Floats:
    """The values of a column of numbers as doubles, NaN for null."""
    values = array.to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float64)


@dataclass(frozen=True, eq=False)
class Placed:
    """Rows with their cells."""

    cells: Ints
    """The cell of each row; beyond the last one where it is in none."""
    further: Floats
    """The last value of each row."""
    n_null: int
    """Rows without one of the values."""


class Cells:
    """Counts in the cells of one axis or two, made batch by batch; memory grows with the cells, not with the rows.

    Parameters
    ----------
    axes : sequence of Bins
        The axes; the last one varies fastest in the numbers of cells.
    median_rows : int or None
        Of how many values of a further column medians are taken; None if there is none.
    """

    def __init__(self, axes: Sequence[Bins], median_rows: int | None = None) -> None:
        self._axes = axes
        self._n_cells = int(np.prod([bins.n for bins in axes]))
        self._counts = np.zeros(self._n_cells + 1, np.int64)
        self._waiting: list[Ints] = []
        self._n_waiting = 0
        self._colors = _Colors(self._n_cells, median_rows) if median_rows is not None else None
        self._n_null = 0

    def placed(self, batch: pa.RecordBatch) -> Placed:
        """Find the cells of some rows, given the values of each axis and, if there are to be colours, of these.

        Nothing is changed by it: several threads may do it at the same time.
        """
        values = [numbers_of(column) for column in batch.columns]
        places = [bins.scaled(column) for bins, column in zip(self._axes, values, strict=False)]
        cells = self._axes[0].numbers(places[0])
        for bins, place in zip(self._axes[1:], places[1:], strict=True):
            cells *= bins.n
            cells += bins.numbers(place)
        if not all(bins.has_all(place) for bins, place in zip(self._axes, places, strict=True)):
            inside = [bins.contain(place) for bins, place in zip(self._axes, places, strict=True)]
            cells[~np.logical_and.reduce(inside)] = self._n_cells
        has_nulls = any(column.null_count for column in batch.columns[: len(self._axes)])
        n_null = int(np.count_nonzero(np.logical_or.reduce([np.isnan(place) for place in places]))) if has_nulls else 0
        return Placed(cells, values[-1], n_null)

    def count(self, placed: Placed) -> None:
        """Count rows whose cells are known."""
        self._n_null += placed.n_null
        self._waiting.append(placed.cells)
        self._n_waiting += len(placed.cells)
        if self._n_waiting >= _WAITING:
            self._settle()
        if self._colors is not None:
            self._colors.add(placed.cells, placed.further)

    def _settle(self) -> None:
        if self._waiting:
            self._counts += np.bincount(np.concatenate(self._waiting), minlength=self._n_cells + 1)
        self._waiting, self._n_waiting = [], 0

    @property
    def counts(self) -> Ints:
        """Rows in each cell."""
        self._settle()
        return self._counts[:-1]

    @property
    def totals(self) -> dict[str, int]:
        """Rows in cells, rows outside of the range of an axis, and rows without one of the values."""
        self._settle()
        n_inside = int(self._counts[:-1].sum())
        n_outside = int(self._counts[-1]) - self._n_null
        return {"n_inside": n_inside, "n_outside": n_outside, "n_null": self._n_null}

    def filled(self) -> Ints:
        """The numbers of the cells in which there is something."""
        return np.flatnonzero(self.counts)

    def colors(self, cells: Ints) -> tuple[str, Floats]:
        """`median` or `mean`, and that of the further column in some cells; NaN where there is no value."""
        assert self._colors is not None, "there are colours only where they were asked for"
        return self._colors.found(cells)


class _Colors:
    """What a further column is in each cell: medians as long as all its values can be held, else means."""

    def __init__(self, n_cells: int, median_rows: int) -> None:
        self._counts, self._sums = np.zeros(n_cells, np.int64), np.zeros(n_cells)
        self._held: list[tuple[Ints, Floats]] = []
        self._n_held = 0
        self._n_cells, self._most = n_cells, median_rows
        self._is_median = True

    def add(self, cells: Ints, values: Floats) -> None:
        known = np.isfinite(values) & (cells < self._n_cells)
        if not known.all():
            cells, values = cells[known], values[known]
        self._held.append((cells, values))
        self._n_held += len(values)
        if self._n_held > self._most:
            self._is_median, self._most = False, _WAITING
            self._sum()

    def found(self, cells: Ints) -> tuple[str, Floats]:
        if not self._is_median:
            self._sum()
            return "mean", self._sums[cells] / np.where(self._counts[cells] > 0, self._counts[cells], np.nan)
        medians = np.full(self._n_cells, np.nan)
        where, found = _medians(*self._gathered())
        medians[where] = found
        return "median", medians[cells]

    def _sum(self) -> None:
        cells, values = self._gathered()
        self._counts += np.bincount(cells, minlength=self._n_cells)
        self._sums += np.bincount(cells, values, minlength=self._n_cells)
        self._held, self._n_held = [], 0

    def _gathered(self) -> tuple[Ints, Floats]:
        cells, values = zip((np.empty(0, np.int64), np.empty(0)), *self._held, strict=True)
        return np.concatenate(cells), np.concatenate(values)


def _medians(cells: Ints, values: Floats) -> tuple[Ints, Floats]:
    """The cells in which there are values, and the median of each."""
    order = np.lexsort((values, cells))
    cells, values = cells[order], values[order]
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    count = np.diff(first, append=len(cells))
    return cells[first], (values[first + (count - 1) // 2] + values[first + count // 2]) / 2.0

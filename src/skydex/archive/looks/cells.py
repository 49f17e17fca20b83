"""Cells: counting rows along one axis or two, and what else a value is in each cell.

Rows come batch by batch and memory grows with the cells, not with the rows. Where several threads read, each counts its
own rows.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.archive.looks.binning import BLOCK, Bins, Scratch, logarithms
from skydex.archive.looks.look import Rows
from skydex.archive.looks.ranges import Range, find_range
from skydex.archive.looks.sampling import sample_of
from skydex.query import Plan

__all__ = ["Axis", "Cells", "Floats", "Ints", "find_ranges", "numbers_of"]

_WAITING = 1 << 18
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


class _Lane:
    """Cells of rows that wait for being counted: of one thread, so that it has its memory at hand again and again."""

    def __init__(self, *, has_further: bool) -> None:
        self.places, self.other = np.empty(_WAITING), np.empty(BLOCK)
        self.cells = np.empty(_WAITING, np.intp)
        self.further = np.empty(_WAITING) if has_further else None
        self.scratch = Scratch()
        self.n = 0

    def add(self, axes: Sequence[Bins], values: Sequence[Floats]) -> None:
        """Find the cells of a block of rows."""
        n = len(values[0])
        places, other = self.places[self.n : self.n + n], self.other[:n]
        axes[0].put(values[0], places, self.scratch)
        for bins, column in zip(axes[1:], values[1:], strict=False):
            bins.put(column, other, self.scratch)
            np.multiply(places, bins.n + 2.0, out=places)
            np.add(places, other, out=places)
        if self.further is not None:
            self.further[self.n : self.n + n] = values[-1]
        self.n += n

    def taken(self) -> Ints:
        """The cells that wait; from now on none does."""
        cells, self.n = self.cells[: self.n], 0
        np.copyto(cells, self.places[: len(cells)], casting="unsafe")
        return cells


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
        self._shape = [bins.n + 2 for bins in axes]
        self._counts = np.zeros(int(np.prod(self._shape)), np.int64)
        self._colors = _Colors(self._is_inside, median_rows) if median_rows is not None else None
        self._lanes: dict[int, _Lane] = {}
        self._lock = threading.Lock()
        self._n_null = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Count rows, given the values of each axis and, if there are to be colours, of these; by any thread."""
        lane, axes = self._lane(), self._axes
        given = [column.to_numpy(zero_copy_only=False) for column in batch.columns]
        values = [*(bins.scaled(column) for bins, column in zip(axes, given, strict=False)), *given[len(axes) :]]
        for start in range(0, batch.num_rows, BLOCK):
            lane.add(axes, [column[start : start + BLOCK] for column in values])
            if lane.n + BLOCK > _WAITING:
                self._settle(lane)
        if any(column.null_count for column in batch.columns[: len(axes)]):
            n_null = int(np.count_nonzero(np.logical_or.reduce([np.isnan(column) for column in values[: len(axes)]])))
            with self._lock:
                self._n_null += n_null

    def _lane(self) -> _Lane:
        who = threading.get_ident()
        if who not in self._lanes:
            self._lanes[who] = _Lane(has_further=self._colors is not None)
        return self._lanes[who]

    def _settle(self, lane: _Lane) -> None:
        cells = lane.taken()
        counted = np.bincount(cells, minlength=len(self._counts))
        with self._lock:
            self._counts += counted
            if self._colors is not None and lane.further is not None:
                self._colors.add(cells, lane.further[: len(cells)])

    @cached_property
    def _is_inside(self) -> NDArray[np.bool_]:
        """Which cells are in the range of every axis; around them lies a rim of what is below or above."""
        inside = np.zeros(self._shape, np.bool_)
        inside[tuple(slice(1, -1) for _ in self._axes)] = True
        return inside.ravel()

    @property
    def counts(self) -> Ints:
        """Rows in each cell, the last axis varying fastest; all threads must have done with theirs."""
        for lane in self._lanes.values():
            self._settle(lane)
        return self._counts[self._is_inside]

    @property
    def totals(self) -> dict[str, int]:
        """Rows in cells, rows outside of the range of an axis, and rows without one of the values."""
        n_inside, n_rows = int(self.counts.sum()), int(self._counts.sum())
        return {"n_inside": n_inside, "n_outside": n_rows - n_inside - self._n_null, "n_null": self._n_null}

    def colors(self) -> tuple[str, Floats]:
        """`median` or `mean`, and that of the further column in each cell; NaN where there is no value."""
        assert self._colors is not None, "there are colours only where they were asked for"
        kind, values = self._colors.found()
        return kind, values[self._is_inside]


class _Colors:
    """What a further column is in each cell: medians as long as all its values can be held, else means."""

    def __init__(self, is_inside: NDArray[np.bool_], median_rows: int) -> None:
        self._is_inside, self._n_cells = is_inside, len(is_inside)
        self._counts, self._sums = np.zeros(self._n_cells, np.int64), np.zeros(self._n_cells)
        self._held: list[tuple[Ints, Floats]] = []
        self._n_held, self._most = 0, median_rows
        self._is_median = True

    def add(self, cells: Ints, values: Floats) -> None:
        known = np.isfinite(values) & self._is_inside[cells]
        cells, values = cells[known], values[known]
        self._held.append((cells, values))
        self._n_held += len(values)
        if self._n_held > self._most:
            self._is_median, self._most = False, _WAITING
            self._sum()

    def found(self) -> tuple[str, Floats]:
        if not self._is_median:
            self._sum()
            return "mean", self._sums / np.where(self._counts > 0, self._counts, np.nan)
        medians = np.full(self._n_cells, np.nan)
        where, found = _medians(*self._gathered())
        medians[where] = found
        return "median", medians

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

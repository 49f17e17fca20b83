"""Density: how many rows there are in each cell of a plane of two values, as a raster.

What a plot of points cannot show beyond some million rows. The counts are exact, those of `numpy.histogram2d`. Each
cell may have, too, what a third value is there: its median, or its mean where there are too many values to hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.archive.looks.binning import Bins
from skydex.archive.looks.look import Look, Rows, whole_result
from skydex.archive.looks.ranges import Range, find_range
from skydex.archive.looks.sampling import sample_of
from skydex.query import Namespace, Plan
from skydex.tables import Column, Datatype, Result

__all__ = ["Axis", "Cells", "DensityRequest", "binned", "numbers_of"]

_WAITING = 1 << 20
"""Cells that wait for being counted together."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """One side of the raster."""

    value: str
    """A column, or an expression of columns."""
    n: int
    """Number of cells."""
    range: tuple[float, float] | None = None
    """From where to where; None leaves it to the data."""


@dataclass(frozen=True, kw_only=True)
class DensityRequest(Look):
    """Counts of rows in the cells of a plane; only those cells in which there is something."""

    x: Axis
    """From left to right."""
    y: Axis
    """From below to above."""
    color: str | None = None
    """An expression of which every cell gets the median or the mean."""
    median_rows: int = 0
    """Up to so many values a median is taken, of more the mean."""

    def plan(self, namespace: Namespace) -> Plan:
        values = {"x": self.x.value, "y": self.y.value}
        return self.subject.plan(namespace, values | ({"color": self.color} if self.color is not None else {}))

    def seen(self, plan: Plan, namespace: Namespace, rows: Rows) -> Result:
        ranges = binned([self.x, self.y], plan, self.sample_rows, rows)
        x, y = (Bins(r.low, r.high, axis.n) for r, axis in zip(ranges, (self.x, self.y), strict=True))
        x.check("x_range")
        y.check("y_range")
        cells = Cells((x, y), self.median_rows if self.color is not None else None)
        for placed in rows.each(plan, cells.placed):
            cells.count(placed)
        number = cells.filled()
        columns = [
            Column("ix", Datatype.INT, description=_about("left to right", self.x, x)),
            Column("iy", Datatype.INT, description=_about("below to above", self.y, y)),
            Column("n", Datatype.LONG, ucd="meta.number", description="Rows in the cell"),
        ]
        arrays: list[Ints | Floats] = [number // y.n, number % y.n, cells.counts[number]]
        if self.color is not None:
            kind, values = cells.colors(number)
            unit = plan.columns[2].unit
            told = f"{kind.capitalize()} of {self.color} in the cell"
            columns.append(Column(f"value_{kind}", Datatype.DOUBLE, unit=unit, description=told))
            arrays.append(values)
        infos = [*self._axes(plan, ranges), *cells.totals.items()]
        return whole_result(self, columns, arrays, infos=infos, description=f"Rows of {self.subject.table} by cell")

    def _axes(self, plan: Plan, ranges: Sequence[Range]) -> Iterator[tuple[str, object]]:
        """What a plot needs to know of each axis."""
        for name, axis, column, found in zip("xy", (self.x, self.y), plan.columns, ranges, strict=False):
            yield name, axis.value
            yield f"{name}_unit", column.unit or ""
            yield f"{name}_low", found.low
            yield f"{name}_high", found.high
            yield f"{name}_bins", axis.n
            yield f"{name}_range_from", found.origin
        if self.color is not None:
            yield "color", self.color


def binned(axes: Sequence[Axis], plan: Plan, sample_rows: int, rows: Rows) -> list[Range]:
    """The ranges of the first outputs of a plan: as asked, else as a sample of its rows has them."""
    if all(axis.range is not None for axis in axes):
        return [Range(*axis.range, "request") for axis in axes if axis.range is not None]
    sample = sample_of(plan, sample_rows)
    values = rows.each(sample.plan, lambda batch: [numbers_of(batch.column(place)) for place in range(len(axes))])
    columns = [np.concatenate(parts) for parts in zip([np.empty(0)] * len(axes), *values, strict=True)]
    return [
        Range(*axis.range, "request") if axis.range is not None else find_range(place, columns[place], sample)
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
        places = values[: len(self._axes)]
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


def _about(way: str, axis: Axis, bins: Bins) -> str:
    return f"Cell from {way}: {axis.value} from {bins.low!r} to {bins.high!r} in {bins.n}"

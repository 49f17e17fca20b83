"""Density: how many rows there are in each cell of a plane of two values, as a raster.

What a plot of points cannot show beyond some million rows. The counts are exact, those of `numpy.histogram2d`. Each
cell may have, too, what a third value is there: its median, or its mean where there are too many values to hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from skydex.archive.looks.binning import Bins
from skydex.archive.looks.cells import Axis, Cells, Floats, Ints, find_ranges
from skydex.archive.looks.look import Look, Rows, whole_result
from skydex.archive.looks.ranges import Range
from skydex.query import Namespace, Plan
from skydex.tables import Column, Datatype, Result

__all__ = ["DensityRequest"]


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
        ranges = find_ranges([self.x, self.y], plan, self.sample_rows, rows)
        x, y = (axis.bins(found) for axis, found in zip((self.x, self.y), ranges, strict=True))
        x.check("x_range")
        y.check("y_range")
        cells = Cells((x, y), self.median_rows if self.color is not None else None)
        for _ in rows.each(plan, cells.add):
            pass
        counts = cells.counts
        number = np.flatnonzero(counts)
        columns = [
            Column("ix", Datatype.INT, description=_about("left to right", self.x, x)),
            Column("iy", Datatype.INT, description=_about("below to above", self.y, y)),
            Column("n", Datatype.LONG, ucd="meta.number", description="Rows in the cell"),
        ]
        arrays: list[Ints | Floats] = [number // y.n, number % y.n, counts[number]]
        if self.color is not None:
            kind, values = cells.colors()
            unit = plan.columns[2].unit
            told = f"{kind.capitalize()} of {self.color} in the cell"
            columns.append(Column(f"value_{kind}", Datatype.DOUBLE, unit=unit, description=told))
            arrays.append(values[number])
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


def _about(way: str, axis: Axis, bins: Bins) -> str:
    return f"Cell from {way}: {axis.value} from {bins.low!r} to {bins.high!r} in {bins.n}"

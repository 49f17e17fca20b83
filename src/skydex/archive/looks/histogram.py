"""Histogram: how many rows there are in each of equal bins of a value, as `numpy.histogram` counts them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skydex.archive.looks.cells import Axis, Cells, find_ranges
from skydex.archive.looks.look import Look, Rows, whole_result
from skydex.query import Namespace, Plan
from skydex.tables import Column, Datatype, Result

__all__ = ["HistogramRequest"]


@dataclass(frozen=True, kw_only=True)
class HistogramRequest(Look):
    """Counts of rows in bins of one value, with the empty ones."""

    x: Axis
    """The value, and its bins."""

    def plan(self, namespace: Namespace) -> Plan:
        return self.subject.plan(namespace, {"x": self.x.value})

    def seen(self, plan: Plan, namespace: Namespace, rows: Rows) -> Result:
        (found,) = find_ranges([self.x], plan, self.sample_rows, rows)
        bins = self.x.bins(found)
        bins.check("range")
        cells = Cells([bins])
        for _ in rows.each(plan, cells.add):
            pass
        edges = 10.0**bins.edges if bins.is_log else bins.edges
        unit = plan.columns[0].unit
        columns = [
            Column("bin", Datatype.INT, description="Number of the bin, from 0"),
            Column("lo", Datatype.DOUBLE, unit=unit, description=f"Least {self.x.value} of the bin"),
            Column(
                "hi", Datatype.DOUBLE, unit=unit, description="Where the next bin begins; of the last, its greatest"
            ),
            Column("n", Datatype.LONG, ucd="meta.number", description="Rows in the bin"),
        ]
        infos = [
            ("x", self.x.value),
            ("x_unit", unit or ""),
            ("x_low", float(edges[0])),
            ("x_high", float(edges[-1])),
            ("x_bins", bins.n),
            ("x_scale", "log" if bins.is_log else "linear"),
            ("x_range_from", found.origin),
            *cells.totals.items(),
        ]
        arrays = [np.arange(bins.n), edges[:-1], edges[1:], cells.counts]
        return whole_result(self, columns, arrays, infos=infos, description=f"Rows of {self.subject.table} by bin")

"""Counts of rows by HEALPix pixel: where on the sky a table has something, and how much.

The pixel of a stored row is in its index already. Of a whole table, row groups that lie in one pixel are counted by
what the store says of them, and not read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.archive.looks.cells import Ints
from skydex.archive.looks.look import Look, Rows, whole_result
from skydex.archive.looks.subject import in_quotes
from skydex.errors import BadParameterError
from skydex.query import Namespace, Plan
from skydex.sky import MAX_ORDER, N_PIXELS_29, Ranges, centres_deg, intersect_ranges, merge_ranges
from skydex.store import Dataset
from skydex.tables import Column, Datatype, Result

__all__ = ["SkyRequest"]

_LEAST_ORDER = 3
_ROWS_A_PIXEL = 4
"""Pixels are chosen so that there are about so many rows in each, if nobody says otherwise."""
_WAITING = 1 << 20
"""Runs of pixels that wait for being added up."""


@dataclass(frozen=True, kw_only=True)
class SkyRequest(Look):
    """Counts of rows by pixel; only those pixels in which there is something."""

    order: int | None = None
    """HEALPix order; None takes one that suits the extent of the rows."""
    most_pixels: int = 1
    """How many pixels there may be."""
    with_centres: bool = False
    """Whether the answer has their places as well."""

    def plan(self, namespace: Namespace) -> Plan:
        """The query for pixels at the finest order."""
        return self._plan_at(MAX_ORDER, namespace)

    def seen(self, plan: Plan, namespace: Namespace, rows: Rows) -> Result:
        order = self._order(plan)
        counts = _Counts(order)
        plan = self._plan_at(order, namespace)
        if self.subject.is_whole:
            plan = counts.without_known(plan)
        for pixels, n in rows.each(plan, _runs):
            counts.add(pixels, n)
        pixels, n = counts.found()
        n_null = int(n[pixels < 0].sum())
        pixels, n = pixels[pixels >= 0], n[pixels >= 0]
        columns = [
            Column("order", Datatype.SHORT, description="HEALPix order"),
            Column("pixel", Datatype.LONG, ucd="pos.healpix", description="Number of the pixel, NESTED"),
            Column("n", Datatype.LONG, ucd="meta.number", description="Rows in the pixel"),
        ]
        arrays = [np.full(len(pixels), order), pixels, n]
        if self.with_centres:
            told = "Centre of the pixel, ICRS"
            columns += [
                Column(name, Datatype.DOUBLE, unit="deg", ucd=f"pos.eq.{name}", description=told)
                for name in ("ra", "dec")
            ]
            arrays += centres_deg(pixels, order)
        infos = [("order", order), ("ordering", "nested"), ("frame", "ICRS"), ("n_inside", n.sum()), ("n_null", n_null)]
        infos += [("n_read", counts.n_read)]
        return whole_result(self, columns, arrays, infos=infos, description=f"Rows of {self.subject.table} by pixel")

    def _plan_at(self, order: int, namespace: Namespace) -> Plan:
        table = namespace.get(self.subject.table).table
        if table.position is None:
            raise BadParameterError("table", f"{table.name} has no positions to count by.")
        ra, dec = (in_quotes(name) for name in (table.position.ra, table.position.dec))
        return self.subject.plan(namespace, {"order": f"ivo_healpix_index({order}, {ra}, {dec})"})

    def _order(self, plan: Plan) -> int:
        """The order that is asked for, or one of which there are pixels enough and not too many.

        Raises
        ------
        BadParameterError
            There may be more pixels than are given.
        """
        (scan,) = plan.scans.values()
        spans = _spans(plan)
        counts = [_n_pixels(spans, order) for order in range(MAX_ORDER + 1)]
        finest = max((order for order, n in enumerate(counts) if n <= self.most_pixels), default=0)
        if self.order is not None:
            if self.order > finest:
                hint = f"may have more than {self.most_pixels:,} pixels: take {finest} or less, or a smaller region"
                raise BadParameterError("order", f"{self.order} {hint}.")
            return self.order
        n_rows = scan.selection.n_rows if scan.selection is not None else scan.n_rows
        wanted = max(n_rows // _ROWS_A_PIXEL, counts[_LEAST_ORDER])
        return max((order for order, n in enumerate(counts[: finest + 1]) if n <= wanted), default=0)


def _spans(plan: Plan) -> Ranges:
    """Ranges of the finest pixels in which the rows of a plan lie."""
    (scan,) = plan.scans.values()
    if scan.selection is None or scan.stored[0].is_distant:
        return np.array([[0, N_PIXELS_29]]) if scan.ranges is None else scan.ranges
    dataset, selection = scan.stored
    groups, numbers = dataset.row_groups, dataset.numbers_of(selection)
    least, greatest = groups.index_min[numbers], groups.index_max[numbers]
    has = least <= greatest
    spans = merge_ranges(np.stack([least[has], greatest[has] + 1], axis=1))
    return spans if scan.ranges is None else intersect_ranges(spans, scan.ranges)


def _n_pixels(spans: Ranges, order: int) -> int:
    """How many pixels of an order touch some ranges of the finest, at the most."""
    bits = 2 * (MAX_ORDER - order)
    return int((((spans[:, 1] - 1) >> bits) - (spans[:, 0] >> bits) + 1).sum())


def _runs(batch: pa.RecordBatch) -> tuple[Ints, Ints]:
    """The pixels of some rows, with how many rows follow each other in each; stored rows are in their order."""
    runs = pc.run_end_encode(batch.column(0))
    pixels = runs.values.fill_null(-1).to_numpy()
    return pixels, np.diff(runs.run_ends.to_numpy(), prepend=0).astype(np.int64)


class _Counts:
    """Rows by pixel; memory grows with the pixels, not with the rows."""

    def __init__(self, order: int) -> None:
        self._order = order
        self._parts: list[tuple[Ints, Ints]] = []
        self._n_waiting = 0
        self.n_read = 0
        """Rows that were read."""

    def without_known(self, plan: Plan) -> Plan:
        """Count row groups that lie in one pixel, and leave them out."""
        (name,) = plan.scans
        scan = plan.scans[name]
        if scan.selection is None or not scan.stored[0].is_own:
            return plan
        dataset, _ = scan.stored
        pixels, is_known = self._known(dataset)
        self._wait(pixels[is_known], dataset.row_groups.n_rows[is_known])
        rim = dataset.selection_of(np.flatnonzero(~is_known))
        return replace(plan, scans={name: replace(scan, selection=rim)})

    def _known(self, dataset: Dataset) -> tuple[Ints, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
        groups, bits = dataset.row_groups, 2 * (MAX_ORDER - self._order)
        first, last = groups.index_min >> bits, groups.index_max >> bits
        return first, (first == last) & (groups.index_min <= groups.index_max) & (groups.index_min >= 0)

    def add(self, pixels: Ints, n: Ints) -> None:
        self.n_read += int(n.sum())
        self._wait(pixels, n)

    def _wait(self, pixels: Ints, n: Ints) -> None:
        self._parts.append((pixels, n))
        self._n_waiting += len(pixels)
        if self._n_waiting > _WAITING:
            self._parts = [self.found()]
            self._n_waiting = 0

    def found(self) -> tuple[Ints, Ints]:
        """The pixels in which there are rows, ascending, and how many; -1 is of rows without a position."""
        empty = np.empty(0, np.int64)
        pixels, n = (np.concatenate(parts) for parts in zip((empty, empty), *self._parts, strict=True))
        order = np.argsort(pixels, kind="stable")
        pixels, n = pixels[order], n[order]
        first = np.flatnonzero(np.diff(pixels, prepend=-2))
        return pixels[first], np.add.reduceat(n, first) if len(first) else n

"""Verdicts: the row groups all of whose rows fulfil a condition, as far as metadata tell.

The counterpart of pruning: what is certain here need not be tested row by row, so a group is left out rather than taken
in wrongly. Only catalogues that skydex wrote are judged: their bounds are those of the values, their index is that of
the stored positions, and what is missing is null. Numbers are compared as doubles, whose rounding keeps their order,
and equality counts only where nothing was rounded.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from skydex.query import tree
from skydex.query.pairs import bare_column
from skydex.query.tree import InRegion
from skydex.sky import ranges29_inside
from skydex.store import Dataset
from skydex.tables import Datatype

__all__ = ["fulfilling"]

Mask = NDArray[np.bool_]
_WHOLE = 2.0**53
"""Beyond this a double may stand for several whole numbers."""


def fulfilling(condition: exp.Expression, dataset: Dataset) -> Mask:
    """Find the row groups all of whose rows certainly fulfil a condition.

    Parameters
    ----------
    condition : exp.Expression
        A bound condition on one stored table.
    dataset : Dataset
        The table.

    Returns
    -------
    is_fulfilled : (n,) bool array
        For each entry of `dataset.row_groups`.
    """
    if not dataset.is_own:
        return _none(dataset)
    bare = condition.unnest()
    for kind, join in ((exp.And, np.logical_and), (exp.Or, np.logical_or)):
        if isinstance(bare, kind):
            return reduce(join, (fulfilling(part, dataset) for part in tree.flattened(bare, kind)))
    if isinstance(bare, InRegion):
        return _in_region(bare, dataset)
    if isinstance(bare, exp.Not) and isinstance(bare.this.unnest(), exp.Is):
        return _without_nulls(bare.this.unnest(), dataset)
    if isinstance(bare, exp.Between):
        at_least, at_most = (
            exp.GTE(this=bare.this, expression=bare.args["low"]),
            exp.LTE(this=bare.this, expression=bare.args["high"]),
        )
        return _compared(at_least, dataset) & _compared(at_most, dataset)
    return _compared(bare, dataset) if isinstance(bare, tuple(_MIRRORED)) else _none(dataset)


def _none(dataset: Dataset) -> Mask:
    return np.zeros(len(dataset.row_groups), np.bool_)


def _in_region(test: InRegion, dataset: Dataset) -> Mask:
    """The groups whose bounds in the index lie in pixels that the region holds."""
    ra, dec, position = bare_column(test.this), bare_column(test.expression), dataset.table.position
    if ra is None or dec is None or position is None or (ra.name, dec.name) != (position.ra, position.dec):
        return _none(dataset)
    if any(column.datatype is not Datatype.DOUBLE for column in dataset.table.position_columns()):
        return _none(dataset)  # positions that were rounded after they were indexed
    held, groups = ranges29_inside(test.meta["region"]), dataset.row_groups
    if not len(held):
        return _none(dataset)
    before = np.searchsorted(held[:, 0], groups.index_min, side="right") - 1
    is_held = (before >= 0) & (groups.index_max < held[np.maximum(before, 0), 1])
    return np.asarray(is_held & (groups.index_min <= groups.index_max))


def _without_nulls(test: exp.Is, dataset: Dataset) -> Mask:
    column = bare_column(test.this)
    if column is None or not isinstance(test.expression, exp.Null):
        return _none(dataset)
    return np.asarray(dataset.statistics(column.name).null_count == 0)


_MIRRORED: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.LT: exp.GT, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.GTE: exp.LTE, exp.NEQ: exp.NEQ, exp.EQ: exp.EQ,
}  # fmt: skip


def _compared(node: exp.Expression, dataset: Dataset) -> Mask:
    """A column beside a number."""
    kind, column, value = type(node), bare_column(node.this), tree.constant(node.expression)
    if column is None:
        kind, column, value = _MIRRORED[kind], bare_column(node.expression), tree.constant(node.this)
    if column is None or value is None or not np.isfinite(value):
        return _none(dataset)
    statistics = dataset.statistics(column.name)
    stored = statistics.min.type
    if not (pa.types.is_integer(stored) or pa.types.is_floating(stored)):
        return _none(dataset)
    is_known = (statistics.null_count == 0) & statistics.min.is_valid().to_numpy(zero_copy_only=False)
    least, greatest = (
        pc.fill_null(pc.cast(end, pa.float64(), safe=False), 0.0).to_numpy(zero_copy_only=False)
        for end in (statistics.min, statistics.max)
    )
    with np.errstate(over="ignore"):
        rounded = float(np.float32(value)) if pa.types.is_float32(stored) else value
    low, high = min(value, rounded), max(value, rounded)
    is_exact = low == high and abs(value) < _WHOLE
    above, below = least > high, greatest < low
    if kind is exp.NEQ:
        return np.asarray(is_known & (above | below))
    if kind is exp.EQ:
        return np.asarray(is_known & is_exact & (least == value) & (greatest == value))
    beyond, edge = (above, least) if kind in (exp.GT, exp.GTE) else (below, greatest)
    if kind in (exp.GTE, exp.LTE) and is_exact:
        beyond = beyond | (edge == value)
    return np.asarray(is_known & beyond)

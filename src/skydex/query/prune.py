"""Prune: which part of the sky a query can touch, table by table.

A condition on positions restricts its table to HEALPix ranges wherever that is sound: AND-ed conditions intersect, and
an OR restricts a table only if each of its branches does. Which tables a condition may restrict, `pairs` knows.
Conditions are tested again row by row, so a range may be too wide but never too narrow. Comparisons of the coordinates
themselves (`dec BETWEEN -5 AND 5`) restrict as well, and so do those on outlines of images (`outlines`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import reduce

import numpy as np
from sqlglot import exp

from skydex.query import tree
from skydex.query.outlines import ranges_of_outlines
from skydex.query.pairs import bare_column, conditions
from skydex.query.scope import Source
from skydex.query.tree import Compute, InRegion
from skydex.sky import Range, Ranges, intersect_ranges, merge_ranges, ranges29

__all__ = ["prune"]

_NOWHERE: Ranges = np.empty((0, 2), np.int64)
_Bounds = dict[tuple[str, str], tuple[float, float]]


def prune(query: exp.Expression, sources: Mapping[str, Source]) -> dict[str, Ranges]:
    """Find the ranges outside of which rows of a source cannot matter; sources that may matter everywhere are absent.

    Parameters
    ----------
    query : exp.Expression
        A bound tree.
    sources : mapping of str to Source
        Its tables.
    """
    found: dict[str, Ranges] = {}
    for select in (node for node in tree.walk(query) if isinstance(node, exp.Select)):
        for condition, free in conditions(select):
            restricted = _restrictions(condition, sources)
            found = _both(found, {name: restricted[name] for name in restricted.keys() & free})
    return found


def _restrictions(condition: exp.Expression, sources: Mapping[str, Source]) -> dict[str, Ranges]:
    if isinstance(condition, exp.Paren):
        return _restrictions(condition.this, sources)
    if isinstance(condition, exp.And):
        parts = tree.flattened(condition, exp.And)
        found = reduce(_both, (_restrictions(part, sources) for part in parts))
        return _both(found, _coordinate_ranges(parts, sources))
    if isinstance(condition, exp.Or):
        return reduce(_either, (_restrictions(part, sources) for part in tree.flattened(condition, exp.Or)))
    if isinstance(condition, InRegion):
        source = _positioned_source(condition, sources)
        return {source: ranges29(condition.meta["region"])} if source else {}
    if isinstance(condition, Compute):
        return ranges_of_outlines(condition, sources)
    return _coordinate_ranges([condition], sources)


def _both(left: dict[str, Ranges], right: dict[str, Ranges]) -> dict[str, Ranges]:
    shared = {name: intersect_ranges(left[name], right[name]) for name in left.keys() & right.keys()}
    return {**left, **right, **shared}


def _either(left: dict[str, Ranges], right: dict[str, Ranges]) -> dict[str, Ranges]:
    return {name: merge_ranges(np.concatenate([left[name], right[name]])) for name in left.keys() & right.keys()}


def _positioned_source(test: InRegion, sources: Mapping[str, Source]) -> str | None:
    """The source whose stored positions a test looks at, if it is those and no other columns."""
    ra, dec = bare_column(test.this), bare_column(test.expression)
    if ra is None or dec is None or ra.table != dec.table:
        return None
    position = _indexed_position(sources.get(ra.table))
    return ra.table if position == (ra.name, dec.name) else None


def _indexed_position(source: Source | None) -> tuple[str, str] | None:
    """Names of the position columns by which a source is stored."""
    if source is None or source.relation is None or source.relation.dataset is None:
        return None
    position = source.relation.table.position
    return (position.ra, position.dec) if position else None


def _coordinate_ranges(parts: Iterable[exp.Expression], sources: Mapping[str, Source]) -> dict[str, Ranges]:
    """Ranges that follow from comparing right ascension or declination with numbers."""
    bounds: _Bounds = {}
    for part in parts:
        for key, (lower, upper) in _bounds_of(part.unnest()):
            low, high = bounds.get(key, (-math.inf, math.inf))
            bounds[key] = (max(low, lower), min(high, upper))
    found = {}
    for name in {source for source, _ in bounds}:
        position = _indexed_position(sources.get(name))
        if position is not None:
            ranges = _range(bounds.get((name, position[0])), bounds.get((name, position[1])), sources[name])
            if ranges is not None:
                found[name] = ranges
    return found


def _bounds_of(node: exp.Expression) -> Iterable[tuple[tuple[str, str], tuple[float, float]]]:
    if isinstance(node, exp.Between):
        subject, low, high = node.this.unnest(), tree.constant(node.args["low"]), tree.constant(node.args["high"])
        if isinstance(subject, exp.Column) and low is not None and high is not None:
            yield (subject.table, subject.name), (low, high)
    elif isinstance(node, exp.EQ | exp.LT | exp.LTE | exp.GT | exp.GTE):
        left, right, at_most = node.this.unnest(), node.expression.unnest(), isinstance(node, exp.LT | exp.LTE)
        if isinstance(right, exp.Column) and not isinstance(left, exp.Column):
            left, right, at_most = right, left, not at_most
        value = tree.constant(right)
        if isinstance(left, exp.Column) and value is not None:
            upper = value if at_most or isinstance(node, exp.EQ) else math.inf
            lower = value if not at_most or isinstance(node, exp.EQ) else -math.inf
            yield (left.table, left.name), (lower, upper)


def _range(ra: tuple[float, float] | None, dec: tuple[float, float] | None, source: Source) -> Ranges | None:
    """Ranges of a rectangle in coordinates; `None` if it restricts nothing that can be relied on.

    A row without a position may still have one of the coordinates.
    """
    dec_min, dec_max = dec or (-90.0, 90.0)
    ra_min, ra_max = ra or (0.0, 360.0)
    dataset = source.relation.dataset if source.relation else None
    if dataset is not None and dataset.has_unpositioned and None in (ra, dec):
        return None
    if dec_min > dec_max or ra_min > ra_max or dec_min > 90.0 or dec_max < -90.0:
        return _NOWHERE
    if dataset is None or dataset.nan_is_null:  # a foreign catalogue may count right ascension from -180
        ra_min, ra_max = 0.0, 360.0
    if ra_min >= 360.0 or ra_max < 0.0:
        return _NOWHERE
    rectangle = Range(max(ra_min, 0.0), min(ra_max, 360.0), max(dec_min, -90.0), min(dec_max, 90.0))
    whole = rectangle == Range(0.0, 360.0, -90.0, 90.0)
    return None if whole else ranges29(rectangle)

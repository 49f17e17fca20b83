"""Narrow: what a cross-match leaves of the sky.

Where rows of a stored table only count in pairs with rows of another, only those near the other matter. Positions of
a table in memory, such as an upload, give the ranges at once; for a stored table that is restricted to a part of the
sky they follow from that part, grown by the radius.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from skydex.query import tree
from skydex.query.kernels import numbers
from skydex.query.pairs import Point, Side, bare_column, find_stored, held
from skydex.query.reach import Reach
from skydex.sky import Ranges, circle_order, circle_ranges29, grown_ranges, index29, intersect_ranges

__all__ = ["narrowed"]


def narrowed(query: exp.Query, ranges: Mapping[str, Ranges], sides: Mapping[str, Side]) -> dict[str, Ranges]:
    """Find the ranges outside of which rows of a source cannot matter.

    Parameters
    ----------
    query : exp.Query
        A bound tree.
    ranges : mapping of str to Ranges
        What all other conditions leave, by source; those that may matter everywhere are absent.
    sides : mapping of str to Side
        Its tables, by source.

    Returns
    -------
    ranges : dict of str to Ranges
        The same, or less, for tables that are stored by position.
    """
    known = dict(ranges)
    selects = [node for node in tree.walk(query) if isinstance(node, exp.Select)]
    matches = [match for select in selects for match in held(select)]
    reach = Reach(query, sides)
    for near, free in (*matches, *matches[-2::-1]):  # there and back, for tables that hang together in a chain
        radius_deg = reach.in_degrees(near.args["radius"])
        for point, other in (near.points, near.points[::-1]):
            name = find_stored(point, sides)
            left = _near_to(other, radius_deg, known, sides) if name in free and radius_deg is not None else None
            if name is not None and left is not None:
                known[name] = intersect_ranges(known[name], left) if name in known else left
    return known


def _near_to(point: Point, radius_deg: float, known: Mapping[str, Ranges], sides: Mapping[str, Side]) -> Ranges | None:
    """The ranges of everything within a radius of a source's positions, if those are known."""
    order = circle_order(radius_deg)
    ra, dec = (bare_column(part) for part in point)
    if order < 0 or ra is None or dec is None or ra.table != dec.table:
        return None
    side = sides.get(ra.table)
    if side is not None and side.rows is not None:
        index = index29(*(numbers(side.rows[column.name].combine_chunks()) for column in (ra, dec)))
        return circle_ranges29(index, radius_deg, order)
    name = find_stored(point, sides)
    return grown_ranges(known[name], radius_deg) if name is not None and name in known else None

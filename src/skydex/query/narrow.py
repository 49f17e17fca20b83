"""Narrow: what a cross-match leaves of the sky.

Where rows of a stored table only count in pairs with rows of another, only those near the other matter. Positions of
a table in memory, such as an upload, give the ranges at once; for a stored table that is restricted to a part of the
sky they follow from that part, grown by the radius. Where a table is restricted in other ways, it is worth asking first
which of its rows are left (a `Probe`), before a large table is matched with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from skydex.query import tree
from skydex.query.kernels import kernel_of, numbers
from skydex.query.pairs import Point, Side, bare_column, find_stored, has_query, held, sources_of
from skydex.query.reach import Reach
from skydex.query.tree import Compute, Near
from skydex.sky import Ranges, circle_order, circle_ranges29, grown_ranges, index29, intersect_ranges

__all__ = ["Probe", "narrowed", "own_conditions", "probes"]

_LARGE_ROWS = 400_000
"""Tables up to so many rows are matched without asking first."""


@dataclass(frozen=True)
class Probe:
    """A question to one table whose answer tells which part of another matters."""

    target: str
    """The table of which less may have to be read."""
    asked: str
    """The table that is asked."""
    query: exp.Select
    """Right ascension and declination of the rows of the latter that may have partners, as `c0` and `c1`."""
    radius_deg: float
    """How far the partners can be from them."""

    def ranges_near(self, places: pa.Table) -> Ranges:
        """The ranges that the answer leaves of the target."""
        index = index29(*(numbers(column.combine_chunks()) for column in places.columns))
        return circle_ranges29(index, self.radius_deg, circle_order(self.radius_deg))

    def __str__(self) -> str:
        return f"{self.asked} first, to read only what is within {self.radius_deg:g} deg of its rows of {self.target}"


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
    known, matches = dict(ranges), _matches(query)
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


def probes(query: exp.Query, sides: Mapping[str, Side]) -> tuple[Probe, ...]:
    """Find out what is worth asking before a query is run; parameters as for `narrowed`."""
    reach, found = Reach(query, sides), {}
    for near, free in _matches(query):
        radius_deg = reach.in_degrees(near.args["radius"])
        if radius_deg is None or circle_order(radius_deg) < 0:
            continue
        for point, other in (near.points, near.points[::-1]):
            target, asked = find_stored(point, sides), find_stored(other, sides)
            if target is None or asked is None or target not in free or sides[target].n_rows <= _LARGE_ROWS:
                continue
            conditions = list(own_conditions(near, asked))
            if conditions and target not in found:
                found[target] = Probe(target, asked, _positions(asked, other, conditions), radius_deg)
    return tuple(found.values())


def _matches(query: exp.Query) -> list[tuple[Near, set[str]]]:
    return [match for node in tree.walk(query) if isinstance(node, exp.Select) for match in held(node)]


def own_conditions(held: exp.Expression, name: str) -> Iterator[exp.Expression]:
    """What must hold for the rows of a source alone if they are to count in the pairs of a condition."""
    top = held
    while isinstance(top.parent, exp.And | exp.Paren):
        top = top.parent
    where = held.find_ancestor(exp.Select).args.get("where")
    for condition in {id(root): root for root in (top, *([where.this] if where is not None else []))}.values():
        for part in tree.flattened(condition, exp.And):
            is_repeatable = all(kernel_of(call).is_repeatable for call in part.find_all(Compute))
            if sources_of([part]) == {name} and not has_query([part]) and is_repeatable:
                yield part


def _positions(name: str, point: Point, conditions: list[exp.Expression]) -> exp.Select:
    outputs = [exp.alias_(part.copy(), f"c{i}") for i, part in enumerate(point)]
    query = exp.Select(expressions=outputs)
    alias = exp.TableAlias(this=exp.to_identifier(name))
    query.set("from_", exp.From(this=exp.Table(this=exp.to_identifier(name), alias=alias)))
    query.set("where", exp.Where(this=tree.conjunction([exp.Paren(this=part.copy()) for part in conditions])))
    return query

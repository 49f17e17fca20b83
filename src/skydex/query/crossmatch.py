"""Cross-match: joins of rows that are near each other on the sky, as joins of equal HEALPix cells.

A `Near` that must hold between two sources of a SELECT would make an engine measure every pair of their rows. Here it
gets company: the rows of one source are repeated for every cell that the circle around them may touch, the rows of the
other have the one cell that they are in, and the two cells must be equal. Engines know how to join what is equal. The
exact test stays, and as the other side has one cell, no pair comes twice.

Which source is repeated: one whose rows only count where the condition holds (not the side of an outer join that stays
whole), the smaller of two that could be. Cells suit the radius: one order for all of them if it is the same for all
rows, or as large as `reach` says it can be; where each row has its own and both sources may be repeated, an order for
every circle (a `level`), and the other source stands in a cell of each level that occurs. What of the sky a cross-match
leaves to be read is `narrow`'s affair.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from skydex.query import tree
from skydex.query.full_joins import take_apart
from skydex.query.kernels import PIXEL, Kernel, computed, integers, kernel_of, numbers
from skydex.query.pairs import Point, Side, find_stored, has_query, held, is_join, sources_of
from skydex.query.reach import Reach
from skydex.query.tree import Compute, Near
from skydex.sky import FINEST_CELLS, MAX_ORDER, circle_levels, circle_order, circles_touching, index29

__all__ = ["CELLS", "CELLS_AT", "INDEX", "LEVEL", "CellJoin", "with_cells"]

INDEX = "~index"
"""What the HEALPix index of a stored table is called in a tree: no column of a user can be called so."""
_SPACING = 3
"""Levels are so many orders apart."""


@dataclass(frozen=True)
class CellJoin:
    """How the pairs of one `Near` are found."""

    repeated: str
    """The source whose rows stand in every cell that their circle touches."""
    placed: tuple[str, ...]
    """The sources that give the other position, which has one cell."""
    order: int | None
    """HEALPix order of the cells; `None` if it follows from the radii when the query runs."""
    indexed: frozenset[str]
    """The sources of which the stored index is read, so that cells need not be computed from positions."""
    has_levels: bool = False
    """Whether circles of different sizes have cells of different orders."""

    def __str__(self) -> str:
        how = "read off its index" if self.indexed.intersection(self.placed) else "computed"
        others = " and ".join(self.placed)
        cells = f"of order {self.order}" if self.order is not None else "that suit the largest circle"
        cells = "that suit each circle" if self.has_levels else cells
        return f"{self.repeated} with {others}, by cells {cells}, for {others} {how}"


def with_cells(query: exp.Query, sides: Mapping[str, Side]) -> tuple[exp.Query, tuple[CellJoin, ...]]:
    """Turn the cross-matches of a query into cell joins, wherever that is sound and of use.

    Parameters
    ----------
    query : exp.Query
        A bound tree; it is left as it is.
    sides : mapping of str to Side
        The tables that it reads, by source.

    Returns
    -------
    query : exp.Query
        The same rows, found by cells. Indices that it needs are columns called `INDEX`.
    joins : tuple of CellJoin
        How each cross-match is found; fewer than there are `Near` nodes if some must be tested for every pair.
    """
    if not any(isinstance(node, Near) for node in tree.walk(query)):
        return query, ()
    reach = Reach(query, sides)
    items = {node.alias: node for node in tree.walk(query) if isinstance(node, exp.Table | exp.Subquery)}
    query = query.copy()
    take_apart(query)
    found: list[CellJoin] = []
    for select in [node for node in tree.walk(query) if isinstance(node, exp.Select)]:
        for near, free in list(held(select)):
            match = _Match(near, free, select, sides=sides, reach=reach, items=items)
            join = match.find_join()
            if join is not None:
                match.spell(join, number=len(found))
                found.append(join)
    return query, tuple(found)


def _find_item(select: exp.Select, name: str) -> exp.Expression | None:
    """The entry of FROM that is called so; `None` if it belongs to a query around this one."""
    stack = [select.args["from_"].this, *(join.this for join in select.args.get("joins") or ())]
    while stack:
        item = stack.pop()
        if is_join(item):
            stack += [item.this, *(join.this for join in item.this.args.get("joins") or ())]
        elif item.alias == name:
            return item
    return None


class _Match:
    """One cross-match: how its pairs can be found, and how that is spelled."""

    def __init__(
        self,
        near: Near,
        free: set[str],
        select: exp.Select,
        *,
        sides: Mapping[str, Side],
        reach: Reach,
        items: Mapping[str, exp.Expression],
    ) -> None:
        self._near, self._free, self._select, self._sides, self._items = near, free, select, sides, items
        self._radius: exp.Expression = near.args["radius"]
        self._bound = reach.of(self._radius)

    def find_join(self) -> CellJoin | None:
        """The cheapest way to find the pairs by cells; `None` if there is none."""
        ways = [way for points in (self._near.points, self._near.points[::-1]) for way in self._ways(*points)]
        return min(ways, key=lambda way: way[0])[1] if ways else None

    def _ways(self, circle: Point, point: Point) -> Iterator[tuple[tuple[int, int, bool], CellJoin]]:
        """Ways to repeat the source of one of the points, each with its cost."""
        (name, *more), placed = sorted(sources_of(circle)) or [""], tuple(sorted(sources_of(point)))
        if name not in self._free or more or not placed or name in placed or has_query(circle):
            return
        size = _size(self._items[name], self._sides)
        largest_deg = tree.constant(self._bound) if self._bound is not None else None
        is_varied = tree.constant(self._radius) is None
        indexed = self._indexed(circle, MAX_ORDER) | self._indexed(point, FINEST_CELLS)
        if is_varied and self._may_have_levels(name, placed):
            yield (0, size, indexed.isdisjoint(placed)), CellJoin(name, placed, None, indexed, has_levels=True)
        elif largest_deg is not None:
            order = max(circle_order(largest_deg), circle_order(largest_deg, roominess=1.0) if largest_deg > 1.0 else 0)
            indexed = self._indexed(circle, MAX_ORDER) | self._indexed(point, order)
            if order > 0:
                yield (int(is_varied), size, indexed.isdisjoint(placed)), CellJoin(name, placed, order, indexed)
        elif self._bound is not None and len(placed) == 1 and _find_item(self._select, placed[0]) is not None:
            yield (2, size, indexed.isdisjoint(placed)), CellJoin(name, placed, None, indexed)

    def _may_have_levels(self, name: str, placed: tuple[str, ...]) -> bool:
        """Whether a source has its own radii, which can be looked at beforehand, and the other may be repeated too."""
        radius = self._radius
        is_own = sources_of([radius]) == {name} and not has_query([radius])
        is_own = is_own and all(kernel_of(call).is_repeatable for call in radius.find_all(Compute))
        return is_own and len(placed) == 1 and placed[0] in self._free and isinstance(self._items[name], exp.Table)

    def _indexed(self, point: Point, order: int) -> frozenset[str]:
        """The table that is stored by a position, if its index is fine enough."""
        name = find_stored(point, self._sides)
        return frozenset({name} if name is not None and self._sides[name].index_order >= order else ())

    def spell(self, join: CellJoin, *, number: int) -> None:
        """Repeat the rows of a source in place, and let the cells decide beside the test."""
        first, second = self._near.points
        circle, point = (first, second) if sources_of(first) == {join.repeated} else (second, first)
        radius = self._radius if sources_of([self._radius]) <= {join.repeated} else self._bound
        assert radius is not None
        cell, level = f"~cell{number}", f"~level{number}"
        if join.order is not None:
            order: exp.Expression = tree.integer(join.order)
            equal = []
        else:
            order = self._spell_levels(join, level)
            equal = [exp.EQ(this=tree.column(join.placed[0], level), expression=tree.column(join.repeated, level))]
        if join.repeated in join.indexed:
            cells = computed(CELLS_AT, order, tree.column(join.repeated, INDEX), radius)
        else:
            cells = computed(CELLS, order, *circle, radius)
        self._extend(join.repeated, exp.Explode(this=cells), cell)
        placed_order = order if join.order is not None else tree.column(join.placed[0], level)
        same = exp.EQ(this=self._cell(point, placed_order, join), expression=tree.column(join.repeated, cell))
        self._near.replace(exp.Paren(this=tree.conjunction([*equal, same, self._near.copy()])))

    def _spell_levels(self, join: CellJoin, name: str) -> exp.Expression:
        """Give both sources a level: each circle its own, the other source all that occur; gives that of a circle.

        The levels come as a list, since DuckDB would join a table of them to the circles first.
        """
        if join.has_levels:
            level = computed(LEVEL, tree.integer(_SPACING), self._radius)
            distinct = exp.ArrayAgg(this=exp.Distinct(expressions=[level.copy()]))
            levels = exp.Select(expressions=[distinct])
            levels.set("from_", exp.From(this=self._items[join.repeated].copy()))
            self._extend(join.placed[0], exp.Explode(this=exp.Subquery(this=levels)), name)
        else:
            assert self._bound is not None
            level = computed(LEVEL, tree.integer(1), self._bound)
            self._extend(join.placed[0], level, name)
        self._extend(join.repeated, level, name)
        return tree.column(join.repeated, name)

    def _extend(self, source: str, output: exp.Expression, name: str) -> None:
        """Give a source a further column."""
        item = _find_item(self._select, source)
        assert item is not None
        query = exp.Select(expressions=[exp.Star(), _named(output, name)])
        item.replace(exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(source))))
        query.set("from_", exp.From(this=item))

    def _cell(self, point: Point, order: exp.Expression, join: CellJoin) -> exp.Expression:
        """The cell in which a position is."""
        (name, *_) = join.placed
        if name not in join.indexed:
            return computed(PIXEL, order, *point)
        unused = exp.Sub(this=tree.integer(self._sides[name].index_order), expression=order.copy())
        if join.order is not None:
            unused = tree.integer(self._sides[name].index_order - join.order)
        bits = exp.Mul(this=tree.integer(2), expression=exp.Paren(this=unused))
        return exp.BitwiseRightShift(this=tree.column(name, INDEX), expression=exp.Paren(this=bits))


def _size(item: exp.Expression, sides: Mapping[str, Side]) -> int:
    """About how many rows an entry of FROM has: those of its largest table, unless it has a limit."""
    limit = item.this.args.get("limit") if isinstance(item, exp.Subquery) else None
    n_rows = max((sides[node.alias].n_rows for node in item.find_all(exp.Table) if node.alias in sides), default=0)
    return n_rows if limit is None else min(n_rows, int(limit.expression.this))


def _named(node: exp.Expression, name: str) -> exp.Alias:
    return exp.Alias(this=node.copy(), alias=exp.to_identifier(name, quoted=True))


def _level(spacing: pa.Array, radius_deg: pa.Array) -> pa.Array:
    levels, steps = circle_levels(numbers(radius_deg)), np.maximum(integers(spacing), 1)
    return pa.array(levels // steps * steps, pa.int64(), mask=levels < 0)


def _cells(order: pa.Array, ra_deg: pa.Array, dec_deg: pa.Array, radius_deg: pa.Array) -> pa.Array:
    return _touched(order, index29(numbers(ra_deg), numbers(dec_deg)), radius_deg)


def _cells_at(order: pa.Array, index: pa.Array, radius_deg: pa.Array) -> pa.Array:
    return _touched(order, integers(index), radius_deg)


def _touched(order: pa.Array, index: NDArray[np.int64], radius_deg: pa.Array) -> pa.Array:
    orders = integers(order)
    radius = np.where(orders < 0, np.nan, numbers(radius_deg)) if order.null_count else numbers(radius_deg)
    pixels, counts = circles_touching(index, radius, orders)
    offsets = np.zeros(len(counts) + 1, dtype=np.int32)
    np.cumsum(counts, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(pixels))


CELLS = Kernel("cells", (pa.int64(), pa.float64(), pa.float64(), pa.float64()), pa.list_(pa.int64()), _cells)
"""HEALPix cells of an order that a circle may touch, given by the order, its centre and its radius; none for null."""
CELLS_AT = Kernel("cells_at", (pa.int64(), pa.int64(), pa.float64()), pa.list_(pa.int64()), _cells_at)
"""The same of a circle around an order-29 pixel."""
LEVEL = Kernel("level", (pa.int64(), pa.float64()), pa.int64(), _level)
"""Order of the cells that suit a circle of a radius, a multiple of the spacing; null where there is no circle."""

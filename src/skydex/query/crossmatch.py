"""Cross-match: joins of rows that are near each other on the sky, as joins of equal HEALPix cells.

A `Near` that must hold between two sources of a SELECT would make an engine measure every pair of their rows. Here it
gets company: the rows of one source are repeated for every cell that the circle around them may touch, the rows of the
other have the one cell that they are in, and the two cells must be equal. Engines know how to join what is equal. The
exact test stays, and as the other side has one cell, no pair comes twice.

Which source is repeated: one whose rows only count where the condition holds (not the side of an outer join that stays
whole), the smaller of two that could be. What is pruned by a cross-match is `prune`'s affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from sqlglot import exp

from skydex.query import tree
from skydex.query.kernels import PIXEL, Kernel, computed
from skydex.query.tree import Near
from skydex.sky import circle_order, circles_touching, index29

__all__ = ["CELLS", "INDEX", "CellJoin", "Side", "with_cells"]

INDEX = "~index"
"""What the HEALPix index of a stored table is called in a tree: no column of a user can be called so."""


@dataclass(frozen=True)
class Side:
    """What is known of a source for matching it."""

    n_rows: int
    """Rows at the most."""
    position: tuple[str, str] | None = None
    """The columns by which it is stored, if it has an index."""
    index_order: int = -1
    """Order of that index."""


@dataclass(frozen=True)
class CellJoin:
    """How the pairs of one `Near` are found."""

    repeated: str
    """The source whose rows stand in every cell that their circle touches."""
    placed: tuple[str, ...]
    """The sources that give the other position, which has one cell."""
    order: int
    """HEALPix order of the cells."""
    index_order: int | None
    """Order of the stored index off which that cell is read; `None` if it is computed."""

    def __str__(self) -> str:
        how = "computed" if self.index_order is None else "read off its index"
        others = " and ".join(self.placed)
        return f"{self.repeated} with {others}, by cells of order {self.order}, for {others} {how}"


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
    query = query.copy()
    found: list[CellJoin] = []
    for select in [node for node in tree.walk(query) if isinstance(node, exp.Select)]:
        for near, free in list(_held(select)):
            join = _cell_join(near, free, sides, partial(_item, select))
            if join is not None:
                _spell(near, join, _item(select, join.repeated), number=len(found))
                found.append(join)
    return query, tuple(found)


def _held(select: exp.Select) -> Iterator[tuple[Near, set[str]]]:
    """The cross-matches that must hold in a SELECT, each with the sources whose rows count nowhere but in its pairs."""
    from_ = select.args.get("from_")
    if from_ is None:
        return
    joins = select.args.get("joins") or []
    for on, free in _joins(from_.this, joins):
        yield from ((near, free) for near in _conjuncts(on))
    where = select.args.get("where")
    if where is not None:
        own = set().union(*(_names(item) for item in (from_.this, *(join.this for join in joins))))
        yield from ((near, own) for near in _conjuncts(where.this))


def _conjuncts(condition: exp.Expression) -> Iterator[Near]:
    for part in tree.flattened(condition, exp.And):
        bare = part
        while isinstance(bare, exp.Paren):
            bare = bare.this
        if isinstance(bare, exp.And):
            yield from _conjuncts(bare)
        elif isinstance(bare, Near):
            yield bare


def _joins(first: exp.Expression, joins: Sequence[exp.Join]) -> Iterator[tuple[exp.Expression, set[str]]]:
    """The ON conditions of a chain of joins, and of those in parentheses, with the sources that they leave free."""
    yield from _inner_joins(first)
    before = _names(first)
    for join in joins:
        yield from _inner_joins(join.this)
        joined, on = _names(join.this), join.args.get("on")
        free = {"": before | joined, "LEFT": joined, "RIGHT": before}.get((join.side or "").upper(), set())
        if on is not None and free:
            yield on, free
        before = before | joined


def _inner_joins(item: exp.Expression) -> Iterator[tuple[exp.Expression, set[str]]]:
    if _is_join(item):
        yield from _joins(item.this, item.this.args.get("joins") or ())


def _names(item: exp.Expression) -> set[str]:
    """The sources of one entry of FROM; a join in parentheses has several."""
    if not _is_join(item):
        return {item.alias}
    return _names(item.this).union(*(_names(join.this) for join in item.this.args.get("joins") or ()))


def _is_join(item: exp.Expression) -> bool:
    return isinstance(item, exp.Subquery) and not item.alias


def _item(select: exp.Select, name: str) -> exp.Expression:
    """The entry of FROM that is called so."""
    stack = [select.args["from_"].this, *(join.this for join in select.args.get("joins") or ())]
    while stack:
        item = stack.pop()
        if _is_join(item):
            stack += [item.this, *(join.this for join in item.this.args.get("joins") or ())]
        elif item.alias == name:
            return item
    raise KeyError(name)


def _cell_join(
    near: Near, free: set[str], sides: Mapping[str, Side], item: Callable[[str], exp.Expression]
) -> CellJoin | None:
    """The cheapest way to find the pairs of a cross-match by cells; `None` if there is none."""
    radius_deg = tree.constant(near.args["radius"])
    if radius_deg is None:
        return None
    order = max(circle_order(radius_deg), circle_order(radius_deg, roominess=1.0) if radius_deg > 1.0 else 0)
    if order < 1:
        return None
    possible = []
    for point, other in (near.points, near.points[::-1]):
        (name, *more), placed = sorted(_sources(point)) or [""], sorted(_sources(other))
        if name not in free or more or not placed or name in placed or _has_query(point):
            continue
        index_order = _index_order(other, sides, order)
        cost = (_size(item(name), sides), index_order is None)
        possible.append((cost, CellJoin(name, tuple(placed), order, index_order)))
    return min(possible, key=lambda pair: pair[0])[1] if possible else None


def _sources(point: Sequence[exp.Expression]) -> set[str]:
    return {column.table for part in point for column in part.find_all(exp.Column)}


def _has_query(point: Sequence[exp.Expression]) -> bool:
    return any(part.find(exp.Query) is not None for part in point)


def _index_order(point: Sequence[exp.Expression], sides: Mapping[str, Side], order: int) -> int | None:
    """Order of the index of the table that is stored by a position, if it is fine enough."""
    ra, dec = (_bare(part) for part in point)
    if not (isinstance(ra, exp.Column) and isinstance(dec, exp.Column)) or ra.table != dec.table:
        return None
    side = sides.get(ra.table)
    if side is None or side.position != (ra.name, dec.name) or side.index_order < order:
        return None
    return side.index_order


def _bare(node: exp.Expression) -> exp.Expression:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _size(item: exp.Expression, sides: Mapping[str, Side]) -> int:
    """About how many rows an entry of FROM has: those of its largest table, unless it has a limit."""
    limit = item.this.args.get("limit") if isinstance(item, exp.Subquery) else None
    n_rows = max((sides[node.alias].n_rows for node in item.find_all(exp.Table) if node.alias in sides), default=0)
    return n_rows if limit is None else min(n_rows, int(limit.expression.this))


def _spell(near: Near, join: CellJoin, item: exp.Expression, *, number: int) -> None:
    """Repeat the rows of a source in place, and let the cells decide beside the test."""
    first, second = near.points
    circle, point = (first, second) if _sources(first) == {join.repeated} else (second, first)
    name = f"~cell{number}"
    cells = exp.Alias(
        this=exp.Explode(this=computed(CELLS, tree.integer(join.order), *circle, near.args["radius"])),
        alias=exp.Identifier(this=name, quoted=True),
    )
    repeated = exp.Select(expressions=[exp.Star(), cells])
    item.replace(exp.Subquery(this=repeated, alias=exp.TableAlias(this=exp.to_identifier(join.repeated))))
    repeated.set("from_", exp.From(this=item))
    equal = exp.EQ(this=_cell(point, join), expression=tree.column(join.repeated, name))
    near.replace(exp.Paren(this=exp.And(this=equal, expression=near.copy())))


def _cell(point: Sequence[exp.Expression], join: CellJoin) -> exp.Expression:
    """The cell in which a position is."""
    if join.index_order is None:
        return computed(PIXEL, tree.integer(join.order), *point)
    index = tree.column(_bare(point[0]).table, INDEX)
    return exp.BitwiseRightShift(this=index, expression=tree.integer(2 * (join.index_order - join.order)))


def _cells(order: pa.Array, ra_deg: pa.Array, dec_deg: pa.Array, radius_deg: pa.Array) -> pa.Array:
    orders = order.fill_null(0).to_numpy(zero_copy_only=False)
    ra, dec, radius = (part.fill_null(np.nan).to_numpy(zero_copy_only=False) for part in (ra_deg, dec_deg, radius_deg))
    radius = np.where(order.is_valid().to_numpy(zero_copy_only=False), radius, np.nan) if order.null_count else radius
    pixels, counts = circles_touching(index29(ra, dec), radius, orders)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(pixels))


CELLS = Kernel("cells", (pa.int64(), pa.float64(), pa.float64(), pa.float64()), pa.list_(pa.int64()), _cells)
"""HEALPix cells of an order that a circle may touch, given by the order, its centre and its radius; none for null."""

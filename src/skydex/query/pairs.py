"""Pairs: which conditions a query holds its rows to, above all cross-matches, and which of its sources.

What follows from them is `crossmatch`'s affair (how pairs are found) and `narrow`'s (what need not be read).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from skydex.query import tree
from skydex.query.tree import Near

__all__ = [
    "Point",
    "Side",
    "bare_column",
    "conditions",
    "find_stored",
    "has_query",
    "held",
    "is_join",
    "names_of",
    "sources_of",
]

Point = Sequence[exp.Expression]
"""Right ascension and declination."""


@dataclass(frozen=True)
class Side:
    """What is known of a source for matching it."""

    n_rows: int
    """Rows at the most."""
    position: tuple[str, str] | None = None
    """The columns by which it is stored, if it has an index."""
    index_order: int = -1
    """Order of that index."""
    rows: pa.Table | None = None
    """The rows themselves, if they are in memory."""


def held(select: exp.Select) -> Iterator[tuple[Near, set[str]]]:
    """The cross-matches that must hold in a SELECT, each with the sources whose rows count nowhere but in its pairs."""
    for condition, free in conditions(select):
        yield from ((near, free) for near in _conjuncts(condition))


def conditions(select: exp.Select) -> Iterator[tuple[exp.Expression, set[str]]]:
    """The conditions of a SELECT, each with the sources whose rows count nowhere but where it holds."""
    from_ = select.args.get("from_")
    if from_ is None:
        return
    joins = select.args.get("joins") or []
    yield from _joins(from_.this, joins)
    where = select.args.get("where")
    if where is not None:
        yield where.this, set().union(*(names_of(item) for item in (from_.this, *(join.this for join in joins))))


def _conjuncts(condition: exp.Expression) -> Iterator[Near]:
    for part in tree.flattened(condition, exp.And):
        bare = part.unnest()
        if isinstance(bare, exp.And):
            yield from _conjuncts(bare)
        elif isinstance(bare, Near):
            yield bare


def _joins(first: exp.Expression, joins: Sequence[exp.Join]) -> Iterator[tuple[exp.Expression, set[str]]]:
    """The ON conditions of a chain of joins, and of those in parentheses, with the sources that they leave free."""
    yield from _inner_joins(first)
    before = names_of(first)
    for join in joins:
        yield from _inner_joins(join.this)
        joined, on = names_of(join.this), join.args.get("on")
        free = {"": before | joined, "LEFT": joined, "RIGHT": before}.get((join.side or "").upper(), set())
        if on is not None and free:
            yield on, free
        before = before | joined


def _inner_joins(item: exp.Expression) -> Iterator[tuple[exp.Expression, set[str]]]:
    if is_join(item):
        yield from _joins(item.this, item.this.args.get("joins") or ())


def names_of(item: exp.Expression) -> set[str]:
    """The sources of one entry of FROM; a join in parentheses has several."""
    if not is_join(item):
        return {item.alias}
    return names_of(item.this).union(*(names_of(join.this) for join in item.this.args.get("joins") or ()))


def is_join(item: exp.Expression) -> bool:
    return isinstance(item, exp.Subquery) and not item.alias


def find_stored(point: Point, sides: Mapping[str, Side]) -> str | None:
    """The table that is stored by a position, if there is one."""
    ra, dec = (bare_column(part) for part in point)
    if ra is None or dec is None or ra.table != dec.table or ra.table not in sides:
        return None
    return ra.table if sides[ra.table].position == (ra.name, dec.name) else None


def bare_column(node: exp.Expression) -> exp.Column | None:
    """The column that an expression is, in parentheses or not."""
    bare = node.unnest()
    return bare if isinstance(bare, exp.Column) else None


def sources_of(nodes: Sequence[exp.Expression]) -> set[str]:
    """The sources whose columns stand in expressions."""
    return {column.table for node in nodes for column in node.find_all(exp.Column)}


def has_query(nodes: Sequence[exp.Expression]) -> bool:
    """Whether a subquery stands in expressions."""
    return any(node.find(exp.Query) is not None for node in nodes)

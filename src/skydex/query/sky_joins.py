"""Sky joins: joins of two tables by nothing but their places, whose pairs can be found before an engine sees them.

`crossmatch` spells a cross-match so that any engine can run it: as a join of equal cells. Where two tables that lie by
their places, or are in memory, are joined by one radius, there is a shorter way: their rows are read in the order of
the sky, and the pairs are found as they pass. In the tree such a join becomes one table with the columns of both.
Whatever else the query asks (further conditions, groups, order) stands unchanged around it. An engine may take
either tree; both give the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from skydex.query import tree
from skydex.query.pairs import Point, Side, bare_column, find_stored, held, sources_of
from skydex.query.tree import Near
from skydex.sky import MAX_ORDER

__all__ = ["SkyJoin", "with_sky_joins"]

_LARGEST_DEG = 0.1
"""Joins of larger radii are left to the engine: they may have too many pairs to be found ahead of it."""


@dataclass(frozen=True)
class SkyJoin:
    """Two tables of which the pairs of rows near each other are wanted."""

    name: str
    """What the joined rows are called in the tree."""
    sides: tuple[str, str]
    """The two sources."""
    positions: tuple[tuple[str, str], tuple[str, str]]
    """The columns of right ascension and declination of each."""
    radius_deg: float
    """Their largest separation."""
    closed: bool
    """Whether a separation of just the radius counts."""
    columns: tuple[tuple[str, str], ...]
    """What the query looks at, by source and column, first that of the first side; called `source.column` there."""

    def __str__(self) -> str:
        return f"{' with '.join(self.sides)}, while they are read in the order of the sky"


def with_sky_joins(query: exp.Query, sides: Mapping[str, Side]) -> tuple[exp.Query, tuple[SkyJoin, ...]]:
    """Turn joins of two tables into tables of joined rows, wherever that is sound.

    Parameters
    ----------
    query : exp.Query
        A bound tree; it is left as it is.
    sides : mapping of str to Side
        The tables that it reads, by source.

    Returns
    -------
    query : exp.Query
        The same rows.
    joins : tuple of SkyJoin
        What became of the joins, each standing in the tree once.
    """
    if not any(isinstance(node, Near) for node in tree.walk(query)):
        return query, ()
    query = query.copy()
    found: list[SkyJoin] = []
    for select in _read_once(query):
        near = _find_near(select, sides)
        if near is not None:
            found.append(_replace(select, near, f"~joined{len(found)}"))
    return query, tuple(found)


def _read_once(query: exp.Expression) -> Iterator[exp.Select]:
    """The SELECTs whose rows are asked for once: the outermost, those that it is a union of, and in its FROM."""
    if isinstance(query, exp.Subquery):
        yield from _read_once(query.this)
    elif isinstance(query, exp.SetOperation):
        yield from _read_once(query.this)
        yield from _read_once(query.expression)
    elif isinstance(query, exp.Select):
        yield query
        from_ = query.args.get("from_")
        if from_ is not None and isinstance(from_.this, exp.Subquery):
            yield from _read_once(from_.this)


def _find_near(select: exp.Select, sides: Mapping[str, Side]) -> Near | None:
    """The cross-match that joins the two tables of a SELECT, if it has one that can be found ahead."""
    from_, joins = select.args.get("from_"), select.args.get("joins") or []
    if from_ is None or len(joins) != 1 or joins[0].side or joins[0].args.get("using"):
        return None
    names = {item.alias for item in (from_.this, joins[0].this) if isinstance(item, exp.Table)}
    if len(names) != 2 or not names <= sides.keys():
        return None
    fitting = (near for near, free in held(select) if free == names and _is_findable(near, names, sides))
    return next(fitting, None)


def _is_findable(near: Near, names: set[str], sides: Mapping[str, Side]) -> bool:
    radius_deg = tree.constant(near.args["radius"])
    if radius_deg is None or not 0.0 <= radius_deg <= _LARGEST_DEG:
        return False
    return all(_is_by_place(point, sides) for point in near.points) and _sources_of_both(near) == names


def _sources_of_both(near: Near) -> set[str]:
    return set().union(*(sources_of(point) for point in near.points))


def _is_by_place(point: Point, sides: Mapping[str, Side]) -> bool:
    """Whether a position is that by which its table is stored, or of a table in memory."""
    ra, dec = (bare_column(part) for part in point)
    if ra is None or dec is None or ra.table != dec.table or ra.table not in sides:
        return False
    side = sides[ra.table]
    return side.rows is not None or (find_stored(point, sides) is not None and side.index_order == MAX_ORDER)


def _replace(select: exp.Select, near: Near, name: str) -> SkyJoin:
    """Let one table stand for both, and the rest of the condition of their join beside the others."""
    join = select.args["joins"][0]
    names = select.args["from_"].this.alias, join.this.alias
    points = {next(iter(sources_of(point))): _names(point) for point in near.points}
    radius_deg, closed = tree.constant(near.args["radius"]), bool(near.args["closed"])
    assert radius_deg is not None
    near.replace(exp.Boolean(this=True))
    where, on = select.args.get("where"), join.args.get("on")
    conditions = [part for part in (on, where.this if where is not None else None) if part is not None]
    left = [part for condition in conditions for part in tree.flattened(condition, exp.And) if not _is_true(part)]
    select.set("joins", [])
    select.set("where", exp.Where(this=tree.conjunction(left)) if left else None)
    select.args["from_"].set("this", _table(name))
    used: dict[tuple[str, str], None] = {}
    for column in list(select.find_all(exp.Column)):
        if column.table in names:
            used[column.table, column.name] = None
            column.replace(tree.column(name, f"{column.table}.{column.name}"))
    return SkyJoin(
        name,
        names,
        (points[names[0]], points[names[1]]),
        radius_deg,
        closed,
        tuple(sorted(used, key=lambda of: names.index(of[0]))),
    )


def _names(point: Point) -> tuple[str, str]:
    ra, dec = (bare_column(part) for part in point)
    assert ra is not None
    assert dec is not None
    return ra.name, dec.name


def _is_true(node: exp.Expression) -> bool:
    bare = node.unnest()
    return isinstance(bare, exp.Boolean) and bool(bare.this)


def _table(name: str) -> exp.Table:
    identifier = exp.to_identifier(name, quoted=True)
    return exp.Table(this=identifier, alias=exp.TableAlias(this=identifier.copy()))

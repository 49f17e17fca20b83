"""Build: trees for questions that are not asked in text.

Cone search, filters and "rows of this object" make the tree that their text would have parsed to; a user's value
enters it as a literal node.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from skydex.query import tree
from skydex.sky import Cone
from skydex.tables import Column, Table

__all__ = ["cone_query", "table_query"]


def table_query(table: Table, columns: Sequence[Column], *, limit: int | None = None) -> exp.Select:
    """The tree of `SELECT columns FROM table`."""
    query = exp.Select(expressions=[exp.Column(this=_quoted(column.name)) for column in columns])
    parts = table.name.split(".")
    name = {key: _quoted(part) for key, part in zip(("this", "db"), reversed(parts), strict=False)}
    query.set("from_", exp.From(this=exp.Table(**name)))
    if limit is not None:
        query.set("limit", exp.Limit(expression=tree.integer(limit)))
    return query


def cone_query(table: Table, columns: Sequence[Column], cone: Cone) -> exp.Select:
    """The tree of a cone search on a positioned table."""
    query = table_query(table, columns)
    ra, dec = (exp.Column(this=_quoted(column.name)) for column in table.position_columns())
    point = _call("POINT", ra, dec)
    circle = _call("CIRCLE", *(tree.number(value) for value in (cone.ra_deg, cone.dec_deg, cone.radius_deg)))
    inside = exp.EQ(this=_call("CONTAINS", point, circle), expression=tree.integer(1))
    query.set("where", exp.Where(this=inside))
    return query


def _call(name: str, *arguments: exp.Expression) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _quoted(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)

"""Build: trees for questions that are not asked in text.

Such a question makes the tree that its text would have parsed to; a user's value enters it as a literal node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from skydex.query.tree import conjunction, integer, number, string
from skydex.sky import Cone
from skydex.tables import Column, Table

__all__ = [
    "Joined",
    "Tail",
    "call",
    "column_node",
    "distance_node",
    "in_cone",
    "literal",
    "named",
    "quoted",
    "select_query",
    "table_query",
    "text_of",
]


@dataclass(frozen=True)
class Joined:
    """A table that is joined to the first one of a query."""

    table: Table
    """Which."""
    alias: str
    """What it is called in the query."""
    condition: exp.Expression
    """When two rows belong together."""


@dataclass(frozen=True)
class Tail:
    """What comes behind the rows that a query chooses."""

    order: Sequence[tuple[exp.Expression, bool]] = ()
    """Keys, each with whether it descends."""
    offset: int = 0
    """Rows that are left out at the beginning."""


def table_query(table: Table, columns: Sequence[Column], *, limit: int | None = None) -> exp.Select:
    """The tree of `SELECT columns FROM table`."""
    query = exp.Select(expressions=[exp.Column(this=quoted(column.name)) for column in columns])
    query.set("from_", exp.From(this=_named(table)))
    if limit is not None:
        query.set("limit", exp.Limit(expression=integer(limit)))
    return query


def select_query(
    outputs: Sequence[exp.Expression],
    table: Table,
    *,
    alias: str,
    joined: Sequence[Joined] = (),
    conditions: Sequence[exp.Expression] = (),
    tail: Tail = Tail(),
) -> exp.Select:
    """The tree of `SELECT outputs FROM table AS alias JOIN ... WHERE conditions ORDER BY ... OFFSET ...`."""
    query = exp.Select(expressions=list(outputs))
    query.set("from_", exp.From(this=_named(table, alias)))
    query.set("joins", [exp.Join(this=_named(one.table, one.alias), on=one.condition) for one in joined])
    if conditions:
        query.set("where", exp.Where(this=conjunction(list(conditions))))
    if tail.order:
        keys = [exp.Ordered(this=key, desc=descends, nulls_first=False) for key, descends in tail.order]
        query.set("order", exp.Order(expressions=keys))
    if tail.offset:
        query.set("offset", exp.Offset(expression=integer(tail.offset)))
    return query


def column_node(name: str, alias: str) -> exp.Expression:
    """A column of the table that is called so; the result's column has the name as it is spelled here."""
    return exp.Column(this=quoted(name), table=quoted(alias))


def literal(value: str | int | float) -> exp.Expression:
    """A value of a user."""
    if isinstance(value, str):
        return string(value)
    return integer(value) if isinstance(value, int) and abs(value) < 2**63 else number(float(value))


def call(name: str, *arguments: exp.Expression) -> exp.Expression:
    """A function of ADQL."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def text_of(node: exp.Expression) -> exp.Expression:
    """A text as it is compared without regard to case."""
    return call("LOWER", node)


def named(node: exp.Expression, name: str) -> exp.Expression:
    """An expression as a column of the result that is called so."""
    return exp.Alias(this=node, alias=quoted(name))


def in_cone(position: Sequence[exp.Expression], cone: Cone) -> exp.Expression:
    """Whether a position is in a cone."""
    centre = (number(cone.ra_deg), number(cone.dec_deg), number(cone.radius_deg))
    return exp.EQ(this=call("CONTAINS", call("POINT", *position), call("CIRCLE", *centre)), expression=integer(1))


def distance_node(position: Sequence[exp.Expression], other: Sequence[exp.Expression]) -> exp.Expression:
    """The angle between two positions in degrees."""
    return call("DISTANCE", *position, *other)


def _named(table: Table, alias: str = "") -> exp.Table:
    parts = table.name.split(".")
    name = {key: quoted(part) for key, part in zip(("this", "db"), reversed(parts), strict=False)}
    called = {"alias": exp.TableAlias(this=quoted(alias))} if alias else {}
    return exp.Table(**name, **called)


def quoted(name: str) -> exp.Identifier:
    """A name as it is spelled."""
    return exp.Identifier(this=name, quoted=True)

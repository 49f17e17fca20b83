"""Build: trees for questions that are not asked in text.

Such a question makes the tree that its text would have parsed to; a user's value enters it as a literal node.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from skydex.query.tree import integer
from skydex.tables import Column, Table

__all__ = ["table_query"]


def table_query(table: Table, columns: Sequence[Column], *, limit: int | None = None) -> exp.Select:
    """The tree of `SELECT columns FROM table`."""
    query = exp.Select(expressions=[exp.Column(this=_quoted(column.name)) for column in columns])
    parts = table.name.split(".")
    name = {key: _quoted(part) for key, part in zip(("this", "db"), reversed(parts), strict=False)}
    query.set("from_", exp.From(this=exp.Table(**name)))
    if limit is not None:
        query.set("limit", exp.Limit(expression=integer(limit)))
    return query


def _quoted(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)

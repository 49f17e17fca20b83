"""What an UPDATE or DELETE aims at: its table, and the query that says which rows of it are meant.

The query is asked over the table with its rows numbered, under a name of its own, so that FROM, joins and WHERE mean
what they mean in any query. In T-SQL the table may stand in FROM, under an alias by which the statement calls it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import build
from skydex.query.languages.statements import Delete, Update
from skydex.query.languages.tsql_names import TableName, table_name
from skydex.tables import Column, Datatype

__all__ = ["ROW", "TARGET", "aim_of", "meant_rows"]

TARGET = "~target"
"""What the table that is changed is called while it is asked which of its rows are."""
ROW = Column("~row", Datatype.LONG)
"""The column with the numbers of its rows, from 0."""


def aim_of(statement: Update | Delete) -> tuple[TableName, exp.Select]:
    """The table that is changed, and the query for the numbers of its rows and for their new values."""
    values = [value for _, value in statement.changes] if isinstance(statement, Update) else []
    alias = statement.alias if isinstance(statement, Update) else ""
    source = statement.source.copy() if statement.source is not None else None
    joins = [join.copy() for join in statement.joins]
    items = [source.this, *(join.this for join in joins)] if source is not None else []
    meant = _find_meant(items, statement.target)
    name = table_name(meant) if meant is not None else statement.target
    called = (meant.alias if meant is not None else alias) or name.bare
    target = exp.Table(this=build.quoted(TARGET), alias=exp.TableAlias(this=build.quoted(called)))
    if meant is not None:
        meant.replace(target)
    elif source is None:
        source = exp.From(this=target)
    else:
        joins.append(exp.Join(this=target, kind="CROSS"))
    number = build.column_node(ROW.name, called)
    query = exp.Select(expressions=[number, *(build.named(value.copy(), f"v{i}") for i, value in enumerate(values))])
    query.set("from_", source)
    query.set("joins", joins)
    if statement.with_ is not None:
        query.set("with_", statement.with_.copy())
    if statement.where is not None:
        query.set("where", exp.Where(this=statement.where.copy()))
    return name, query


def _find_meant(items: Sequence[exp.Expression], target: TableName) -> exp.Table | None:
    """The entry of FROM that a statement changes: the one with that alias, or else the only one of that table."""
    tables = [item for item in items if isinstance(item, exp.Table) and not isinstance(item.this, exp.Func)]
    if len(target.parts) == 1:
        called = [table for table in tables if table.alias and table.alias.lower() == target.bare.lower()]
        if called:
            return called[0]
    alike = [table for table in tables if table_name(table).bare.lower() == target.bare.lower()]
    if len(alike) > 1:
        raise BadQueryError(f"FROM has {target.bare} more than once: say by its alias which is changed.")
    return alike[0] if alike else None


def meant_rows(places: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of rows that an answer names, ascending and each once, and where it names them first."""
    found, first = np.unique(places.to_numpy(), return_index=True)
    return found.astype(np.int64), first.astype(np.int64)

"""Columns of tables, as CREATE TABLE and INTO say what they are, and ALTER TABLE changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from sqlglot import exp

from skydex.archive.batch_values import column_of, converted, converted_value, converted_values, written_value
from skydex.errors import BadQueryError, UnknownColumnError, near_names
from skydex.mydb import Fills
from skydex.query.languages.statements import AddColumns, AlterColumn, ColumnType, DropColumns
from skydex.query.languages.tsql_names import TableName
from skydex.tables import Column, arrow_type

__all__ = ["altered", "check_names", "check_unique", "columns_of", "fills_after", "fills_of"]

Altered = tuple[tuple[Column, ...], pa.Table]


def columns_of(kinds: Iterable[ColumnType], name: TableName) -> tuple[Column, ...]:
    """The columns of a new table; no two have the same name."""
    columns = tuple(column_of(kind.name, kind.kind) for kind in kinds)
    names = [column.name.lower() for column in columns]
    twice = next((column.name for column in columns if names.count(column.name.lower()) > 1), None)
    if twice is not None:
        raise BadQueryError(f"Column names in each table must be unique: {twice} is specified twice for {name.bare}.")
    return columns


def check_names(query: exp.Query) -> None:
    """Every column of a new table has a name that its text gives it."""
    first: exp.Expression = query
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    for number, item in enumerate(first.expressions, start=1):
        if not isinstance(item.unnest(), exp.Alias | exp.Column | exp.Star) and not _is_named(item):
            sentence = f"Column {number} of the new table has no name: write {item.sql(dialect='tsql')[:60]} AS name."
            raise BadQueryError(sentence)


def _is_named(item: exp.Expression) -> bool:
    """Whether it is `'name' = x`."""
    return isinstance(item, exp.EQ) and isinstance(item.this, exp.Literal) and bool(item.this.is_string)


def check_unique(columns: Sequence[Column], target: TableName) -> None:
    """No two columns of a new table have the same name."""
    seen: set[str] = set()
    for column in columns:
        if column.name.lower() in seen:
            raise BadQueryError(
                f"Column names in each table must be unique: {column.name} is specified more than once for "
                f"{target.bare}. Give one of them another name with AS."
            )
        seen.add(column.name.lower())


def fills_of(kinds: Iterable[ColumnType]) -> Fills:
    """What INSERT puts into columns of which it says nothing.

    Raises
    ------
    BadQueryError
        A default that is not written out, such as the time of the INSERT.
    """
    counted, first, defaults = "", 1, {}
    for kind in kinds:
        if kind.counted_from is not None:
            counted, first = kind.name, kind.counted_from
        if kind.default is not None:
            is_written, value = written_value(kind.default)
            if not is_written:
                raise BadQueryError(f"{kind.name}: DEFAULT is a value that is written out here: a number or a text.")
            converted_value(value, column_of(kind.name, kind.kind))
            if value is not None:
                defaults[kind.name] = value
    return Fills(counted, first, defaults)


def altered(statement: AddColumns | DropColumns | AlterColumn, columns: tuple[Column, ...], rows: pa.Table) -> Altered:
    """Columns and rows of a table as a statement leaves them.

    Raises
    ------
    BadQueryError
        A column that is there already, a table that would have none, or a value that does not fit.
    UnknownColumnError
        There is no such column.
    """
    return _ALTERATIONS[type(statement)](statement, columns, rows)


def fills_after(statement: AddColumns | DropColumns | AlterColumn, fills: Fills) -> Fills:
    """What INSERT puts into columns of which it says nothing, when a statement has changed them."""
    if isinstance(statement, AddColumns):
        more = fills_of(statement.columns)
        counting = more if more.counted else fills
        return Fills(counting.counted, counting.first, {**fills.defaults, **more.defaults})
    return fills.without(statement.names) if isinstance(statement, DropColumns) else fills


def _added(statement: AddColumns, columns: tuple[Column, ...], rows: pa.Table) -> Altered:
    more = tuple(column_of(kind.name, kind.kind) for kind in statement.columns)
    known = {column.name.lower() for column in columns}
    for kind, column in zip(statement.columns, more, strict=True):
        if column.name.lower() in known:
            raise BadQueryError(f"The table {statement.target.bare} has a column {column.name} already.")
        rows = rows.append_column(pa.field(column.name, arrow_type(column)), _of_old_rows(kind, column, rows.num_rows))
    return (*columns, *more), rows


def _of_old_rows(kind: ColumnType, column: Column, n_rows: int) -> pa.Array:
    """What a column is in the rows that are there when it is added."""
    if kind.counted_from is not None:
        return pa.array(np.arange(kind.counted_from, kind.counted_from + n_rows)).cast(arrow_type(column))
    if kind.default is not None and kind.fills_old_rows:
        return pa.repeat(converted_values([written_value(kind.default)[1]], column)[0], n_rows)
    return pa.nulls(n_rows, arrow_type(column))


def _dropped(statement: DropColumns, columns: tuple[Column, ...], rows: pa.Table) -> Altered:
    gone = {name.lower() for name in statement.names}
    known = [column.name for column in columns]
    for name in () if statement.if_exists else statement.names:
        if name.lower() not in map(str.lower, known):
            raise UnknownColumnError(name, where=statement.target.bare, near=near_names(name, known))
    kept = tuple(column for column in columns if column.name.lower() not in gone)
    if not kept:
        raise BadQueryError(f"The table {statement.target.bare} would have no columns: drop the table instead.")
    return kept, rows.select([column.name for column in kept])


def _retyped(statement: AlterColumn, columns: tuple[Column, ...], rows: pa.Table) -> Altered:
    known = [column.name for column in columns]
    place = next((p for p, name in enumerate(known) if name.lower() == statement.column.name.lower()), None)
    if place is None:
        near = near_names(statement.column.name, known)
        raise UnknownColumnError(statement.column.name, where=statement.target.bare, near=near)
    before, kind = columns[place], column_of(known[place], statement.column.kind)
    new = replace(before, datatype=kind.datatype, arraysize=kind.arraysize, xtype=kind.xtype)
    values = converted(rows.column(place).combine_chunks(), new)
    return (*columns[:place], new, *columns[place + 1 :]), rows.set_column(place, new.name, values)


_ALTERATIONS: dict[type, Callable[[Any, tuple[Column, ...], pa.Table], Altered]] = {
    AddColumns: _added,
    DropColumns: _dropped,
    AlterColumn: _retyped,
}
"""What each kind of ALTER TABLE makes of columns and rows."""

"""Changes that statements of a batch make to tables: one's own in MyDB, and temporary ones.

INSERT adds rows; UPDATE, DELETE and ALTER read a table whole, change it and put it back as a new version, so that it
is changed wholly or not at all, and those who read it go on to read what was there. Which rows an UPDATE or DELETE
means is asked as a query over the table with its rows numbered.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from skydex.archive.batch_aim import ROW, TARGET, aim_of, meant_rows
from skydex.archive.batch_columns import altered, columns_of, fills_after, fills_of
from skydex.archive.batch_names import BatchNames, Scratch
from skydex.archive.batch_values import converted, converted_values, empty, measured, written_value
from skydex.errors import BadQueryError, TableChangedError, TableExistsError, UnknownTableError
from skydex.mydb import MYDB, Fills, MyDB
from skydex.query import Relation, build
from skydex.query.languages.statements import (
    AddColumns,
    AlterColumn,
    CreateTable,
    DeclareTable,
    Delete,
    DropColumns,
    DropTable,
    Insert,
    Rename,
    Truncate,
    Update,
)
from skydex.query.languages.tsql_names import TableName, find_name
from skydex.tables import Column, Result, arrow_schema, arrow_type

__all__ = ["Changes"]

_NO_FILLS = Fills()
_ATTEMPTS = 20
_PAUSE_S = 0.05
"""Rows that are counted are counted anew if others came meanwhile; chance lets one go first."""
_MOST_ROWS_WRITTEN = 1000
"""Rows that VALUES may list, as in SQL Server."""


class Asker(Protocol):
    """What carries out a batch, as changes see it."""

    def query(self, query: exp.Query) -> Result:
        """The rows of a query, as they come."""

    def value(self, node: exp.Expression) -> Any:
        """What an expression without columns is."""

    def collect(self, batches: Iterator[pa.RecordBatch], columns: Sequence[Column]) -> pa.Table:
        """Rows in memory."""


class Changes:
    """Changes the tables of one batch.

    Parameters
    ----------
    asker : Asker
        Answers queries.
    names : BatchNames
        What names mean.
    scratch : Scratch
        Temporary tables.
    own : MyDB, optional
        The caller's own tables, if she has any.
    """

    def __init__(self, asker: Asker, names: BatchNames, scratch: Scratch, own: MyDB | None) -> None:
        self._asker, self._names, self._scratch, self._own = asker, names, scratch, own
        self._fills: dict[str, Fills] = {}

    def target(self, name: TableName) -> MyDB | None:
        """Where a table that is made or changed lies: among one's own, or `None` for a temporary one.

        Raises
        ------
        BadQueryError
            It would lie elsewhere, or the caller has no tables of her own.
        """
        if name.is_temporary:
            return None
        if self._names.own_name(name) is None:
            raise BadQueryError(f"Tables are made and changed in MyDB only: write mydb.{name.bare} instead of {name}.")
        if self._own is None:
            raise BadQueryError("Tables of one's own need an account: log in.")
        return self._own

    def exists(self, name: TableName) -> bool:
        """Whether there is a table of that name."""
        own = self.target(name)
        return (self._scratch.find(name.bare) if own is None else own.find(name.bare)) is not None

    def relation(self, name: TableName) -> Relation:
        """A table that can be changed; `UnknownTableError` if there is none of that name."""
        own = self.target(name)
        return self._names.get(name.bare if own is None else f"{MYDB}.{name.bare}")

    def create(
        self,
        name: TableName,
        columns: Sequence[Column],
        batches: Iterator[pa.RecordBatch],
        *,
        origin: str,
        fills: Fills = _NO_FILLS,
    ) -> int:
        """Make a table; gives its rows."""
        own = self.target(name)
        if own is not None:
            return own.create(name.bare, columns, batches, origin=origin, fills=fills)
        rows = self._asker.collect(batches, columns)
        self._fills[name.bare.lower()] = fills
        self._put(name, columns, rows)
        return int(rows.num_rows)

    def create_empty(self, statement: CreateTable | DeclareTable, origin: str) -> None:
        """Make a table without rows."""
        name = statement.target
        if self._is_done(name, origin):
            return
        if self.exists(name):
            raise TableExistsError(name.bare)
        columns = columns_of(statement.columns, name)
        self.create(name, columns, iter(()), origin=origin, fills=fills_of(statement.columns))

    def drop(self, statement: DropTable, origin: str) -> None:
        """Remove tables; none, if one of them is not there."""
        origins = [f"{origin}.{number}" if origin else "" for number in range(len(statement.targets))]
        there = [
            (name, its) for name, its in zip(statement.targets, origins, strict=True) if not self._is_done(name, its)
        ]
        for name, _ in there:
            if not self.exists(name) and not statement.if_exists:
                raise UnknownTableError(str(name))
        for name, its in there:
            own = self.target(name)
            if not self.exists(name):
                self._note(name, its)
            elif own is None:
                self._scratch.drop(name.bare)
            else:
                own.drop(name.bare, origin=its)

    def rename(self, statement: Rename, origin: str) -> None:
        """Give a table another name."""
        old, new = (str(self._asker.value(node) or "") for node in (statement.old, statement.new))
        name = find_name(old)
        if name is None:
            raise UnknownTableError(old[:100])
        own = self.target(name)
        if own is None:
            raise BadQueryError("Only tables in MyDB are renamed.")
        own.rename(name.bare, new, origin=origin)

    def truncate(self, statement: Truncate, origin: str) -> None:
        """Remove all rows of tables."""
        for number, name in enumerate(statement.targets):
            its = f"{origin}.{number}" if origin else ""
            if not self._is_done(name, its):
                basis, there = self._version(name), self.relation(name)
                self._replace(name, there.table.columns, empty(there.table.columns), origin=its, basis=basis)

    # --- INSERT ---

    def insert(self, statement: Insert, origin: str) -> int:
        """Add rows to a table; gives how many."""
        name = statement.target
        own = self.target(name)
        done = own.find_done(origin) if own is not None else None
        if done is not None:
            return done
        for attempt in range(_ATTEMPTS):
            try:
                return self._inserted(statement, origin)
            except TableChangedError:
                if not self._fills_of(name).counted:
                    raise
                time.sleep(random.uniform(0.0, _PAUSE_S * attempt))
        raise TableChangedError(name.bare)

    def _inserted(self, statement: Insert, origin: str) -> int:
        """Add rows, if nobody else changes a table meanwhile that counts them."""
        name, basis = statement.target, self._version(statement.target)
        own = self.target(name)
        there = self.relation(name)
        fills = self._fills_of(name)
        columns = _given(there, statement.columns, fills.counted)
        if statement.query is not None:
            batches = self._queried(statement.query, columns)
        else:
            batches = iter([self._written(statement.rows, columns)])
        for column in _unsaid(there, columns, fills.defaults):
            batches = _constant(batches, column, fills.defaults[column.name])
            columns = (*columns, column)
        for number in _unsaid(there, columns, [fills.counted]):
            greatest = self._greatest(name, number)
            batches = _numbered(batches, number, first=fills.first if greatest is None else greatest + 1)
            columns = (*columns, number)
        if own is not None:
            n_rows = own.append(name.bare, columns, batches, origin=origin, basis=basis if fills.counted else None)
            if not n_rows:
                self._note(name, origin)
            return n_rows
        return self._append(name, there, columns, batches)

    def _queried(self, query: exp.Query, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
        result = self._asker.query(query)
        if len(result.columns) != len(columns):
            result.close()
            raise _wrong_number(len(result.columns), len(columns))
        return _converted(result, columns)

    def _written(self, rows: Sequence[Sequence[exp.Expression]], columns: Sequence[Column]) -> pa.RecordBatch:
        """Rows that are written out."""
        if len(rows) > _MOST_ROWS_WRITTEN:
            raise BadQueryError(f"VALUES lists {_MOST_ROWS_WRITTEN:,} rows at most, not {len(rows):,}.")
        for row in rows:
            if len(row) != len(columns):
                raise _wrong_number(len(row), len(columns))
        values = [[self._value(item) for item in items] for items in zip(*rows, strict=True)]
        arrays = [converted_values(items, column) for items, column in zip(values, columns, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(tuple(columns)))

    def _value(self, node: exp.Expression) -> Any:
        is_written, value = written_value(node)
        return value if is_written else self._asker.value(node)

    def _append(
        self, name: TableName, there: Relation, columns: Sequence[Column], batches: Iterator[pa.RecordBatch]
    ) -> int:
        """Add rows to a temporary table."""
        assert isinstance(there.rows, pa.Table)
        more = self._asker.collect(batches, columns)
        given = {column.name.lower(): place for place, column in enumerate(columns)}
        arrays = [
            more.column(given[column.name.lower()])
            if column.name.lower() in given
            else pa.chunked_array([pa.nulls(more.num_rows, arrow_type(column))])
            for column in there.table.columns
        ]
        added = pa.Table.from_arrays(arrays, schema=arrow_schema(there.table.columns))
        self._put(name, there.table.columns, pa.concat_tables([there.rows, added]))
        return int(more.num_rows)

    def _greatest(self, name: TableName, number: Column) -> int | None:
        greatest = pc.max(self._rows(self.relation(name))[number.name]).as_py()
        return None if greatest is None else int(greatest)

    def _fills_of(self, name: TableName) -> Fills:
        own = self.target(name)
        return own.get(name.bare).fills if own is not None else self._fills.get(name.bare.lower(), _NO_FILLS)

    # --- UPDATE, DELETE, ALTER ---

    def update(self, statement: Update, origin: str) -> int:
        """Change values; gives of how many rows."""
        name, query = aim_of(statement)
        if (done := self._find_done(name, origin)) is not None:
            return done
        basis, there = self._version(name), self.relation(name)
        columns = [there.table.get_column(changed) for changed, _ in statement.changes]
        if len({column.name for column in columns}) < len(columns):
            raise BadQueryError("UPDATE sets a column twice.")
        rows = self._rows(there)
        answer = self._asked_of(there, rows, query)
        places, first = meant_rows(answer.column(0))
        mask = np.zeros(rows.num_rows, dtype=bool)
        mask[places] = True
        for number, column in enumerate(columns, start=1):
            values = converted(answer.column(number).combine_chunks(), column).take(pa.array(first))
            new = pc.replace_with_mask(rows[column.name].combine_chunks(), pa.array(mask), values)
            rows = rows.set_column(rows.column_names.index(column.name), column.name, new)
        if len(places):
            self._replace(name, there.table.columns, rows, origin=origin, basis=basis, n_changed=len(places))
        else:
            self._note(name, origin)
        return len(places)

    def delete(self, statement: Delete, origin: str) -> int:
        """Remove rows; gives how many."""
        name, query = aim_of(statement)
        if (done := self._find_done(name, origin)) is not None:
            return done
        basis, there = self._version(name), self.relation(name)
        rows = self._rows(there)
        answer = self._asked_of(there, rows, query)
        places, _ = meant_rows(answer.column(0))
        mask = np.ones(rows.num_rows, dtype=bool)
        mask[places] = False
        if len(places):
            kept = rows.filter(pa.array(mask))
            self._replace(name, there.table.columns, kept, origin=origin, basis=basis, n_changed=len(places))
        else:
            self._note(name, origin)
        return len(places)

    def alter(self, statement: AddColumns | DropColumns | AlterColumn, origin: str) -> None:
        """Change the columns of a table."""
        name = statement.target
        if self._is_done(name, origin):
            return
        basis, there = self._version(name), self.relation(name)
        rows = self._rows(there)
        columns, rows = altered(statement, there.table.columns, rows)
        fills = fills_after(statement, self._fills_of(name))
        self._replace(name, columns, rows, origin=origin, basis=basis, fills=fills)

    def _asked_of(self, there: Relation, rows: pa.Table, query: exp.Query) -> pa.Table:
        """What a query finds that names a table with its rows numbered."""
        numbers = pa.array(np.arange(rows.num_rows))
        numbered = rows.append_column(pa.field(ROW.name, pa.int64()), numbers)
        self._scratch.put(TARGET, (*there.table.columns, ROW), numbered)
        try:
            found = self._asker.query(query)
            return self._asker.collect(found.batches, found.columns)
        finally:
            self._scratch.drop(TARGET)

    def _rows(self, there: Relation) -> pa.Table:
        """All rows of a table."""
        if isinstance(there.rows, pa.Table):
            return there.rows
        query = exp.Select(expressions=[exp.Star()])
        schema, _, bare = there.table.name.rpartition(".")
        query.set("from_", exp.From(this=exp.Table(this=build.quoted(bare), db=build.quoted(schema))))
        result = self._asker.query(query)
        return self._asker.collect(result.batches, result.columns)

    # --- versions ---

    def _find_done(self, name: TableName, origin: str) -> int | None:
        """Rows of a change that was made already, by an attempt whose worker was lost."""
        own = self.target(name)
        return own.find_done(origin) if own is not None else None

    def _note(self, name: TableName, origin: str) -> None:
        """Keep in mind that a change found nothing to do, lest an attempt after it find what later statements made."""
        own = self.target(name)
        if own is not None:
            own.note(origin)

    def _is_done(self, name: TableName, origin: str) -> bool:
        return self._find_done(name, origin) is not None

    def _version(self, name: TableName) -> str | None:
        """The version of a table, to be asked before it is read: what changes meanwhile then stands out."""
        own = self.target(name)
        return own.get(name.bare).version if own is not None else None

    def _replace(
        self,
        name: TableName,
        columns: Sequence[Column],
        rows: pa.Table,
        *,
        origin: str,
        basis: str | None,
        n_changed: int = 0,
        fills: Fills | None = None,
    ) -> None:
        """A new version of a table in the place of the one that was read."""
        own = self.target(name)
        if own is None:
            self._put(name, columns, rows)
            self._fills[name.bare.lower()] = self._fills_of(name) if fills is None else fills
            return
        own.create(
            name.bare,
            columns,
            rows.to_batches(),
            origin=origin,
            description=own.describe(name.bare).description,
            replace=True,
            basis=basis,
            n_changed=n_changed,
            fills=fills,
        )

    def _put(self, name: TableName, columns: Sequence[Column], rows: pa.Table) -> None:
        named = rows.rename_columns([column.name for column in columns])
        self._scratch.put(name.bare, measured(columns, named), named)


def _unsaid(there: Relation, said: Sequence[Column], names: Iterable[str]) -> list[Column]:
    """Those of some columns that a table has and an INSERT does not give."""
    given = {column.name for column in said}
    wanted = {name.lower() for name in names}
    return [column for column in there.table.columns if column.name.lower() in wanted and column.name not in given]


def _constant(batches: Iterator[pa.RecordBatch], column: Column, value: Any) -> Iterator[pa.RecordBatch]:
    """Rows with one value in a column of theirs."""
    one = converted_values([value], column)
    for batch in batches:
        yield batch.append_column(column.name, pa.repeat(one[0], batch.num_rows))


def _given(there: Relation, names: Sequence[str], counted: str) -> tuple[Column, ...]:
    """The columns of a table that an INSERT gives."""
    if names:
        return tuple(there.table.get_column(name) for name in names)
    return tuple(column for column in there.table.columns if column.name.lower() != counted.lower())


def _wrong_number(n_given: int, n_wanted: int) -> BadQueryError:
    return BadQueryError(
        f"INSERT gives {n_given} values for {n_wanted} columns: name the columns, INSERT INTO t (a, b)."
    )


def _converted(result: Result, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(tuple(columns))
    with result:
        for batch in result.batches:
            arrays = [converted(values, column) for values, column in zip(batch.columns, columns, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _numbered(batches: Iterator[pa.RecordBatch], number: Column, *, first: int) -> Iterator[pa.RecordBatch]:
    """Rows with a column that counts them."""
    for batch in batches:
        values = pa.array(np.arange(first, first + batch.num_rows)).cast(arrow_type(number))
        first += batch.num_rows
        yield batch.append_column(number.name, values)

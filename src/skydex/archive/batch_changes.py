"""Changes that statements of a batch make to tables: one's own in MyDB, and temporary ones.

INSERT adds rows; UPDATE, DELETE and ALTER read a table whole, change it and put it back as a new version, so that it
is changed wholly or not at all, and those who read it go on to read what was there. Which rows an UPDATE or DELETE
means is asked as a query over the table with its rows numbered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from skydex.archive.batch_names import BatchNames, Scratch
from skydex.archive.batch_values import column_of, converted, converted_value, empty, measured, written_value
from skydex.errors import BadQueryError, TableExistsError, UnknownColumnError, UnknownTableError, near_names
from skydex.mydb import MYDB, Fills, MyDB
from skydex.query import Relation
from skydex.query.languages.statements import (
    AddColumns,
    AlterColumn,
    ColumnType,
    CreateTable,
    DeclareTable,
    Delete,
    DropColumns,
    DropTable,
    Insert,
    Truncate,
    Update,
)
from skydex.query.languages.tsql_names import TableName, table_name
from skydex.tables import Column, Datatype, Result, arrow_schema, arrow_type

__all__ = ["Changes"]

_TARGET = "~target"
"""What the table that is changed is called while it is asked which of its rows are."""
_ROW = Column("~row", Datatype.LONG)
_NO_FILLS = Fills()
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
        columns = _columns(statement.columns, name)
        self.create(name, columns, iter(()), origin=origin, fills=_fills_of(statement.columns))

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
            n_rows = own.append(name.bare, columns, batches, origin=origin)
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
        arrays = [_array(items, column) for items, column in zip(values, columns, strict=True)]
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
        name, query = self._asking(statement, [value for _, value in statement.changes], statement.alias)
        if (done := self._find_done(name, origin)) is not None:
            return done
        basis, there = self._version(name), self.relation(name)
        columns = [there.table.get_column(changed) for changed, _ in statement.changes]
        if len({column.name for column in columns}) < len(columns):
            raise BadQueryError("UPDATE sets a column twice.")
        rows = self._rows(there)
        with self._numbered_target(there, rows):
            found = self._asker.query(query)
            answer = self._asker.collect(found.batches, found.columns)
        places, first = _different(answer.column(0))
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
        name, query = self._asking(statement, [], "")
        if (done := self._find_done(name, origin)) is not None:
            return done
        basis, there = self._version(name), self.relation(name)
        rows = self._rows(there)
        with self._numbered_target(there, rows):
            found = self._asker.query(query)
            answer = self._asker.collect(found.batches, found.columns)
        places, _ = _different(answer.column(0))
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
        columns, rows = _ALTERATIONS[type(statement)](statement, there.table.columns, rows)
        fills = self._fills_of(name)
        if isinstance(statement, AddColumns):
            more = _fills_of(statement.columns)
            counting = more if more.counted else fills
            fills = Fills(counting.counted, counting.first, {**fills.defaults, **more.defaults})
        if isinstance(statement, DropColumns):
            fills = fills.without(statement.names)
        self._replace(name, columns, rows, origin=origin, basis=basis, fills=fills)

    def _asking(
        self, statement: Update | Delete, values: Sequence[exp.Expression], alias: str
    ) -> tuple[TableName, exp.Select]:
        """The table that is changed, and the query for the numbers of its rows and for their new values."""
        source = statement.source.copy() if statement.source is not None else None
        joins = [join.copy() for join in statement.joins]
        items = [source.this, *(join.this for join in joins)] if source is not None else []
        meant = _find_meant(items, statement.target)
        name = table_name(meant) if meant is not None else statement.target
        called = (meant.alias if meant is not None else alias) or name.bare
        target = exp.Table(this=_quoted(_TARGET), alias=exp.TableAlias(this=_quoted(called)))
        if meant is not None:
            meant.replace(target)
        elif source is None:
            source = exp.From(this=target)
        else:
            joins.append(exp.Join(this=target, kind="CROSS"))
        number = exp.Column(this=_quoted(_ROW.name), table=_quoted(called))
        query = exp.Select(expressions=[number, *(_named(value, f"v{i}") for i, value in enumerate(values))])
        query.set("from_", source)
        query.set("joins", joins)
        if statement.with_ is not None:
            query.set("with_", statement.with_.copy())
        if statement.where is not None:
            query.set("where", exp.Where(this=statement.where.copy()))
        return name, query

    def _numbered_target(self, there: Relation, rows: pa.Table) -> _Numbered:
        return _Numbered(self._scratch, there, rows)

    def _rows(self, there: Relation) -> pa.Table:
        """All rows of a table."""
        if isinstance(there.rows, pa.Table):
            return there.rows
        query = exp.Select(expressions=[exp.Star()])
        schema, _, bare = there.table.name.rpartition(".")
        query.set("from_", exp.From(this=exp.Table(this=_quoted(bare), db=_quoted(schema))))
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


class _Numbered:
    """Lets queries find a table with its rows numbered, for as long as they are asked."""

    def __init__(self, scratch: Scratch, there: Relation, rows: pa.Table) -> None:
        self._scratch, self._there = scratch, there
        self._rows = rows.append_column(pa.field(_ROW.name, pa.int64()), pa.array(np.arange(rows.num_rows)))

    def __enter__(self) -> None:
        self._scratch.put(_TARGET, (*self._there.table.columns, _ROW), self._rows)

    def __exit__(self, *_: object) -> None:
        self._scratch.drop(_TARGET)


def _columns(kinds: Iterable[ColumnType], name: TableName) -> tuple[Column, ...]:
    columns = tuple(column_of(kind.name, kind.kind) for kind in kinds)
    names = [column.name.lower() for column in columns]
    twice = next((column.name for column in columns if names.count(column.name.lower()) > 1), None)
    if twice is not None:
        raise BadQueryError(f"Column names in each table must be unique: {twice} is specified twice for {name.bare}.")
    return columns


def _fills_of(kinds: Iterable[ColumnType]) -> Fills:
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


def _unsaid(there: Relation, said: Sequence[Column], names: Iterable[str]) -> list[Column]:
    """Those of some columns that a table has and an INSERT does not give."""
    given = {column.name for column in said}
    wanted = {name.lower() for name in names}
    return [column for column in there.table.columns if column.name.lower() in wanted and column.name not in given]


def _constant(batches: Iterator[pa.RecordBatch], column: Column, value: Any) -> Iterator[pa.RecordBatch]:
    """Rows with one value in a column of theirs."""
    one = _array([value], column)
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


def _array(values: Sequence[Any], column: Column) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1:
        return converted(pa.array(list(values)), column)
    return pa.array([converted_value(value, column) for value in values], arrow_type(column))


def _numbered(batches: Iterator[pa.RecordBatch], number: Column, *, first: int) -> Iterator[pa.RecordBatch]:
    """Rows with a column that counts them."""
    for batch in batches:
        values = pa.array(np.arange(first, first + batch.num_rows)).cast(arrow_type(number))
        first += batch.num_rows
        yield batch.append_column(number.name, values)


def _different(places: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of rows that an answer names, ascending and each once, and where it names them first."""
    found, first = np.unique(places.to_numpy(), return_index=True)
    return found.astype(np.int64), first.astype(np.int64)


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


Altered = tuple[tuple[Column, ...], pa.Table]


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
        return pa.repeat(_array([written_value(kind.default)[1]], column)[0], n_rows)
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


def _named(node: exp.Expression, name: str) -> exp.Alias:
    return exp.Alias(this=node.copy(), alias=_quoted(name))


def _quoted(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)

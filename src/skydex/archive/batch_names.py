"""`BatchNames`: what the names of tables in a T-SQL batch mean.

A name has up to three parts, `database.schema.table`, all without case. A database is a context of CasJobs, or MyDB;
the schema may be left out, as in `HSCv3..t`. A bare name is looked up in the context of the batch. Temporary tables
(`#t`) and table variables (`@t`) belong to the batch alone. INFORMATION_SCHEMA (SQL-92, chapter 21) lists the tables of
a database, with the columns that SQL Server 2022 gives it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from skydex.archive.offers import MYDB_CONTEXT, Offers
from skydex.errors import StoreError, UnknownTableError, near_names
from skydex.mydb import MYDB, MyDB
from skydex.query import Namespace, Relation
from skydex.query.languages.tsql_names import TableName, find_name
from skydex.tables import Column, Datatype, Table, arrow_schema
from skydex.tables.tap_schema import TAP_SCHEMA

__all__ = ["BatchNames", "Scratch"]

_SCHEMA = "dbo"
_INFORMATION = "information_schema"
_TYPES = {
    Datatype.BOOLEAN: "bit",
    Datatype.UNSIGNED_BYTE: "tinyint",
    Datatype.SHORT: "smallint",
    Datatype.INT: "int",
    Datatype.LONG: "bigint",
    Datatype.CHAR: "varchar",
    Datatype.UNICODE_CHAR: "nvarchar",
    Datatype.FLOAT: "real",
    Datatype.DOUBLE: "float",
}
_TEXT = Column("", Datatype.CHAR, arraysize="128*")
_TABLES = tuple(_TEXT.renamed(f"TABLE_{word}") for word in ("CATALOG", "SCHEMA", "NAME", "TYPE"))
_COLUMNS = (
    *_TABLES[:3],
    _TEXT.renamed("COLUMN_NAME"),
    Column("ORDINAL_POSITION", Datatype.INT),
    _TEXT.renamed("IS_NULLABLE"),
    _TEXT.renamed("DATA_TYPE"),
    Column("CHARACTER_MAXIMUM_LENGTH", Datatype.INT),
)

NamespaceOf = Callable[[str | None], Namespace]
"""The names that the caller sees: of a view by its key, or of everything; her own tables are among them."""


class Scratch:
    """Tables that live no longer than a batch, by their names with `#` or `@`."""

    def __init__(self) -> None:
        self._relations: dict[str, Relation] = {}

    def __iter__(self) -> Iterator[Relation]:
        return iter(self._relations.values())

    def find(self, name: str) -> Relation | None:
        return self._relations.get(name.lower())

    def put(self, name: str, columns: Sequence[Column], rows: pa.Table) -> Relation:
        """Make a table, or replace it."""
        relation = Relation(Table(name, tuple(columns), n_rows=rows.num_rows), rows)
        self._relations[name.lower()] = relation
        return relation

    def drop(self, name: str) -> None:
        del self._relations[name.lower()]

    def forget(self) -> None:
        """Drop what no user made: tables that are there for one statement."""
        self._relations = {name: relation for name, relation in self._relations.items() if not name.startswith("~")}

    @property
    def n_bytes(self) -> int:
        """Memory that they take."""
        return sum(relation.rows.nbytes for relation in self._relations.values() if isinstance(relation.rows, pa.Table))


class BatchNames(Namespace):
    """The tables that a batch can name, as they are at this moment.

    Parameters
    ----------
    context : str
        The context of the batch.
    offers : Offers
        The contexts that there are.
    namespace_of : NamespaceOf
        The names of a view.
    scratch : Scratch
        Tables of this batch.
    mydb : MyDB, optional
        The caller's own tables, if she has any.
    """

    def __init__(
        self, context: str, offers: Offers, *, namespace_of: NamespaceOf, scratch: Scratch, mydb: MyDB | None
    ) -> None:
        super().__init__(())
        self._context, self._offers, self._namespace_of = context, offers, namespace_of
        self._scratch, self._mydb = scratch, mydb

    @property
    def is_mydb(self) -> bool:
        """Whether a bare name means a table of one's own."""
        return self._context.upper() == MYDB_CONTEXT

    def find(self, name: str) -> Relation | None:
        """The relation of a name, or `None`."""
        if name.startswith(("#", "@", "~")):
            return self._scratch.find(name)
        *before, bare = name.lower().split(".")
        database, schema = (before[0], before[-1]) if len(before) == 2 else ("", before[0] if before else "")
        if len(before) > 2:
            return None
        if schema == _INFORMATION:
            return self._information(database or self._context, bare)
        if database == "tempdb" and bare.startswith("#"):
            return self._scratch.find(bare)
        if not database and self._is_database(schema):
            database, schema = schema, ""
        if database:
            return self._found_in(database, schema, bare)
        return self._found_in(self._context, schema, bare) or (
            self._shared(schema, bare) if schema not in ("", _SCHEMA) else None
        )

    def get(self, name: str, **place: Any) -> Relation:
        """The relation of a name; `UnknownTableError` if there is none."""
        found = self.find(name)
        if found is not None:
            return found
        names = [f"{MYDB}.{own.name}" for own in self._mydb.tables()] if self._mydb else []
        names += [table.name for table in self._tables_of(self._context)]
        known = {name.rpartition(".")[2]: name for name in names} | {name: name for name in names}
        near = near_names(name, known) or near_names(name.rpartition(".")[2], known)
        hint = self._elsewhere(name)
        raise UnknownTableError(name, near=list(dict.fromkeys(known[hit] for hit in near)), hint=hint, **place)

    def _elsewhere(self, name: str) -> str:
        """Where a table is that was looked up in a context without it, as happens to whoever forgets to choose one."""
        *before, bare = name.split(".")
        if [word.lower() for word in before] not in ([], [_SCHEMA]):
            return ""
        there = [offer.context for offer in self._offers.contexts if self._namespace_of(offer.key).find(bare)]
        if not there:
            return ""
        return f"It is in the context {' and in '.join(there)}: choose that, or write {there[0]}.{_SCHEMA}.{bare}."

    def object_id(self, text: str) -> int | None:
        """A number for a table that the caller sees, or `None` if there is none of that name."""
        name = find_name(text)
        if name is None:
            return None
        if self.own_name(name) is None or name.is_temporary:
            there = self.find(name.bare if name.is_temporary else str(name)) is not None
        else:
            there = self._mydb is not None and self._mydb.find(name.bare) is not None
        return zlib.crc32(str(name).lower().encode()) >> 2 | 1 if there else None

    def own_name(self, name: TableName) -> str | None:
        """The bare name of a table of one's own that a statement means to make or change; `None` for any other."""
        before = [part.lower() for part in name.parts[:-1]]
        if before in ([MYDB], [MYDB, _SCHEMA]) or (self.is_mydb and before in ([], [_SCHEMA])):
            return name.bare
        return None

    def _is_database(self, word: str) -> bool:
        return word == MYDB or self._offers.find_context(word) is not None

    def _found_in(self, database: str, schema: str, bare: str) -> Relation | None:
        if database.lower() == MYDB:
            return self._all().find(f"{MYDB}.{bare}") if schema in ("", _SCHEMA) else None
        if not self._is_database(database.lower()) and database != self._context:
            return self._shared(database, bare)
        namespace = self._database(database)
        return namespace.find(f"{schema}.{bare}" if schema else bare)

    def _shared(self, schema: str, bare: str) -> Relation | None:
        """A table under the name that the whole archive has for it: what somebody shares is named by its owner."""
        return self._all().find(f"{schema}.{bare}")

    def _all(self) -> Namespace:
        return self._namespace_of(None)

    def _database(self, name: str) -> Namespace:
        """The tables of a context, or of a collection where no context is called so."""
        offer = self._offers.find_context(name)
        return self._namespace_of(offer.key if offer else name)

    def _information(self, database: str, bare: str) -> Relation | None:
        """A view of INFORMATION_SCHEMA."""
        name = f"INFORMATION_SCHEMA.{bare.upper()}"
        if bare == "tables":
            return _relation(name, _TABLES, [_table_row(database, table) for table in self._tables_of(database)])
        if bare == "columns":
            tables = [table for table in map(self._described, self._tables_of(database)) if table is not None]
            rows = [(*_table_row(database, table)[:3], *row) for table in tables for row in _column_rows(table)]
            return _relation(name, _COLUMNS, rows)
        return None

    def _described(self, table: Table) -> Table | None:
        """A table with its columns; `None` for one's own that is damaged."""
        if table.columns or self._mydb is None:
            return table
        try:
            return self._mydb.describe(table.bare_name)
        except StoreError:
            return None

    def _tables_of(self, database: str) -> list[Table]:
        if database.lower() == MYDB:
            return [Table(f"{MYDB}.{own.name}", ()) for own in self._mydb.tables()] if self._mydb else []
        tables = [relation.table for relation in self._database(database)]
        return [table for table in tables if table.schema_name.lower() not in (TAP_SCHEMA.lower(), MYDB)]


def _table_row(database: str, table: Table) -> tuple[str, ...]:
    schema = _SCHEMA if table.schema_name.lower() == MYDB else table.schema_name
    return (database, schema, table.bare_name, "BASE TABLE")


def _column_rows(table: Table) -> Iterator[tuple[Any, ...]]:
    for number, column in enumerate(table.columns, start=1):
        kind = "datetime2" if column.is_timestamp else _TYPES[column.datatype]
        length = None if column.is_timestamp or not column.datatype.is_text else column.max_length or -1
        yield column.name, number, "YES", kind, length


def _relation(name: str, columns: tuple[Column, ...], rows: Sequence[Sequence[Any]]) -> Relation:
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    schema = arrow_schema(columns)
    arrays = [pa.array(list(column), field.type) for column, field in zip(values, schema, strict=True)]
    return Relation(Table(name, columns, n_rows=len(rows)), pa.Table.from_arrays(arrays, schema=schema))

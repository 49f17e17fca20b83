"""TAP_SCHEMA: the published tables described as tables.

The five tables of TAP 1.1 (IVOA REC 2019-09-27), section 4. They describe themselves as well, and they are queried
like any other table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from skydex.tables.column import Column, Datatype, arrow_schema
from skydex.tables.table import ForeignKey, Table

__all__ = ["TAP_SCHEMA", "tap_schema"]

TAP_SCHEMA = "TAP_SCHEMA"

_TEXT, _INT = Datatype.UNICODE_CHAR, Datatype.INT


def _text(name: str, description: str, *, size: int = 512) -> Column:
    return Column(name, _TEXT, arraysize=f"{size}*", description=description, std=True)


def _integer(name: str, description: str) -> Column:
    return Column(name, _INT, description=description, std=True)


_SCHEMAS = Table(
    f"{TAP_SCHEMA}.schemas",
    (
        _text("schema_name", "Schema name, for reference to TAP_SCHEMA.tables", size=64),
        _text("utype", "UTYPE of the schema's data model"),
        _text("description", "What the schema holds", size=4096),
        _integer("schema_index", "Recommended order of schemas"),
    ),
    "The schemas that can be queried here",
    id_column="schema_name",
)
_TABLES = Table(
    f"{TAP_SCHEMA}.tables",
    (
        _text("schema_name", "Schema of the table", size=64),
        _text("table_name", "Qualified name, as it is used in queries", size=128),
        _text("table_type", "table or view", size=8),
        _text("utype", "UTYPE of the table's data model"),
        _text("description", "What the table holds", size=4096),
        _integer("table_index", "Recommended order of tables"),
    ),
    "The tables that can be queried here",
    id_column="table_name",
    foreign_keys=(ForeignKey(f"{TAP_SCHEMA}.schemas", (("schema_name", "schema_name"),)),),
)
_COLUMNS = Table(
    f"{TAP_SCHEMA}.columns",
    (
        _text("table_name", "Qualified name of the table", size=128),
        _text("column_name", "Name, as it is used in queries", size=128),
        _text("datatype", "VOTable datatype", size=16),
        _text("arraysize", "VOTable arraysize", size=16),
        _text("xtype", "DALI xtype", size=32),
        _integer("size", "Length of variable-length values; deprecated, see arraysize"),
        _text("description", "What the column holds", size=4096),
        _text("utype", "UTYPE of the column"),
        _text("unit", "Unit, in VOUnit notation", size=64),
        _text("ucd", "UCD of the column", size=128),
        _integer("indexed", "1 if conditions on it are fast"),
        _integer("principal", "1 if it belongs in a short selection"),
        _integer("std", "1 if a standard defines it"),
        _integer("column_index", "Order of columns in the table"),
    ),
    "The columns of all tables",
    foreign_keys=(ForeignKey(f"{TAP_SCHEMA}.tables", (("table_name", "table_name"),)),),
)
_KEYS = Table(
    f"{TAP_SCHEMA}.keys",
    (
        _text("key_id", "Name of the key, for reference to TAP_SCHEMA.key_columns", size=64),
        _text("from_table", "Table that points", size=128),
        _text("target_table", "Table that is pointed at", size=128),
        _text("description", "What the key says", size=4096),
        _text("utype", "UTYPE of the key"),
    ),
    "The foreign keys between tables",
    id_column="key_id",
    foreign_keys=(
        ForeignKey(f"{TAP_SCHEMA}.tables", (("from_table", "table_name"),)),
        ForeignKey(f"{TAP_SCHEMA}.tables", (("target_table", "table_name"),)),
    ),
)
_KEY_COLUMNS = Table(
    f"{TAP_SCHEMA}.key_columns",
    (
        _text("key_id", "Name of the key", size=64),
        _text("from_column", "Column of the table that points", size=128),
        _text("target_column", "Column of the table that is pointed at", size=128),
    ),
    "The columns of the foreign keys",
    foreign_keys=(ForeignKey(f"{TAP_SCHEMA}.keys", (("key_id", "key_id"),)),),
)
_OWN = (_SCHEMAS, _TABLES, _COLUMNS, _KEYS, _KEY_COLUMNS)
_OWN_DESCRIPTION = "The tables, columns and keys of this service, described as tables"


def tap_schema(
    tables: Sequence[Table], schemas: Mapping[str, str], *, spelled: Callable[[str], str] = str
) -> list[tuple[Table, pa.Table]]:
    """Make the TAP_SCHEMA tables for some published tables.

    Parameters
    ----------
    tables : sequence of Table
        Everything published except TAP_SCHEMA itself, in the order to show.
    schemas : mapping of str to str
        Description of each schema, in the order to show.
    spelled : callable
        How a query must write a column's name; reserved words want quotes (TAP 1.1, section 4.3).

    Returns
    -------
    described : list of (Table, pyarrow.Table)
        The five tables and their rows.
    """
    every = (*_OWN, *tables)
    names = {TAP_SCHEMA: _OWN_DESCRIPTION, **schemas}
    keys = [(table, key) for table in every for key in table.foreign_keys]
    rows: dict[str, Iterable[tuple[Any, ...]]] = {
        _SCHEMAS.name: ((name, None, text or None, i) for i, (name, text) in enumerate(names.items())),
        _TABLES.name: (
            (table.schema_name, table.name, "table", table.utype, table.description or None, i)
            for i, table in enumerate(every)
        ),
        _COLUMNS.name: (
            _column_row(table, column, spelled(column.name), i)
            for table in every
            for i, column in enumerate(table.columns)
        ),
        _KEYS.name: (
            (f"k{i}", table.name, key.target_table, key.description or None, None)
            for i, (table, key) in enumerate(keys)
        ),
        _KEY_COLUMNS.name: ((f"k{i}", *map(spelled, pair)) for i, (_, key) in enumerate(keys) for pair in key.columns),
    }
    return [(table, _filled(table, rows[table.name])) for table in _OWN]


def _column_row(table: Table, column: Column, name: str, position: int) -> tuple[Any, ...]:
    return (
        table.name,
        name,
        column.datatype.value,
        column.arraysize,
        column.xtype,
        _size(column),
        column.description or None,
        column.utype,
        column.unit,
        column.ucd,
        int(column.indexed),
        int(column.principal),
        int(column.std),
        position,
    )


def _size(column: Column) -> int | None:
    """The number in arraysize; scalars, values of any length and arrays of several dimensions have none."""
    digits = (column.arraysize or "").rstrip("*")
    return int(digits) if digits.isdigit() else None


def _filled(table: Table, rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    schema = arrow_schema(table.columns)
    values = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.Table.from_arrays([pa.array(v, f.type) for v, f in zip(values, schema, strict=True)], schema=schema)

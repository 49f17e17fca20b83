"""Lists of tables and of columns, as tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from skydex.connection.printing import printed_rows
from skydex.connection.rows import ResultTable, result_table
from skydex.tables import Column, Datatype, Result, Table, arrow_schema

__all__ = ["TableList", "listed_columns", "listed_tables"]

_TABLES = (
    Column("name", Datatype.UNICODE_CHAR, arraysize="*", description="What queries call it"),
    Column("n_columns", Datatype.INT, description="How many columns it has, where that is known"),
    Column("n_rows", Datatype.LONG, description="How many rows it has, where that is known"),
    Column("description", Datatype.UNICODE_CHAR, arraysize="*", description="What it holds"),
)
_COLUMNS = tuple(
    Column(name, Datatype.UNICODE_CHAR, arraysize="*", description=about)
    for name, about in (
        ("name", "What queries call it"),
        ("datatype", "As VOTable names it"),
        ("arraysize", "As VOTable writes it; empty for one number"),
        ("unit", "As VOUnit writes it"),
        ("ucd", "What kind of thing it is, in UCD1+"),
        ("description", "What it holds"),
    )
)
_NAMES = [column.name for column in _TABLES]
_PREFACE = re.compile(r"^SIMULATED\b.*?\.\s+(?=\S)", re.DOTALL)
"""How and when a table was simulated, which all of an archive begin with."""
_HINT = "Words find some, as in archive.tables('light curve')."


class TableList(ResultTable):
    """What tables there are; it is printed with as much of their descriptions as there is room for."""

    def __repr__(self) -> str:
        return self._printed() if self.colnames == _NAMES else str(super().__repr__())

    def __str__(self) -> str:
        return self._printed() if self.colnames == _NAMES else str(super().__str__())

    def _printed(self) -> str:
        columns = [["" if value is np.ma.masked else str(value) for value in self[name]] for name in _NAMES[:-1]]
        rows = list(zip(*columns, map(_gist, self["description"]), strict=True))
        tables = "1 table" if len(rows) == 1 else f"{len(rows):,} tables"
        return printed_rows(tables, _NAMES, rows, dispensable="n_columns", hint=_HINT)


def listed_tables(tables: Iterable[Table], words: str | None, target: str) -> TableList:
    """The tables that have all of some words in their name, description or columns; all if there are no words."""
    wanted = (words or "").lower().split()
    found = [table for table in tables if all(word in _searched(table) for word in wanted)]
    rows: list[Sequence[object]] = [
        [table.name for table in found],
        [len(table.columns) or None for table in found],
        [table.n_rows for table in found],
        [table.description for table in found],
    ]
    return TableList(_listed(_TABLES, rows, query=f"tables {words or ''}".strip(), target=target), copy=False)


def _gist(description: str) -> str:
    """A description with what is special about it in front."""
    return _PREFACE.sub("SIMULATED: ", str(description), count=1)


def listed_columns(table: str, columns: Sequence[Column]) -> ResultTable:
    """Columns with what they mean."""
    names = [column.name for column in _COLUMNS]
    rows = [[str(getattr(column, name) or "") for column in columns] for name in names]
    return _listed(_COLUMNS, rows, query=f"columns of {table}")


def _listed(columns: tuple[Column, ...], values: Sequence[Sequence[object]], **provenance: object) -> ResultTable:
    schema = arrow_schema(columns)
    arrays = [pa.array(one, field.type) for one, field in zip(values, schema, strict=True)]
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
    return result_table(Result(columns, iter([batch])), **provenance)


def _searched(table: Table) -> str:
    about = (f"{column.name} {column.description}" for column in table.columns)
    return " ".join((table.name, table.description, *about)).lower()

"""Rows of catalogues that publications printed, as they stand in `printed/*.csv` of this package.

Each file is CSV; its first lines, which begin with `#`, say what was printed, and where.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

import pyarrow as pa
import pyarrow.csv

from skydex.demo.simulation import Printed
from skydex.tables import Column

__all__ = ["printed_in", "read_printed", "read_source"]


@cache
def read_printed(name: str) -> pa.Table:
    """Rows of `printed/{name}.csv`; numbers as int64 or float64, empty fields as nulls."""
    lines = _text(name).splitlines(keepends=True)
    rows = "".join(line for line in lines if not line.startswith("#"))
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=[""])
    return pyarrow.csv.read_csv(pa.BufferReader(rows.encode()), convert_options=options)


def read_source(name: str) -> str:
    """The publication that printed the rows: the first line of the file."""
    first, _, _ = _text(name).partition("\n")
    return first.removeprefix("#").strip()


def printed_in(columns: Sequence[Column], name: str, *, identifier: str) -> Printed:
    """Which rows of a table, and which of its columns, have the values of `printed/{name}.csv`."""
    rows = read_printed(name)
    shown = [column.name for column in columns if column.name in rows.column_names]
    return Printed(identifier, rows[identifier].to_pylist(), read_source(name), shown)


def _text(name: str) -> str:
    return resources.files("skydex.demo").joinpath(f"printed/{name}.csv").read_text(encoding="utf-8")

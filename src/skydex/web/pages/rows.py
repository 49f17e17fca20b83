"""`Rows`: a few rows of a table as a page shows them, asked for as anybody asks."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from skydex.archive import TableRequest
from skydex.formats.arrow import INFOS, OVERFLOW
from skydex.web.asgi import Call

__all__ = ["Rows", "arrow_of", "rows_of"]

_MOST_MB = 16
"""What a page shows fits into this by far."""


@dataclass(frozen=True)
class Rows:
    """Rows with what their columns mean."""

    columns: list[dict[str, Any]]
    """Each with `name`, `unit`, `ucd` and `description`."""
    rows: list[list[Any]]
    """Values that JSON has; NaN is null."""
    overflow: bool
    """Whether there are more."""
    infos: dict[str, str]
    """What was said of the answer as a whole."""

    def facts(self) -> dict[str, Any]:
        """For a page."""
        return {"columns": self.columns, "rows": self.rows, "overflow": self.overflow}

    def dicts(self) -> list[dict[str, Any]]:
        """Each row by the names of its columns."""
        names = [column["name"] for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


async def rows_of(call: Call, request: TableRequest, *, is_quick: bool = False) -> Rows:
    """Have a request answered, whose answer is known to be small.

    Raises
    ------
    SkydexError
        Whatever is wrong with it.
    """
    return _read(await call.gathered((request, "arrow"), max_mb=_MOST_MB, is_quick=is_quick))


async def arrow_of(call: Call, request: TableRequest, *, is_quick: bool = False) -> pa.Table:
    """Like `rows_of`, as columns."""
    return pa.ipc.open_stream(await call.gathered((request, "arrow"), max_mb=_MOST_MB, is_quick=is_quick)).read_all()


def _read(body: bytes) -> Rows:
    stream = pa.ipc.open_stream(body)
    batches, overflow = [], False
    while True:
        try:
            batch, told = stream.read_next_batch_with_custom_metadata()
        except StopIteration:
            break
        batches.append(batch)
        overflow = overflow or bool(told and told.get(OVERFLOW) == b"true")
    table = pa.Table.from_batches(batches, stream.schema)
    columns = [_described(field) for field in table.schema]
    values = [[_plain(value) for value in column.to_pylist()] for column in table.columns]
    rows = [list(row) for row in zip(*values, strict=True)] if table.num_rows else []
    return Rows(columns, rows, overflow, _infos(table.schema))


def _described(field: pa.Field) -> dict[str, Any]:
    told = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    facts = {name: told.get(name, "") for name in ("unit", "ucd", "description")}
    is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
    return {"name": field.name, **facts, "is_number": is_number}


def _infos(schema: pa.Schema) -> dict[str, str]:
    return dict(json.loads((schema.metadata or {}).get(INFOS, b"[]")))


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else value

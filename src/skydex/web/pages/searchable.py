"""Tables that can be searched by position, and the columns of one that tell most."""

from __future__ import annotations

from skydex.tables import Table
from skydex.tables.tap_schema import TAP_SCHEMA
from skydex.web.asgi import Call

__all__ = ["searchable", "shown_columns"]

_SHOWN_COLUMNS = 8


def searchable(call: Call) -> list[Table]:
    """Tables that can be searched by position."""
    everything = call.site.archive.tables(call.owner)
    return [table for table in everything if table.position is not None and table.schema_name != TAP_SCHEMA]


def shown_columns(table: Table) -> list[str]:
    """Columns that tell most: what a row is called, where it is, and the principal ones."""
    first = [*([table.id_column] if table.id_column else []), *(column.name for column in table.position_columns())]
    more = [c.name for c in table.columns if c.principal and not c.is_array and c.name not in first]
    return [*dict.fromkeys(first), *more[: max(1, _SHOWN_COLUMNS - len(first))]]

"""Tables that can be searched by position."""

from __future__ import annotations

from skydex.tables import Table
from skydex.tables.tap_schema import TAP_SCHEMA
from skydex.web.asgi import Call

__all__ = ["searchable"]


def searchable(call: Call) -> list[Table]:
    """Tables that can be searched by position."""
    everything = call.site.archive.tables(call.owner)
    return [table for table in everything if table.position is not None and table.schema_name != TAP_SCHEMA]

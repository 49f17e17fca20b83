"""What an archive shows in a notebook: the rows of a table, or rows that are here already, as linked views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from astropy.table import Table as AstropyTable

from skydex.connection.arrow_columns import arrow_table, result_of
from skydex.connection.rows import ResultTable, result_table
from skydex.errors import BadParameterError
from skydex.notebook import MOST, linked_view
from skydex.tables import POSITION_NAMES, Column, Table, arrow_type, columns_from_metadata, likely_position

if TYPE_CHECKING:
    from skydex.connection.connection import Connection
    from skydex.notebook.view import LinkedView

__all__ = ["explored"]

_MAIN_ID = "meta.id;meta.main"
_NAME = "rows"
"""What rows are called that are of no table."""


@dataclass(frozen=True)
class _Shown:
    """Rows, and what is known of them."""

    table: Table
    """As the archive describes it."""
    held: Any
    """An astropy table."""
    more: str
    """What is said of rows that are not there."""


def explored(
    archive: Connection,
    thing: Any,
    conditions: Sequence[object],
    *,
    rows: int,
    axes: Mapping[str, str | None],
    **search: Any,
) -> LinkedView:
    """A view of a table of an archive, or of rows that are here; see `Connection.explore`."""
    if isinstance(rows, bool) or not isinstance(rows, int) or not 0 < rows <= MOST:
        raise BadParameterError("rows", f"is how many are shown at the most, 1 to {MOST:,}, not {rows!r}.")
    if isinstance(thing, str):
        found = _asked(archive, thing, conditions, rows, search)
    elif conditions or any(map(_is_given, search.values())):
        raise BadParameterError("table", "must be the name of one for that: choose among rows of yours before.")
    else:
        found = _brought(thing, rows)
    arrow = arrow_table(found.held)
    table, cone = _described(found.table, arrow), _cone(found.held)
    return linked_view(table, arrow, found.held, cone=cone, more=found.more, axes=axes)


def _asked(
    archive: Connection, name: str, conditions: Sequence[object], rows: int, search: Mapping[str, Any]
) -> _Shown:
    """Rows of a table of the archive."""
    table = archive.door.table(name)
    columns = search["columns"] if _is_given(search["columns"]) else "*"
    held = archive.search(name, *conditions, **{**search, "columns": columns}, maxrec=rows)
    is_whole = not conditions and search["where"] is None
    told = _told_of_more(len(held), table.n_rows if is_whole else None) if held.truncated else ""
    return _Shown(table, held, told)


def _is_given(value: Any) -> bool:
    return value is not None and not (isinstance(value, str | list | tuple) and not value)


def _brought(thing: Any, rows: int) -> _Shown:
    """Rows that are here."""
    held = thing if isinstance(thing, AstropyTable) else result_table(result_of(thing))
    name = str(held.meta.get("name") or _NAME)
    if len(held) > rows:
        return _Shown(Table(name, ()), held[:rows], _told_of_more(rows, len(held)))
    is_cut = isinstance(held, ResultTable) and held.truncated
    return _Shown(Table(name, ()), held, _told_of_more(len(held), None) if is_cut else "")


def _told_of_more(n_shown: int, n_rows: int | None) -> str:
    if n_rows is not None and n_rows > n_shown:
        return f"These are the first {n_shown:,} of {n_rows:,} rows."
    return f"There are more rows than these {n_shown:,}."


def _described(known: Table, rows: pa.Table) -> Table:
    """What rows are, by what the archive says of their table and by what they say themselves."""
    columns = tuple(_column(known, column) for column in columns_from_metadata(rows.schema.metadata).values())
    names = {column.name for column in columns}
    position = known.position if known.position and {known.position.ra, known.position.dec} <= names else None
    return Table(
        known.name,
        columns,
        position=position or likely_position(columns, POSITION_NAMES),
        id_column=known.id_column if known.id_column in names else _identifier(columns),
    )


def _column(known: Table, column: Column) -> Column:
    said = known.columns_by_name.get(column.name)
    return said if said is not None and arrow_type(said) == arrow_type(column) else column


def _identifier(columns: Sequence[Column]) -> str | None:
    found = [column.name for column in columns if (column.ucd or "").lower() == _MAIN_ID]
    return found[0] if len(found) == 1 else None


def _cone(held: Any) -> tuple[float, float, float] | None:
    """Where the rows were asked for, if they all come of one cone."""
    told = held.provenance if isinstance(held, ResultTable) else ()
    names = ("ra_deg", "dec_deg", "radius_deg")
    if len(told) != 1 or not set(names) <= set(told[0]):
        return None
    ra, dec, radius = (float(told[0][name]) for name in names)
    return ra, dec, radius

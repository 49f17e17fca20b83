"""Which tables hold the measurements of the objects of another one."""

from __future__ import annotations

from skydex.tables import Column, Table

__all__ = ["pointing_column", "time_column"]


def pointing_column(other: Table, table: Table, key: Column) -> str | None:
    """The column of a table that names the objects of another: by a foreign key to it, or to one of its collection.

    In a collection columns of identifiers that are called the same hold the same: what points at `ps1.ObjectThin` by
    `objID` belongs to the rows of `ps1.MeanObjectView` as well.
    """
    if other.name == table.name:
        return None
    schema = f"{table.schema_name}.".lower()
    pairs = (p for one in other.foreign_keys if one.target_table.lower().startswith(schema) for p in one.columns)
    return next((here for here, there in pairs if there.lower() == key.name.lower()), None)


def time_column(table: Table) -> str | None:
    """The column that says when something was measured; none in a table of no measurements."""
    numbers = [column for column in table.columns if column.datatype.is_numeric and not column.is_array]
    if not any((column.ucd or "").startswith("phot") for column in numbers):
        return None
    times = (c.name for word in ("time.epoch", "time.start") for c in numbers if (c.ucd or "").startswith(word))
    return next(times, None)

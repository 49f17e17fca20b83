"""`Holding`: which table holds the measurements of the objects of another, and what their columns mean.

The one place that knows it, for archives on this disk, for servers, and for archives far away that are described alike.
Surveys are known by the names of their tables (`surveys`); of others, measurements are what points at objects by a
foreign key and has a time and a brightness, told by UCDs (IVOA UCD1+ 1.5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skydex.errors import BadParameterError
from skydex.lightcurve.roles import Roles, roles_of
from skydex.lightcurve.surveys import Survey, objects_beside, points_beside, survey_of
from skydex.tables import Column, Table

__all__ = ["Holding", "find_holding", "pointing_column", "roles_of_table", "time_column"]


@dataclass(frozen=True)
class Holding:
    """Where the measurements of some objects are."""

    points: Table
    """The table of the measurements."""
    roles: Roles
    """What its columns hold; `object` is there."""
    objects: Table | None = None
    """The table of the objects, if there is one."""
    key: str = ""
    """The column of that table by which measurements name an object."""

    @property
    def position(self) -> tuple[Table, str, str] | None:
        """The table that says where objects are, and its columns of positions."""
        for table in (self.objects, self.points):
            if table is not None and table.position is not None:
                return table, table.position.ra, table.position.dec
        return None

    @property
    def image(self) -> str:
        """The column that names the image of a measurement: a text, where there is one; empty if there is none."""
        columns = [column for column in self.points.columns if (column.ucd or "").startswith("meta.id;obs.image")]
        return next((column.name for column in sorted(columns, key=lambda c: not c.datatype.is_text)), "")


def find_holding(table: Table, tables: Iterable[Table]) -> Holding | None:
    """Tell where the measurements of the objects of a table are.

    Parameters
    ----------
    table : Table
        Of objects, or of the measurements themselves.
    tables : iterable of Table
        All there are, as somebody sees them.

    Returns
    -------
    holding : Holding or None
        None if the table has nothing to do with light curves.
    """
    known = {one.name: one for one in tables}
    survey = _survey_in(table)
    if survey is not None:
        objects = known.get(objects_beside(survey, table.name, list(known)))
        return _of_survey(table, objects)
    beside = points_beside(table.name, list(known))
    if beside is not None and _survey_in(known[beside[1]]) is not None:
        return _of_survey(known[beside[1]], table)
    return _of_objects(table, known.values()) or _of_points(table, known)


def _survey_in(table: Table) -> Survey | None:
    """The survey whose measurements are in a table: others may call theirs so, too, but not their columns."""
    survey = survey_of(table.name)
    return survey if survey is not None and table.find_column(survey.roles.object) is not None else None


def _of_survey(points: Table, objects: Table | None) -> Holding:
    roles = roles_of_table(points)
    key = objects.find_column(roles.object) if objects is not None else None
    return Holding(points, roles, objects if key is not None else None, key.name if key is not None else "")


def _of_objects(table: Table, tables: Iterable[Table]) -> Holding | None:
    """What others point at, of which there are more and which have a time."""
    key = table.find_column(table.id_column) if table.id_column is not None else None
    if key is None:
        return None
    for other in tables:
        column = pointing_column(other, table, key)
        if column is not None and (other.n_rows or 0) > (table.n_rows or 0) and time_column(other) is not None:
            roles = _roles(other)
            if roles is not None and roles.object.lower() in ("", column.lower()):  # and not of filters, say
                return Holding(other, replace(roles, object=column), table, key.name)
    return None


def _of_points(table: Table, tables: dict[str, Table]) -> Holding | None:
    """Measurements that are asked for themselves."""
    roles = _roles(table) if time_column(table) is not None else None
    if roles is None:
        return None
    for one in table.foreign_keys:
        target = tables.get(one.target_table)
        pair = next(((here, there) for here, there in one.columns if here in (roles.object, table.id_column)), None)
        if target is not None and pair is not None and target.find_column(pair[1]) is not None:
            return Holding(table, replace(roles, object=pair[0]), target, pair[1])
    return Holding(table, roles) if roles.object else None


def _roles(table: Table) -> Roles | None:
    try:
        roles = roles_of_table(table)
    except BadParameterError:
        return None
    return roles if table.get_column(roles.time).datatype.is_numeric else None


def roles_of_table(table: Table) -> Roles:
    """What the columns of a table hold, by its description alone; see `roles_of`."""
    return roles_of(_Described(table))


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


class _Described:
    """A table's description in the place of its rows, for `roles_of`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.colnames = [column.name for column in table.columns]

    def __getitem__(self, name: str) -> _NoRows:
        column = self._table.get_column(name)
        return _NoRows({"ucd": column.ucd or ""}, column.unit)


@dataclass(frozen=True)
class _NoRows:
    """A column without values."""

    meta: dict[str, str]
    unit: str | None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.zeros(0, dtype=dtype)

"""The light curve of an object out of any archive: where its measurements are, whose they are, and what they mean.

Tables of surveys are known (`surveys`); of any other the user names the table, and `skydex.lightcurve.roles_of` tells
its columns. An object is given by what the archive calls it, or by a place: then it is the nearest one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from skydex.client import Comparison
from skydex.connection.places import degrees_of, place_of
from skydex.errors import BadParameterError, NoPositionError, NotOfferedError, UnknownObjectError
from skydex.lightcurve import Good, LightCurve, Roles, roles_of
from skydex.lightcurve.holdings import roles_of_table
from skydex.lightcurve.surveys import SURVEYS, Survey, objects_beside, points_beside, survey_of
from skydex.sky import directions_deg, unit_vectors

if TYPE_CHECKING:
    from skydex.connection.connection import Connection
    from skydex.connection.rows import ResultTable

__all__ = ["Key", "Source", "checked_rule", "light_curve", "sources"]

Key = int | str
"""What an archive calls an object."""

_NUMBER = re.compile(r"[+-]?\d+")
_RULE = re.compile(r"\s*(>=|<=|>|<|=)\s*(-?\d+\.?\d*|-?\.\d+)\s*")


def light_curve(
    archive: Connection,
    thing: object,
    *,
    table: str | None = None,
    bands: str | Sequence[str] | None = None,
    quality: str | Good | None = None,
    radius: object = "1 arcsec",
    roles: Roles | None = None,
) -> LightCurve:
    """Light curve of an object; see `Connection.light_curve`."""
    rule = checked_rule(quality)
    curve = _first_curve(archive, sources(archive, table, roles), thing, degrees_of(radius, "radius"))
    if rule is not None:
        curve = curve.cut(rule.holds(curve.quality))
    elif quality == "good":
        curve = curve.good_points()
    return curve if bands is None else curve.in_band(*([bands] if isinstance(bands, str) else bands))


def checked_rule(quality: object) -> Good | None:
    """A rule such as `>= 0.9`; None for none, and for `good`."""
    if quality is None or quality == "good" or isinstance(quality, Good):
        return quality if isinstance(quality, Good) else None
    found = _RULE.fullmatch(str(quality))
    if found is None:
        raise BadParameterError("quality", f'is "good", a rule such as ">= 0.9", or None, not {quality!r}.')
    return Good(found[1], float(found[2]))


def sources(archive: Connection, table: str | None, roles: Roles | None) -> list[Source]:
    """Tables in which the measurements may be: of each survey the first that the archive names, which is its latest."""
    if table is not None:
        table = _of_objects(archive, table) if roles is None else table
        survey = _survey_in(archive, table) if roles is None else None
        names = [one.name for one in archive.door.tables()] if survey is not None else []
        return [_source(archive, table, roles, survey, names)]
    names = [one.name for one in archive.door.tables()]
    first = {survey.name: name for name in reversed(names) if (survey := _survey_in(archive, name))}
    found = [_source(archive, first[survey.name], None, survey, names) for survey in SURVEYS if survey.name in first]
    if not found:
        problem = f"is missing: no table of {archive.name} is known to hold light curves, so say which does."
        raise BadParameterError("table", problem)
    return found


def _of_objects(archive: Connection, table: str) -> str:
    """The table of measurements of a survey's objects, where that of the objects is named; else the same."""
    named = survey_of(table) is None and points_beside(table, [one.name for one in archive.door.tables()])
    return named[1] if named else table


def _survey_in(archive: Connection, table: str) -> Survey | None:
    """The survey whose measurements are in a table: others may call theirs so, too, but not their columns."""
    survey = survey_of(table)
    if survey is None or "search" not in archive.verbs:
        return survey
    return survey if archive.door.table(table).find_column(survey.roles.object) is not None else None


def _source(
    archive: Connection, table: str, roles: Roles | None, survey: Survey | None, names: Sequence[str]
) -> Source:
    if survey is not None:
        return Source(archive, table, survey.roles, survey, objects_beside(survey, table, names))
    described = archive.door.table(table)
    told = roles or roles_of_table(described)
    times = described.find_column(told.time)
    if times is not None and times.datatype.is_text:
        problem = f"{table} has texts in {told.time}: say which column holds times, by roles=Roles(time=..., ...)."
        raise BadParameterError("table", problem)
    if not told.object:
        problem = f"{table} has no column that is known to hold objects: name it, by roles=Roles(object=..., ...)."
        raise BadParameterError("table", problem)
    return Source(archive, table, told)


@dataclass(frozen=True)
class _Place:
    """Where an object is, as it was given."""

    ra_deg: float
    dec_deg: float
    name: str


@dataclass(frozen=True)
class Source:
    """A table of measurements of one archive."""

    archive: Connection
    table: str
    roles: Roles
    survey: Survey | None = None
    objects: str = ""
    """The table of the objects, if there is one."""

    def curve(self, key: Key, name: str) -> LightCurve:
        """Light curve of an object, without points if there is none."""
        rows = self.rows_of([key])
        told = self.roles_of(rows)
        ra, dec = self._place_of(key, rows) if len(rows) else (np.nan, np.nan)
        return replace(LightCurve.of_table(rows, told, name=name), ra_deg=ra, dec_deg=dec)

    @property
    def finds_places(self) -> bool:
        """Whether its archive can be asked for what is around a place."""
        return "cone" in self.archive.verbs or bool(self.survey and self.survey.search_function)

    def nearest(self, place: _Place, radius_deg: float) -> Key | None:
        """The object that is nearest to a place."""
        if self._position is None:
            raise NoPositionError(self.table)
        found = self._around(place, radius_deg, (self.roles.object, *self._position))
        if not len(found):
            return None
        ra, dec = (_degrees(_column(found, name)) for name in self._position)
        towards = unit_vectors(np.array([place.ra_deg]), np.array([place.dec_deg]))
        nearest = int(np.argmax((unit_vectors(ra, dec) * towards).sum(axis=0)))
        key = _column(found, self.roles.object)[nearest]
        return int(key) if isinstance(key, int | np.integer) else str(key)

    def key_of(self, thing: object) -> Key | None:
        """What the archive calls an object, if it is given by that: bare, or as a row of a table."""
        if hasattr(thing, "colnames"):
            if self.roles.object not in thing.colnames:
                raise BadParameterError("object", f"is a row without {self.roles.object}, which {self.table} needs.")
            thing = thing[self.roles.object]  # type: ignore[index]
        plain = thing.item() if isinstance(thing, np.generic) else thing
        if isinstance(plain, str):
            if self._has_named_objects:
                return plain
            return int(plain) if _NUMBER.fullmatch(plain.strip()) else None
        return plain if isinstance(plain, int) and not isinstance(plain, bool) else None

    @cached_property
    def _has_named_objects(self) -> bool:
        """Whether objects are called by texts here."""
        if self.survey is not None:
            return False
        column = self.archive.door.table(self.table).find_column(self.roles.object)
        return column is not None and column.datatype.is_text

    @cached_property
    def _position(self) -> tuple[str, str] | None:
        """Columns of positions: of the table of the objects, or else of the measurements."""
        if self.survey is not None and self.objects:
            return self.survey.position
        found = self.archive.door.table(self.table).position
        return None if found is None else (found.ra, found.dec)

    def roles_of(self, rows: ResultTable) -> Roles:
        """What the columns of rows hold."""
        return roles_of(rows) if self.survey is not None else self.roles

    def rows_of(self, keys: Sequence[Key]) -> ResultTable:
        """The measurements of some objects."""
        if "search" not in self.archive.verbs:
            listed = ", ".join(map(_literal, keys))
            return self.archive.sql(f"select * from {self.table} where {self.roles.object} in ({listed})")
        columns: tuple[str, ...] = ()
        if self.survey is not None:
            there = self.archive.door.table(self.table)
            columns = tuple(name for name in self.survey.columns if there.find_column(name) is not None)
        condition = Comparison(self.roles.object, "=" if len(keys) == 1 else "in", tuple(keys))
        return self.archive.search(self.table, condition, columns=columns, sort_by=(self.roles.time,))

    def _around(self, place: _Place, radius_deg: float, columns: tuple[str, str, str]) -> ResultTable:
        table = self.objects or self.table
        if "cone" in self.archive.verbs:
            return self.archive.cone(table, (place.ra_deg, place.dec_deg), radius_deg, columns=columns)
        assert self.survey is not None, "only a survey has such a function"
        key, ra, dec = columns
        near = f"{self.survey.search_function}({place.ra_deg!r}, {place.dec_deg!r}, {radius_deg * 3600.0!r})"
        return self.archive.sql(f"select m.{key}, m.{ra}, m.{dec} from {near} s join {table} m on m.{key} = s.{key}")

    def _place_of(self, key: Key, rows: ResultTable) -> tuple[float, float]:
        """Where an object is: its measurements in the mean, or the table of the objects; NaN if neither says it."""
        found = rows
        if self._position is None or not _has(rows, self._position):
            found = self._object_row(key) if self.objects else rows[:0]
        if self._position is None or not len(found):
            return np.nan, np.nan
        places = unit_vectors(*(_degrees(_column(found, name)) for name in self._position))
        ra, dec = directions_deg(np.nanmean(places, axis=1))
        return float(ra), float(dec)

    def _object_row(self, key: Key) -> ResultTable:
        name, position = self.roles.object, self._position or ()
        if "search" in self.archive.verbs:
            return self.archive.search(self.objects, Comparison(name, "=", (key,)), columns=position, maxrec=1)
        return self.archive.sql(f"select {', '.join(position)} from {self.objects} where {name} = {_literal(key)}")


def _first_curve(archive: Connection, sources: Sequence[Source], thing: object, radius_deg: float) -> LightCurve:
    """The first light curve that has points."""
    place: _Place | None = None
    for source in sources:
        key = source.key_of(thing)
        if key is None:
            place = place or _place(archive, thing)
            key = source.nearest(place, radius_deg) if source.finds_places else None
        if key is not None:
            curve = source.curve(key, place.name if place and place.name else str(key))
            if len(curve):
                return curve
    if place is not None and not any(source.finds_places for source in sources):
        raise NotOfferedError("cone", archive.name, archive.verbs, hint="Give the number of the object.")
    raise _unknown(sources, thing, place, radius_deg)


def _place(archive: Connection, thing: object) -> _Place:
    def resolve(name: str) -> Any:
        if "resolve" not in archive.verbs:
            raise NotOfferedError("resolve", archive.name, archive.verbs, hint="Give a position, or a number.")
        return archive.door.place(name)

    ra, dec = place_of(thing, resolve)
    return _Place(ra, dec, thing if isinstance(thing, str) else "")


def _unknown(sources: Sequence[Source], thing: object, place: _Place | None, radius_deg: float) -> UnknownObjectError:
    if place is None:
        return UnknownObjectError(str(thing), where=", ".join(source.table for source in sources))
    where = ", ".join(source.table for source in sources if source.finds_places)
    at = f"{place.ra_deg:.6f} {place.dec_deg:+.6f}"
    hint = f"There is none within {radius_deg * 3600.0:g} arcsec of {at}: ask with a greater radius=."
    return UnknownObjectError(place.name or at, where=where, hint=hint)


def _has(rows: ResultTable, names: Sequence[str]) -> bool:
    return {name.lower() for name in names} <= {name.lower() for name in rows.colnames}


def _column(rows: ResultTable, name: str) -> Any:
    """A column, however the service has spelt it."""
    return rows[next(known for known in rows.colnames if known.lower() == name.lower())]


def _degrees(values: Any) -> Any:
    return np.asarray(values.to_value("deg") if hasattr(values, "to_value") else values, dtype=np.float64)


def _literal(key: Key) -> str:
    """A number, or a text in quotation marks, as SQL has it."""
    return str(key) if isinstance(key, int) else "'" + key.replace("'", "''") + "'"

"""The light curve of an object out of any archive: where its measurements are, whose they are, and what they mean.

The tables of HSC, HCV and Pan-STARRS1 are known under the names that they have in queries and in the catalogue API; of
any other the user names the table, and `skydex.lightcurve.roles_of` tells its columns. An object is given by the number
that the archive has for it, or by a place: then it is the nearest one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from skydex.client import Comparison
from skydex.connection.places import degrees_of, place_of
from skydex.errors import BadParameterError, NoPositionError, NotOfferedError, UnknownObjectError
from skydex.lightcurve import KNOWN_ROLES, Good, LightCurve, Roles, roles_of

if TYPE_CHECKING:
    from skydex.connection.connection import Connection
    from skydex.connection.rows import ResultTable
    from skydex.tables import Table

__all__ = ["light_curve"]


@dataclass(frozen=True)
class _Survey:
    """Where a survey keeps its measurements; names in lower case and without schema."""

    name: str
    """For people."""
    roles: Roles
    """What the columns of its measurements hold."""
    points: tuple[str, ...]
    """Tables of measurements."""
    objects: tuple[str, ...]
    """Tables of objects, which have their places."""
    position: tuple[str, str]
    """Right ascension and declination in tables of objects."""
    more: tuple[str, ...]
    """Further columns that are worth having."""
    search_function: str = ""
    """A table-valued function of CasJobs that finds objects around a place, within arcseconds."""


_SURVEYS = (
    _Survey(
        "HCV",
        KNOWN_ROLES["HCV"],
        ("hcvdetailed", "hcvdetailedview", "hcv"),
        ("hcvmatch", "hcvsummaryview", "hcvsummary"),
        ("RA", "Dec"),
        ("ImageName", "Mag", "CI", "D"),
        "SearchHCVMatchID",
    ),
    _Survey(
        "PS1",
        KNOWN_ROLES["PS1"],
        ("detection", "detections"),
        ("meanobjectview", "objectthin", "mean"),
        ("raMean", "decMean"),
        (
            *("detectID", "ra", "dec", "psfMajorFWHM", "psfMinorFWHM", "apFlux", "apFluxErr"),
            *("infoFlag", "infoFlag2", "infoFlag3"),
        ),
    ),
    _Survey(
        "HSC",
        KNOWN_ROLES["HSC"],
        ("detailedcatalog", "detailed"),
        ("summagaper2catview", "summagautocatview", "summary", "summary/magaper2", "summary/magauto"),
        ("MatchRA", "MatchDec"),
        ("SourceID", "MatchRA", "MatchDec", "MagAuto", "CI", "D", "ExposureTime", "ImageName"),
    ),
)
_ID = re.compile(r"[+-]?\d+")
_RULE = re.compile(r"\s*(>=|<=|>|<|=)\s*(-?\d+\.?\d*|-?\.\d+)\s*")


@dataclass(frozen=True)
class _Place:
    """Where an object is, as it was given."""

    ra_deg: float
    dec_deg: float
    name: str


@dataclass(frozen=True)
class _Source:
    """A table of measurements of one archive."""

    archive: Connection
    table: str
    roles: Roles | None
    """None: to be told by the columns."""
    survey: _Survey | None = None
    objects: str = ""
    """The table of the objects, if there is one."""

    def described(self) -> _Source:
        """The same with roles."""
        if self.roles is not None:
            return self
        return replace(self, roles=roles_of(_Described(self.archive.door.table(self.table))))

    def curve(self, object_id: int | str, name: str) -> LightCurve:
        """Light curve of an object, without points if there is none."""
        roles = self._roles
        if not roles.object:
            problem = "has no column that is known to hold objects: name it by roles=Roles(object=..., ...)."
            raise BadParameterError("table", problem)
        rows = self._rows(object_id)
        told = roles_of(rows) if self.survey is not None else roles
        ra, dec = self._place_of(object_id, rows)
        return replace(LightCurve.of_table(rows, told, name=name), ra_deg=ra, dec_deg=dec)

    @property
    def finds_places(self) -> bool:
        """Whether its archive can be asked for what is around a place."""
        return "cone" in self.archive.verbs or bool(self.survey and self.survey.search_function)

    def nearest(self, place: _Place, radius_deg: float) -> int | str | None:
        """The object that is nearest to a place."""
        if self.survey is None:
            position = self.archive.door.table(self.table).position
            if position is None:
                raise NoPositionError(self.table)
            key, ra, dec, table = self._roles.object, position.ra, position.dec, self.table
        else:
            key, (ra, dec), table = self._roles.object, self.survey.position, self.objects or self.table
        found = self._around(place, radius_deg, table, (key, ra, dec))
        if not len(found):
            return None
        away = _separations(found[ra], found[dec], place)
        value = found[key][int(np.argmin(away))]
        return value.item() if hasattr(value, "item") else str(value)

    @property
    def _roles(self) -> Roles:
        assert self.roles is not None, "a source is described before it is asked"
        return self.roles

    def _rows(self, object_id: int | str) -> ResultTable:
        roles = self._roles
        if "search" in self.archive.verbs:
            columns = self._columns() if self.survey is not None else ()
            condition = Comparison(roles.object, "=", (object_id,))
            return self.archive.search(self.table, condition, columns=columns, sort_by=(roles.time,))
        return self.archive.sql(f"select * from {self.table} where {roles.object} = {_literal(object_id)}")

    def _columns(self) -> tuple[str, ...]:
        """Columns of a survey, as far as its table has them."""
        assert self.survey is not None, "only of a survey are the columns known"
        known = self.archive.door.table(self.table)
        wanted = (*self._roles.columns, *self.survey.more)
        return tuple(name for name in wanted if known.find_column(name) is not None)

    def _around(self, place: _Place, radius_deg: float, table: str, columns: tuple[str, str, str]) -> ResultTable:
        if "cone" in self.archive.verbs:
            return self.archive.cone(table, (place.ra_deg, place.dec_deg), radius_deg, columns=columns)
        assert self.survey is not None, "only a survey has such a function"
        key, ra, dec = columns
        near = f"{self.survey.search_function}({place.ra_deg!r}, {place.dec_deg!r}, {radius_deg * 3600.0!r})"
        return self.archive.sql(f"select m.{key}, m.{ra}, m.{dec} from {near} s join {table} m on m.{key} = s.{key}")

    def _place_of(self, object_id: int | str, rows: ResultTable) -> tuple[float, float]:
        """Where an object is, as its own table says, or the table of the objects; NaN if neither does."""
        if self.survey is None or not len(rows):
            return np.nan, np.nan
        ra, dec = self.survey.position
        found = rows
        if ra not in rows.colnames and self.objects:
            found = self._object_row(object_id, (ra, dec))
        if ra not in found.colnames or not len(found):
            return np.nan, np.nan
        return float(_degrees(found[ra])[0]), float(_degrees(found[dec])[0])

    def _object_row(self, object_id: int | str, position: tuple[str, str]) -> ResultTable:
        key = self._roles.object
        if "search" in self.archive.verbs:
            return self.archive.search(self.objects, Comparison(key, "=", (object_id,)), columns=position, maxrec=1)
        return self.archive.sql(f"select {', '.join(position)} from {self.objects} where {key} = {_literal(object_id)}")


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
    meta: dict[str, str]
    unit: str | None

    def __len__(self) -> int:
        return 0

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.zeros(0, dtype=dtype)


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
    rule = _rule(quality)
    sources = [source.described() for source in _sources(archive, table, roles)]
    curve = _first_curve(sources, thing, degrees_of(radius, "radius"))
    if rule is not None:
        curve = curve.cut(rule.holds(curve.quality))
    elif quality == "good":
        curve = curve.good_points()
    return curve if bands is None else curve.in_band(*([bands] if isinstance(bands, str) else bands))


def _sources(archive: Connection, table: str | None, roles: Roles | None) -> list[_Source]:
    """Tables in which the measurements may be: of each survey the first that the archive names, which is its latest."""
    names = [one.name for one in archive.door.tables()] if table is None or roles is None else []
    if table is not None:
        return [_source(archive, table, roles, _survey_of(table) if roles is None else None, names)]
    first = {survey.name: name for name in reversed(names) if (survey := _survey_of(name))}
    found = [_source(archive, first[survey.name], None, survey, names) for survey in _SURVEYS if survey.name in first]
    if not found:
        problem = f"is missing: no table of {archive.name} is known to hold light curves, so say which does."
        raise BadParameterError("table", problem)
    return found


def _source(
    archive: Connection, table: str, roles: Roles | None, survey: _Survey | None, names: Sequence[str]
) -> _Source:
    if survey is None:
        return _Source(archive, table, roles)
    return _Source(archive, table, survey.roles, survey, _objects(survey, table, names))


def _survey_of(table: str) -> _Survey | None:
    return next((survey for survey in _SURVEYS if _bare(table) in survey.points), None)


def _objects(survey: _Survey, table: str, names: Sequence[str]) -> str:
    """The table of a survey's objects beside that of its measurements: of the same schema, or release."""
    beside = [name for name in names if _home(name) == _home(table)]
    return next((name for known in survey.objects for name in beside if _bare(name) == known), "")


def _bare(name: str) -> str:
    """A name without its schema or release: `detection` of `dbo.Detection`, `detailed` of `v2/detailed`."""
    word = name.lower().rpartition(".")[2]
    return word[len(_home(name)) :].lstrip("/") if re.match(r"(v|dr)\d+/", word) else word


def _home(name: str) -> str:
    """Schema or release of a table."""
    release = re.match(r"(v|dr)\d+/", name.lower())
    return release[0][:-1] if release else name.lower().rpartition(".")[0]


def _first_curve(sources: Sequence[_Source], thing: object, radius_deg: float) -> LightCurve:
    """The first light curve that has points."""
    place: _Place | None = None
    archive = sources[0].archive
    for source in sources:
        object_id = _id_of(thing, source)
        if object_id is None:
            place = place or _place(source.archive, thing)
            object_id = source.nearest(place, radius_deg) if source.finds_places else None
        if object_id is not None:
            curve = source.curve(object_id, place.name if place and place.name else str(object_id))
            if len(curve):
                return curve
    if place is not None and not any(source.finds_places for source in sources):
        raise NotOfferedError("cone", archive.name, archive.verbs, hint="Give the number of the object.")
    raise _unknown(sources, thing, place, radius_deg)


def _unknown(sources: Sequence[_Source], thing: object, place: _Place | None, radius_deg: float) -> UnknownObjectError:
    if place is None:
        return UnknownObjectError(str(thing), where=", ".join(source.table for source in sources))
    where = ", ".join(source.table for source in sources if source.finds_places)
    at = f"{place.ra_deg:.6f} {place.dec_deg:+.6f}"
    hint = f"There is none within {radius_deg * 3600.0:g} arcsec of {at}: ask with a greater radius=."
    return UnknownObjectError(place.name or at, where=where, hint=hint)


def _id_of(thing: object, source: _Source) -> int | str | None:
    """The number of an object, if it is given by that: bare, or as a row of a table."""
    key = source.described()._roles.object
    named = getattr(thing, "colnames", ())
    if named and key in named:
        thing = thing[key]  # type: ignore[index]
    elif named:
        raise BadParameterError("object", f"is a row without {key}, which {source.table} needs.")
    if isinstance(thing, np.generic):
        thing = thing.item()
    if isinstance(thing, int) and not isinstance(thing, bool):
        return thing
    return int(thing) if isinstance(thing, str) and _ID.fullmatch(thing.strip()) else None


def _place(archive: Connection, thing: object) -> _Place:
    def resolve(name: str) -> Any:
        if "resolve" not in archive.verbs:
            raise NotOfferedError("resolve", archive.name, archive.verbs, hint="Give a position, or a number.")
        return archive.door.place(name)

    ra, dec = place_of(thing, resolve)
    return _Place(ra, dec, thing if isinstance(thing, str) else "")


def _separations(ra: Any, dec: Any, place: _Place) -> Any:
    from astropy.coordinates import angular_separation

    centre = np.radians([place.ra_deg, place.dec_deg])
    return angular_separation(*centre, np.radians(_degrees(ra)), np.radians(_degrees(dec)))


def _degrees(values: Any) -> Any:
    return np.asarray(values.to_value("deg") if hasattr(values, "to_value") else values, dtype=np.float64)


def _rule(quality: object) -> Good | None:
    """A rule such as `>= 0.9`; None for none, and for `good`."""
    if quality is None or quality == "good" or isinstance(quality, Good):
        return quality if isinstance(quality, Good) else None
    found = _RULE.fullmatch(str(quality))
    if found is None:
        raise BadParameterError("quality", f'is "good", a rule such as ">= 0.9", or None, not {quality!r}.')
    return Good(found[1], float(found[2]))


def _literal(object_id: int | str) -> str:
    """A number, or a text in quotation marks, as SQL has it."""
    return str(object_id) if isinstance(object_id, int) else "'" + str(object_id).replace("'", "''") + "'"

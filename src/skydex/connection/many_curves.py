"""The light curves of many objects at once, out of any archive.

An archive on this disk and a skydex server give them in one answer, whoever the survey is; others are asked for the
rows of so many objects at a time, by lists of their numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from skydex.client import CurvesOrder
from skydex.connection.light_curves import Key, Source, checked_rule, sources
from skydex.connection.places import degrees_of
from skydex.errors import BadParameterError, NotOfferedError
from skydex.lightcurve import Good, LightCurve, LightCurveSet, Roles
from skydex.tables import Result

if TYPE_CHECKING:
    from skydex.connection.connection import Connection

__all__ = ["light_curves"]

_AT_ONCE = 5000
"""Objects that are asked for at once; a server takes 10,000 unless its operator says otherwise."""
_IN_A_LIST = 500
"""Numbers in a condition: every service takes a text of so many."""


def light_curves(
    archive: Connection,
    objects: Any,
    *,
    table: str | None = None,
    bands: str | Sequence[str] | None = None,
    quality: str | Good | None = None,
    radius: object = "1 arcsec",
    roles: Roles | None = None,
) -> LightCurveSet:
    """Light curves of objects; see `Connection.light_curves`."""
    rule = checked_rule(quality)
    known, radius_deg = sources(archive, table, roles), degrees_of(radius, "radius")
    found = _found(archive, known, objects, radius_deg, is_told=roles is None)
    if rule is not None:
        found = found.cut(rule.holds(found.points.quality))
    elif quality == "good":
        found = found.good_points()
    return found if bands is None else found.in_band(*([bands] if isinstance(bands, str) else bands))


@dataclass(frozen=True)
class _Asked:
    """What was asked for."""

    keys: tuple[Key, ...] = ()
    places: tuple[tuple[float, float], ...] = ()

    def parts(self, size: int) -> Iterator[_Asked]:
        for start in range(0, len(self.places or self.keys), size):
            yield _Asked(self.keys[start : start + size], self.places[start : start + size])


def _found(
    archive: Connection, known: Sequence[Source], objects: Any, radius_deg: float, *, is_told: bool
) -> LightCurveSet:
    """What the first source has that knows any of the objects."""
    found: LightCurveSet | None = None
    for source in known:
        asked = _asked(objects, source)
        if not (asked.keys or asked.places):
            raise BadParameterError("objects", "are none: give numbers, positions, or a table of either.")
        found = _of_source(archive, source, asked, radius_deg, is_told=is_told)
        if len(found.points):
            break
    assert found is not None, "there is a source"
    return found


def _asked(objects: Any, source: Source) -> _Asked:
    """Numbers or names, or places, out of what a user has."""
    if hasattr(objects, "icrs"):
        ra, dec = (np.atleast_1d(angle.deg) for angle in (objects.icrs.ra, objects.icrs.dec))
        return _Asked(places=tuple(zip(ra.tolist(), dec.tolist(), strict=True)))
    names = list(getattr(objects, "colnames", None) or getattr(objects, "column_names", None) or [])
    names = names or [str(name) for name in getattr(objects, "columns", [])]
    if not names:
        single = [objects] if isinstance(objects, str | int | np.integer) else objects
        return _Asked(tuple(one.item() if isinstance(one, np.generic) else one for one in single))
    lower = {str(name).lower(): name for name in names}
    key = next((lower[word] for word in (source.roles.object.lower(), "object_id") if word in lower), None)
    if key is not None:
        return _Asked(tuple(dict.fromkeys(np.asarray(objects[key]).tolist())))
    if {"ra", "dec"} <= lower.keys():
        ra, dec = (np.asarray(getattr(objects[lower[word]], "value", objects[lower[word]])) for word in ("ra", "dec"))
        return _Asked(places=tuple(zip(ra.tolist(), dec.tolist(), strict=True)))
    raise BadParameterError("objects", f"have neither a column {source.roles.object} nor ra and dec.")


def _of_source(
    archive: Connection, source: Source, asked: _Asked, radius_deg: float, *, is_told: bool
) -> LightCurveSet:
    if is_told:
        try:
            parts = [
                (part, archive.door.curves(CurvesOrder(source.table, part.keys, part.places, radius_deg)))
                for part in asked.parts(_AT_ONCE)
            ]
            return _joined([_of_answer(answer, part) for part, answer in parts], asked)
        except NotOfferedError:
            pass
    if asked.places:
        hint = "Give the numbers of the objects, or ask for one light curve after the other."
        raise NotOfferedError("light_curves at places", archive.name, archive.verbs, hint=hint)
    return _joined([_of_rows(archive, source, part) for part in asked.parts(_IN_A_LIST)], asked)


@dataclass(frozen=True)
class _Part:
    """Measurements of some objects."""

    keys: list[Key]
    owner: Any
    points: LightCurve
    ra: Any
    dec: Any
    nearest: Sequence[Key | None] = ()
    """Of each place that was asked for the object, if there is one."""


def _of_answer(answer: Result, part: _Asked) -> _Part:
    """An answer in the columns that every table has there."""
    told = dict(answer.infos)
    table, nearest = _each_once(answer.to_arrow(), len(part.places))
    coded = table.column("object_id").combine_chunks().dictionary_encode()
    owner = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    first = np.unique(owner, return_index=True)[1]
    names = [name for name in ("mag", "mag_err", "flux", "flux_err", "quality") if name in table.column_names]
    numbers = {name: _numbers(table.column(name)) for name in (*names, "time", "ra", "dec")}
    band = table.column("band").combine_chunks().fill_null("") if "band" in table.column_names else None
    good = next((column.description for column in answer.columns if column.name == "quality"), "")
    values: dict[str, Any] = {name: numbers[name] for name in names}
    points = LightCurve.in_given_order(
        numbers["time"],
        **values,
        band="" if band is None else np.asarray(band.to_numpy(zero_copy_only=False), dtype=np.str_),
        time_format=told.get("time_format", "mjd"),
        time_scale=told.get("time_scale", ""),
        good=_rule_told(good),
    )
    return _Part(coded.dictionary.to_pylist(), owner, points, numbers["ra"][first], numbers["dec"][first], nearest)


def _each_once(table: pa.Table, n_places: int) -> tuple[pa.Table, list[Key | None]]:
    """The measurements of an object that is nearest to several places once, and which object each place has."""
    if not n_places:
        return table, []
    asked = table.column("asked").to_numpy()
    numbers, first = np.unique(asked, return_index=True)
    keys = table.column("object_id").take(pa.array(first)).to_pylist()
    nearest: list[Key | None] = [None] * n_places
    leading: dict[Key, int] = {}
    for number, key in zip(numbers.tolist(), keys, strict=True):
        nearest[number - 1] = key
        leading.setdefault(key, number)
    return table.filter(pa.array(np.isin(asked, list(leading.values())))), nearest


def _rule_told(description: str) -> Good | None:
    """What is recommended, as the description of the quality says it: `(psfQfPerfect; > 0.9 is good)`."""
    _, found, rule = description.rpartition("; ")
    words = rule.split()
    return Good(words[0], float(words[1])) if found and len(words) == 4 else None


def _numbers(values: Any) -> Any:
    return np.asarray(values.cast("double").to_numpy(), dtype=np.float64)


def _of_rows(archive: Connection, source: Source, part: _Asked) -> _Part:
    rows = source.rows_of(part.keys)
    roles = source.roles_of(rows)
    keys = list(dict.fromkeys(np.asarray(rows[roles.object]).tolist())) if len(rows) else []
    place = {key: number for number, key in enumerate(keys)}
    owner = np.array([place[key] for key in np.asarray(rows[roles.object]).tolist()], dtype=np.int64)
    points = LightCurve.in_given_order(**replace(roles, object="").points(rows), rows=rows)
    return _Part(keys, owner, points, np.full(len(keys), np.nan), np.full(len(keys), np.nan))


def _joined(parts: Sequence[_Part], asked: _Asked) -> LightCurveSet:
    """All parts as one, with what was asked for and is in none."""
    keys = [key for part in parts for key in part.keys]
    starts = np.cumsum([0, *(len(part.keys) for part in parts)])
    owner = np.concatenate([part.owner + start for part, start in zip(parts, starts, strict=False)])
    ra, dec = (np.concatenate([getattr(part, name) for part in parts]) for name in ("ra", "dec"))
    known = {str(key) for key in keys}
    nearest = [key for part in parts for key in part.nearest]
    unknown: list[Any] = [key for key in asked.keys if str(key).strip() not in known]
    unknown += [place for place, key in zip(asked.places, nearest, strict=True) if key is None]
    return LightCurveSet(keys, owner, _stacked([part.points for part in parts]), ra, dec, unknown, nearest)


def _stacked(curves: Sequence[LightCurve]) -> LightCurve:
    if len(curves) == 1:
        return curves[0]
    first = curves[0]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(curve, name) for curve in curves])
        for name in ("time", "mag", "mag_err", "band", "quality", "flux", "flux_err")
        if getattr(first, name) is not None
    }
    return replace(first, rows=None, **arrays)

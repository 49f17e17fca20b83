"""`Roles`: which columns of a table hold times, magnitudes, fluxes, bands and quality, and what they mean there.

The tables of three surveys are known (`HSC`, `HCV`, `PS1`); for others a guess is made from UCDs (IVOA UCD1+ 1.5) and
names, or the user says it. Numbers that stand for "missing" become NaN here, and names of bands are made alike.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import BadParameterError, UnknownColumnError, near_names
from skydex.lightcurve.plain import floats, is_time, texts, unit_of
from skydex.lightcurve.segments import Floats, Mask

__all__ = ["HCV", "HSC", "KNOWN_ROLES", "PS1", "Good", "Roles", "column_names", "roles_of"]

_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq}
)


@dataclass(frozen=True)
class Good:
    """What the quality of a good point keeps."""

    operator: str
    """`>`, `>=`, `<`, `<=` or `=`."""
    value: float
    """What it is compared with."""

    def holds(self, quality: Floats) -> Mask:
        """Which points are good; a point of unknown quality is not."""
        with np.errstate(invalid="ignore"):
            return np.asarray(_COMPARED[self.operator](quality, self.value))


@dataclass(frozen=True)
class Roles:
    """Names of the columns of a light curve; empty where a table has none."""

    time: str
    """When; `time_format` says how days are counted."""
    mag: str = ""
    """Magnitude."""
    mag_err: str = ""
    """Its error, one sigma."""
    flux: str = ""
    """Flux density, in Jy if the column has no unit."""
    flux_err: str = ""
    """Its error, one sigma."""
    band: str = ""
    """Band or filter, as text or as a number."""
    camera: str = ""
    """Camera, where the same filter may be in several: `ACS/WFC` and `F475W` make the band `ACS_F475W`."""
    quality: str = ""
    """A number that says how good a point is."""
    object: str = ""
    """Whose measurement it is."""
    time_format: str = "mjd"
    """How days are counted."""
    time_scale: str = ""
    """Time scale as astropy names it, if it is known."""
    good: Good | None = None
    """What the catalogue's makers recommend to keep, by the quality."""
    band_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Names of bands that the table writes as numbers."""
    missing: tuple[float, ...] = ()
    """Numbers that stand for a magnitude or flux that there is not."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns that have a role."""
        return tuple(name for name in (getattr(self, role) for role in _COLUMN_ROLES) if name)

    def points(self, table: Any) -> dict[str, Any]:
        """Times, magnitudes, fluxes and so on of a table's rows, as `LightCurve.of_points` takes them.

        Raises
        ------
        UnknownColumnError
            The table lacks a column that has a role.
        BadParameterError
            The rows are those of several objects.
        """
        names = {role: _found(table, getattr(self, role)) for role in _COLUMN_ROLES if getattr(self, role)}
        values: dict[str, Any] = {role: table[name] for role, name in names.items()}
        n = len(values["time"])
        self._require_one_object(values.pop("object", None), n)
        for role in _MEASURED & values.keys():
            values[role] = self._without_missing(values[role])
        camera, band = values.pop("camera", None), values.pop("band", "")
        values["band"] = self.named_bands(texts(band, n), None if camera is None else texts(camera, n))
        return values | {"time_format": self.time_format, "time_scale": self.time_scale, "good": self.good}

    def _require_one_object(self, owner: Any, n: int) -> None:
        n_objects = len(np.unique(texts(owner, n))) if owner is not None and n else 0
        if n_objects > 1:
            problem = f"holds {n_objects} objects by its {self.object}: take the rows of one, or use by_object."
            raise BadParameterError("table", problem)

    def _without_missing(self, values: Any) -> Any:
        """A column in which numbers that stand for nothing are masked."""
        is_missing = np.isin(floats(values), self.missing)
        if not is_missing.any():
            return values
        numbers = np.where(is_missing, np.nan, floats(values))
        unit = unit_of(values)
        return numbers if unit is None else numbers * unit

    def named_bands(self, band: NDArray[np.str_], camera: NDArray[np.str_] | None) -> NDArray[np.str_]:
        """What bands are called here, by how the table writes them, and their cameras."""
        named = _renamed(band, lambda label: self.band_names.get(label, label))
        if camera is None:
            return named
        short = _renamed(camera, lambda label: label.partition("/")[0])
        return np.char.add(np.char.add(short, "_"), named)


_COLUMN_ROLES = ("time", "mag", "mag_err", "flux", "flux_err", "band", "camera", "quality", "object")
_MEASURED = frozenset({"mag", "mag_err", "flux", "flux_err"})

HCV = Roles(
    time="MJD", mag="CorrMag", mag_err="MagErr", band="Filter", object="MatchID", time_scale="utc", missing=(-999.0,)
)
"""Points of the Hubble Catalog of Variables (HCVdetailed): magnitudes with local zero points."""
HSC = Roles(
    time="StartMJD",
    mag="MagAper2",
    band="Filter",
    camera="Detector",
    quality="Flags",
    object="MatchID",
    time_scale="utc",
    good=Good("<", 5.0),
    missing=(-999.0, 99.0),
)
"""Sources of the Hubble Source Catalog (`detailed`); it has no errors of single measurements."""
PS1 = Roles(
    time="obsTime",
    flux="psfFlux",
    flux_err="psfFluxErr",
    band="filterID",
    quality="psfQfPerfect",
    object="objID",
    time_scale="tai",
    good=Good(">", 0.9),
    band_names=MappingProxyType({"1": "g", "2": "r", "3": "i", "4": "z", "5": "y"}),
    missing=(-999.0,),
)
"""Detections of Pan-STARRS1 (`Detection`)."""
KNOWN_ROLES: Mapping[str, Roles] = MappingProxyType({"HCV": HCV, "PS1": PS1, "HSC": HSC})
"""Roles in the tables of surveys, by the survey."""


def column_names(table: Any) -> list[str]:
    """Names of the columns of a table: of astropy, pandas, polars, Arrow, or a mapping."""
    for attribute in ("colnames", "column_names", "columns"):
        names = getattr(table, attribute, None)
        if names is not None:
            return [str(name) for name in names]
    if getattr(getattr(table, "dtype", None), "names", None):
        return list(table.dtype.names)
    return [str(name) for name in table]


def roles_of(table: Any) -> Roles:
    """Tell the roles of a table's columns.

    Tables of HSC, HCV and PS1 are recognised by the names of their columns, others by UCDs (in `meta["ucd"]` of their
    columns), units and usual names.

    Raises
    ------
    BadParameterError
        No column of times can be told, or none of magnitudes or fluxes: say which, by `Roles`.

    Examples
    --------
    >>> roles = roles_of({"obsTime": [], "psfFlux": [], "psfFluxErr": [], "filterID": [], "objID": []})
    >>> roles.time, roles.flux, roles.quality
    ('obsTime', 'psfFlux', '')
    >>> roles_of({"hjd": [], "V": [], "mag": [], "magerr": []}).columns
    ('hjd', 'mag', 'magerr')
    """
    names = {name.lower(): name for name in column_names(table)}
    for roles in KNOWN_ROLES.values():
        if all(name.lower() in names for name in (roles.time, roles.mag or roles.flux, roles.band)):
            return _as_far_as_there(roles, names)
    return _guessed(table, list(names.values()))


def _as_far_as_there(roles: Roles, names: Mapping[str, str]) -> Roles:
    there: dict[str, Any] = {role: names.get(getattr(roles, role).lower(), "") for role in _COLUMN_ROLES}
    if roles is PS1 and "filtertype" in names:
        there["band"] = names["filtertype"]
    return replace(roles, **there)


_JULIAN_UNIT = re.compile(r"([HB]?JD) *- *(\d+)", re.IGNORECASE)  # as files of Kepler and TESS write it


@dataclass(frozen=True)
class _Signs:
    """By what a column of a role is known, best sign first."""

    ucds: tuple[str, ...]
    """Beginnings of UCDs."""
    names: tuple[str, ...]
    """Names in lower case."""


_SIGNS = {
    "time": _Signs(
        ("time.epoch", "time.start;obs"),
        ("mjd", "obsmjd", "obstime", "time", "obs_time", "midpointmjdtai", "bjd", "hjd", "jd", "date", "t"),
    ),
    "mag": _Signs(("phot.mag",), ("mag", "magpsf", "psfmag", "magnitude", "corrmag", "m")),
    "flux": _Signs(("phot.flux",), ("flux", "psfflux", "forcediffimflux", "pdcsap_flux", "sap_flux")),
    "mag_err": _Signs(("stat.error;phot.mag",), ("mag_err", "magerr", "sigmapsf", "err", "error", "merr")),
    "flux_err": _Signs(("stat.error;phot.flux",), ("flux_err", "fluxerr")),
    "band": _Signs(("instr.bandpass", "meta.id;instr.filter", "instr.filter"), ("band", "filter", "passband", "fid")),
    "quality": _Signs(("meta.code.qual",), ("quality", "sap_quality", "flags", "flag", "catflags", "qual")),
    "object": _Signs((), ("matchid", "objid", "object_id", "objectid", "source_id", "sourceid", "oid", "object")),
}


def _guessed(table: Any, names: list[str]) -> Roles:
    found: dict[str, Any] = {}
    for role, signs in _SIGNS.items():
        left = [name for name in names if name not in found.values()]
        measured = found.get(role.removesuffix("_err"), "")
        found[role] = _error_of(measured, left) or _told(table, left, signs)
    if not found["time"] or not (found["mag"] or found["flux"]):
        lacking = "times" if not found["time"] else "magnitudes or fluxes"
        problem = f"has no column that is known to hold {lacking}, among {', '.join(names[:20])}. Say so, by `Roles`."
        raise BadParameterError("table", problem)
    return Roles(**found, time_format=_format(table, found["time"]))


def _error_of(measured: str, names: list[str]) -> str:
    """A column whose name says that it is the error of another."""
    stem = measured.lower()
    usual = (f"{stem}_err", f"{stem}err", f"{stem}_error", f"{stem}error", f"e_{stem}", f"err_{stem}", f"sigma_{stem}")
    return next((name for name in names if name.lower() in usual), "") if measured else ""


def _told(table: Any, names: list[str], signs: _Signs) -> str:
    by_ucd = [name for ucd in signs.ucds for name in names if _ucd(table, name).startswith(ucd)]
    by_name = [name for usual in signs.names for name in names if name.lower() == usual]
    return next(iter(by_ucd + by_name), "")


def _ucd(table: Any, name: str) -> str:
    meta = getattr(getattr(table[name], "info", table[name]), "meta", None)
    return str((meta or {}).get("ucd") or "").lower()


def _format(table: Any, time: str) -> str:
    """How days are counted, by unit or name of their column; Julian dates below two million lack 2,400,000 days."""
    unit = _JULIAN_UNIT.match(str(getattr(table[time], "unit", "")).strip("'"))
    if unit:
        return f"{unit[1].lower()}-{unit[2]}"
    name = time.lower()
    if name not in ("jd", "hjd", "bjd") or is_time(table[time]):
        return "mjd"
    numbers = floats(table[time])
    return name if not len(numbers) or np.nanmax(numbers) >= 2e6 else f"{name}-2400000"


def _found(table: Any, name: str) -> str:
    """A column's name as the table writes it."""
    names = column_names(table)
    for known in (name, *(one for one in names if one.lower() == name.lower())):
        if known in names:
            return known
    raise UnknownColumnError(name, where="the table", near=near_names(name, names))


def _renamed(labels: NDArray[np.str_], rename: Callable[[str], str]) -> NDArray[np.str_]:
    different, code = np.unique(labels, return_inverse=True)
    return np.array([rename(str(label)) for label in different], dtype=np.str_)[code]

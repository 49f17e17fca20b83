"""`Motion`: which columns say how the stars of a table move, and where they are at another time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from skydex.errors import BadParameterError
from skydex.sky import Astrometry
from skydex.sky.angles import Floats
from skydex.tables import Column, Table

__all__ = ["Motion", "find_motion"]

_UCDS = ("pos.pm;pos.eq.ra", "pos.pm;pos.eq.dec")
_NAMES = (("pmra", "pmdec"), ("pm_ra", "pm_dec"), ("pmra_cosdec", "pmdec"), ("pm_ra_cosdec", "pm_dec"))
_EPOCHS = ("ref_epoch", "refepoch", "epoch_ref")
_KM_YEARS_PER_SECOND_AU = 4.740470463533349
_MAS_DEG = 1.0 / 3_600_000.0
_SLACK = 1.0 + 1e-6
"""Bounds are rounded up by this: columns may be in single precision."""
_ANYWHERE_DEG = 180.0


@dataclass(frozen=True)
class Motion:
    """The columns of a table that say how its stars move."""

    pm_ra: str
    """Proper motion in right ascension, with cos(dec) in it."""
    pm_dec: str
    """Proper motion in declination."""
    masyr: tuple[float, float]
    """Milliarcseconds a year that the units of both are."""
    parallax: str = ""
    """Parallax in mas; none if no column has it."""
    rv: str = ""
    """Radial velocity in km/s; none if no column has it."""
    epoch: str = ""
    """Julian year of each position; none if it is the same for all."""
    year: float = 0.0
    """Julian year of all positions, where there is no column."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All that must be read."""
        return tuple(name for name in (self.pm_ra, self.pm_dec, self.parallax, self.rv, self.epoch) if name)

    def moved(
        self, ra_deg: Floats, dec_deg: Floats, values: Mapping[str, Floats], year: float
    ) -> tuple[Floats, Floats]:
        """Positions at another time; those whose motion or time is not known stay where they are.

        Parameters
        ----------
        ra_deg, dec_deg : (n,) float64 array
            Positions as catalogued.
        values : mapping
            For each of `columns` an (n,) float64 array.
        year : float
            Julian year.
        """
        pm_ra, pm_dec = values[self.pm_ra] * self.masyr[0], values[self.pm_dec] * self.masyr[1]
        years = year - (values[self.epoch] if self.epoch else np.full(len(ra_deg), self.year))
        moves = np.flatnonzero(
            np.isfinite(pm_ra) & np.isfinite(pm_dec) & np.isfinite(years) & ((pm_ra != 0.0) | (pm_dec != 0.0))
        )
        known = {
            "parallax_mas": values[self.parallax][moves] if self.parallax else np.nan,
            "rv_kms": values[self.rv][moves] if self.rv else np.nan,
        }
        stars = Astrometry.of(
            ra_deg[moves], dec_deg[moves], pm_ra_masyr=pm_ra[moves], pm_dec_masyr=pm_dec[moves], **known
        ).after(years[moves])
        ra, dec = ra_deg.copy(), dec_deg.copy()
        ra[moves], dec[moves] = stars.ra_deg, stars.dec_deg
        return ra, dec

    def reach_deg(self, greatest: Mapping[str, tuple[float, float]], year: float) -> float:
        """How far any star may be from where it is catalogued, degrees.

        Parameters
        ----------
        greatest : mapping
            For each of `columns` its least and its greatest value.
        year : float
            Julian year.
        """
        most = {name: max(abs(low), abs(high)) for name, (low, high) in greatest.items()}
        times = greatest[self.epoch] if self.epoch else (self.year, self.year)
        years = max(abs(year - time) for time in times)
        way = (
            np.radians(np.hypot(most[self.pm_ra] * self.masyr[0], most[self.pm_dec] * self.masyr[1]) * _MAS_DEG) * years
        )
        nearing = 0.0
        if self.parallax and self.rv:
            receding = np.radians(most[self.parallax] * _MAS_DEG) * most[self.rv] / _KM_YEARS_PER_SECOND_AU
            nearing = float(receding * years)
        if not (np.isfinite(way) and nearing < 0.5):
            return _ANYWHERE_DEG
        return min(float(np.degrees(np.arctan2(way, 1.0 - nearing))) * _SLACK, _ANYWHERE_DEG)


def find_motion(table: Table, year: float | None) -> Motion | None:
    """How the stars of a table move: by UCD (Gaia's are so), or else by plain names; `None` if nothing says it.

    Parameters
    ----------
    table : Table
        What its columns mean.
    year : float or None
        Julian year of its positions, if somebody said it; else a column must.

    Raises
    ------
    BadParameterError
        There are motions, and nothing says of which year the positions are.
    """
    pair = next(_pairs(table), None)
    if pair is None:
        return None
    epoch = "" if year is not None else _epoch_column(table)
    if year is None and not epoch:
        raise BadParameterError(
            "epoch", f"needs the year of the positions in {table.name}, of which no column speaks: give it, as 2016.0."
        )
    return Motion(
        pair[0].name,
        pair[1].name,
        (_factor(pair[0], "mas / yr", table), _factor(pair[1], "mas / yr", table)),
        parallax=_named(table, "pos.parallax", "mas"),
        rv=_named(table, "spect.dopplerveloc", "km / s"),
        epoch=epoch,
        year=year or 0.0,
    )


def _pairs(table: Table) -> Iterator[tuple[Column, Column]]:
    numbers = [column for column in table.columns if column.datatype.is_numeric and not column.is_array]
    words = [{(c.ucd or "").lower().removesuffix(";meta.main"): c for c in reversed(numbers)}]
    by_name = {column.name.lower(): column for column in numbers}
    for found, pairs in ((words[0], (_UCDS,)), (by_name, _NAMES)):
        for one, other in pairs:
            if one in found and other in found:
                yield found[one], found[other]


def _epoch_column(table: Table) -> str:
    for column in table.columns:
        is_year = (column.unit or "").lower() in ("yr", "a", "year") and "time.epoch" in (column.ucd or "").lower()
        if column.datatype.is_numeric and (is_year or column.name.lower() in _EPOCHS):
            return column.name
    return ""


def _named(table: Table, word: str, unit: str) -> str:
    """The column of a UCD whose values are in a unit; others are left alone."""
    for column in table.columns:
        is_meant = (column.ucd or "").lower().partition(";")[0].startswith(word)
        if is_meant and column.datatype.is_floating and not column.is_array and _is_in(column, unit):
            return column.name
    return ""


def _is_in(column: Column, unit: str) -> bool:
    return (column.unit or "").replace(" ", "").replace(".s**-1", "/s").replace(".s-1", "/s") == unit.replace(" ", "")


def _factor(column: Column, unit: str, table: Table) -> float:
    """How many mas a year the unit of a motion is; one that is not given is taken for that."""
    if not column.unit or _is_in(column, unit):
        return 1.0
    from astropy import units  # only here: it takes half a second to import

    try:
        return float(units.Unit(column.unit).to(unit))
    except (ValueError, TypeError) as error:
        raise BadParameterError(
            "epoch", f"cannot use {column.name} of {table.name}: {column.unit} is no motion."
        ) from error

"""`Axis`: what can be plotted of a table, found by what its columns mean: colours, magnitudes, variability indices.

Meaning comes from UCDs (IVOA UCD1+ 1.5) first and from names second. Which bands an object has differs from field to
field, so the choice rests on a sample of the rows that are to be plotted: what is empty there is not offered first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.tables.column import Column
from skydex.tables.identifiers import spelled
from skydex.tables.table import Table

__all__ = ["Axis", "axes_of", "chosen_axes", "has_colours", "plottable", "shown_columns"]

_KINDS = ("colour", "magnitude", "index", "flux", "other", "position")
"""The most telling first."""
_MISSING = -90.0
"""Magnitudes below stand for `missing` in many catalogues (-99, -999)."""
_MEASURED = ("colour", "magnitude")
"""Kinds of which that holds."""
_SHOWN_COLUMNS = 8
_MOST_COLOURS = 12
_ENOUGH = 0.25
"""Of the share of values that the best filled magnitude has."""
_HST_BAND = re.compile(r"F(\d{3,4})[A-Z]{1,2}\d{0,2}")
_LETTERS = "ugrizyYJHK"
_NM = {"u": 355, "g": 481, "r": 617, "i": 752, "z": 866, "y": 962, "Y": 1020, "J": 1250, "H": 1650, "K": 2200}
_INDEX_NAME = re.compile(
    r"(^|_)(MAD|chi2|rchi2|stetson|von_?neumann|iqr|var\w*index|variab\w*)($|_)|MAD$", re.IGNORECASE
)
_BAD = ("stat.error", "stat.stdev", "arith.zp", "meta.code", "stat.min", "stat.max", "stat.fit")


@dataclass(frozen=True)
class Axis:
    """One quantity that rows have."""

    key: str
    """How addresses name it."""
    label: str
    """For people."""
    kind: str
    """`colour`, `magnitude`, `index`, `flux`, `position`, or `other`."""
    columns: tuple[str, ...]
    """What it is made of: one column, or two whose difference it is."""
    unit: str = ""
    """For people."""
    is_inverted: bool = False
    """Whether small values stand above, or on the right."""
    share: float = 1.0
    """Part of the sampled rows that have a value."""

    @property
    def expression(self) -> str:
        """In ADQL."""
        return " - ".join(map(spelled, self.columns))

    @property
    def conditions(self) -> list[str]:
        """What holds where it is known, in ADQL; that its columns are not null goes without saying."""
        return [f"{spelled(name)} > {_MISSING:g}" for name in self.columns] if self.kind in _MEASURED else []

    def values(self, rows: pa.Table) -> NDArray[np.float64]:
        """The same of rows that are here: (n,) numbers in `unit`, NaN where it is not known."""
        numbers = [_numbers(rows[name]) for name in self.columns]
        if self.kind in _MEASURED:
            numbers = [np.where(values > _MISSING, values, np.nan) for values in numbers]
        return numbers[0] - numbers[1] if len(numbers) > 1 else numbers[0]

    def facts(self) -> dict[str, object]:
        """For a page."""
        told = {"key": self.key, "label": self.label, "expression": self.expression, "kind": self.kind}
        return {**told, "unit": self.unit, "inverted": self.is_inverted, "conditions": self.conditions}


@dataclass(frozen=True)
class _Magnitude:
    column: Column
    family: str
    """Name without its band: magnitudes of one kind."""
    band: str
    nm: float
    share: float

    def axis(self) -> Axis:
        name = self.column.name
        return Axis(name, name, "magnitude", (name,), "mag", is_inverted=True, share=self.share)


def plottable(table: Table) -> list[Column]:
    """Columns of single numbers."""
    return [column for column in table.columns if column.datatype.is_numeric and not column.is_array]


def shown_columns(table: Table) -> list[str]:
    """Columns that tell most: what a row is called, where it is, and the principal ones."""
    first = [*([table.id_column] if table.id_column else []), *(column.name for column in table.position_columns())]
    more = [c.name for c in table.columns if c.principal and not c.is_array and c.name not in first]
    return [*dict.fromkeys(first), *more[: max(1, _SHOWN_COLUMNS - len(first))]]


def has_colours(table: Table) -> bool:
    """Whether a row has magnitudes of one kind in several bands."""
    bands: dict[str, set[str]] = {}
    for column in table.columns:
        if _is_magnitude(column):
            family, band, _ = _band(column.name)
            bands.setdefault(family, set()).add(band)
    return any(len(found) > 1 for found in bands.values())


def axes_of(table: Table, sample: pa.Table) -> list[Axis]:
    """What can be plotted, the most telling first.

    Parameters
    ----------
    table : Table
        Which table.
    sample : pyarrow Table
        Some of its rows, with the columns of `plottable`.
    """
    shares = {name: _share(sample[name]) for name in sample.column_names}
    columns = [column for column in plottable(table) if shares.get(column.name, 0.0) > 0.0]
    magnitudes = list(_magnitudes(columns, shares))
    taken = {one.column.name for one in magnitudes}
    axes = [*_colours(magnitudes), *(one.axis() for one in magnitudes)]
    position = {column.name for column in table.position_columns()}
    for column in columns:
        if column.name not in taken and column.name != table.id_column:
            axes.append(_plain(column, shares[column.name], is_position=column.name in position))
    return sorted(axes, key=lambda axis: _KINDS.index(axis.kind))


def chosen_axes(axes: Sequence[Axis], asked: Mapping[str, str | None]) -> dict[str, Axis | None]:
    """Which axes to draw: those asked for by `x`, `y` and `color`, else the most telling ones."""
    by_key = {axis.key: axis for axis in axes}
    x, y = _telling(axes)
    default: dict[str, Axis | None] = {"x": x, "y": y, "color": None}
    return {place: by_key.get(asked.get(place) or "", axis) for place, axis in default.items()}


def _telling(axes: Sequence[Axis]) -> tuple[Axis | None, Axis | None]:
    """A colour and the redder magnitude; a magnitude and an index; or whatever there is."""
    colours, magnitudes, indices, fluxes, others, positions = (
        [axis for axis in axes if axis.kind == kind] for kind in _KINDS
    )
    if colours:
        red = colours[0].key.split("-")[1]
        return colours[0], next((axis for axis in magnitudes if axis.key == red), magnitudes[0])
    first = (magnitudes or fluxes)[:1]
    found = [*first, *indices[:1], *fluxes[len(first) :][:1], *others[:2], *positions[:2]][:2]
    return (found[0], found[-1]) if found else (None, None)


def _share(values: pa.ChunkedArray) -> float:
    """Part of the values that are there."""
    if not len(values):
        return 0.0
    known = _numbers(values)
    return float(np.count_nonzero(np.isfinite(known) & (known > -900.0)) / len(values))


def _numbers(values: pa.ChunkedArray) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = pc.cast(values, pa.float64(), safe=False).to_numpy()
    return numbers


def _is_magnitude(column: Column) -> bool:
    ucd = (column.ucd or "").lower()
    return ucd.startswith("phot.mag") and not any(word in ucd for word in _BAD) and "err" not in column.name.lower()


def _magnitudes(columns: Iterable[Column], shares: Mapping[str, float]) -> Iterator[_Magnitude]:
    """Magnitudes, the best filled kind first and blue before red in it; bands that hardly any row has come last."""
    found = []
    for column in columns:
        if _is_magnitude(column):
            family, band, nm = _band(column.name)
            found.append(_Magnitude(column, family, band, nm, shares[column.name]))
    filled: dict[str, float] = {}
    for one in found:
        bonus = 0.5 if "meta.main" in (one.column.ucd or "") else 0.0
        filled[one.family] = filled.get(one.family, 0.0) + one.share + bonus
    best = max((one.share for one in found), default=0.0)
    order = list(filled)

    def rank(one: _Magnitude) -> tuple[float, int, bool, float]:
        return -round(filled[one.family], 1), order.index(one.family), one.share < _ENOUGH * best, one.nm

    yield from sorted(found, key=rank)


def _colours(magnitudes: Sequence[_Magnitude]) -> list[Axis]:
    """Differences of magnitudes of one kind: the widest of the well filled pairs first."""
    best = max((one.share for one in magnitudes), default=0.0)
    families: dict[str, list[_Magnitude]] = {}
    for one in magnitudes:
        if one.band and one.share >= _ENOUGH * best:
            families.setdefault(one.family, []).append(one)
    axes = []
    for family in families.values():
        pairs = [*([(family[0], family[-1])] if len(family) > 2 else []), *pairwise(family)]
        axes += [_colour(blue, red) for blue, red in pairs]
    return axes[:_MOST_COLOURS]


def _colour(blue: _Magnitude, red: _Magnitude) -> Axis:
    names = (blue.column.name, red.column.name)
    share = min(blue.share, red.share)
    return Axis("-".join(names), f"{blue.band} - {red.band}", "colour", names, "mag", share=share)


def _band(name: str) -> tuple[str, str, float]:
    """A name without its band, the band, and its wavelength."""
    hst = _HST_BAND.search(name)
    if hst:
        nm = float(hst[1]) * (10.0 if int(hst[1]) < 200 else 1.0)  # F160W is at 1.6 micrometres
        return name.replace(hst[0], "{}", 1), hst[0], nm
    for pattern in (rf"^([{_LETTERS}])(?=[A-Z_])", rf"(?<=_)([{_LETTERS}])$", rf"^([{_LETTERS}])(?=mag$)"):
        found = re.search(pattern, name)
        if found:
            return name[: found.start()] + "{}" + name[found.end() :], found[1], _NM[found[1]]
    return name, "", 0.0


def _plain(column: Column, share: float, *, is_position: bool) -> Axis:
    name, ucd = column.name, (column.ucd or "").lower()
    unit = column.unit or ""
    if is_position:
        is_ra = ucd.startswith("pos.eq.ra") or "ra" in name.lower()
        return Axis(name, name, "position", (name,), unit, is_ra, share)
    if ucd.startswith("src.var") or _INDEX_NAME.search(name):
        return Axis(name, name, "index", (name,), unit, share=share)
    kind = "flux" if ucd.startswith("phot.flux") and not any(word in ucd for word in _BAD) else "other"
    return Axis(name, name, kind, (name,), unit, share=share)

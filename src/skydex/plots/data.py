"""What is drawn, out of what astronomers have: tables of any library, quantities, `SkyCoord`, masks.

A column is named, or given as values. Numbers come as float64, NaN where there is none. Rows that stand out are given
as a mask, as numbers of rows, or as a table with the same columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skydex.errors import BadParameterError, UnknownColumnError, near_names
from skydex.lightcurve.plain import days, floats, is_time, texts, unit_of

__all__ = [
    "Classes",
    "Floats",
    "classes_of",
    "column",
    "highlighted",
    "label_of",
    "numbers",
    "places_of",
    "require_alike",
]

Floats = NDArray[np.float64]
Read = Callable[[Any], tuple[Floats, ...]]

_PLACES = (
    ("ra", "dec"),
    ("matchra", "matchdec"),
    ("ramean", "decmean"),
    ("rastack", "decstack"),
    ("raj2000", "dej2000"),
    ("ra_icrs", "de_icrs"),
    ("s_ra", "s_dec"),
    ("ra_deg", "dec_deg"),
)
_HST = re.compile(r"(A|W2|W3|ACS|WFPC2|WFC3)_([FG]\d\w*)")
_CAMERAS = {"A": "ACS", "W2": "WFPC2", "W3": "WFC3"}
_KNOWN_CLASSES: Mapping[str, Mapping[str, str]] = {
    "autoclass": {"0": "non-variable", "1": "SFVC", "2": "MFVC"},
    "expertclass": {"0": "not classified", "1": "confident", "2": "likely", "4": "artifact"},
}
"""By column, as the Hubble Catalog of Variables numbers them: candidates in a single filter or in several, and what
experts said of them."""


_NO_CLASS = "no class"


class Classes(NamedTuple):
    """A class for each row."""

    names: tuple[str, ...]
    """Each class once, ascending by its value."""
    of_row: NDArray[np.int64]
    """(n,) the place of each row's class in `names`."""


def column(table: Any, name: str | ArrayLike) -> Any:
    """A column by its name; values are given back as they are.

    Raises
    ------
    UnknownColumnError
        The table has no such column.
    """
    if not isinstance(name, str):
        return name
    known = _names_of(table)
    if name in known:
        return table[name]
    raise UnknownColumnError(name, where="the table", near=near_names(name, known))


def numbers(table: Any, name: str | ArrayLike, unit: str | None = None) -> Floats:
    """A column, or values, as numbers; quantities in a unit, if one is asked for, and times as MJD."""
    values = column(table, name)
    return np.atleast_1d(days(values, "mjd") if is_time(values) else floats(values, unit))


def require_alike(*arrays: NDArray[Any]) -> None:
    """Arrays have a value for each of the same rows.

    Raises
    ------
    BadParameterError
        They differ in length.
    """
    lengths = sorted({len(values) for values in arrays})
    if len(lengths) > 1:
        raise BadParameterError("columns", f"must have one length, and have {' and '.join(map(str, lengths))} values.")


def label_of(table: Any, name: str | ArrayLike, default: str = "") -> str:
    """What an axis says of a column: its name and its unit; filters of Hubble as astronomers write them."""
    values = column(table, name)
    known = unit_of(values)
    unit = f" [{_unit_text(known)}]" if known is not None and str(known) else " [MJD]" if is_time(values) else ""
    return f"{band_name(name) if isinstance(name, str) else default}{unit}"


def _unit_text(unit: Any) -> str:
    """A unit as journals set it."""
    return str(unit) if str(unit).isalpha() else str(unit.to_string("latex_inline"))


def band_name(name: str) -> str:
    """`ACS F475W` for `A_F475W` or `ACS_F475W`; other names as they are."""
    found = _HST.fullmatch(name)
    return f"{_CAMERAS.get(found[1], found[1])} {found[2]}".replace("_", " ") if found else name


def places_of(stars: Any, ra: str | ArrayLike | None = None, dec: str | ArrayLike | None = None) -> tuple[Floats, ...]:
    """Right ascension and declination, ICRS, in degrees: of a `SkyCoord`, of a pair of arrays, or of a table."""
    if hasattr(stars, "icrs"):
        return np.atleast_1d(stars.icrs.ra.deg), np.atleast_1d(stars.icrs.dec.deg)
    if isinstance(stars, tuple) and len(stars) == 2:
        return numbers(None, stars[0], "deg"), numbers(None, stars[1], "deg")
    if ra is None or dec is None:
        ra, dec = _place_columns(stars)
    return numbers(stars, ra, "deg"), numbers(stars, dec, "deg")


def highlighted(read: Read, stars: Any, highlight: Any) -> tuple[Floats, ...] | None:
    """Coordinates of the rows that stand out, as `read` gives them; None if there are none."""
    if highlight is None:
        return None
    if hasattr(highlight, "icrs") or isinstance(highlight, tuple | Mapping) or _names_of(highlight):
        return read(highlight)
    chosen = np.ma.filled(np.ma.asarray(getattr(highlight, "value", highlight)), False)
    whole = read(stars)
    if chosen.dtype == np.bool_ and chosen.shape != whole[0].shape:
        raise BadParameterError("highlight", f"must be {len(whole[0])} times true or false, one for each row.")
    return tuple(values[chosen] for values in whole)


def classes_of(table: Any, name: str | ArrayLike, names: Mapping[Any, str] | None = None) -> Classes:
    """A class for each row, called as `names` says, or as the catalogue calls it, or by its value; null is no class."""
    values = column(table, name)
    plain = np.ma.asarray(values)
    labels = plain.data if plain.dtype.kind in "iufb" else texts(values, len(values))
    is_known = ~np.ma.getmaskarray(plain) & (~np.isnan(labels) if labels.dtype.kind == "f" else labels != "")
    found, codes = np.unique(labels[is_known], return_inverse=True)
    told: Mapping[str, str] = {} if names is None else {str(value): called for value, called in names.items()}
    if names is None and isinstance(name, str):
        told = next((known for start, known in _KNOWN_CLASSES.items() if name.lower().startswith(start)), {})
    called = [f"{value:g}" if labels.dtype.kind == "f" else str(value) for value in found]
    of_row = np.full(len(labels), len(found))
    of_row[is_known] = codes
    without = () if is_known.all() else (_NO_CLASS,)
    return Classes((*(told.get(value, value) for value in called), *without), of_row)


def _place_columns(stars: Any) -> tuple[str, str]:
    """The columns of a position: the main ones by UCD, else by usual names."""
    known = _names_of(stars)
    ucds = {_ucd_of(stars[name]): name for name in reversed(known)}
    for suffix in (";meta.main", ""):
        main = tuple(f"pos.eq.{axis}{suffix}" for axis in ("ra", "dec"))
        if all(ucd in ucds for ucd in main):
            return ucds[main[0]], ucds[main[1]]
    by_lower = {name.lower(): name for name in reversed(known)}
    for pair in _PLACES:
        if all(name in by_lower for name in pair):
            return by_lower[pair[0]], by_lower[pair[1]]
    raise BadParameterError("ra", f"which columns are the position? Name them as ra= and dec=: {', '.join(known)}.")


def _ucd_of(values: Any) -> str:
    meta = getattr(getattr(values, "info", None), "meta", None)
    return str(meta.get("ucd", "")) if isinstance(meta, Mapping) else ""


def _names_of(table: Any) -> list[str]:
    """Names of the columns of a table of astropy, Arrow, pandas or polars, or of a mapping."""
    if isinstance(table, Mapping):
        return [str(name) for name in table]
    for attribute in ("colnames", "column_names", "columns"):
        names = getattr(table, attribute, None)
        if names is not None and not callable(names):
            return [str(name) for name in names]
    return []

"""Units as files write them, to VOUnit where they can be.

A text that is VOUnit 1.0 already stays as it is. Otherwise it is read as FITS, generic or CDS spelling and written as
VOUnit; a unit that VOUnit does not know (`electron`, `dex`, `ABmag`) stays as published, because a unit that people
can read is worth more than none.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from skydex.ingest.recipe import AngleUnit

__all__ = ["angle_unit", "is_unit", "normalised_unit"]

_SPELLINGS = {
    "degree": "deg",
    "degrees": "deg",
    "radian": "rad",
    "radians": "rad",
    "arcseconds": "arcsec",
    "arcsecs": "arcsec",
    "milliarcsec": "mas",
    "hours": "h",
    "hr": "h",
    "minutes": "min",
    "seconds": "s",
    "sec": "s",
    "days": "d",
    "day": "d",
    "years": "yr",
    "year": "yr",
    "mags": "mag",
    "magnitude": "mag",
    "magnitudes": "mag",
    "pixels": "pix",
    "pixel": "pix",
    "counts": "count",
    "cts": "count",
    "photons": "photon",
    "angstroms": "Angstrom",
    "kelvin": "K",
    "parsec": "pc",
}
_NO_UNIT = frozenset({"", "-", "--", "---", "none", "null", "n/a", "unitless", "dimensionless", "1", "~"})
_SEXAGESIMAL = re.compile(r'"?(h|d|hh|dd):(m|mm):(s|ss)"?(\..*)?|hms|dms|hhmmss|ddmmss')
_VOUNIT = re.compile(r"((10\*\*)?[+\-]?[\d.]+(e[+\-]?\d+)?)?[A-Za-z]+(\*\*-?\d+)?([./][A-Za-z]+(\*\*-?\d+)?)*")
"""The VOUnit 1.0 grammar without brackets; astropy's own reader also accepts `m2` and blanks."""
_ANGLES = {
    "deg": AngleUnit.DEG,
    "rad": AngleUnit.RAD,
    "arcsec": AngleUnit.ARCSEC,
    "hourangle": AngleUnit.HOURANGLE,
    "h": AngleUnit.HOURANGLE,
}


def angle_unit(unit: str | None) -> AngleUnit | None:
    """How a position column spells its angles, told from its unit; None if the unit does not tell."""
    text = (unit or "").strip()
    if _SEXAGESIMAL.fullmatch(text.lower()):
        return AngleUnit.SEXAGESIMAL
    return _ANGLES.get(_SPELLINGS.get(text.lower(), text.lower()))


@lru_cache(maxsize=4096)
def normalised_unit(unit: str | None) -> str | None:
    """VOUnit spelling of a unit, the text itself where it has none, None where there is no unit."""
    text = (unit or "").strip()
    if text.lower() in _NO_UNIT:
        return None
    text = _SPELLINGS.get(text.lower(), text)
    return text if _is_vounit(text) else _as_vounit(text)


def is_unit(text: str) -> bool:
    """Whether a text is a unit beyond doubt: VOUnit, or a common long spelling of one."""
    return _is_vounit(_SPELLINGS.get(text.strip().lower(), text.strip()))


def _is_vounit(text: str) -> bool:
    return _VOUNIT.fullmatch(text) is not None and _parsed(text, "vounit") is not None


def _as_vounit(text: str) -> str:
    """Rewrite a unit from the first spelling that can read it."""
    found = next((unit for unit in (_parsed(text, spelling) for spelling in ("fits", None, "cds")) if unit), None)
    try:
        spelled = text if found is None else str(_quietly(found.to_string, "vounit"))
    except ValueError:  # beyond what VOUnit can write: percent, dex, deg_C
        return text
    # Once astropy has met an unknown unit in some VOTable, it writes it as if VOUnit had it, but does not read it.
    return spelled if _parsed(spelled, "vounit") is not None else text


def _parsed(text: str, spelling: str | None) -> Any:
    from astropy import units as u

    try:
        return _quietly(u.Unit, text, format=spelling)
    except (ValueError, TypeError):
        return None


def _quietly(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call without astropy's warnings about deprecated units: publishers use them, and readers know them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **options)

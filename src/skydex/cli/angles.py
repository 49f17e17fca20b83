"""Angles as people type them."""

from __future__ import annotations

import re

from skydex.errors import BadParameterError

__all__ = ["dec_degrees", "ra_degrees", "radius_degrees"]

_UNIT = re.compile(r"[a-z°'\"]", re.I)


def ra_degrees(text: str) -> float:
    """A right ascension in degrees: `83.82`, `5:35:17.3`, `5h35m17.3s`, `83.82d`."""
    return _degrees("RA", text, unit="deg" if _is_number(text) else "hourangle", least=0.0, most=360.0)


def dec_degrees(text: str) -> float:
    """A declination in degrees: `-5.39`, `-5:23:28`, `-5d23m28s`."""
    return _degrees("DEC", text, unit="deg", least=-90.0, most=90.0)


def radius_degrees(text: str) -> float:
    """A radius in degrees: `0.5`, `2arcmin`, `30"`, `500mas`."""
    return _degrees("RADIUS", text, unit="deg", least=0.0, most=180.0)


def _degrees(name: str, text: str, *, unit: str, least: float, most: float) -> float:
    value = float(text) if _is_number(text) else _read_by_astropy(name, text, unit)
    if not least <= value <= most:
        raise BadParameterError(name, f"must be between {least:g} and {most:g} degrees, not {text}.")
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_by_astropy(name: str, text: str, unit: str) -> float:
    from astropy.coordinates import Angle  # only here: it takes half a second to import
    from astropy.units import UnitsError, deg

    try:
        angle = Angle(text.strip()) if _UNIT.search(text) else Angle(text.strip(), unit=unit)
    except (ValueError, TypeError, UnitsError) as error:
        raise BadParameterError(name, f"must be an angle such as 83.82, 5:35:17.3 or 2arcmin, not {text!r}.") from error
    return float(angle.to_value(deg))

"""Places and angles as an astronomer gives them, brought to plain degrees.

A place is a name, a `SkyCoord`, or a pair; a bare number is a number of degrees, ICRS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skydex.client import NamedPlace
from skydex.errors import BadParameterError

__all__ = ["degrees_of", "place_of"]


def place_of(where: object, resolve: Callable[[str], NamedPlace]) -> tuple[float, float]:
    """Right ascension and declination of a place, ICRS, in degrees.

    Parameters
    ----------
    where : str, SkyCoord, or pair
        A name, which is looked up; a position; or right ascension and declination as numbers in degrees, quantities,
        or texts such as `"05h35m17.3s"`.
    resolve : callable
        Looks a name up.
    """
    if isinstance(where, str):
        found = resolve(where)
        return found.ra_deg, found.dec_deg
    if hasattr(where, "icrs"):
        icrs: Any = where.icrs
        if not icrs.isscalar:
            raise BadParameterError("where", f"is one position, not {icrs.size:,} of them.")
        return float(icrs.ra.deg), float(icrs.dec.deg)
    ra: object
    dec: object
    try:
        ra, dec = where  # type: ignore[misc]
    except (TypeError, ValueError) as error:
        raise BadParameterError(
            "where", f"is a name, a SkyCoord, or a pair of right ascension and declination, not {where!r}."
        ) from error
    return degrees_of(ra, "ra", is_ra=True), degrees_of(dec, "dec")


def degrees_of(angle: object, name: str, *, is_ra: bool = False) -> float:
    """An angle in degrees: a number of them, a quantity, or a text with a unit such as `"2 arcmin"`.

    Parameters
    ----------
    angle : float, Quantity, Angle or str
        What was given.
    name : str
        What it is, for messages.
    is_ra : bool
        Whether a text with colons counts hours.
    """
    if isinstance(angle, str):
        return _read(angle, name, is_ra=is_ra)
    try:
        if hasattr(angle, "to_value"):
            return float(angle.to_value("deg"))
        return float(angle)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:  # a UnitsError is a ValueError
        raise BadParameterError(name, f"is an angle, in degrees if it has no unit, not {angle!r}.") from error


def _read(text: str, name: str, *, is_ra: bool) -> float:
    from astropy.coordinates import Angle
    from astropy.units import UnitsError

    try:
        return float(text)
    except ValueError:
        pass
    try:
        is_hours = is_ra and ":" in text
        return float((Angle(text, unit="hourangle") if is_hours else _angle(text)).to_value("deg"))
    except (ValueError, TypeError, UnitsError) as error:
        raise BadParameterError(name, f"is an angle such as 83.82, 5:35:17.3 or 2 arcmin, not {text!r}.") from error


def _angle(text: str) -> Any:
    from astropy.coordinates import Angle
    from astropy.units import UnitsError

    try:
        return Angle(text)
    except UnitsError:
        return Angle(text, unit="deg")

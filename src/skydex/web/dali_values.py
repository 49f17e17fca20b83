"""Values of parameters that stand for more than a number: regions of the sky, and intervals.

DALI 1.1 (IVOA REC 2017-05-17), section 3.3: circle (3.3.6), polygon (3.3.7) and interval (3.3.4), whose limits may be
infinite; and the POS of SIA 2.0 (IVOA REC 2015-12-23, section 2.1.1) and of SODA 1.0 (IVOA REC 2017-05-17, section
3.3.1), a word and then the numbers of a circle, a range or a polygon. ICRS, degrees.
"""

from __future__ import annotations

import math
import re

from skydex.archive import Interval
from skydex.errors import BadParameterError, BadRegionError
from skydex.sky import Cone, Polygon, Range, Region

__all__ = ["parse_circle", "parse_interval", "parse_numbers", "parse_polygon", "parse_pos"]

_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,4})?|inf(?:inity)?)",
    re.ASCII | re.IGNORECASE,
)
_MOST_NUMBERS = 2000
_SHAPES = "CIRCLE lon lat radius, RANGE lon1 lon2 lat1 lat2, or POLYGON lon1 lat1 lon2 lat2 lon3 lat3 ..."


def parse_circle(name: str, text: str) -> Cone:
    """Read a circle: longitude, latitude and radius.

    Raises
    ------
    BadParameterError
        The value of the parameter `name` is none.
    """
    return _circle(name, parse_numbers(name, text))


def parse_polygon(name: str, text: str) -> Polygon:
    """Read a polygon: longitude and latitude of at least three vertices; the last one is joined to the first.

    Raises
    ------
    BadParameterError
        The value of the parameter `name` is none.
    """
    return _polygon(name, parse_numbers(name, text))


def parse_pos(name: str, text: str) -> Region:
    """Read a shape by its word, in any case, and its numbers.

    Raises
    ------
    BadParameterError
        The value of the parameter `name` is none.
    """
    word, _, rest = text.strip().partition(" ")
    if word.upper() == "CIRCLE":
        return _circle(name, parse_numbers(name, rest))
    if word.upper() == "POLYGON":
        return _polygon(name, parse_numbers(name, rest))
    if word.upper() == "RANGE":
        return _range(name, parse_numbers(name, rest))
    raise BadParameterError(name, f'must be {_SHAPES}, in degrees, not "{_short(text)}".')


def parse_interval(name: str, text: str) -> Interval:
    """Read an interval: two numbers, of which each may be infinite, or a single one.

    Raises
    ------
    BadParameterError
        The value of the parameter `name` is none.
    """
    numbers = parse_numbers(name, text)
    if len(numbers) not in (1, 2):
        raise BadParameterError(name, f'must be an interval, two numbers, not "{_short(text)}".')
    low, high = numbers[0], numbers[-1]
    if low > high:
        raise BadParameterError(name, f"runs backwards: {low:g} is greater than {high:g}.")
    return Interval(low, high)


def _circle(name: str, numbers: list[float]) -> Cone:
    if len(numbers) != 3:
        raise BadParameterError(name, f"must be longitude, latitude and radius, not {_count(numbers)}.")
    ra_deg, dec_deg, radius_deg = _finite(name, numbers)
    try:
        return Cone(ra_deg, dec_deg, radius_deg)
    except BadRegionError as error:
        raise BadParameterError(name, f"is no circle. {error}") from error


def _polygon(name: str, numbers: list[float]) -> Polygon:
    if len(numbers) < 6 or len(numbers) % 2:
        raise BadParameterError(name, f"must be at least three pairs of longitude and latitude, not {_count(numbers)}.")
    finite = _finite(name, numbers)
    try:
        return Polygon(tuple(finite[::2]), tuple(finite[1::2]))
    except BadRegionError as error:
        raise BadParameterError(name, f"is no polygon. {error}") from error


def _range(name: str, numbers: list[float]) -> Range:
    if len(numbers) != 4:
        raise BadParameterError(name, f"must be two longitudes and two latitudes, not {_count(numbers)}.")
    try:
        return Range(*numbers)
    except BadRegionError as error:
        raise BadParameterError(name, f"is no range. {error}") from error


def parse_numbers(name: str, text: str) -> list[float]:
    """Read numbers with blanks or commas between them; each may be infinite."""
    words = text.replace(",", " ").split(None, _MOST_NUMBERS)
    if len(words) > _MOST_NUMBERS:
        raise BadParameterError(name, f"has more than {_MOST_NUMBERS:,} numbers.")
    wrong = next((word for word in words if not _NUMBER.fullmatch(word)), None)
    if wrong is not None or not words:
        raise BadParameterError(name, f'must be numbers with blanks between them, not "{_short(wrong or text)}".')
    return [float(word) for word in words]


def _finite(name: str, numbers: list[float]) -> list[float]:
    if not all(map(math.isfinite, numbers)):
        raise BadParameterError(name, "has an infinite number, which only ranges and intervals may have.")
    return numbers


def _count(numbers: list[float]) -> str:
    return f"{len(numbers)} number{'' if len(numbers) == 1 else 's'}"


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}..."

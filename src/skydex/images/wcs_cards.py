"""`wcs_cards`: which cards of a header the WCS library is given.

Those that a WCS may be made of (FITS 4.0, section 8.2; SIP, TPV, look-up tables, IRAF's TNX and ZPX, the plates of the
Digitized Sky Survey), since it looks at each card several times. It trusts plates and the polynomials of TNX to be
whole: half of one makes it write where it must not, which ends the process. So these are given only where they are.
Axes beyond the sky that are read from tables, and numbers beyond reason, have ended it as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from skydex.images.cards import cards_of, chosen, keyword_of, number_of, written_number

__all__ = ["wcs_cards"]

_OF_WCS = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|(WCSAXES|WCSNAME|LONPOLE|LATPOLE|RADESYS|EQUINOX|SPECSYS|SSYSOBS|VELREF)[A-Z]?"
    r"|(CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA|CNAME|CRDER|CSYER|CZPHS|CPERI)\d[A-Z]?|(CD|PC|PV|PS)\d+_\d+[A-Z]?"
    r"|(CD|PC)\d{6}|RADECSYS|EPOCH|(A|B|AP|BP)_(ORDER|DMAX|\d_\d)|(CPDIS|CQDIS|CPERR|CQERR|DP|DQ)\d[A-Z]?|DVERR[A-Z]?"
    r"|D2IM\w*|AXISCORR|WAT\d_\d+|DATE-?OBS|DATE-(AVG|BEG|END)|MJD-?(OBS|AVG|BEG|END)|MJDREF[IF]?|DATEREF|TIMESYS"
    r"|TREFPOS|OBSGEO-\w+|RESTFR(Q|EQ)[A-Z]?|RESTWAV[A-Z]?|PLT\w+|AMD[XY]\d+|PPO\d|[XY]PIXELSZ|CNPIX\d|OBJCT\w+"
)
_PLATE = re.compile(r"PLT\w+|AMD[XY]\d+|PPO\d|[XY]PIXELSZ|CNPIX\d|OBJCT\w+")
_OF_PLATE = frozenset(
    (
        *("PLTRAH", "PLTRAM", "PLTRAS", "PLTDECD", "PLTDECM", "PLTDECS", "PLTSCALE", "XPIXELSZ", "YPIXELSZ"),
        *("CNPIX1", "CNPIX2", *(f"PPO{i}" for i in range(1, 7))),
        *(f"AMD{axis}{i}" for axis in "XY" for i in range(1, 14)),
    )
)
"""Numbers that a plate has at least."""
_LARGEST_OF_PLATE = 1e9
_LARGEST = 1e30
_BEYOND_PLANE = re.compile(r"(CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA|CNAME)[3-9]|(PV|PS)[3-9]_\d+")
_TABLE = re.compile(rb"CTYPE[3-9]\s*= '....-TAB")
_POLYNOMIAL = re.compile(r"WAT\d_\d+")
_SURFACE = re.compile(r"(?:lng|lat)cor\s*=\s*\"([^\"]*)")
_ORDERS = frozenset(map(float, range(1, 13)))


def wcs_cards(cards: bytes) -> bytes:
    """The cards that a WCS may be made of.

    Raises
    ------
    ValueError
        One of them holds a number beyond reason, which the WCS library may not survive.
    """
    wanted = list(chosen(cards_of(cards), lambda keyword: _OF_WCS.fullmatch(keyword) is not None))
    if any(abs(written_number(card)) > _LARGEST for card in wanted):
        raise ValueError("a number of the WCS is too large")
    if _has_table(wanted):
        wanted = list(chosen(wanted, lambda keyword: _BEYOND_PLANE.fullmatch(keyword) is None))
    if not _has_plate(wanted):
        wanted = list(chosen(wanted, lambda keyword: _PLATE.fullmatch(keyword) is None))
    if not _has_surfaces(wanted):
        wanted = list(chosen(wanted, lambda keyword: _POLYNOMIAL.fullmatch(keyword) is None))
    return b"".join(wanted)


def _has_table(cards: list[bytes]) -> bool:
    """Whether an axis beyond the sky is read from a table, which nobody needs to know the place of a pixel."""
    return any(_TABLE.match(card) for card in cards)


def _has_plate(cards: list[bytes]) -> bool:
    """Whether all numbers of a plate are there, each once, and none beyond reason."""
    numbers = [(keyword, number_of(card)) for card in cards if (keyword := keyword_of(card)) in _OF_PLATE]
    return len(numbers) == len(_OF_PLATE) == len(dict(numbers)) and all(
        number is not None and abs(number) < _LARGEST_OF_PLATE for _, number in numbers
    )


def _has_surfaces(cards: list[bytes]) -> bool:
    """Whether every polynomial surface has as many coefficients as its orders say."""
    return all(map(_is_whole, _surfaces(cards)))


def _surfaces(cards: list[bytes]) -> Iterator[str]:
    texts: dict[str, str] = {}
    for card in cards:
        keyword = keyword_of(card)
        if _POLYNOMIAL.fullmatch(keyword):
            value = card[10:].decode("ascii").strip().partition("'")[2].rpartition("'")[0]
            texts[keyword[:4]] = texts.get(keyword[:4], "") + value.ljust(68)
    for text in texts.values():
        yield from _SURFACE.findall(text)


def _is_whole(surface: str) -> bool:
    """Whether a surface is written as IRAF's `gsurfit` does: kind, orders, cross terms, limits, coefficients."""
    try:
        kind, x_order, y_order, cross, *rest = map(float, surface.split())
    except (ValueError, OverflowError):
        return False
    if kind not in (1, 2, 3) or not {x_order, y_order} <= _ORDERS or cross not in (0, 1, 2):
        return False
    return len(rest) == 4 + _n_coefficients(int(x_order), int(y_order), int(cross))


def _n_coefficients(x_order: int, y_order: int, cross: int) -> int:
    """Terms of a surface: without products, with all of them, or with those below the higher order."""
    if cross == 2:
        return sum(min(x_order, max(x_order, y_order) - j) for j in range(y_order))
    return x_order * y_order if cross else x_order + y_order - 1

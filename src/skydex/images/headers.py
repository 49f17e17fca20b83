"""`facts_of`: what the header of an image says in the words that observatories use, in those of ObsCore.

Keywords as HST, Pan-STARRS, Chandra, SDSS, UKIRT, 2MASS, Spitzer, the DSS and most CCD cameras write them (FITS 4.0,
section 4.4.2 and 9). What a header does not say, or says in a way that cannot be right, is left out. Where the image
lies is the affair of `footprint`.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from skydex.images.passbands import Passband, find_passband, x_ray_band

__all__ = ["facts_of"]

_MJD_OF_ORDINAL = 678_576
_DAY_S = 86_400.0
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d*)?))?.*")
_OLD = re.compile(r"(\d{2})/(\d{2})/(\d{2})")
"""DD/MM/YY, which means the 20th century (FITS 4.0, section 4.4.2.1)."""
_STARTS = ("EXPSTART", "MJD-BEG", "DATE-BEG", "MJD-OBS", "MJD_OBS", "DATE-OBS", "DATE_OBS")
_ENDS = ("EXPEND", "MJD-END", "DATE-END")
_CLOCKS = ("TIME-OBS", "UTC-OBS", "UTSHUT", "UT")
_EXPOSURES = ("EXPTIME", "EXPOSURE", "TEXPTIME", "ITIME", "ONTIME")
_TARGETS = ("TARGNAME", "OBJECT", "TARGET")
_PROPOSALS = ("PROPOSID", "PROP-ID", "PROPID", "PROGID", "PROGRAM")
_COUNTS = ("NCOMBINE", "NDRIZIM", "NINPUTS", "NCOADD", "NUMFRMS")
_FILTERS = ("FILTER", "FILTER1", "FILTER2", "FILTNAM1", "FPA.FILTERID", "FILTNAME", "FILTERS", "BAND", "SURVEY")
_NO_FILTER = re.compile(r"CLEAR.*|N/A|NONE|OPEN|BLANK|PLEXI|UNKNOWN|0|", re.IGNORECASE)
_X_RAYS_KEV = {"ACIS": (0.5, 7.0), "HRC": (0.1, 10.0)}
_X_RAY_BANDS_KEV = {"ultrasoft": (0.2, 0.5), "soft": (0.5, 1.2), "medium": (1.2, 2.0), "hard": (2.0, 7.0)}
"""Of the Chandra Source Catalog (Evans et al. 2010, ApJS 189, 37, table 3)."""
_UCDS = (
    (re.compile(r"JY/BEAM|MJY/SR|JY/ARCSEC.*"), "phot.flux.density.sb"),
    (re.compile(r"(N|U|M)?JY|.*ERG.*|NANOMAGG(Y|IES)"), "phot.flux.density"),
    (re.compile(r"MAG.*"), "phot.mag"),
    (re.compile(r".*(ELECTRON|COUNT|DN|ADU|DATA NUMBER|CPS|E-).*"), "phot.count"),
)

Header = Mapping[str, Any]


def facts_of(header: Mapping[str, Any]) -> dict[str, Any]:
    """What a header says of an image, by columns of ObsCore and of tables of images; what it does not say is left out.

    Times are MJD in the scale of the header; wavelengths are those of the filter, in vacuum.

    Parameters
    ----------
    header : Header or mapping
        Values by keyword.
    """
    facts: dict[str, Any] = {}
    for read in _READERS:
        facts |= {name: value for name, value in read(header) if value is not None}
    return facts


def _who(header: Header) -> Iterator[tuple[str, Any]]:
    """Telescope, instrument, target, proposal."""
    telescope, instrument = _text(header, "TELESCOP"), _text(header, "INSTRUME")
    detector = _text(header, "DETECTOR")
    yield "facility_name", telescope
    yield (
        "instrument_name",
        f"{instrument}/{detector}" if telescope == "HST" and instrument and detector else instrument,
    )
    yield "detector", detector
    yield "target_name", _first(header, _TARGETS, _text)
    yield "proposal_id", _first(header, _PROPOSALS, _word)
    yield "obs_title", _text(header, "TITLE")


def _when(header: Header) -> Iterator[tuple[str, Any]]:
    """Start, end and exposure."""
    exposure = _exposure(header)
    start, end = _first(header, _STARTS, _moment), _first(header, _ENDS, _moment)
    if start is not None and (end is None or end < start):
        end = start + (exposure or 0.0) / _DAY_S
    yield "t_exptime", exposure
    yield "t_min", start
    yield "t_max", end if start is not None else None


def _colour(header: Header) -> Iterator[tuple[str, Any]]:
    """Filter and wavelengths."""
    words = [word for key in _FILTERS if (word := _text(header, key)) and not _NO_FILTER.fullmatch(word)]
    systems = tuple(_systems(header))
    known = ((word, found) for word in words if (found := find_passband(word, *systems)) is not None)
    word, passband = next(known, (words[0] if words else None, None))
    passband = passband or _other_band(header)
    yield "filter", word
    if passband is not None:
        yield "em_min", passband.shortest_m
        yield "em_max", passband.longest_m
        yield "em_res_power", passband.resolving_power


def _pixels(header: Header) -> Iterator[tuple[str, Any]]:
    """Size and kind of the pixels, and how many exposures went into them."""
    yield "s_xel1", _whole(header, "NAXIS1")
    yield "s_xel2", _whole(header, "NAXIS2")
    yield "bitpix", _whole(header, "BITPIX")
    unit = _text(header, "BUNIT")
    yield "bunit", unit
    yield "o_ucd", next((ucd for pattern, ucd in _UCDS if unit and pattern.fullmatch(unit.upper())), None)
    n_exposures = max((n for key in _COUNTS if (n := _whole(header, key))), default=None)
    yield "n_exposures", n_exposures
    if n_exposures is not None and n_exposures > 1:
        yield "calib_level", 3


def _wcs(header: Header) -> Iterator[tuple[str, Any]]:
    """The linear part of its WCS, as the header writes it; CDELT, PC and CROTA become a matrix CD (paper II, 6)."""
    for key in ("CTYPE1", "CTYPE2"):
        yield key.lower(), _text(header, key)
    for key in ("CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2"):
        yield key.lower(), _number(header, key)
    yield from zip(("cd1_1", "cd1_2", "cd2_1", "cd2_2"), _matrix(header), strict=False)


_READERS: tuple[Callable[[Header], Iterator[tuple[str, Any]]], ...] = (_who, _when, _colour, _pixels, _wcs)


def _matrix(header: Header) -> tuple[float, ...]:
    """Elements of CD, row by row; none if the header has no scale."""
    cd = [_number(header, f"CD{i}_{j}") for i in (1, 2) for j in (1, 2)]
    if any(cd):
        return tuple(value or 0.0 for value in cd)
    across, up = _number(header, "CDELT1"), _number(header, "CDELT2")
    if across is None or up is None:
        return ()
    turn = math.radians(_number(header, "CROTA2") or 0.0)
    pc = [_number(header, f"PC{i}_{j}") for i in (1, 2) for j in (1, 2)]
    if any(value is not None for value in pc):
        one = (1.0, 0.0, 0.0, 1.0)
        pc_1_1, pc_1_2, pc_2_1, pc_2_2 = (b if a is None else a for a, b in zip(pc, one, strict=True))
        return across * pc_1_1, across * pc_1_2, up * pc_2_1, up * pc_2_2
    return across * math.cos(turn), -up * math.sin(turn), across * math.sin(turn), up * math.cos(turn)


def _exposure(header: Header) -> float | None:
    keys = ("EXPOSURE", *_EXPOSURES) if _text(header, "TELESCOP") == "CHANDRA" else _EXPOSURES
    exposure: float | None = _first(header, keys, _number)
    if exposure is None or exposure <= 0:
        return None
    is_plate = "PLTLABEL" in header or "PLATEID" in header  # the DSS gives minutes
    return exposure * 60 if is_plate else exposure


def _systems(header: Header) -> Iterator[str]:
    """Systems of filters that an image may be taken in, the likeliest first."""
    said = " ".join(
        filter(None, (_text(header, key) for key in ("TELESCOP", "INSTRUME", "DETECTOR", "ORIGIN")))
    ).upper()
    whole = f"{said} {_text(header, 'SURVEY') or ''} {_text(header, 'FILTER') or ''}".upper()
    if "FPA.FILTERID" in header or "PS1" in said:
        yield "PS1"
    for word, system in (
        ("ACS", "ACS"), ("UVIS", "UVIS"), ("WFPC2", "WFPC2"), ("NICMOS", "NICMOS"), ("NIRCAM", "NIRCAM"),
        ("NIRISS", "NIRISS"), ("MIRI", "MIRI"), ("UKIRT", "UKIRT"), ("WFCAM", "UKIRT"), ("SDSS", "SDSS"),
        ("2MASS", "2MASS"), ("SCHMIDT", "DSS"),
    ):  # fmt: skip
        if word in whole:
            yield system
    if "WFC3" in said and "UVIS" not in said:
        yield "IR"
    yield from ("JOHNSON", "SDSS")


def _other_band(header: Header) -> Passband | None:
    """Bands that are not those of a filter: energies, and channels of a camera."""
    instrument = (_text(header, "INSTRUME") or "").upper()
    if instrument == "IRAC" and (channel := _whole(header, "CHNLNUM")):
        return find_passband(str(channel), "IRAC")
    kev = _X_RAY_BANDS_KEV.get((_text(header, "BAND") or "").lower()) or _X_RAYS_KEV.get(instrument)
    return x_ray_band(*kev) if kev else None


def _moment(header: Header, key: str) -> float | None:
    """A time, MJD, from a number or a date; dates without a time of day take it from another card."""
    value = _value(header, key)
    if isinstance(value, str):
        found = _ISO.fullmatch(value.strip())
        if found:
            clock = found[4] or (_first(header, _CLOCKS, _text) if key.endswith("OBS") else None)
            return _mjd(int(found[1]), int(found[2]), int(found[3]), clock)
        old = _OLD.fullmatch(value.strip())
        return _mjd(1900 + int(old[3]), int(old[2]), int(old[1]), _first(header, _CLOCKS, _text)) if old else None
    moment = _number(header, key)
    return moment if moment is not None and 0 < moment < 1e5 else None


def _mjd(year: int, month: int, day: int, clock: str | None) -> float | None:
    try:
        whole = datetime.date(year, month, day).toordinal() - _MJD_OF_ORDINAL
    except ValueError:
        return None
    try:
        hours, minutes, seconds = map(float, (clock or "0:0:0").split(":"))
    except ValueError:
        return float(whole)
    return whole + (hours * 3600 + minutes * 60 + seconds) / _DAY_S


def _first(header: Header, keys: tuple[str, ...], read: Callable[[Header, str], Any]) -> Any:
    return next((value for key in keys if (value := read(header, key)) is not None), None)


def _text(header: Header, key: str) -> str | None:
    """A text that says something."""
    value = _value(header, key)
    return " ".join(value.split()) or None if isinstance(value, str) else None


def _word(header: Header, key: str) -> str | None:
    """A text, or a whole number as one."""
    value = _value(header, key)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(header, key)


def _number(header: Header, key: str) -> float | None:
    """A finite number; some write them as texts."""
    value = _value(header, key)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _whole(header: Header, key: str) -> int | None:
    number = _number(header, key)
    return int(number) if number is not None and abs(number) < 2**31 else None


def _value(header: Header, key: str) -> Any:
    """The value of a card; none if it is damaged."""
    try:
        return header.get(key)
    except Exception:  # astropy raises what it likes over damaged cards
        return None

"""The PSF databases of Hubble: which service has a detector, how its filters and its data URIs are written.

What `mast_api_psf.py` (spacetelescope/hst_notebooks) does with its `set_min_max`, `set_filters`, `make_dataURIs` and
`convert_dataURIs_to_dataURLs` is here `between`, `filters`, `data_uris` and `data_urls`; the URIs are the same, byte
for byte. Nothing is asked here. Filters: MAST API, https://mast.stsci.edu/api/v0/_services.html, "Filtered" services.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skydex.client.conditions import All, Comparison, Condition
from skydex.client.conditions import Any as AnyOf
from skydex.errors import BadParameterError, NotOfferedError

__all__ = [
    "DATA_URLS",
    "DETECTORS",
    "STAMP_COLUMNS",
    "between",
    "data_uris",
    "data_urls",
    "detector_of",
    "file_name_of",
    "filters",
    "filters_of",
    "service_of",
    "stamp_columns",
    "suffixes_of",
]

DATA_URLS = "https://archive.stsci.edu/cgi-bin/hla/"
"""Where MAST keeps the fitscut.cgi of the exposures."""
_SERVICES = {
    "UVIS": "Mast.Catalogs.Filtered.Wfc3Psf.Uvis",
    "IR": "Mast.Catalogs.Filtered.Wfc3Psf.Ir",
    "WFPC2": "Mast.Catalogs.Filtered.Wfpc2Psf.Uvis",
}
"""That of WFPC2 is called so although it has no UVIS."""
DETECTORS = tuple(_SERVICES)
"""Those with a database."""
STAMP_COLUMNS = ("id", "rootname", "filter", "x_cal", "y_cal", "x_raw", "y_raw", "chip", "qfit", "subarray")
"""What a data URI is made of; of WFPC2 the filter is `filter_1`."""
_SUFFIXES = {"UVIS": ("flt", "flc", "raw"), "IR": ("flt", "raw"), "WFPC2": ("c0m", "d0m")}
"""Kinds of files that a detector has, calibrated ones first."""
_RAW = ("raw", "d0m")
_DATA_URI = re.compile(r"mast:[A-Za-z0-9_-]+/url/cgi-bin/(fitscut\.cgi\?[^/]*)/([^/]+)", re.ASCII)


def between(low: float, high: float) -> list[dict[str, float]]:
    """A range as MAST's filters have it, with both ends in it.

    Examples
    --------
    >>> between(100, 102)
    [{'min': 100, 'max': 102}]
    """
    return [{"min": low, "max": high}]


def filters(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Filters by the names of columns: for each a list of values, or a range.

    Parameters
    ----------
    parameters : mapping
        For a column one value, a list of values of which any is enough, or what `between` gives.

    Examples
    --------
    >>> filters({"chip": "2", "psf_x_center": between(100, 102)})
    [{'paramName': 'chip', 'values': ['2']}, {'paramName': 'psf_x_center', 'values': [{'min': 100, 'max': 102}]}]
    """
    return [{"paramName": name, "values": _listed(values)} for name, values in parameters.items()]


def filters_of(condition: Condition | None) -> list[dict[str, Any]]:
    """Conditions as filters, which all hold; one filter allows several values, or one range.

    Raises
    ------
    NotOfferedError
        It needs NOT, nulls, or OR between columns, which filters cannot say.
    """
    if condition is None:
        return []
    if isinstance(condition, All):
        return [one for part in condition.conditions for one in filters_of(part)]
    if isinstance(condition, AnyOf):
        parts = [one for part in condition.conditions for one in filters_of(part)]
        is_one = len({part["paramName"].lower() for part in parts}) == 1 and len(parts) == len(condition.conditions)
        if is_one and not any("freeText" in part for part in parts):
            values = [value for part in parts for value in part["values"]]
            return [{"paramName": parts[0]["paramName"], "values": values}]
    if isinstance(condition, Comparison):
        return [{"paramName": condition.column, **_values(condition)}]
    raise _unsaid("OR between columns, and no NOT")


def detector_of(word: str) -> str:
    """The detector that is meant, as MAST writes it: `UVIS`, `IR` or `WFPC2`.

    Raises
    ------
    BadParameterError
        There is no database of it.
    """
    if word.strip().upper() not in _SERVICES:
        raise BadParameterError("detector", f'must be one of {", ".join(DETECTORS)}, not "{word[:40]}".')
    return word.strip().upper()


def service_of(detector: str) -> str:
    """The service of MAST's invoke that has the stars of a detector."""
    return _SERVICES[detector_of(detector)]


def suffixes_of(detector: str) -> tuple[str, ...]:
    """Kinds of files that a detector has, calibrated ones first.

    `flt` and `c0m` are calibrated, `flc` is corrected for charge transfer as well, `raw` and `d0m` are raw.
    """
    return _SUFFIXES[detector_of(detector)]


def stamp_columns(detector: str, columns: Sequence[str] = ()) -> tuple[str, ...]:
    """The columns to ask for: those that stamps need, and those that are wanted besides, as the database calls them."""
    spelled: dict[str, str] = {}
    for name in (*STAMP_COLUMNS, *columns):
        known = _named(name, detector_of(detector))
        spelled.setdefault(known.lower(), known)
    return ("*",) if "*" in spelled else tuple(spelled.values())


def data_uris(
    stars: Iterable[Mapping[str, Any]],
    detector: str,
    suffixes: Sequence[str] = (),
    *,
    unsaturated_size: int = 51,
    saturated_size: int = 101,
) -> list[str]:
    """Data URIs of the stamps of stars, in their order, and for each star in the order of the suffixes.

    Parameters
    ----------
    stars : iterable of mappings
        Rows with the columns of `STAMP_COLUMNS`: of a table, or dictionaries.
    detector : str
        `UVIS`, `IR` or `WFPC2`.
    suffixes : sequence of str
        Kinds of files, of those in `suffixes_of(detector)`; by default the calibrated one.
    unsaturated_size, saturated_size : int
        Side of a stamp in pixels; stars with a `qfit` of 0 are saturated.

    Raises
    ------
    BadParameterError
        The detector has no such files.
    """
    detector = detector_of(detector)
    kinds = _kinds(detector, suffixes)
    sizes = (saturated_size, unsaturated_size)
    return [_data_uri(star, detector, kind, sizes[float(_bare(star["qfit"])) > 0]) for star in stars for kind in kinds]


def data_urls(uris: Iterable[str], base: str = DATA_URLS) -> list[str]:
    """Addresses at which the same stamps can be had without MAST's download service, as `fits.getdata` takes them.

    Parameters
    ----------
    uris : iterable of str
        Data URIs of stamps.
    base : str
        What stands before `fitscut.cgi`, with its last slash.

    Raises
    ------
    BadParameterError
        One of them is no data URI of a cutout.
    """
    return [f"{base}{cut}&imagename={name}" for cut, name in map(_parts, uris)]


def file_name_of(uri: str) -> str:
    """What the file of a data URI is called.

    Raises
    ------
    BadParameterError
        It is no data URI of a cutout.
    """
    return _parts(uri)[1]


def _listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else [values]


def _values(comparison: Comparison) -> dict[str, Any]:
    """What a filter says of its column."""
    values = comparison.values
    match comparison.operator:
        case "=" | "in":
            return {"values": [str(int(value)) if isinstance(value, bool) else value for value in values]}
        case "between":
            return {"values": between(*map(_number, values))}
        case ">=":
            return {"values": [{"min": _number(values[0])}]}
        case "<=":
            return {"values": [{"max": _number(values[0])}]}
        case ">":
            return {"values": [{"min": math.nextafter(_number(values[0]), math.inf)}]}
        case "<":
            return {"values": [{"max": math.nextafter(_number(values[0]), -math.inf)}]}
        case "like":
            return {"values": [], "freeText": values[0]}
    raise _unsaid(comparison.operator.upper())


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadParameterError("filters", f"have ranges of numbers, not of {value!r}.")
    return value


def _unsaid(what: str) -> NotOfferedError:
    hint = "Ask for more, and choose among the rows that come."
    return NotOfferedError(f"{what} in its filters", "This database", (), hint=hint)


def _named(name: str, detector: str) -> str:
    return "filter_1" if detector == "WFPC2" and name.strip().lower() == "filter" else name.strip()


def _kinds(detector: str, suffixes: Sequence[str]) -> tuple[str, ...]:
    known = _SUFFIXES[detector]
    wanted = (suffixes,) if isinstance(suffixes, str) else tuple(suffixes) or known[:1]
    if not set(wanted) <= set(known):
        wrong = next(word for word in wanted if word not in known)
        raise BadParameterError("suffix", f'must be one of {", ".join(known)} for {detector}, not "{wrong}".')
    return wanted


def _data_uri(star: Mapping[str, Any], detector: str, kind: str, size: int) -> str:
    root, way = star["rootname"], "raw" if kind in _RAW else "cal"
    x, y = (_bare(star[f"{axis}_{way}"]) for axis in "xy")
    cut = f"red={root}_{kind}[{_extension(star, detector)}]&size={size}&x={x}&y={y}"
    name = f"{root}_{star['id']}_{star[_named('filter', detector)]}_{kind}_cutout.fits"
    collection = "WFPC2PSF" if detector == "WFPC2" else "WFC3PSF"
    return f"mast:{collection}/url/cgi-bin/fitscut.cgi?{cut}&format=fits/{name}"


def _extension(star: Mapping[str, Any], detector: str) -> object:
    """Number of the extension: of a full frame of UVIS chip 1 comes after chip 2 with its errors and its flags."""
    if detector != "UVIS":
        return star["chip"]
    return 4 if str(star["chip"]) == "1" and int(star["subarray"]) == 0 else 1


def _bare(value: Any) -> Any:
    """A value without its unit."""
    return getattr(value, "value", value)


def _parts(uri: str) -> tuple[str, str]:
    found = _DATA_URI.fullmatch(uri)
    if found is None:
        raise BadParameterError("uri", f"must be the data URI of a cutout, not {uri[:80]!r}.")
    return found[1], found[2]

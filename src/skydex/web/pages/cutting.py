"""Cutouts on pages: what a form asks for, in the words of fitscut, and as data URIs that bundles take.

The form's names are those of `/images`; the picture is `/cgi-bin/fitscut.cgi` with the words that stand here.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np

from skydex.archive.parameters import Parameters
from skydex.errors import BadParameterError

__all__ = ["STRETCHES", "cutout_uri", "file_uri", "look_facts", "look_words", "northward"]

STRETCHES = ("asinh", "linear", "log", "sqrt", "histeq")
"""As fitscut calls them."""
PALETTES = ("gray", "heat", "cool", "viridis", "inferno", "magma")
_ZOOMS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0)
_LARGEST = 2048
_PLAIN = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9._+-]{0,140}", re.ASCII)
_COLLECTION = re.compile(r"[A-Za-z0-9_-]{1,30}", re.ASCII)


def look_facts(parameters: Parameters) -> dict[str, Any]:
    """How a picture is to look.

    Raises
    ------
    BadParameterError
        A value makes no sense.
    """
    return {
        "size": _whole(parameters, "size", least=4, most=_LARGEST, default=256),
        "stretch": parameters.choose("stretch", STRETCHES),
        "low": _number(parameters, "low", least=0.0, most=100.0, default=0.5),
        "high": _number(parameters, "high", least=0.0, most=100.0, default=99.75),
        "black": _level(parameters, "black"),
        "white": _level(parameters, "white"),
        "palette": parameters.choose("palette", PALETTES),
        "invert": parameters.find("invert") == "1",
        "north": parameters.find("north") == "1",
        "compass": parameters.find("compass") == "1",
        "zoom": _number(parameters, "zoom", least=_ZOOMS[0], most=_ZOOMS[-1], default=1.0),
        "stretches": STRETCHES,
        "palettes": PALETTES,
        "zooms": _ZOOMS,
    }


def look_words(look: Mapping[str, Any]) -> dict[str, Any]:
    """The same in the words of fitscut."""
    words: dict[str, Any] = {"size": look["size"], "autoscale": f"{look['low']:g},{look['high']:g}"}
    words[look["stretch"]] = 1
    words |= {name: f"{look[key]:g}" for name, key in (("min", "black"), ("max", "white")) if look[key] is not None}
    words |= {"palette": look["palette"]} if look["palette"] != PALETTES[0] else {}
    words |= {name: 1 for name in ("invert", "compass") if look[name]}
    return words | ({"zoom": f"{look['zoom']:g}"} if look["zoom"] != 1.0 else {})


def cutout_uri(collection: str, name: str, words: Mapping[str, Any], *, file_name: str | None = None) -> str | None:
    """The data URI of a cutout as FITS; None where there is none for such a name."""
    stem = name.rpartition("/")[2].removesuffix(".fits")
    if not _COLLECTION.fullmatch(collection) or not _PLAIN.fullmatch(file_name or stem):
        return None
    asked = urlencode({**words, "format": "fits"}, safe="[],/", quote_via=quote)
    return f"mast:{collection}/url/cgi-bin/fitscut.cgi?{asked}/{file_name or f'{stem}_cutout.fits'}"


def file_uri(collection: str, name: str) -> str | None:
    """The data URI of the whole file of an image; None where there is none for such a name."""
    file_name = name if name.endswith((".fits", ".fits.gz", ".fits.fz", ".fits.bz2")) else f"{name}.fits"
    if not _COLLECTION.fullmatch(collection) or not _PLAIN.fullmatch(file_name):
        return None
    return f"mast:{collection}/product/{file_name}"


def northward(cutout: bytes) -> tuple[float, bool] | None:
    """How the picture of a cutout must be turned to have north up and east to the left.

    Parameters
    ----------
    cutout : bytes
        As FITS.

    Returns
    -------
    (float, bool) or None
        Degrees, clockwise, once it is mirrored, left to right, if it must be; None where it knows nothing of the sky.
    """
    from astropy.io import fits
    from astropy.wcs import WCS

    header = fits.Header.fromstring(cutout)
    x, y = header["NAXIS1"] / 2, header["NAXIS2"] / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wcs = WCS(header)
        ra, dec = wcs.all_pix2world([x, x + 1, x], [y, y, y + 1], 1) if wcs.has_celestial else (np.full(3, np.nan),) * 2
    if not np.isfinite(ra).all():
        return None
    east = ((ra - ra[0] + 180.0) % 360.0 - 180.0) * np.cos(np.radians(dec[0]))
    right, up = (-east[1], dec[1] - dec[0]), (-east[2], dec[2] - dec[0])
    return math.degrees(math.atan2(up[0], up[1])), bool(right[0] * up[1] - right[1] * up[0] < 0)


def _number(parameters: Parameters, name: str, *, least: float, most: float, default: float) -> float:
    return default if parameters.find(name) is None else parameters.get_number(name, least=least, most=most)


def _whole(parameters: Parameters, name: str, *, least: int, most: int, default: int) -> int:
    value = parameters.find_integer(name)
    if value is not None and not least <= value <= most:
        raise BadParameterError(name, f"must be from {least} to {most} pixels.")
    return default if value is None else value


def _level(parameters: Parameters, name: str) -> float | None:
    largest = 1e30
    if parameters.find(name) is None:
        return None
    value = parameters.get_number(name, least=-largest, most=largest)
    return value if math.isfinite(value) else None

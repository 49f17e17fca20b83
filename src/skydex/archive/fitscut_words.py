"""Words of fitscut.cgi: what they ask for, wherever they stand: in a request, in a data URI, or in a call in Python.

The interface of the Hubble Legacy Archive (https://hla.stsci.edu/fitscutcgi_interface.html) and of Pan-STARRS
(https://ps1images.stsci.edu/cgi-bin/fitscut.cgi): names and values of parameters without regard to case, but for names
of images; unknown parameters are ignored. What a cutout is, is the affair of `CutoutRequest`; this module says what the
words mean, and which of them are taken when none are given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from skydex.archive.cutout_request import CutoutRequest, ImageName, PixelPlace, SkyPlace
from skydex.archive.parameters import NUMBER, Parameters
from skydex.errors import BadParameterError, UnsupportedFormatError
from skydex.images import Look, Scale, Stretch

__all__ = ["cutout_request", "is_wanted"]

_FORMATS = {"jpeg": "jpeg", "jpg": "jpeg", "png": "png", "fits": "fits", "fit": "fits"}
_TRUE, _FALSE = ("1", "yes", "true", "t", "y", "on"), ("0", "no", "false", "f", "n", "off")
_BANDS = ("red", "green", "blue")
_NAME = re.compile(r"([^\[\]]+)(?:\[([^\[\]]*)\])?", re.ASCII)
_LONGEST_NAME = 1000
_MOST_SIDE = 10_000_000
"""Pixels along a side, beyond any image; how many there may be altogether is the archive's affair."""
_PAN_STARRS = re.compile(r"(.*/)?rings\.v\d", re.IGNORECASE)


@dataclass(frozen=True)
class _Defaults:
    """What is taken for parameters that are not given."""

    size: int
    percent: float
    stretch: Stretch


_HLA = _Defaults(256, 99.5, Stretch.LINEAR)
_PS1 = _Defaults(240, 99.75, Stretch.ASINH)
_CONFIGURATIONS = {"hla": _HLA, "ps1": _PS1, "panstarrs": _PS1}
_STRETCHES = {
    "asinh": Stretch.ASINH,
    "log": Stretch.LOG,
    "sqrt": Stretch.SQRT,
    "histeq": Stretch.EQUALIZED,
    "lupton": Stretch.LUPTON,
}


def cutout_request(parameters: Parameters, owner: str | None) -> CutoutRequest:
    """What parameters of fitscut.cgi ask for.

    Parameters
    ----------
    parameters : Parameters
        As they were sent.
    owner : str, optional
        Who asks; None for anybody.

    Raises
    ------
    BadParameterError, UnsupportedFormatError
        One of them is missing or makes no sense.
    """
    names = tuple(_name(parameters, band) for band in _BANDS)
    first = next((name for name in names if name is not None), None)
    if first is None:
        raise BadParameterError("red", "is missing: it names an image, as in red=hst_10543_29_acs_wfc_f606w.")
    defaults = _defaults(parameters, first)
    return CutoutRequest(
        bands=names if sum(name is not None for name in names) > 1 else (first,),
        centre=_centre(parameters),
        size=_size(parameters, defaults),
        look=_look(parameters, defaults),
        format=_format(parameters),
        file_name=_file_name(parameters),
        quality=parameters.find("qext"),
        is_aligned=is_wanted(parameters, "align", default=False),
        is_caseless=is_wanted(parameters, "caseless", default=False),
        owner=owner,
    )


def is_wanted(parameters: Parameters, name: str, *, default: bool) -> bool:
    """Whether something is wanted; what is neither yes nor no is a yes, if it is anything."""
    word = parameters.find(name)
    return default if word is None else word.strip().lower() not in (*_FALSE, "")


def _name(parameters: Parameters, band: str) -> ImageName | None:
    """Name and extension: `ibc302ioq_flt[1]`, `[SCI]`, `[SCI,2]`."""
    text = parameters.find(band)
    if text is None or not text.strip():
        return None
    found = _NAME.fullmatch(text.strip()) if len(text) <= _LONGEST_NAME else None
    if found is None:
        raise BadParameterError(band, "must be the name of an image, if need be with an extension, as in name[1].")
    return ImageName(found[1], found[2] or None)


def _defaults(parameters: Parameters, name: ImageName) -> _Defaults:
    word = (parameters.find("config") or "").strip().lower()
    return _CONFIGURATIONS.get(word) or (_PS1 if _PAN_STARRS.match(name.name) else _HLA)


def _centre(parameters: Parameters) -> SkyPlace | PixelPlace | None:
    """`ra` and `dec`, or `x` and `y`, which are degrees if `wcs` says so."""
    is_sky = is_wanted(parameters, "wcs", default=False)
    for x, y, is_position in (("ra", "dec", True), ("x", "y", is_sky)):
        at_x, at_y = _number(parameters, x), _number(parameters, y)
        if at_x is None and at_y is None:
            continue
        if at_x is None or at_y is None:
            raise BadParameterError(x if at_x is None else y, "is missing: a place needs both coordinates.")
        return _position(at_x, at_y) if is_position else PixelPlace(at_x, at_y)
    return None


def _position(ra_deg: float, dec_deg: float) -> SkyPlace:
    if not -360.0 <= ra_deg <= 720.0:
        raise BadParameterError("ra", "must be degrees from 0 to 360.")
    if not -90.0 <= dec_deg <= 90.0:
        raise BadParameterError("dec", "must be degrees from -90 to 90.")
    return SkyPlace(ra_deg % 360.0, dec_deg)


def _size(parameters: Parameters, defaults: _Defaults) -> tuple[int, int] | None:
    """`N`, `N,M`, or `ALL`."""
    text = (parameters.find("size") or str(defaults.size)).strip()
    if text.lower() == "all":
        return None
    sides = [_number_in(word, "size") for word in text.split(",", 2)]
    if len(sides) > 2 or not all(1 <= side <= _MOST_SIDE for side in sides):
        raise BadParameterError("size", "must be a number of pixels, two of them (columns, rows), or ALL.")
    columns, rows = int(sides[0]), int(sides[-1])
    return columns, rows


def _look(parameters: Parameters, defaults: _Defaults) -> Look:
    percent = _percent(parameters, defaults)
    low, high = _levels(parameters, "min"), _levels(parameters, "max")
    scale = Scale.ZSCALE if is_wanted(parameters, "zscale", default=False) else Scale.PERCENTILES
    output_size = _number(parameters, "output_size")
    return Look(
        stretch=_stretch(parameters, defaults),
        scale=Scale.MINMAX if percent == (0.0, 100.0) and scale is Scale.PERCENTILES else scale,
        percent=percent,
        low=low,
        high=high,
        palette=_palette(parameters),
        is_inverted=is_wanted(parameters, "invert", default=False),
        zoom=_number(parameters, "zoom") or 1.0,
        output_size=None if output_size is None else int(min(max(output_size, 0.0), _MOST_SIDE)),
        has_marker=is_wanted(parameters, "marker", default=False),
        has_compass=is_wanted(parameters, "compass", default=False),
        quality=_quality(parameters),
    )


def _stretch(parameters: Parameters, defaults: _Defaults) -> Stretch:
    """The first that is asked for; what is refused in so many words (`asinh=0`) is not taken either."""
    asked = next((word for word in _STRETCHES if is_wanted(parameters, word, default=False)), None)
    if asked is not None:
        return _STRETCHES[asked]
    is_refused = parameters.find(defaults.stretch.value) is not None or is_wanted(parameters, "linear", default=False)
    return Stretch.LINEAR if is_refused else defaults.stretch


def _percent(parameters: Parameters, defaults: _Defaults) -> tuple[float, float]:
    """`autoscale`, one share of the histogram or a lower and an upper bound; and `autoscalemin`, `autoscalemax`."""
    text = parameters.find("autoscale")
    shares = [defaults.percent] if text is None else [_number_in(word, "autoscale") for word in text.split(",", 2)]
    if len(shares) > 2 or not all(0.0 <= share <= 100.0 for share in shares):
        raise BadParameterError("autoscale", "must be a percentage of the histogram, as 99.5, or two, as 0.5,99.5.")
    low, high = (100.0 - shares[0], shares[0]) if len(shares) == 1 else (shares[0], shares[1])
    if len(shares) == 1 and low > high:
        low, high = high, low
    least, most = _number(parameters, "autoscalemin"), _number(parameters, "autoscalemax")
    return low if least is None else least, high if most is None else most


def _levels(parameters: Parameters, name: str) -> tuple[float, ...]:
    """Levels of black or white, for all bands or for each."""
    text = parameters.find(name)
    return () if text is None else tuple(_number_in(word, name) for word in text.split(",", len(_BANDS) - 1))


def _palette(parameters: Parameters) -> str:
    word = (parameters.find("palette") or "gray").strip().lower()
    return "gray" if word == "grey" else word


def _quality(parameters: Parameters) -> int:
    number = _number(parameters, "jquality")
    return 75 if number is None else int(min(max(number, 1.0), 95.0))


def _format(parameters: Parameters) -> str:
    word = (parameters.find("format") or "jpeg").strip().lower()
    if word.removeprefix("image/") not in _FORMATS:
        raise UnsupportedFormatError(word[:100], ["jpeg", "png", "fits"])
    return _FORMATS[word.removeprefix("image/")]


def _file_name(parameters: Parameters) -> str:
    """`imagename`, or `download` if it is more than a yes."""
    name = parameters.find("imagename", "filename")
    if name is None:
        word = (parameters.find("download") or "").strip()
        return "" if word.lower() in _TRUE + _FALSE else word
    return name


def _number(parameters: Parameters, name: str) -> float | None:
    text = parameters.find(name)
    return None if text is None else _number_in(text, name)


_UNITS = {"ra": " of degrees", "dec": " of degrees", "size": " of pixels"}


def _number_in(text: str, name: str) -> float:
    if not NUMBER.fullmatch(text.strip()):
        raise BadParameterError(name, f'must be a number{_UNITS.get(name, "")}, not "{text[:80]}".')
    return float(text)

"""Pictures by name: what fitscut.cgi and ps1filenames.py are asked, and what the latter answers.

The interfaces of the Hubble Legacy Archive (https://hla.stsci.edu/fitscutcgi_interface.html) and of Pan-STARRS
(https://ps1images.stsci.edu/cgi-bin/fitscut.cgi, ps1filenames.py), which every skydex server has as well. Nothing is
asked here: these are the addresses, for whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import pyarrow as pa

from skydex.client.orders import CutoutOrder
from skydex.errors import BadAnswerError, BadParameterError, UnsupportedFormatError, near_names
from skydex.tables import Column, Datatype, Result, arrow_schema

__all__ = [
    "CUTOUT_FORMS",
    "SkycellFile",
    "colour_of",
    "cutout_address",
    "cutout_name",
    "fitscut_words",
    "image_rows",
    "images_query",
    "read_skycell_files",
    "skycell_address",
]

CUTOUT_FORMS = ("fits", "jpeg", "png")
"""What a cutout can be."""

_BANDS = ("red", "green", "blue")
_LOOKS = (
    *("asinh", "log", "sqrt", "linear", "histeq", "lupton", "zscale", "autoscale", "autoscalemin", "autoscalemax"),
    *("min", "max", "zoom", "output_size", "palette", "invert", "invert_bsoften", "marker", "compass", "align", "wcs"),
    *("config", "qext", "jquality", "badflag", "badpix", "rescale", "caption", "download", "filename", "imagename"),
)
"""The words of fitscut.cgi, which says nothing of others and leaves them out."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_ENDINGS = {"fits": ".fits", "jpeg": ".jpg", "png": ".png"}
_IMAGE_COLUMNS = (
    Column("image", Datatype.CHAR, "200*", ucd="meta.id", description="Name of the image, as cutouts take it"),
    Column("band", Datatype.CHAR, "20*", ucd="instr.bandpass", description="Filter"),
    Column("kind", Datatype.CHAR, "20*", description="stack: of all epochs; warp: of one of them"),
    Column("mjd", Datatype.DOUBLE, unit="d", ucd="time.epoch", description="Time of a warp"),
    Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra", description="Place that was asked for, ICRS"),
    Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec", description="Place that was asked for, ICRS"),
)
_OBSCORE = """
    SELECT obs_id AS image, obs_collection, instrument_name, t_min, t_exptime, em_min, em_max,
           calib_level, access_url, obs_publisher_did
    FROM ivoa.obscore
    WHERE dataproduct_type = 'image' AND 1 = CONTAINS(POINT({ra!r}, {dec!r}), s_region)
    ORDER BY obs_collection, t_min"""
_SKYCELL_COLUMNS = ("projcell", "subcell", "ra", "dec", "filter", "mjd", "type", "filename", "shortname")
_FROM_RED_TO_BLUE = "yzirg"


def fitscut_words(order: CutoutOrder) -> tuple[tuple[str, str], ...]:
    """The words in which fitscut.cgi is asked for a cutout, in the order in which its users write them.

    Raises
    ------
    BadParameterError, UnsupportedFormatError
        The order is none that could be written so.

    Examples
    --------
    >>> from skydex.client import CutoutOrder
    >>> fitscut_words(CutoutOrder(("ibc302ioq_flt[1]",), (51, 51), pixel=(100, 101)))
    (('red', 'ibc302ioq_flt[1]'), ('size', '51'), ('x', '100'), ('y', '101'), ('format', 'fits'))
    """
    _check(order)
    columns, rows = order.size
    words = list(zip(_BANDS, order.images, strict=False))
    words.append(("size", str(columns) if columns == rows else f"{columns},{rows}"))
    axes, place = (("ra", "dec"), order.place) if order.place is not None else (("x", "y"), order.pixel)
    words += zip(axes, map(_text, place or ()), strict=False)
    words.append(("format", order.form))
    words += ((name.lower(), _text(value)) for name, value in order.look.items() if value is not None)
    return tuple(words)


def cutout_address(base: str, order: CutoutOrder) -> str:
    """Where a cutout is found, at the fitscut.cgi of some archive."""
    return f"{base}?{urlencode(fitscut_words(order), safe='/,')}"


def cutout_name(order: CutoutOrder) -> str:
    """What a file of a cutout may be called: by its image, its place and its size."""
    columns, rows = order.size
    place = order.place or order.pixel
    where = "" if place is None else "_" + "_".join(f"{value:.6f}".rstrip("0").rstrip(".") for value in place)
    stem = "-".join(name.rpartition("/")[2].removesuffix(".fits") for name in order.images)
    plain = _UNSAFE.sub("_", f"{stem}{where}_{columns}x{rows}").strip("._-") or "cutout"
    return plain[:150] + _ENDINGS[order.form]


@dataclass(frozen=True)
class SkycellFile:
    """An image of Pan-STARRS that holds a place."""

    file_name: str
    """By which fitscut.cgi knows it."""
    band: str
    """`g`, `r`, `i`, `z` or `y`."""
    kind: str
    """`stack` or `warp`."""
    mjd: float
    """Modified Julian date of a warp; 0 for a stack."""
    ra_deg: float
    """The place that was asked for, ICRS."""
    dec_deg: float
    """The place that was asked for, ICRS."""


def skycell_address(base: str, ra_deg: float, dec_deg: float, *, bands: str = "grizy", kind: str = "stack") -> str:
    """Where the names of the images of a place are found, at the ps1filenames.py of some archive."""
    words = {"ra": _text(ra_deg), "dec": _text(dec_deg), "filters": bands, "type": kind}
    return f"{base}?{urlencode(words, safe=',')}"


def read_skycell_files(text: str, host: str) -> tuple[SkycellFile, ...]:
    """The images that ps1filenames.py names; none where it has only the line of column names.

    Raises
    ------
    BadAnswerError
        The text is no such table.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not lines or not set(_SKYCELL_COLUMNS) <= set(lines[0]):
        raise BadAnswerError(host, f"there is no table of images in it: {text[:100]!r}")
    return tuple(_skycell_files(lines[0], lines[1:], host))


def image_rows(files: Sequence[SkycellFile]) -> Result:
    """The same as rows: `image`, `band`, `kind`, `mjd` (null of a stack), `ra`, `dec`."""
    facts = [(f.file_name, f.band, f.kind, f.mjd or None, f.ra_deg, f.dec_deg) for f in files]
    schema = arrow_schema(_IMAGE_COLUMNS)
    arrays = [pa.array([fact[number] for fact in facts], kind.type) for number, kind in enumerate(schema)]
    return Result(_IMAGE_COLUMNS, iter([pa.RecordBatch.from_arrays(arrays, schema=schema)]), "images")


def images_query(ra_deg: float, dec_deg: float) -> str:
    """A query in ADQL for the images that hold a place, for a service with ObsCore 1.1 (IVOA REC 2017-05-09)."""
    return _OBSCORE.format(ra=ra_deg, dec=dec_deg)


def colour_of(files: Sequence[SkycellFile]) -> tuple[str, ...]:
    """The names of three images for red, green and blue: the reddest, the one in the middle, and the bluest.

    Raises
    ------
    BadParameterError
        There are fewer than three bands.
    """
    by_band = {file.band: file.file_name for file in reversed(files)}
    names = [by_band[band] for band in _FROM_RED_TO_BLUE if band in by_band]
    if len(names) < len(_BANDS):
        raise BadParameterError("bands", f"has {len(names)} with images here, and a colour picture needs three.")
    return names[0], names[len(names) // 2], names[-1]


def _check(order: CutoutOrder) -> None:
    if order.form not in CUTOUT_FORMS:
        raise UnsupportedFormatError(order.form, CUTOUT_FORMS)
    if len(order.images) not in (1, len(_BANDS)):
        raise BadParameterError("image", "is the name of one image, or three for red, green and blue.")
    if not all(order.images):
        raise BadParameterError("image", "has no name.")
    if min(order.size) < 1:
        raise BadParameterError("size", "is a number of pixels, or two: columns and rows.")
    for word in order.look:
        if word.lower() not in _LOOKS:
            near = near_names(word, _LOOKS)
            raise BadParameterError(word, f"is no word of fitscut. There are {', '.join(near or _LOOKS)}.")


def _skycell_files(names: Sequence[str], rows: Sequence[Sequence[str]], host: str) -> Iterator[SkycellFile]:
    for row in rows:
        try:
            cell = dict(zip(names, row, strict=True))
            place = float(cell["ra"]), float(cell["dec"])
            yield SkycellFile(cell["filename"], cell["filter"], cell["type"], float(cell["mjd"]), *place)
        except ValueError as error:
            raise BadAnswerError(
                host, f"a line of its table of images makes no sense: {' '.join(row)[:100]}"
            ) from error


def _text(value: float | str | bool) -> str:
    """A value as fitscut writes it: 1 and 0 for yes and no, and no digits that say nothing."""
    if isinstance(value, bool):
        return str(int(value))
    return value if isinstance(value, str) else repr(value).removesuffix(".0")

"""`Cutout`: a part of an image, as numbers with their place on the sky or as a picture to look at.

FITS has the brightness as it is; a JPEG or PNG has been drawn. Whatever is wrong with the bytes shows when they are
read: what comes from elsewhere is not trusted.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import BadAnswerError, BadParameterError

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.wcs import WCS
    from PIL.Image import Image

__all__ = ["Cutout", "missing_cutout", "read_cutout"]

_CARD, _BLOCK = 80, 2880
_END = re.compile(rb"(?:.{80})*?END {77}", re.DOTALL)
_SHAPE_CARD = re.compile(rb"(BITPIX|NAXIS[123]?) *= +(-?[0-9]{1,18}) ")
_MOST_SHAPE_CARDS = 6
"""SIMPLE, BITPIX, NAXIS and three axes come first (FITS 4.0, section 4.4.1.1)."""
_SCALED = re.compile(rb"B(?:SCALE|ZERO) *=")
_PICTURES = {"JPEG": "jpeg", "PNG": "png"}
_MOST_PIXELS = 1 << 28


@dataclass(frozen=True, eq=False, repr=False)
class Cutout:
    """A part of an image."""

    data: NDArray[Any]
    """FITS: (ny, nx) or (3, ny, nx) floats, first row at the bottom, NaN where the image does not reach or the pixel is
    bad. Pictures: (ny, nx) or (ny, nx, 3) bytes, first row at the top."""
    content: bytes
    """The file, as it came."""
    form: str
    """`fits`, `jpeg` or `png`."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What is known of it: the name of the image, the size that was asked for, the place."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        axes = self.data.shape[-2:] if self.form == "fits" else self.data.shape[:2]
        return int(axes[0]), int(axes[1])

    @property
    def origin(self) -> str:
        """Where the first row belongs, as matplotlib's `imshow` calls it."""
        return "lower" if self.form == "fits" else "upper"

    @property
    def name(self) -> str:
        """Name of the image; of a colour picture, of the three."""
        return str(self.meta.get("image", ""))

    @property
    def file_name(self) -> str:
        """What a file of it may be called."""
        return str(self.meta.get("file", f"cutout.{self.form}"))

    @property
    def problem(self) -> str:
        """Why it could not be had; empty if it could."""
        return str(self.meta.get("problem", ""))

    @cached_property
    def header(self) -> fits.Header | None:
        """The header of FITS; a picture has none."""
        if self.form != "fits" or not self.content:
            return None
        from astropy.io import fits

        return fits.Header.fromstring(self.content[: _header_bytes(self.content)].decode("ascii", "replace"))

    @cached_property
    def wcs(self) -> WCS | None:
        """Where the pixels are on the sky; None for a picture, and for an image that does not know."""
        header = self.header
        if header is None or "CTYPE1" not in header:
            return None
        from astropy.wcs import WCS

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = WCS(header, naxis=2)
        return made if made.has_celestial else None

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What the header of FITS says in the words of ObsCore: `t_exptime`, `filter`, `n_exposures` and others."""
        if self.header is None:
            return {}
        from skydex.images import facts_of

        return facts_of(self.header)

    @cached_property
    def image(self) -> Image:
        """A picture to look at, first row at the top; FITS is drawn in asinh, cut 0.5 % below and above."""
        from PIL import Image

        if self.form != "fits":
            return Image.fromarray(self.data)
        from skydex.images import Look, Scale, Stretch, render

        bands = [np.asarray(band, np.float32) for band in self.data.reshape(-1, *self.shape)]
        look = Look(Stretch.ASINH, Scale.PERCENTILES, (0.5, 99.5))
        return Image.open(BytesIO(render(bands, look, "png")))

    def write(self, path: Path | str, *, overwrite: bool = False) -> Path:
        """Write the file as it came; its path is given back.

        Parameters
        ----------
        path : path
            The file.
        overwrite : bool, optional
            Whether a file of this name is replaced.

        Raises
        ------
        BadParameterError
            There is such a file; or there is nothing to write, since the cutout could not be had.
        """
        target = Path(path)
        if self.problem:
            raise BadParameterError("cutout", f"could not be had: {self.problem}")
        if target.exists() and not overwrite:
            raise BadParameterError("path", f"is there already: {target.name}. Name another, or say overwrite=True.")
        target.write_bytes(self.content)
        return target

    def __repr__(self) -> str:
        rows, columns = self.shape
        name = f" of {self.name}" if self.name else ""
        return f"<Cutout{name}: {self.problem or f'{columns} x {rows} pixels, {self.form}'}>"

    def _repr_png_(self) -> bytes:
        out = BytesIO()
        self.image.save(out, "png")
        return out.getvalue()


def read_cutout(content: bytes, form: str, sender: str, meta: Mapping[str, Any]) -> Cutout:
    """Read a file that holds a cutout.

    Parameters
    ----------
    content : bytes
        The file.
    form : str
        What was asked for: `fits`, `jpeg` or `png`.
    sender : str
        Where it comes from, for messages.
    meta : mapping
        What is known of it.

    Raises
    ------
    BadAnswerError
        It is something else, or damaged.
    """
    if form == "fits":
        return Cutout(_plane(content, sender), content, form, meta)
    return Cutout(_picture(content, form, sender), content, form, meta)


def missing_cutout(form: str, meta: Mapping[str, Any]) -> Cutout:
    """What stands in the place of a cutout that could not be had; its `problem` is among what is known."""
    columns, rows = meta.get("size", (1, 1))
    pixels = np.full((rows, columns), np.nan, np.float32) if form == "fits" else np.zeros((rows, columns), np.uint8)
    return Cutout(pixels, b"", form, meta)


def _plane(content: bytes, sender: str) -> NDArray[Any]:
    """Pixels of the first image; the usual case, one plane of floats, needs no library."""
    if not content.startswith(b"SIMPLE  ="):
        raise BadAnswerError(sender, f"it is not FITS: {content[:60]!r}")
    known = _usual(content)
    return _unusual(content, sender) if known is None else known


def _usual(content: bytes) -> NDArray[Any] | None:
    """Floats of a primary HDU as they stand there, if it is that."""
    end = _header_bytes(content)
    if not end or _SCALED.search(content, 0, end):
        return None
    cards = (_SHAPE_CARD.match(content, _CARD * number) for number in range(_MOST_SHAPE_CARDS))
    numbers = {found[1]: int(found[2]) for found in cards if found}
    shape = [numbers.get(b"NAXIS%d" % axis, 0) for axis in range(numbers.get(b"NAXIS", 0), 0, -1)]
    if numbers.get(b"BITPIX") not in (-32, -64) or len(shape) not in (2, 3) or min(shape) < 1:
        return None
    kind = np.dtype(">f4" if numbers[b"BITPIX"] == -32 else ">f8")
    n_pixels = int(np.prod(shape, dtype=object))
    if n_pixels * kind.itemsize > len(content) - end:
        return None
    pixels = np.frombuffer(content, kind, n_pixels, end).reshape(shape)
    return pixels.astype(kind.newbyteorder("="))


def _unusual(content: bytes, sender: str) -> NDArray[Any]:
    from astropy.io import fits

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with fits.open(BytesIO(content), memmap=False) as hdus:
                images = (hdu for hdu in hdus if hdu.is_image and prod(hdu.shape) <= _MOST_PIXELS)
                pixels = next((hdu.data for hdu in images if hdu.data is not None), None)
    except Exception as error:  # astropy raises what it likes over damaged files
        raise BadAnswerError(sender, f"its FITS is damaged: {error}") from error
    if pixels is None or pixels.ndim < 2:
        raise BadAnswerError(sender, "its FITS has no image, or one that is too large.")
    return np.asarray(pixels, np.float64 if pixels.dtype.itemsize > 4 else np.float32)


def _header_bytes(content: bytes) -> int:
    """How long the header is, with what fills its last block; 0 if it has no end."""
    found = _END.match(content)
    return 0 if found is None else -(-found.end() // _BLOCK) * _BLOCK


def _picture(content: bytes, form: str, sender: str) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(BytesIO(content), formats=tuple(_PICTURES)) as opened:
            if opened.width * opened.height > _MOST_PIXELS:
                raise BadAnswerError(sender, f"its picture has {opened.width:,} x {opened.height:,} pixels.")
            kind = _PICTURES[opened.format or ""]
            pixels = np.asarray(opened if opened.mode in ("L", "RGB") else opened.convert("RGB"))
    except (OSError, ValueError, KeyError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadAnswerError(sender, f"it is no picture: {content[:60]!r}") from error
    if kind != form:
        raise BadAnswerError(sender, f"it is {kind} and not {form}.")
    return pixels

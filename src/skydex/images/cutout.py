"""`cut`: a rectangle of an image with a header that says where it lies.

Pixels beyond the edge of the image are NaN, and integers become floats for it. What lies wholly beside the image is an
error that tells how far off it is, not an empty picture.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skydex.errors import CutoutTooLargeError
from skydex.images.box import Box
from skydex.images.cards import cards_of, keyword_of, plain_text
from skydex.images.image import Image
from skydex.images.pixels import LookUp

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["MOST_PIXELS", "Cutout", "cut", "placed", "with_gaps"]

MOST_PIXELS = 100_000_000
"""Pixels of a cutout, where nobody says how many there may be."""


@dataclass(frozen=True)
class Cutout:
    """Pixels of a part of an image."""

    data: NDArray[Any]
    """Physical values, (ny, nx), in native byte order."""
    cards: bytes
    """Header cards but for those that tell shape and type, moved to this part; as in a FITS file, without END."""
    box: Box
    """Which part."""
    name: str
    """Name of the image."""
    lookups: tuple[LookUp, ...] = ()
    """Tables of distortions that the header refers to, moved likewise."""

    @functools.cached_property
    def header(self) -> fits.Header:
        """Its header; changing it does not change the cutout."""
        from astropy.io import fits

        return fits.Header.fromstring(self.cards.decode("ascii"))

    def with_data(self, data: NDArray[Any], *, without: tuple[str, ...] = ()) -> Cutout:
        """The same place with other numbers, and without some keywords."""
        kept = [card for card in cards_of(self.cards) if keyword_of(card) not in without] if without else None
        return replace(self, data=data, cards=self.cards if kept is None else b"".join(kept))

    def with_header(self, header: fits.Header) -> Cutout:
        """The same numbers with another header."""
        return replace(self, cards=plain_text(header))


def cut(image: Image, box: Box, *, most_pixels: int = MOST_PIXELS) -> Cutout:
    """Cut a rectangle out of an image.

    Parameters
    ----------
    image : Image
        Where from.
    box : Box
        Which pixels.
    most_pixels : int, optional
        How many there may be.

    Returns
    -------
    cutout : Cutout
        All pixels of the box: what is not on the image is NaN.

    Raises
    ------
    CutoutTooLargeError
        There are too many of them.
    NoOverlapError
        None of them is on the image.
    """
    if box.n_pixels > most_pixels:
        raise CutoutTooLargeError(box.shape, most_pixels)
    inside = image.overlap(box)
    data = image.pixels.read(inside.y0, inside.y0 + inside.ny, inside.x0, inside.x0 + inside.nx)
    cards, lookups = placed(image, box)
    return Cutout(data if inside == box else _framed(data, inside, box), cards, box, image.name, lookups)


def placed(image: Image, box: Box) -> tuple[bytes, tuple[LookUp, ...]]:
    """The header cards and the tables of distortions of a part of an image."""
    return image.cards.moved(box.x0, box.y0), tuple(table.moved(box.x0, box.y0) for table in image.lookups)


def with_gaps(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type that numbers need when some of them are missing."""
    if dtype.kind == "f":
        return dtype
    return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)


def _framed(data: NDArray[Any], inside: Box, box: Box) -> NDArray[Any]:
    framed = np.full(box.shape, np.nan, with_gaps(data.dtype))
    y, x = inside.y0 - box.y0, inside.x0 - box.x0
    framed[y : y + inside.ny, x : x + inside.nx] = data
    return framed

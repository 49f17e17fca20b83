"""Brightness: the pixels of a part of an image as pictures need them, single precision, and smaller if that will do.

Pan-STARRS compresses its pixels with an asinh whose numbers are `BSOFTEN` and `BOFFSET` (Waters et al. 2020, ApJS 251,
4, section 3); here that is undone. A large part is read a strip at a time, so that a preview of an image of any size
takes the memory of the preview.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.images.box import Box
from skydex.images.cutout import cut
from skydex.images.image import Image
from skydex.images.resizing import shrunk

__all__ = ["SOFTENING", "brightness", "is_softened"]

SOFTENING = ("BSOFTEN", "BOFFSET")
"""Keywords of the asinh."""
_POGSON = 1.0857362047581296
_STRIP = 1 << 21
"""Pixels that are read at once."""

Floats = NDArray[np.float32]


def brightness(
    image: Image, box: Box, *, shrink: int = 1, quality: Image | None = None, check: Callable[[], None] = lambda: None
) -> Floats:
    """The pixels of a box, or means of blocks of them.

    Parameters
    ----------
    image : Image
        Where from.
    box : Box
        Which pixels; those that are not on the image are NaN. How many there may be is for the caller to say.
    shrink : int, optional
        Side of a block, in pixels.
    quality : Image, optional
        It is 0 where the pixels of the image are bad; these become NaN.
    check : callable, optional
        Called between strips; it raises if there is no time left.

    Returns
    -------
    band : (ny, nx) float32 array
        As many as there are blocks in the box, whole or begun.
    """
    if shrink == 1:
        return _read(image, box, quality)
    n_rows = max(1, _STRIP // (box.nx * shrink)) * shrink
    parts = []
    for y0 in range(box.y0, box.y0 + box.ny, n_rows):
        check()
        strip = Box(box.x0, y0, box.nx, min(n_rows, box.y0 + box.ny - y0))
        parts.append(shrunk(_read(image, strip, quality), shrink))
    return np.concatenate(parts)


def is_softened(image: Image) -> bool:
    """Whether its pixels are compressed with an asinh."""
    return all(keyword in image.pixels.header for keyword in SOFTENING)


def _read(image: Image, box: Box, quality: Image | None) -> Floats:
    if box.on(image.shape) is None:
        return np.full(box.shape, np.nan, np.float32)
    numbers = _plain(image, cut(image, box, most_pixels=box.n_pixels).data)
    if quality is not None and box.on(quality.shape) is not None:
        numbers[cut(quality, box).data == 0] = np.nan
    return numbers


def _plain(image: Image, data: NDArray[Any]) -> Floats:
    numbers = np.asarray(data, dtype=np.float32)
    if not is_softened(image):
        return numbers
    softening, offset = (float(image.pixels.header[keyword]) for keyword in SOFTENING)
    with np.errstate(over="ignore", invalid="ignore"):
        plain = 2.0 * softening * np.sinh(numbers.astype(np.float64) / _POGSON) + offset
    return np.asarray(plain, dtype=np.float32)

"""Brightness: the pixels of a part of an image as pictures need them, single precision, and smaller if that will do.

Pan-STARRS compresses its pixels with an asinh whose numbers are `BSOFTEN` and `BOFFSET` (Waters et al. 2020, ApJS 251,
4, section 3); here that is undone. A large part is read a strip at a time, so that a preview of an image of any size
takes the memory of the preview.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skydex.images.box import Box
from skydex.images.cutout import cut
from skydex.images.image import Image
from skydex.images.look import BAD_VALUE

__all__ = ["SOFTENING", "brightness", "is_softened", "linear"]

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
    sums = np.zeros(((box.ny - 1) // shrink + 1, (box.nx - 1) // shrink + 1))
    counts = np.zeros(sums.shape, np.int64)
    inside = box.on(image.shape)
    if inside is not None:
        columns, n_rows = _Blocks.of(inside.x0 - box.x0, inside.nx, shrink), max(1, _STRIP // inside.nx)
        for y0 in range(inside.y0, inside.y0 + inside.ny, n_rows):
            check()
            strip = Box(inside.x0, y0, inside.nx, min(n_rows, inside.y0 + inside.ny - y0))
            numbers = _read(image, strip, quality)
            is_good = np.isfinite(numbers) & (numbers != BAD_VALUE)
            rows = _Blocks.of(y0 - box.y0, strip.ny, shrink)
            sums[rows.places, columns.places] += _summed(np.where(is_good, numbers, 0.0), rows, columns)
            counts[rows.places, columns.places] += _summed(is_good, rows, columns).astype(np.int64)
    means = np.full(sums.shape, np.nan, np.float32)
    return np.divide(sums, counts, out=means, where=counts > 0, casting="same_kind")


class _Blocks(NamedTuple):
    """Blocks along one axis that pixels behind each other lie in."""

    places: slice
    """Which of all blocks."""
    starts: NDArray[np.int64]
    """The first of the pixels that lies in each."""

    @classmethod
    def of(cls, first: int, n: int, side: int) -> _Blocks:
        """Of pixels first to first + n - 1, in blocks of a side."""
        blocks = np.arange(first // side, (first + n - 1) // side + 1)
        return cls(slice(int(blocks[0]), int(blocks[-1]) + 1), np.maximum(blocks * side - first, 0))


def _summed(numbers: NDArray[Any], rows: _Blocks, columns: _Blocks) -> NDArray[np.float64]:
    across = np.add.reduceat(numbers, columns.starts, axis=1, dtype=np.float64)
    return np.asarray(np.add.reduceat(across, rows.starts, axis=0))


def is_softened(image: Image) -> bool:
    """Whether its pixels are compressed with an asinh."""
    return all(keyword in image.keywords for keyword in SOFTENING)


def _read(image: Image, box: Box, quality: Image | None) -> Floats:
    if box.on(image.shape) is None:
        return np.full(box.shape, np.nan, np.float32)
    numbers = linear(image, cut(image, box, most_pixels=box.n_pixels).data)
    if quality is not None and box.on(quality.shape) is not None:
        numbers[cut(quality, box).data == 0] = np.nan
    return numbers


def linear(image: Image, data: NDArray[Any]) -> Floats:
    """Pixels of an image in single precision, without the asinh that they may be compressed with."""
    numbers = np.asarray(data, dtype=np.float32)
    if not is_softened(image):
        return numbers
    softening, offset = (float(image.pixels.header[keyword]) for keyword in SOFTENING)
    with np.errstate(over="ignore", invalid="ignore"):
        plain = 2.0 * softening * np.sinh(numbers.astype(np.float64) / _POGSON) + offset
    return np.asarray(plain, dtype=np.float32)

"""Resizing: larger and smaller pictures of the same pixels.

fitscut's rule: enlarged by repeating each pixel a whole number of times; shrunk to means of square blocks, in which bad
pixels do not count; a size that is asked for exactly is reached from there by taking the nearest pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.images.look import BAD_VALUE, Look

__all__ = ["Resizing", "resized", "shrunk"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Resizing:
    """How pixels of one number become pixels of another."""

    shape: tuple[int, int]
    """Rows and columns that there will be."""
    shrink: int = 1
    """Side of a block that becomes one pixel."""
    enlarge: int = 1
    """Side of the block that a pixel becomes."""
    is_exact: bool = False
    """Whether the nearest pixels are taken in the end, so that the size is the one that was asked for."""
    zooms: tuple[float, float] = (1.0, 1.0)
    """Pixels of the result for one of the image, along x and along y."""

    @classmethod
    def of(cls, shape: tuple[int, int], look: Look) -> Resizing:
        """What a look makes of rows and columns."""
        if look.output_size is not None:
            return _to_size(shape, look.output_size)
        factor = _nearest(look.zoom if look.zoom > 1.0 else 1.0 / look.zoom)
        if look.zoom > 1.0:
            return cls((shape[0] * factor, shape[1] * factor), enlarge=factor, zooms=(float(factor),) * 2)
        return cls(_in_blocks(shape, factor), shrink=factor, zooms=(1.0 / factor,) * 2)

    def of_whole(self, band: NDArray[Any]) -> Floats:
        """The result, from the pixels of an image."""
        return self.of_blocks(shrunk(band, self.shrink))

    def of_blocks(self, blocks: NDArray[Any]) -> Floats:
        """The result, from pixels that are means of blocks already."""
        if self.enlarge > 1:
            return np.asarray(blocks.repeat(self.enlarge, axis=0).repeat(self.enlarge, axis=1), dtype=np.float32)
        if not self.is_exact:
            return np.asarray(blocks, dtype=np.float32)
        rows, columns = (_picked(*sides) for sides in zip(blocks.shape, self.shape, strict=True))
        return np.asarray(blocks[np.ix_(rows, columns)], dtype=np.float32)


def resized(band: NDArray[Any], look: Look) -> Floats:
    """A band in the size that a look asks for, (ny, nx)."""
    return Resizing.of((band.shape[0], band.shape[1]), look).of_whole(band)


def shrunk(band: NDArray[Any], side: int) -> Floats:
    """Means of the good pixels in square blocks, beginning at the first pixel; NaN where a block has none.

    Parameters
    ----------
    band : (ny, nx) array
        Pixels; NaN and 0 are bad.
    side : int
        Side of a block, in pixels; 1 changes nothing.
    """
    numbers: Floats = np.asarray(band, dtype=np.float32)
    if side == 1:
        return numbers
    is_good = np.isfinite(numbers) & (numbers != BAD_VALUE)
    sums, counts = _block_sums(np.where(is_good, numbers, np.float32(0.0)), side), _block_sums(is_good, side)
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan, np.float32), where=counts > 0)


def _block_sums(numbers: NDArray[Any], side: int) -> Floats:
    rows, columns = (np.arange(0, length, side) for length in numbers.shape)
    sums = np.add.reduceat(np.add.reduceat(numbers, rows, axis=0, dtype=np.float32), columns, axis=1)
    return np.asarray(sums, dtype=np.float32)


def _to_size(shape: tuple[int, int], size: int) -> Resizing:
    shrink = max(1, max(shape) // size)
    blocks = _in_blocks(shape, shrink)
    rest = size / max(blocks)
    ny, nx = (max(1, _nearest(rest * length)) for length in blocks)
    zooms = (nx / blocks[1] / shrink, ny / blocks[0] / shrink)
    return Resizing((ny, nx), shrink=shrink, is_exact=max(blocks) != size, zooms=zooms)


def _in_blocks(shape: tuple[int, int], side: int) -> tuple[int, int]:
    return (shape[0] - 1) // side + 1, (shape[1] - 1) // side + 1


def _picked(length: int, wanted: int) -> NDArray[np.int64]:
    """The nearest of so many pixels for each of those that are wanted."""
    middles = (np.arange(wanted) + 0.5) * (length / wanted) - 0.5
    picked: NDArray[np.int64] = np.clip(np.floor(middles + 0.5), 0, length - 1).astype(np.int64)
    return picked


def _nearest(number: float) -> int:
    return math.floor(number + 0.5)

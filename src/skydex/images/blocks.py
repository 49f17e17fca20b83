"""Means of blocks of pixels, of a part of an image of any size: what tiles of HiPS are made of.

Of a part with more pixels than may be looked at, some rows of each row of blocks stand for all.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skydex.images.brightness import linear
from skydex.images.image import Image
from skydex.images.look import BAD_VALUE

__all__ = ["block_means", "means_of_strips", "measured"]

_PIECE = 1 << 22
"""Pixels that are read at once."""

Values = NDArray[np.float32]


def measured(image: Image, y0: int, y1: int, x0: int, x1: int) -> Values:
    """Brightness in a part of an image, NaN where drizzled images, which are floats, hold a plain 0."""
    data = image.pixels.read(y0, y1, x0, x1)
    values = linear(image, data)
    return np.where(values == BAD_VALUE, np.float32(np.nan), values) if data.dtype.kind == "f" else values


def block_means(image: Image, box: tuple[int, int, int, int], step: int, most_pixels: int) -> Values:
    """Means of blocks of pixels of a part of an image.

    Parameters
    ----------
    image : Image
        Where from.
    box : tuple of int
        First row and last + 1, first column and last + 1.
    step : int
        Side of a block, in pixels; the last ones may be smaller.
    most_pixels : int
        How many pixels are looked at.

    Returns
    -------
    means : (n_rows, n_columns) float32 array
        NaN where nothing was measured.
    """
    y0, y1, x0, x1 = box
    if step == 1:
        return measured(image, y0, y1, x0, x1)
    n_rows = min(step, max(1, step * most_pixels // ((y1 - y0) * (x1 - x0))))
    read = _whole_strips if n_rows == step else _thin_strips
    return np.concatenate([means_of_strips(strips, step) for strips in read(image, box, step, n_rows)])


def _whole_strips(image: Image, box: tuple[int, int, int, int], step: int, n_rows: int) -> Iterator[Values]:
    """Rows of blocks, some at a time: (n blocks, rows of each, columns); NaN beyond the last row."""
    y0, y1, x0, x1 = box
    height = step * max(1, _PIECE // (step * (x1 - x0)))
    for first in range(y0, y1, height):
        data = measured(image, first, min(first + height, y1), x0, x1)
        data = np.pad(data, ((0, -len(data) % step), (0, 0)), constant_values=np.nan)
        yield data.reshape(-1, n_rows, x1 - x0)


def _thin_strips(image: Image, box: tuple[int, int, int, int], step: int, n_rows: int) -> Iterator[Values]:
    """The same with so many rows from the middle of each row of blocks."""
    y0, y1, x0, x1 = box
    starts = range(y0, y1, step)
    at_once = max(1, _PIECE // (n_rows * (x1 - x0)))
    for part in (starts[i : i + at_once] for i in range(0, len(starts), at_once)):
        strips = np.full((len(part), n_rows, x1 - x0), np.nan, np.float32)
        for strip, start in zip(strips, part, strict=True):
            first = min(start + (step - n_rows) // 2, y1 - 1)
            rows = measured(image, first, min(first + n_rows, y1), x0, x1)
            strip[: len(rows)] = rows
        yield strips


def means_of_strips(strips: Values, step: int) -> Values:
    """Means over the rows of each strip and so many columns at a time; NaN does not count."""
    n_missing = -strips.shape[2] % step
    padded = np.pad(strips, ((0, 0), (0, 0), (0, n_missing)), constant_values=np.nan)
    blocks = padded.reshape(*padded.shape[:2], -1, step)
    is_known = np.isfinite(blocks)
    sums = np.where(is_known, blocks, 0.0).sum(axis=(1, 3), dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums / is_known.sum(axis=(1, 3)), dtype=np.float32)

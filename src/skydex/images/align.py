"""`aligned`: an image on the pixels of another one, by what both know of the sky.

Each pixel takes the nearest one, as in fitscut: brightness is not mixed, and the edges of missing data stay sharp.
Coordinates are followed exactly on a grid of some pixels and are straight between, since a WCS bends slowly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skydex.errors import CutoutTooLargeError, NoOverlapError
from skydex.images.box import Box
from skydex.images.brightness import brightness
from skydex.images.cutout import MOST_PIXELS
from skydex.images.image import Image

__all__ = ["aligned"]

Floats = NDArray[np.float64]
_STEP = 16
"""Pixels between those whose coordinates are computed."""


def aligned(image: Image, reference: Image, box: Box, *, most_pixels: int = MOST_PIXELS) -> NDArray[np.float32]:
    """Brightness of an image at the pixels of a box of another.

    Parameters
    ----------
    image : Image
        What is shown.
    reference : Image
        Whose pixels are meant.
    box : Box
        Which of them.
    most_pixels : int, optional
        How many of the image may be read for it.

    Returns
    -------
    band : (ny, nx) float32 array
        NaN where the image has nothing.

    Raises
    ------
    NoPositionError
        One of them has no celestial coordinates.
    NoOverlapError
        The image has no pixel there.
    CutoutTooLargeError
        It has too many: its pixels are much smaller.
    """
    if image is reference:
        return brightness(image, box)
    columns, rows = _pixels(image, reference, box)
    on_image = (columns >= 0) & (columns < image.shape[1]) & (rows >= 0) & (rows < image.shape[0])
    if not on_image.any():
        raise NoOverlapError(image.name)
    columns, rows = np.where(on_image, columns, -1).astype(np.int64), np.where(on_image, rows, -1).astype(np.int64)
    x0, y0 = int(columns[on_image].min()), int(rows[on_image].min())
    nx, ny = int(columns.max()) - x0 + 1, int(rows.max()) - y0 + 1
    if nx * ny > most_pixels:
        raise CutoutTooLargeError((ny, nx), most_pixels)
    read = brightness(image, Box(x0, y0, nx, ny))
    band: NDArray[np.float32] = read[np.where(on_image, rows - y0, 0), np.where(on_image, columns - x0, 0)]
    band[~on_image] = np.nan
    return band


def _pixels(image: Image, reference: Image, box: Box) -> tuple[Floats, Floats]:
    """Nearest columns and rows of the image for each pixel of the box, (ny, nx); NaN where there are none."""
    at_x, at_y = _knots(box.nx), _knots(box.ny)
    x, y = np.meshgrid(box.x0 + at_x, box.y0 + at_y)
    there = image.pixels_of(*reference.positions_of(x.ravel(), y.ravel()))
    found = (_between(numbers.reshape(x.shape), at_x, at_y, box) for numbers in there)
    columns, rows = (np.floor(numbers + 0.5) for numbers in found)
    return columns, rows


def _knots(n: int) -> Floats:
    return np.unique(np.append(np.arange(0, n, _STEP), n - 1)).astype(np.float64)


def _between(knots: Floats, at_x: Floats, at_y: Floats, box: Box) -> Floats:
    """Numbers on a grid become numbers of all pixels, by straight lines."""
    x, y = np.arange(box.nx), np.arange(box.ny)
    across = np.stack([np.interp(x, at_x, line) for line in knots])
    low = np.clip(np.searchsorted(at_y, y, side="right") - 1, 0, max(0, len(at_y) - 2))
    high = np.minimum(low + 1, len(at_y) - 1)
    part = (y - at_y[low]) / np.where(high > low, at_y[high] - at_y[low], 1.0)
    lines: Floats = across[low] * (1.0 - part)[:, None] + across[high] * part[:, None]
    return lines

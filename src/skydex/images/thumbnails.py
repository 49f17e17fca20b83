"""`thumbnail`: a small picture's worth of an image of any size.

Means of blocks of all pixels; of an image of more pixels than can be read while somebody waits, of some rows of each
block.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skydex.images.box import Box
from skydex.images.brightness import brightness
from skydex.images.image import Image
from skydex.images.look import Look
from skydex.images.resizing import Resizing

__all__ = ["thumbnail"]

_MOST_READ = 1 << 24
"""Pixels that are read for one of them."""


def thumbnail(image: Image, side: int, *, check: Callable[[], None] = lambda: None) -> NDArray[np.float32]:
    """Shrink an image.

    Parameters
    ----------
    image : Image
        The image.
    side : int
        Longer side of the result, in pixels; a smaller image stays as it is.
    check : callable, optional
        Called now and then; it raises if there is no time left.

    Returns
    -------
    band : (ny, nx) float32 array
        Its brightness.
    """
    ny, nx = image.shape
    resizing = Resizing.of(image.shape, Look(output_size=min(side, max(ny, nx))))
    n_rows = min(resizing.shrink, max(1, _MOST_READ // (-(-ny // resizing.shrink) * nx)))
    if n_rows == resizing.shrink:
        return resizing.of_blocks(brightness(image, Box.whole(image.shape), shrink=resizing.shrink, check=check))
    rows = []
    for y0 in range(0, ny, resizing.shrink):
        check()
        begin = min(y0 + (resizing.shrink - n_rows) // 2, ny - n_rows)
        rows.append(brightness(image, Box(0, begin, nx, n_rows), shrink=resizing.shrink))
    return resizing.of_blocks(np.concatenate(rows))

"""A small image in memory, TAN, 0.36 arcsec a pixel, whose pixels count themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from skydex.images import Image


class CountingPixels:
    """Pixels that are their own number."""

    def __init__(self, header: fits.Header) -> None:
        self.header = header
        self.shape = (header["NAXIS2"], header["NAXIS1"])

    def read(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        return np.add.outer(np.arange(y0, y1) * self.shape[1], np.arange(x0, x1)).astype(np.float32)


def plane(nx: int, ny: int, centre: tuple[float, float] = (150.0, 2.0)) -> Image:
    header = fits.Header()
    header.update(NAXIS=2, NAXIS1=nx, NAXIS2=ny, CTYPE1="RA---TAN", CTYPE2="DEC--TAN", EXPTIME=600.0)
    header.update(CRPIX1=(nx + 1) / 2, CRPIX2=(ny + 1) / 2, CRVAL1=centre[0], CRVAL2=centre[1])
    header.update(CD1_1=-1e-4, CD1_2=0.0, CD2_1=0.0, CD2_2=1e-4)
    return Image("plane", CountingPixels(header))

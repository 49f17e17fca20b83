"""`median_stamp`: the usual look of a point source, from stamps of many.

The sky of each stamp, the median of its rim, is taken away, and the stamp divided by what is left of it, so that bright
and faint stars count alike; the median of each pixel over all stamps leaves neighbours and cosmic rays out. Stamps lie
on each other as they were cut, by whole pixels: the result is broader than an effective PSF, which knows where in its
pixel each star lies (Anderson & King 2000, PASP 112, 1360), by up to a pixel.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skydex.images.box import Box
from skydex.images.cards import card_of
from skydex.images.cutout import Cutout
from skydex.images.writing import to_fits

__all__ = ["MedianStamp", "median_stamp"]

Floats = NDArray[np.float64]
_LEAST_GOOD = 0.5
"""A stamp with a smaller share of pixels, or a rim with none at all, does not count."""


class MedianStamp(NamedTuple):
    """A median of stamps."""

    data: Floats
    """(ny, nx) of sum 1; NaN where no stamp has a pixel."""
    n_stamps: int
    """How many count."""

    def fits(self) -> bytes:
        """As a FITS file, in single precision."""
        cards = card_of("NSTAMPS", self.n_stamps) + card_of("METHOD", "median; sky of rim taken away; sum 1")
        return to_fits(Cutout(self.data.astype(np.float32), cards, Box.whole(self.data.shape), "median", ()))


def median_stamp(stamps: Sequence[NDArray[np.floating]]) -> MedianStamp:
    """The median of stamps, each without its sky and of sum 1, which then has the sum 1 itself.

    Parameters
    ----------
    stamps : sequence of (ny, nx) arrays
        All of one shape, a source in the middle of each; pixels that are NaN do not count.

    Returns
    -------
    median : MedianStamp
        All NaN if no stamp counts: one without anything above its sky does not.
    """
    cube = np.array(stamps, dtype=np.float64)
    rim = np.ones(cube.shape[1:], dtype=bool)
    rim[1:-1, 1:-1] = False
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of stamps, or pixels, without any number
        cube -= np.nanmedian(cube[:, rim], axis=1)[:, np.newaxis, np.newaxis]
        flux = np.nansum(cube, axis=(1, 2))
        counts = (flux > 0.0) & (np.isfinite(cube).mean(axis=(1, 2)) >= _LEAST_GOOD)
        median = np.nanmedian(cube[counts] / flux[counts, np.newaxis, np.newaxis], axis=0)
        total = np.nansum(median)
        scaled = median / total if total > 0.0 else np.full_like(median, np.nan)
    return MedianStamp(scaled, int(counts.sum()))

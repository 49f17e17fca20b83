"""`timestamps`: moments of the simulated sky as dates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["timestamps"]

_MJD_OF_1970 = 40_587.0


def timestamps(mjd: ArrayLike) -> NDArray[np.datetime64]:
    """Dates of modified Julian dates (UTC), to the second."""
    seconds = np.round((np.asarray(mjd, dtype=np.float64) - _MJD_OF_1970) * 86_400.0)
    return seconds.astype("datetime64[s]")

"""Names of objects after their positions, as Pan-STARRS1 makes them: `PSO J123049.423+122328.044`."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["names_of"]


def names_of(ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64], prefix: NDArray[np.str_]) -> pa.Array:
    """Names as text: a prefix, hours and degrees to the thousandth of a second, cut off.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) float array
        Positions, ICRS.
    prefix : (n,) text array
        What stands before `J`, such as `PSO`.
    """
    hours = _sexagesimal(ra_deg / 15.0)
    degrees = _sexagesimal(np.abs(dec_deg))
    sign = pa.array(np.where(dec_deg < 0, "-", "+"))
    return pc.binary_join_element_wise(pa.array(prefix), " J", *hours, sign, *degrees, "")


def _sexagesimal(values: NDArray[np.float64]) -> list[pa.Array]:
    """Units, minutes, seconds and thousandths, with the point between the latter."""
    thousandths = np.floor(values * 3_600_000.0).astype(np.int64)
    whole = [_padded(thousandths // step % size, 2) for step, size in ((3_600_000, 360), (60_000, 60), (1000, 60))]
    return [*whole, pa.array(np.full(len(values), ".")), _padded(thousandths % 1000, 3)]


def _padded(numbers: NDArray[np.int64], width: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")

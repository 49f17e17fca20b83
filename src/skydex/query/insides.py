"""Whether positions are inside a region that is written out, as a kernel of that region.

For borders of so many edges that their arithmetic, spelled in SQL, would take longer to plan than to run.
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from skydex.query.kernels import Kernel, numbers
from skydex.sky import Region

__all__ = ["inside"]

_KEPT = 64
"""Regions whose kernels are kept, for queries that come again."""
_SERIAL = itertools.count()


@lru_cache(maxsize=_KEPT)
def inside(region: Region) -> Kernel:
    """The test of positions, ICRS and in degrees, as a kernel; null where a coordinate is."""

    def compute(ra_deg: pa.Array, dec_deg: pa.Array) -> pa.Array:
        unknown = pc.or_(pc.is_null(ra_deg), pc.is_null(dec_deg))
        return pa.array(region.contains(numbers(ra_deg), numbers(dec_deg)), mask=unknown.to_numpy(zero_copy_only=False))

    return Kernel(f"inside_{next(_SERIAL)}", (pa.float64(), pa.float64()), pa.bool_(), compute)

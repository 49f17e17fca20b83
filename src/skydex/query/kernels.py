"""Kernels: functions on arrays that a query may call, where arithmetic in SQL would be long, slow or inexact.

A kernel takes Arrow arrays of one length and gives an array of that length; nulls come in and go out as the function
means them. The geometry behind it belongs to `sky`. An engine calls kernels on its own batches and never knows more of
them than their types.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from skydex.query.tree import Compute
from skydex.sky import pixels_of

__all__ = ["PIXEL", "Kernel", "computed", "kernel_of"]


@dataclass(frozen=True)
class Kernel:
    """A function on arrays."""

    name: str
    """Unique among kernels; lower case, digits and underscores."""
    takes: tuple[pa.DataType, ...]
    """Types of its arguments; integers are widened to them."""
    gives: pa.DataType
    """Type of its result."""
    compute: Callable[..., pa.Array]
    """Takes one array an argument, gives one array."""
    is_repeatable: bool = True
    """Whether the same arguments give the same result."""


def computed(kernel: Kernel, *arguments: exp.Expression) -> Compute:
    """The node of a kernel's call."""
    node = Compute(expressions=[argument.copy() for argument in arguments])
    node.meta["kernel"] = kernel
    return node


def kernel_of(node: Compute) -> Kernel:
    """The kernel that a node calls."""
    kernel: Kernel = node.meta["kernel"]
    return kernel


def _pixel(order: pa.Array, ra_deg: pa.Array, dec_deg: pa.Array) -> pa.Array:
    known = pc.and_(pc.and_(order.is_valid(), ra_deg.is_valid()), dec_deg.is_valid()).to_numpy(zero_copy_only=False)
    orders = order.fill_null(0).to_numpy(zero_copy_only=False)
    ra, dec = (part.fill_null(np.nan).to_numpy(zero_copy_only=False) for part in (ra_deg, dec_deg))
    pixels = pixels_of(ra, dec, orders)
    return pa.array(pixels, pa.int64(), mask=~known | (pixels < 0))


PIXEL = Kernel("pixel", (pa.int64(), pa.float64(), pa.float64()), pa.int64(), _pixel)
"""HEALPix pixel (NESTED) of an order, a right ascension and a declination; null where there is none."""

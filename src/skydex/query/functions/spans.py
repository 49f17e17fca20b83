"""Intervals of numbers: Catalogue of ADQL User Defined Functions 1.2 (IVOA Endorsed Note), section 2.6.

`ivo_interval_has`, for columns of DALI intervals, stood in drafts of the note and is offered by services.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sqlglot import exp

from skydex.query.functions.function import Function, Nodes
from skydex.query.functions.meanings import is_integer
from skydex.query.kernels import Kernel, computed, elements, numbers
from skydex.query.tree import conjunction, one_or_zero

__all__ = ["SPANS"]


def _overlaps(nodes: Nodes) -> exp.Expression:
    low1, high1, low2, high2 = (exp.Paren(this=node) for node in nodes)
    pairs = ((low1, high2), (low2, high1), (low1, high1), (low2, high2))
    return one_or_zero(conjunction([exp.LTE(this=low.copy(), expression=high.copy()) for low, high in pairs]))


def _has(value: pa.Array, interval: pa.Array) -> pa.Array:
    inside, (low, high) = numbers(value), elements(interval, 2)
    is_unknown = np.isnan(inside) | np.isnan(low) | np.isnan(high)
    return pa.array((low <= inside) & (inside <= high), mask=is_unknown).cast(pa.int64())


_HAS = Kernel("interval_has", (pa.float64(), pa.list_(pa.float64())), pa.int64(), _has)

SPANS = (
    Function(
        "IVO_INTERVAL_OVERLAPS",
        "nnnn",
        4,
        _overlaps,
        is_integer,
        "ivo_interval_overlaps(low1, high1, low2, high2)",
        "1 if two intervals have a number in common, limits included, else 0; none overlaps one whose limits are "
        "the wrong way round.",
        "ivo_interval_overlaps(a1 DOUBLE, b1 DOUBLE, a2 DOUBLE, b2 DOUBLE) -> INTEGER",
    ),
    Function(
        "IVO_INTERVAL_HAS",
        "nv",
        2,
        lambda n: computed(_HAS, *n),
        is_integer,
        "ivo_interval_has(value, interval)",
        "1 if a number lies in an interval, an array of two numbers, limits included, else 0.",
        "ivo_interval_has(val DOUBLE, iv DOUBLE[2]) -> INTEGER",
    ),
)

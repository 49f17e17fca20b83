"""Kernels: functions on arrays that a query may call, where arithmetic in SQL would be long, slow or inexact.

A kernel takes Arrow arrays of one length and gives an array of that length; nulls come in and go out as the function
means them. The geometry behind it belongs to `sky`. An engine calls kernels on its own batches and never knows more of
them than their types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from skydex.query.tree import Compute
from skydex.sky import pixels_of

__all__ = [
    "PIXEL",
    "Kernel",
    "computed",
    "elements",
    "integers",
    "kernel_of",
    "numbers",
    "rolled",
    "unrolled",
    "unrolled_fields",
    "vectors",
]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


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

    def __deepcopy__(self, _: object) -> Kernel:
        return self  # trees are copied often, with what their nodes carry


def computed(kernel: Kernel, *arguments: exp.Expression) -> Compute:
    """The node of a kernel's call."""
    node = Compute(this=kernel.name, expressions=[argument.copy() for argument in arguments])
    node.meta["kernel"] = kernel
    return node


def kernel_of(node: Compute) -> Kernel:
    """The kernel that a node calls."""
    kernel: Kernel = node.meta["kernel"]
    return kernel


def numbers(array: pa.Array) -> Floats:
    """Values of an array of numbers, NaN for null."""
    return np.asarray(array.to_numpy(zero_copy_only=False))


def integers(array: pa.Array) -> NDArray[np.int64]:
    """Values of an integer array, -1 for null."""
    return np.asarray((array.fill_null(-1) if array.null_count else array).to_numpy(zero_copy_only=False))


def elements(lists: pa.Array, n: int) -> tuple[Floats, ...]:
    """The first, second, ... elements of lists of n numbers each; NaN for null, and for lists of another length."""
    starts = lists.offsets.to_numpy()[:-1]
    fits = lists.value_lengths().fill_null(-1).to_numpy(zero_copy_only=False) == n
    flat = np.append(numbers(lists.values), np.nan)
    return tuple(flat[np.where(fits, starts + i, -1)] for i in range(n))


def vectors(parts: Sequence[Floats], missing: NDArray[np.bool_]) -> pa.Array:
    """Lists of one length from their first, second, ... elements; null where missing."""
    lists = np.stack(parts, axis=-1)
    offsets = np.arange(len(lists) + 1, dtype=np.int32) * len(parts)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(lists.ravel()), mask=pa.array(missing))


def unrolled(lists: pa.Array) -> tuple[Floats, Counts]:
    """The numbers of lists, one behind the other, and how many each list has; a null has none."""
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers(lists.flatten()), lengths


def unrolled_fields(lists: pa.Array) -> tuple[list[Floats], Counts]:
    """The numbers of lists of numbers, or of each field of lists of structs, as `unrolled` gives them."""
    if not pa.types.is_struct(lists.type.value_type):
        values, lengths = unrolled(lists)
        return [values], lengths
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return [numbers(field) for field in lists.flatten().flatten()], lengths


def rolled(values: Floats, lengths: Counts, is_known: NDArray[np.bool_]) -> pa.Array:
    """Lists of so many numbers each; null where not known."""
    offsets = pa.array(np.concatenate([[0], lengths.cumsum()]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, pa.array(values), mask=pa.array(~is_known))


def _pixel(order: pa.Array, ra_deg: pa.Array, dec_deg: pa.Array) -> pa.Array:
    pixels = pixels_of(numbers(ra_deg), numbers(dec_deg), integers(order))
    return pa.array(pixels, pa.int64(), mask=pixels < 0)


PIXEL = Kernel("pixel", (pa.int64(), pa.float64(), pa.float64()), pa.int64(), _pixel)
"""HEALPix pixel (NESTED) of an order, a right ascension and a declination; null where there is none."""

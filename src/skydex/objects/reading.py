"""Columns of a table of detections as arrays, whatever Arrow types they came in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import BadParameterError, UnknownColumnError, near_names
from skydex.objects.grouping import Floats, Rows

__all__ = ["codes_of", "demand", "floats_of", "integers_of", "is_detected", "measurements_of", "with_column"]

_SENTINEL = 90.0
"""No measurement is as far from zero as this: 99 and -999 mean that there is none."""


def demand(detections: pa.Table, names: Sequence[str]) -> None:
    """Make sure that a table has columns.

    Raises
    ------
    UnknownColumnError
        It lacks one.
    """
    for name in names:
        if name not in detections.column_names:
            near = near_names(name, detections.column_names)
            raise UnknownColumnError(name, where="the table of detections", near=near)


def floats_of(detections: pa.Table, name: str) -> Floats:
    """A column as numbers, NaN for null; all NaN if the table does not have it.

    Raises
    ------
    BadParameterError
        It holds no numbers.
    """
    if name not in detections.column_names:
        return np.full(detections.num_rows, np.nan)
    try:
        return np.asarray(detections[name].cast(pa.float64()).to_numpy())
    except pa.ArrowInvalid as error:
        raise BadParameterError(name, "must be a column of numbers.") from error


def measurements_of(detections: pa.Table, name: str) -> Floats:
    """A column of measurements, NaN where there is none: null, infinite, or a sentinel such as 99 or -999."""
    values = floats_of(detections, name)
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < _SENTINEL, values, np.nan)


def integers_of(detections: pa.Table, name: str) -> Rows:
    """A column of identifiers, none of them null.

    Raises
    ------
    BadParameterError
        It holds no integers.
    """
    try:
        return np.asarray(detections[name].cast(pa.int64()).to_numpy(), dtype=np.int64)
    except (pa.ArrowInvalid, ValueError) as error:
        raise BadParameterError(name, "must be a column of integers.") from error


def codes_of(detections: pa.Table, name: str) -> tuple[Rows, pa.Array]:
    """A column as places in the list of its different values, in ascending order; -1 for null.

    The list is empty and all is null if the table does not have the column.
    """
    if name not in detections.column_names:
        return np.full(detections.num_rows, -1, dtype=np.int64), pa.array([], pa.string())
    column = detections[name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    ranks = np.full(len(order) + 1, -1, dtype=np.int64)
    ranks[order] = np.arange(len(order))
    indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return ranks[indices], encoded.dictionary.take(pa.array(order))


def is_detected(detections: pa.Table) -> pa.ChunkedArray:
    """Which rows are detections of a match: `Det`, if it is there, is Y, and `MatchID` and position are known."""
    is_known = pc.and_(pc.is_finite(detections["SourceRA"]), pc.is_finite(detections["SourceDec"]))
    is_known = pc.and_(is_known, pc.is_valid(detections["MatchID"]))
    if "Det" in detections.column_names:
        is_known = pc.and_(is_known, pc.equal(detections["Det"], "Y"))
    return pc.fill_null(is_known, False)


def with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """The table with a column in the place of the one of that name, or at the end."""
    place = table.schema.get_field_index(name)
    return table.append_column(name, values) if place < 0 else table.set_column(place, name, values)

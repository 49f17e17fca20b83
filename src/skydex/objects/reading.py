"""Columns of a table of detections as arrays, whatever Arrow types they came in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from skydex.errors import BadParameterError, UnknownColumnError, near_names
from skydex.objects.grouping import Floats, Rows

__all__ = [
    "codes_of",
    "demand",
    "errors_of",
    "floats_of",
    "integers_of",
    "is_detected",
    "is_matched",
    "measurements_of",
    "with_column",
]

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


def is_detected(detections: pa.Table) -> NDArray[np.bool_]:
    """Which rows are detections: their position is known, and `Det`, if it is there, is Y, or true."""
    is_row = np.isfinite(floats_of(detections, "SourceRA")) & np.isfinite(floats_of(detections, "SourceDec"))
    if "Det" not in detections.column_names:
        return is_row
    is_boolean = pa.types.is_boolean(detections.schema.field("Det").type)
    told = detections["Det"] if is_boolean else pc.equal(detections["Det"].cast(pa.string()), "Y")
    return np.asarray(is_row & told.fill_null(False).to_numpy())


def is_matched(detections: pa.Table) -> NDArray[np.bool_]:
    """Which rows are detections of a match."""
    return np.asarray(is_detected(detections) & detections["MatchID"].is_valid().to_numpy())


def errors_of(error_mas: ArrayLike, n_rows: int) -> Floats:
    """Position errors of all rows, given for each or for all of them.

    Raises
    ------
    BadParameterError
        They are of another number.
    """
    try:
        return np.broadcast_to(np.asarray(error_mas, dtype=np.float64), n_rows)
    except (ValueError, TypeError) as error:
        raise BadParameterError("error_mas", f"must be one number, or one for each of {n_rows:,} rows.") from error


def with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """The table with a column in the place of the one of that name, or at the end."""
    place = table.schema.get_field_index(name)
    return table.append_column(name, values) if place < 0 else table.set_column(place, name, values)

"""From Arrow to astropy: one column in motion becomes one column of a `QTable`.

A null float is NaN, as everywhere in skydex (docs/decisions/nan-is-null.md); other nulls are masked. Text is
fixed-width `<U`, which every writer of astropy takes, and timestamps stay the ISO 8601 text of DALI 1.1, section
3.3.3. Array values of one shape become one array of that shape, C order having the axes of VOTable reversed (VOTable
1.5, section 2.2); others become one array a row. Nothing here walks through rows, but for the last.
"""

from __future__ import annotations

import itertools
import math
import re
import warnings
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy import units as u
from astropy.table import Column as AstropyColumn
from astropy.table import MaskedColumn
from astropy.units import Quantity
from astropy.utils.masked import Masked
from numpy.typing import NDArray

from skydex.connection.precision import display_format
from skydex.formats.encoding import timestamp_text
from skydex.tables import Column, arrow_type

__all__ = ["astropy_column", "is_quantity", "unit_of"]

_SYNTAXES = ("vounit", "generic", "cds", "fits")
"""Ways of writing units, in the order in which they are tried."""
_MOST_TEXT_BYTES = 2 << 30
"""How much memory one column of fixed-width text may take; beyond it, rows keep texts of their own lengths."""
_MOST_FILLED = 1 << 20
"""How many null elements null arrays may become, beyond as many as there are others."""
_MEANINGS = ("ucd", "utype", "xtype")


def astropy_column(values: pa.ChunkedArray, column: Column) -> Any:
    """Make the column of an astropy table.

    Parameters
    ----------
    values : (n,) Arrow chunked array
        Values in `arrow_type(column)`.
    column : Column
        What they mean.

    Returns
    -------
    column : Quantity, Column or MaskedColumn
        With name, description and display format; UCD, utype and xtype are in `info.meta`. A Quantity (masked if
        integers are null) where the unit is one that astropy knows.
    """
    data, is_null = _data(values, column)
    made = _with_unit(data, is_null, unit_of(column.unit))
    made.info.name = column.name
    made.info.description = column.description or None
    made.info.format = display_format(column)
    made.info.meta = {key: said for key in _MEANINGS if (said := getattr(column, key))}
    return made


@lru_cache(maxsize=1024)
def unit_of(text: str | None) -> u.UnitBase | None:
    """Understand a unit however it is written; one that nobody knows is kept as it is, without a warning."""
    if text is None or not text.strip():
        return None
    with warnings.catch_warnings(action="ignore"):
        for syntax in _SYNTAXES:
            try:
                unit = u.Unit(text, format=syntax)
            except (ValueError, TypeError):
                continue
            if unit is not None:
                return unit
        return u.Unit(text, parse_strict="silent")


def is_quantity(dtype: np.dtype[Any], unit: u.UnitBase | None) -> bool:
    """Whether values with such a unit are a `Quantity`: numbers, in a unit that astropy knows."""
    return unit is not None and dtype.kind in "iuf" and not isinstance(unit, u.UnrecognizedUnit)


def _with_unit(data: NDArray[Any], is_null: NDArray[np.bool_] | None, unit: u.UnitBase | None) -> Any:
    if not is_quantity(data.dtype, unit):
        kept = AstropyColumn(data, copy=False) if is_null is None else MaskedColumn(data, mask=is_null, copy=False)
        kept.unit = unit
        return kept
    quantity = Quantity(data, unit, dtype=data.dtype, copy=False, subok=True)
    return quantity if is_null is None else Masked(quantity, mask=is_null)


def _data(values: pa.ChunkedArray, column: Column) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Values as a numpy array, and where they are null if a mask must say it."""
    kind = arrow_type(column)
    if pa.types.is_list(kind):
        return _arrays(values, column)
    if pa.types.is_string(kind):
        return _texts(values.chunks, len(values)), _nulls(values)
    if pa.types.is_timestamp(kind):
        texts = [timestamp_text(chunk) for chunk in values.chunks]
        return _texts(texts, len(values)), _nulls(values)
    return _numbers(values), None if pa.types.is_floating(kind) else _nulls(values)


def _numbers(values: pa.ChunkedArray) -> NDArray[Any]:
    """Numbers that may be written to; a null is NaN, or else 0."""
    if values.null_count and not pa.types.is_floating(values.type):
        values = values.fill_null(pa.scalar(0).cast(values.type))
    numbers: NDArray[Any] = values.to_numpy()
    return numbers if numbers.flags.writeable else numbers.copy()


def _nulls(values: pa.ChunkedArray) -> NDArray[np.bool_] | None:
    if not values.null_count:
        return None
    is_null: NDArray[np.bool_] = values.is_null().to_numpy()
    return is_null


def _texts(chunks: Iterable[pa.Array], n_rows: int) -> NDArray[Any]:
    """Texts of fixed width, as wide as the longest; a null is an empty one."""
    chunks = list(chunks)
    width = max((_longest(chunk) for chunk in chunks), default=0) or 1
    if 4 * width * n_rows > _MOST_TEXT_BYTES:
        return np.array([text or "" for chunk in chunks for text in chunk.to_pylist()], object)
    texts = np.zeros(n_rows, f"<U{width}")
    start = 0
    for chunk in chunks:
        letters = texts[start : start + len(chunk)].view("<u4").reshape(len(chunk), width)
        letters[:] = _letters(chunk.fill_null("") if chunk.null_count else chunk, width)
        start += len(chunk)
    return texts


def _longest(texts: pa.Array) -> int:
    length = pc.binary_length if _is_ascii(texts) else pc.utf8_length
    return pc.max(length(texts)).as_py() or 0


def _is_ascii(texts: pa.Array) -> bool:
    return bool(pc.all(pc.string_is_ascii(texts), min_count=0).as_py())


def _letters(texts: pa.Array, width: int) -> NDArray[Any]:
    """Every text as a row of code points, with zeros behind it."""
    if not len(texts):
        return np.zeros((0, width), "u1")
    is_ascii = _is_ascii(texts)
    pad: Callable[..., pa.Array] = pc.ascii_rpad if is_ascii else pc.utf8_rpad
    padded = pad(texts, width, padding="\0")
    ends = np.frombuffer(padded.buffers()[1], "<i4", len(padded) + 1, padded.offset * 4)
    encoded = memoryview(padded.buffers()[2])[ends[0] : ends[-1]]
    if is_ascii:
        return np.frombuffer(encoded, "u1").reshape(len(texts), width)
    return np.frombuffer(str(encoded, "utf-8").encode("utf-32-le"), "<u4").reshape(len(texts), width)


def _arrays(values: pa.ChunkedArray, column: Column) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Array values of one shape as one array, otherwise as an array of arrays."""
    lists = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    lengths = pc.list_value_length(lists)
    spread = pc.min_max(lengths)
    n_elements = spread["max"].as_py()
    shape = _shape(column.arraysize or "*", n_elements or 0)
    if n_elements is None:  # no rows, or none that has a value
        n_elements = math.prod(shape)
    elif spread["min"].as_py() != n_elements:
        return _ragged(lists, lengths)
    n_filled = n_elements * (lists.null_count or not len(lists))
    if n_filled > _MOST_FILLED + len(lists.values) or (lists.null_count and not n_elements):
        return _ragged(lists, lengths)
    whole = _without_nulls(lists, n_elements)
    elements = pa.chunked_array([whole.flatten()])
    data = _numbers(elements).reshape(len(lists), *shape)
    if pa.types.is_floating(elements.type):
        return data, None
    is_null = _nulls(elements)
    return data, None if is_null is None else is_null.reshape(data.shape)


def _shape(arraysize: str, n_elements: int) -> tuple[int, ...]:
    """The axes of one value in C order; a flat one where the sizes do not give as many elements as there are."""
    sizes = [int(size) for size in re.findall(r"\d+", arraysize.rpartition("x")[0])]
    last = arraysize.rpartition("x")[2]
    inner = math.prod(sizes)
    if last.isdigit() and (n_elements in (0, inner * int(last))):
        sizes.append(int(last))
    elif sizes and inner and n_elements % inner == 0:
        sizes.append(n_elements // inner)
    else:
        sizes = [n_elements]
    return tuple(reversed(sizes))


def _without_nulls(lists: pa.ListArray, n_elements: int) -> pa.ListArray:
    """The same arrays, where null ones have as many null elements as the others have elements."""
    if not lists.null_count:
        return lists
    void = pa.scalar([None] * n_elements, lists.type)
    return pc.coalesce(lists, void)


def _ragged(lists: pa.ListArray, lengths: pa.Array) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """One array for each row, masked if some of its elements are null and no floats, and where there is none."""
    flat = pa.chunked_array([lists.flatten()])
    elements, is_null = _numbers(flat), None if pa.types.is_floating(flat.type) else _nulls(flat)
    if is_null is not None:
        elements = np.ma.MaskedArray(elements, is_null)
    ends = np.cumsum(pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False))
    rows = np.empty(len(lists), object)
    for row, (start, end) in enumerate(itertools.pairwise([0, *ends])):
        rows[row] = elements[start:end]
    return rows, _nulls(pa.chunked_array([lists]))

"""Values as text: what every writer of characters needs, once.

Everything is a whole-column Arrow cast. Floats come out as the shortest decimal that reads back to the same bits, and
timestamps as ISO 8601 in the form of DALI 1.1, section 3.3.3. How a format quotes a text or marks a null is its own
affair.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.tables import Column

__all__ = ["element_offsets", "flat_values", "float_texts", "text_bytes", "text_of", "timestamp_text", "with_points"]

_FEW_ROWS = 2000
_NOT_FINITE = {"nan": "NaN", "inf": "Inf", "-inf": "-Inf"}


def text_of(
    array: pa.Array, column: Column, *, booleans: tuple[str, str] = ("true", "false"), missing: str = "NaN"
) -> pa.StringArray:
    """Spell the values of one column as text, one text a row.

    Parameters
    ----------
    array : (n,) Arrow array
        Values in `arrow_type(column)`; slices and chunk offsets are respected.
    column : Column
        What they mean. The type of the array alone decides the spelling; the column is there for what it cannot say.
    booleans : (str, str)
        How true and false are spelt.
    missing : str
        How a null *element* of an array value is spelt, where blanks separate the elements.

    Returns
    -------
    texts : (n,) Arrow string array
        Nulls stay nulls. Floats: shortest round trip, `NaN`, `Inf`, `-Inf`. Timestamps: `2015-01-01T00:00:00`, with a
        fraction only where there is one. Array values: their elements joined by blanks, an empty text for no elements.
    """
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
        return _joined(array, column, booleans, missing)
    kind = array.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return timestamp_text(array)
    if pa.types.is_boolean(kind):
        return pc.if_else(array, *booleans)
    if pa.types.is_floating(kind):
        return _float_text(array)
    return array.cast(pa.string())


def float_texts(arrays: Sequence[pa.Array]) -> dict[int, pa.StringArray]:
    """Spell the floating columns of a small batch, those of one type at once; by their places.

    Of few rows the calls cost more than the values. Large columns, and a type that only one column has, are left out.
    """
    places: dict[pa.DataType, list[int]] = {}
    for place, array in enumerate(arrays):
        if pa.types.is_floating(array.type) and len(array) <= _FEW_ROWS:
            places.setdefault(array.type, []).append(place)
    found: dict[int, pa.StringArray] = {}
    for alike in places.values():
        if len(alike) > 1:
            texts = _float_text(pa.concat_arrays([arrays[place] for place in alike]))
            n_rows = len(arrays[alike[0]])
            found.update((place, texts.slice(i * n_rows, n_rows)) for i, place in enumerate(alike))
    return found


def with_points(texts: pa.StringArray, array: pa.Array) -> pa.StringArray:
    """Spellings of floats, with `.0` behind those that are whole, for readers that tell types from texts."""
    is_whole = pc.fill_null(pc.equal(array, pc.round(array)), False)
    if not pc.any(is_whole).as_py():
        return texts
    is_bare = pc.and_(is_whole, pc.invert(pc.match_substring_regex(texts, pattern="[a-zA-Z]")))
    return pc.if_else(is_bare, pc.binary_join_element_wise(texts, ".0", ""), texts)


def timestamp_text(array: pa.Array) -> pa.StringArray:
    """ISO 8601 with a `T`, and a fraction of a second only where it is not zero."""
    instants = array.cast(pa.timestamp("us"))
    seconds = instants.cast(pa.timestamp("s"), safe=False)
    if seconds.cast(pa.timestamp("us")).equals(instants):
        return _with_t(seconds.cast(pa.string()))
    return _with_t(pc.ascii_rtrim(pc.ascii_rtrim(instants.cast(pa.string()), "0"), "."))


def flat_values(array: pa.Array) -> pa.Array:
    """All elements of a column of array values, row after row."""
    return array.flatten()


def text_bytes(array: pa.Array) -> memoryview:
    """All bytes of a text or binary column, one value directly after the other, without a copy; nulls have none."""
    if not len(array) or array.buffers()[2] is None:
        return memoryview(b"")
    ends = np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, array.offset * 4)
    return memoryview(array.buffers()[2])[ends[0] : ends[-1]]


def element_offsets(array: pa.Array) -> pa.Int32Array:
    """Where each row's elements begin in `flat_values(array)`, and where the last ends: (n + 1,) values."""
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    return pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])


def _with_t(texts: pa.StringArray) -> pa.StringArray:
    return pc.replace_substring(texts, pattern=" ", replacement="T", max_replacements=1)


def _float_text(array: pa.Array) -> pa.StringArray:
    texts = array.cast(pa.string())
    if bytes(text_bytes(texts)).find(b"n") < 0:  # as in nan and inf, and in no number
        return texts
    for ours, theirs in _NOT_FINITE.items():
        texts = pc.if_else(pc.equal(texts, ours), theirs, texts)
    return texts


def _joined(array: pa.Array, column: Column, booleans: tuple[str, str], missing: str) -> pa.StringArray:
    elements = text_of(flat_values(array), column, booleans=booleans).fill_null(missing)
    lists = pa.ListArray.from_arrays(element_offsets(array), elements)
    texts = pc.binary_join(lists, " ")
    return pc.if_else(array.is_valid(), texts, None) if array.null_count else texts

"""Rows as TABLEDATA: XML text, one TR a row and one TD a cell (VOTable 1.4, section 5.1).

A null is an empty cell, or in an array of fixed size as many null elements as it has. The cells of a row are joined by
one Arrow kernel; nothing here walks over rows. Of small answers it is the calls that cost, not the values: columns of
the same floating type are spelled together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import EngineError
from skydex.formats.encoding import flat_values, float_texts, text_bytes, text_of
from skydex.formats.votable.arraysize import Arraysize
from skydex.formats.votable.document import Serialization, magic_null, wire_column
from skydex.tables import Column, Datatype

__all__ = ["escaped_xml", "rows_as_xml"]

_BEFORE, _BETWEEN_CELLS, _BETWEEN_ROWS, _AFTER = b"<TR><TD>", "</TD><TD>", "</TD></TR>\n<TR><TD>", b"</TD></TR>\n"
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;"))
_ILLEGAL = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\ufffe\uffff]"
_REPLACEMENT = "\ufffd"

_SUSPECT = np.zeros(256, bool)
_SUSPECT[:0x20] = True
_SUSPECT[[*b"\t\n"]] = False
_SUSPECT[[*b"&<>\xef"]] = True  # 0xEF begins U+FFFE and U+FFFF


def rows_as_xml(batch: pa.RecordBatch, columns: Sequence[Column]) -> tuple[memoryview, set[str]]:
    """Write rows as TR elements.

    Returns
    -------
    xml : bytes-like
        UTF-8.
    damaged : set of str
        Names of columns with characters that XML 1.0 cannot hold; each was written as U+FFFD.
    """
    if not columns:
        return memoryview(b"<TR/>\n" * batch.num_rows), set()
    if not batch.num_rows:
        return memoryview(b""), set()
    spelled = float_texts(batch.columns)
    cells: list[pa.Array] = []
    damaged: set[str] = set()
    for place, (array, column) in enumerate(zip(batch.columns, columns, strict=True)):
        texts, is_whole = (spelled[place], True) if place in spelled else _cells(array, column)
        cells.append(texts)
        if not is_whole:
            damaged.add(column.name)
    between = pa.scalar(_BETWEEN_CELLS)  # made here: the first one that is made imports pandas
    rows = pc.binary_join_element_wise(*cells, between, null_handling="replace", null_replacement="")
    whole = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows), _BETWEEN_ROWS)
    return memoryview(b"".join((_BEFORE, text_bytes(whole), _AFTER))), damaged


def _cells(array: pa.Array, published: Column) -> tuple[pa.Array, bool]:
    column = wire_column(published, Serialization.TABLEDATA)
    missing = "?" if column.datatype is Datatype.BOOLEAN else magic_null(column, Serialization.TABLEDATA) or "NaN"
    if column.is_array and not (size := Arraysize.parse(column.arraysize)).is_variable:
        array = _of_full_size(array, size.n_fixed, column)
    texts = text_of(array, column, booleans=("T", "F"), missing=missing)
    return escaped_xml(texts) if pa.types.is_string(array.type) else (texts, True)


def _of_full_size(array: pa.Array, width: int, column: Column) -> pa.Array:
    """Array values with null elements where there are too few, so that each has as many as its FIELD says."""
    lengths = pc.list_value_length(array).fill_null(0).to_numpy()
    if lengths.min(initial=width) == lengths.max(initial=width) == width:
        return array
    if lengths.max() > width:
        raise EngineError(f'A value of column "{column.name}" has more elements than its arraysize {column.arraysize}.')
    places = (np.cumsum(lengths) - lengths)[:, None] + np.arange(width)
    absent = np.arange(width) >= lengths[:, None]
    elements = flat_values(array).take(pa.array(places.ravel(), pa.int64(), mask=absent.ravel()))
    return pa.ListArray.from_arrays(pa.array(np.arange(len(array) + 1) * width, pa.int32()), elements)


def escaped_xml(texts: pa.StringArray) -> tuple[pa.StringArray, bool]:
    """Texts as they stand in XML 1.0, and whether it could hold all of their characters."""
    data = np.frombuffer(text_bytes(texts), np.uint8)
    if not _SUSPECT[data].any():
        return texts, True
    for character, entity in _ENTITIES:
        texts = pc.replace_substring(texts, pattern=character, replacement=entity)
    whole = pc.replace_substring_regex(texts, pattern=_ILLEGAL, replacement=_REPLACEMENT)
    return whole, whole.equals(texts)

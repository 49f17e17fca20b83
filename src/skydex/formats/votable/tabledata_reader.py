"""Rows of TABLEDATA, a block at a time (VOTable 1.4, section 5.1).

Whoever writes TABLEDATA writes millions of the same four tags. numpy finds them all at once, and the cells between them
become Arrow arrays without a loop. A block that holds anything else (attributes, comments, CDATA, prefixed names) goes
through expat instead, cell by cell.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from xml.parsers import expat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.errors import UnreadableFileError
from skydex.formats.encoding import element_offsets
from skydex.formats.votable.fields import WireField
from skydex.formats.votable.values import from_words, timestamps, whole_or_null

__all__ = ["rows_of_tabledata"]

_ROW_END = re.compile(rb"</(?:[\w.-]+:)?TR\s*>")
_ENTITY = re.compile(r"&(?:(#[0-9]+|#x[0-9a-fA-F]+|amp|lt|gt|quot|apos);)?")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


class _NotPlain(Exception):
    """The block holds more than the four plain tags."""


def rows_of_tabledata(
    chunks: Iterable[bytes], fields: Sequence[WireField], encoding: str, *, bad_are_null: bool = False
) -> Iterator[list[pa.Array]]:
    """Decode rows.

    Parameters
    ----------
    chunks : iterable of bytes
        What stands between the TABLEDATA tags, cut anywhere.
    fields : sequence of WireField
        The table's fields.
    encoding : str
        Character encoding of the document.
    bad_are_null : bool, optional
        Whether a cell that is no value of its datatype is a null, and not an error.

    Yields
    ------
    arrays : list of Arrow arrays
        One for each field that has a column.

    Raises
    ------
    UnreadableFileError
        Rows that are not well-formed, have a wrong number of cells, or values of another type.
    """
    for block in _whole_rows(chunks):
        data = _in_utf8(block, encoding)
        columns = _columns_of_block(data, len(fields))
        if columns and len(columns[0]):
            yield [
                _decoded(cells, field, bad_are_null)
                for cells, field in zip(columns, fields, strict=True)
                if field.column is not None
            ]


def _whole_rows(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a stream of bytes after ends of rows."""
    held = b""
    for chunk in chunks:
        held += chunk
        last = held.rfind(b"</")
        while last >= 0 and not (end := _ROW_END.match(held, last)):
            last = held.rfind(b"</", 0, last)
        if last >= 0 and end is not None:
            yield held[: end.end()]
            held = held[end.end() :]
    if held.strip():
        yield held


def _in_utf8(block: bytes, encoding: str) -> bytes:
    try:
        text = block.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableFileError("the table", f"its text is not in the encoding that it declares ({error})") from error
    return block if encoding in ("utf-8", "us-ascii", "ascii") else text.encode()


def _columns_of_block(data: bytes, n_columns: int) -> list[pa.Array]:
    """Cells by column, as texts with their entities resolved."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        return _plain_columns(data, n_columns)
    except _NotPlain:
        return _columns_by_expat(data, n_columns)


def _plain_columns(data: bytes, n_columns: int) -> list[pa.Array]:
    starts, ends = _plain_cells(np.frombuffer(data, np.uint8), n_columns)
    bounds = np.stack([starts, ends], axis=1).ravel()
    offsets = np.append(bounds, len(data)).astype(np.int32)
    between = pa.Array.from_buffers(pa.binary(), len(bounds), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    has_entities = b"&" in data
    n_cells = len(starts)
    columns = []
    for position in range(n_columns):
        cells = between.take(pa.array(np.arange(position, n_cells, n_columns) * 2)).cast(pa.string())
        columns.append(_resolved(cells) if has_entities else cells)
    return columns


def _plain_cells(octets: NDArray[np.uint8], n_columns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each cell's text begins and ends."""
    tags = np.flatnonzero(octets == ord("<"))
    if len(tags) and tags[-1] + 4 > len(octets):
        raise _NotPlain
    padded = np.append(octets, np.zeros(2, np.uint8))
    closes = padded[tags + 1] == ord("/")
    at = tags + 1 + closes
    is_row, is_cell = padded[at + 1] == ord("R"), padded[at + 1] == ord("D")
    is_empty = padded[at + 2] == ord("/")
    ends = at + 2 + is_empty
    plain = (padded[at] == ord("T")) & (is_row | is_cell) & (padded[ends] == ord(">")) & ~(is_empty & closes)
    if not plain.all():
        raise _NotPlain
    opens_cell = is_cell & ~closes
    opened = np.flatnonzero(opens_cell)
    _check_nesting(is_row, is_cell, closes, is_empty, opened)
    rows = np.cumsum(is_row & ~closes)
    n_cells = np.bincount(rows[opened], minlength=(int(rows[-1]) + 1) if len(rows) else 1)[1:]
    _check_counts(n_cells, n_columns)
    starts = ends[opened] + 1
    following = np.minimum(opened + 1, len(tags) - 1)
    return starts, np.where(is_empty[opened], starts, tags[following])


def _check_nesting(
    is_row: NDArray[np.bool_],
    is_cell: NDArray[np.bool_],
    closes: NDArray[np.bool_],
    is_empty: NDArray[np.bool_],
    opened: NDArray[np.int64],
) -> None:
    """Every cell that is opened must be closed by the next tag, every row before the next row."""
    nested = opened[~is_empty[opened]]
    if len(nested) and (nested[-1] + 1 >= len(closes) or not (closes & is_cell)[nested + 1].all()):
        raise _NotPlain
    rows = closes[is_row & ~is_empty]
    if (closes & is_cell).sum() != len(nested) or len(rows) % 2 or rows[::2].any() or not rows[1::2].all():
        raise _NotPlain


def _check_counts(n_cells: NDArray[np.int64], n_columns: int) -> None:
    wrong = np.flatnonzero(n_cells != n_columns)
    if len(wrong):
        raise UnreadableFileError(
            "the table", f"a row has {n_cells[wrong[0]]} cells where there are {n_columns} fields"
        )


def _columns_by_expat(data: bytes, n_columns: int) -> list[pa.Array]:
    """The same, by an XML parser."""
    cells: list[list[str]] = [[] for _ in range(n_columns)]
    row: list[str] = []
    text: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        text.clear()
        if tag.endswith("TR"):
            row.clear()
        elif attributes.get("encoding"):
            raise UnreadableFileError("the table", f"a cell is encoded ({attributes['encoding']})")

    def end(tag: str) -> None:
        if tag.endswith("TD"):
            row.append("".join(text))
        elif tag.endswith("TR"):
            _check_counts(np.array([len(row)]), n_columns)
            for column, cell in zip(cells, row, strict=True):
                column.append(cell)

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(b"<TABLEDATA>" + data + b"</TABLEDATA>", True)
    except expat.ExpatError as error:
        raise UnreadableFileError("the table", f"its rows are not well-formed XML ({error})") from error
    return [pa.array(column, pa.string()) for column in cells]


def _resolved(cells: pa.StringArray) -> pa.StringArray:
    """Resolve entities in the few cells that have any."""
    has_any = pc.match_substring(cells, "&")
    texts = [_ENTITY.sub(_character, text) for text in cells.filter(has_any).to_pylist()]
    return pc.replace_with_mask(cells, has_any, pa.array(texts, pa.string())) if texts else cells


def _character(entity: re.Match[str]) -> str:
    word = entity.group(1) or ""
    if word in _NAMED:
        return _NAMED[word]
    code = int(word[2:], 16) if word.startswith("#x") else int(word[1:] or "0")
    if not 0 < code <= sys.maxunicode:
        raise UnreadableFileError("the table", "a cell has an entity that XML does not know")
    return chr(code)


def _decoded(cells: pa.StringArray, field: WireField, bad_are_null: bool) -> pa.Array:
    column = field.column
    assert column is not None
    if column.datatype.is_text:
        texts = pc.ascii_trim_whitespace(cells)  # as astropy does: services pad their cells with blanks
        texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
        return timestamps(texts, column) if column.is_timestamp else texts
    if not column.is_array:
        return from_words(cells, column, field.null, bad_are_null=bad_are_null)
    lists = pc.split_pattern_regex(pc.ascii_trim_whitespace(cells), pattern=r"\s*,\s*|\s+")
    is_null = pc.equal(pc.ascii_trim_whitespace(cells), "")
    lists = pc.if_else(is_null, pa.scalar(None, lists.type), lists)
    values = from_words(lists.flatten(), column, field.null, bad_are_null=bad_are_null)
    return whole_or_null(pa.ListArray.from_arrays(element_offsets(lists), values, mask=is_null))

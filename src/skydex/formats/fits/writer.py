"""FITS: a result as one binary table after an empty primary HDU.

FITS 4.0 (2018), sections 4.4.1 (primary header), 7.3 (binary tables), 7.3.5 (variable-length arrays). What has no
standard keyword follows the habit of STILTS and TOPCAT: TCOMMn, TUCDn, TUTYPn, TXTYPn. A header gives the number of
rows before the first of them, so the rows are put aside once; widths of unbounded texts, values that can stand for null
and the size of the heap are learnt on the way.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.errors import BadParameterError
from skydex.formats.fits.layout import Layout, layout_of
from skydex.formats.fits.survey import Survey
from skydex.formats.parallel import ordered_map, sliced
from skydex.formats.spool import Spool
from skydex.tables import Result

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["write_fits"]

BLOCK = 2880
"""Everything in a FITS file fills multiples of so many bytes (3.1)."""
MAX_FIELDS = 999
"""Most columns of a table (7.3.1)."""
_ROWS_A_CHUNK = 16384
_MAX_NAME = 68
"""Longest name that fits into one card."""

_Starts = tuple[int, ...]


def write_fits(result: Result) -> Iterator[bytes]:
    """Write a result as FITS; the first byte leaves when the last row is known.

    Raises
    ------
    BadParameterError
        There are more columns than a FITS table can have.
    """
    if len(result.columns) > MAX_FIELDS:
        raise BadParameterError(
            "FORMAT", f"a FITS table holds at most {MAX_FIELDS} columns, not {len(result.columns)}."
        )
    with Spool(result.schema) as spool:
        surveys = _surveyed(result, spool)
        layouts = [layout_of(survey, spool, index, spool.n_rows) for index, survey in enumerate(surveys)]
        yield _primary_header() + _table_header(result, layouts, spool.n_rows)
        yield from _padded(_rows(layouts, spool), _heap(layouts, spool))


def _surveyed(result: Result, spool: Spool) -> list[Survey]:
    surveys = [Survey(column) for column in result.columns]
    for batch in result.batches:
        spool.add(batch)
        for survey, array in zip(surveys, batch.columns, strict=True):
            survey.see(array)
    return surveys


def _primary_header() -> bytes:
    from astropy.io.fits import Header

    cards = [
        ("SIMPLE", True, "conforms to FITS standard"),
        ("BITPIX", 8),
        ("NAXIS", 0),
        ("EXTEND", True),
    ]
    return _header_bytes(Header(cards))


def _table_header(result: Result, layouts: Sequence[Layout], n_rows: int) -> bytes:
    from astropy.io.fits import Header

    header = Header(
        [
            ("XTENSION", "BINTABLE", "binary table extension"),
            ("BITPIX", 8),
            ("NAXIS", 2),
            ("NAXIS1", sum(layout.dtype.itemsize for layout in layouts), "bytes in a row"),
            ("NAXIS2", n_rows, "rows"),
            ("PCOUNT", sum(layout.heap_bytes for layout in layouts), "bytes of variable-length arrays"),
            ("GCOUNT", 1),
            ("TFIELDS", len(layouts), "columns"),
            ("EXTNAME", _ascii(result.name)[:_MAX_NAME], "name of the table"),
        ]
    )
    names = _unique_names([layout.column.name for layout in layouts])
    for number, (layout, name) in enumerate(zip(layouts, names, strict=True), 1):
        header.extend(_column_cards(number, name, layout), bottom=True)
    header["OVERFLOW"] = (result.overflow, "T if there are rows beyond the row limit")
    for text in _remarks(result):
        header.add_comment(_ascii(text))
    return _header_bytes(header)


def _column_cards(number: int, name: str, layout: Layout) -> list[tuple[str, Any]]:
    column = layout.column
    texts = {
        "TTYPE": name,
        "TFORM": layout.tform,
        "TDIM": layout.tdim,
        "TUNIT": column.unit and column.unit.replace("Å", "Angstrom"),
        "TCOMM": column.description,
        "TUCD": column.ucd,
        "TUTYP": column.utype,
        "TXTYP": column.xtype,
    }
    cards: list[tuple[str, Any]] = [(f"{key}{number}", _ascii(text)) for key, text in texts.items() if text]
    return cards if layout.null is None else [*cards, (f"TNULL{number}", layout.null)]


def _remarks(result: Result) -> Iterator[str]:
    if result.description:
        yield result.description
    yield from (f"{name}: {value}" for name, value in result.infos)
    yield from result.warnings


def _rows(layouts: Sequence[Layout], spool: Spool) -> Iterator[bytes]:
    dtype = np.dtype([(f"f{index}", layout.dtype) for index, layout in enumerate(layouts)])

    def encoded(piece: tuple[pa.RecordBatch, _Starts]) -> bytes:
        batch, starts = piece
        rows = np.empty(batch.num_rows, dtype)
        for index, layout in enumerate(layouts):
            array = batch.column(index)
            rows[f"f{index}"] = _descriptors(layout, array, starts[index]) if layout.on_heap else layout.values(array)
        return rows.tobytes()

    return ordered_map(encoded, _with_starts(layouts, spool))


def _with_starts(layouts: Sequence[Layout], spool: Spool) -> Iterator[tuple[pa.RecordBatch, _Starts]]:
    """Pieces of the table, each with the place on the heap where its part of every column begins."""
    starts = tuple(accumulate((layout.heap_bytes for layout in layouts), initial=0))[:-1]
    for batch in sliced(spool, _ROWS_A_CHUNK):
        yield batch, starts
        starts = tuple(
            start + int(layout.lengths(array).sum()) * layout.element_bytes if layout.on_heap else start
            for start, layout, array in zip(starts, layouts, batch.columns, strict=True)
        )


def _descriptors(layout: Layout, array: pa.Array, start: int) -> NDArray[np.int64]:
    """Number of elements and byte offset on the heap, for each row (7.3.5)."""
    lengths = layout.lengths(array)
    ends = np.cumsum(lengths) * layout.element_bytes + start
    return np.stack([lengths, ends - lengths * layout.element_bytes], axis=1)


def _heap(layouts: Sequence[Layout], spool: Spool) -> Iterator[bytes]:
    """The arrays themselves, column after column."""
    for index, layout in enumerate(layouts):
        if layout.on_heap:
            for batch in sliced(spool, _ROWS_A_CHUNK):
                yield layout.values(batch.column(index)).tobytes()


def _padded(*parts: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for part in parts:
        for chunk in part:
            size += len(chunk)
            yield chunk
    if size % BLOCK:
        yield bytes(BLOCK - size % BLOCK)


def _header_bytes(header: Header) -> bytes:
    text: str = header.tostring()
    return text.encode("ascii")


def _unique_names(names: Sequence[str]) -> list[str]:
    """Names as FITS can hold them: printable ASCII, not blank, short, each once without regard to case (7.3.1)."""
    taken: set[str] = set()
    unique = []
    for number, name in enumerate(names, 1):
        plain = _ascii(name).strip()[:_MAX_NAME] or f"col{number}"
        candidate, again = plain, 1
        while candidate.lower() in taken:
            again += 1
            candidate = f"{plain[: _MAX_NAME - 1 - len(str(again))]}_{again}"
        taken.add(candidate.lower())
        unique.append(candidate)
    return unique


def _ascii(text: str) -> str:
    """A text in the characters of a FITS header: accents are dropped, what has no plain form becomes `?`."""
    plain = unicodedata.normalize("NFKD", text.replace("µ", "u"))
    letters = (c for c in plain if not unicodedata.combining(c))
    return "".join(c if " " <= c <= "~" else " " if c.isspace() else "?" for c in letters)

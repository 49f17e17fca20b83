"""FITS tables, read in chunks of rows: binary and ASCII, compressed or not.

FITS 4.0 (2018), section 7. Every table of a file is a `Source`; images and random groups are none. A column that cannot
be carried is left out and named in the source's warnings.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.errors import UnreadableFileError
from skydex.formats.compressed import open_decompressed
from skydex.formats.fits.decode import ascii_column, binary_column, descriptors, heap_column
from skydex.formats.fits.fields import Field, Refusal, fields_of
from skydex.formats.fits.hdus import HDU, read_hdus, whole_number
from skydex.formats.format import Source
from skydex.tables import arrow_schema

__all__ = ["is_fits", "read_fits"]

_CHUNK_BYTES = 8 << 20
_CHUNK_ROWS = 1 << 16
_HEAP_CHUNK = 64 << 20
_FACTS = (
    "RADESYS", "RADECSYS", "EQUINOX", "TIMESYS", "TIMEUNIT", "TREFPOS", "MJDREF", "MJDREFI", "MJDREFF", "JDREF",
    "TIMEZERO", "DATE-OBS", "MJD-OBS", "TELESCOP", "INSTRUME", "ORIGIN", "OBJECT",
)  # fmt: skip
"""Header keywords that say in which frames and scales the columns are (FITS 4.0, tables 22, 30 and section 9)."""


def is_fits(start: bytes) -> bool:
    """Whether a file that begins so is FITS (4.4.1.1)."""
    return start[:10] == b"SIMPLE  = "


def read_fits(file: Path, options: Mapping[str, Any]) -> list[Source]:
    """Describe every table of a FITS file.

    Raises
    ------
    UnreadableFileError
        The file is damaged, or it holds no table.
    """
    hdus = read_hdus(file)
    packed = [hdu for hdu in hdus if hdu.is_table and hdu.value("ZTABLE", False)]
    tables = [hdu for hdu in hdus if hdu.is_table and hdu not in packed]
    if not tables:
        raise UnreadableFileError(file.name, f"it holds no table, only {_contents(hdus)}")
    sources = [_source(hdu, hdus[0], file.stem if len(tables) == 1 else f"{file.stem}_{hdu.number}") for hdu in tables]
    left_out = tuple(f"Table {hdu.number} is tile-compressed and is left out: it cannot be read" for hdu in packed)
    return [replace(source, warnings=(*source.warnings, *left_out)) for source in sources]


def _contents(hdus: Sequence[HDU]) -> str:
    kinds = [_kind(hdu) for hdu in hdus if hdu.n_bytes or len(hdus) == 1]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)) or "headers without data"


def _kind(hdu: HDU) -> str:
    if hdu.value("ZTABLE", False):
        return "tile-compressed table(s)"
    if hdu.value("ZIMAGE", False):
        return "compressed image(s)"
    if hdu.value("GROUPS", False) is True:
        return "random groups"
    return "image(s)" if hdu.n_bytes else "header(s) without data"


def _source(hdu: HDU, primary: HDU, fallback_name: str) -> Source:
    described = fields_of(hdu)
    fields = [field for field in described if isinstance(field, Field)]
    too_large = _beyond_int64(hdu, fields)
    warnings = [str(item) for item in described if isinstance(item, Refusal)]
    warnings += [str(Refusal(name, "it holds unsigned integers over 2^63 - 1")) for name in too_large]
    kept, renamed = _uniquely_named([field for field in fields if field.column.name not in too_large])
    warnings += renamed
    warnings += [
        f'Column "{field.column.name}" is complex and is carried as pairs of real and imaginary part.'
        for field in kept
        if field.letter in "CM"
    ]
    if not kept:
        raise hdu.problem("none of its columns can be carried")
    return Source(
        file=hdu.file,
        name=str(hdu.value("EXTNAME", "")).strip() or fallback_name,
        columns=tuple(field.column for field in kept),
        open_batches=partial(_batches, hdu, tuple(kept)),
        n_rows=hdu.n_rows,
        warnings=tuple(warnings),
        facts={key: str(value) for key in _FACTS if (value := hdu.value(key, primary.value(key))) is not None},
    )


def _uniquely_named(fields: Sequence[Field]) -> tuple[list[Field], list[str]]:
    """Fields whose names differ without regard to case, as queries need them."""
    taken: set[str] = set()
    kept, warnings = [], []
    for field in fields:
        name, again = field.column.name, 1
        while name.lower() in taken:
            again += 1
            name = f"{field.column.name}_{again}"
        if again > 1:
            warnings.append(f'A second column "{field.column.name}" is called "{name}".')
        taken.add(name.lower())
        kept.append(replace(field, column=field.column.renamed(name)))
    return kept, warnings


def _beyond_int64(hdu: HDU, fields: Sequence[Field]) -> set[str]:
    """Names of unsigned 64-bit columns with values that no signed integer holds; reads the table if there are such."""
    suspects = [field for field in fields if field.letter == "K" and field.is_offset_integer and not field.descriptor]
    if not suspects:
        return set()
    found = set()
    for rows in _row_chunks(hdu):
        for field in suspects:
            raw = np.ascontiguousarray(rows[:, field.offset : field.offset + field.width]).view(">i8")
            if ((raw >= 0) & (raw != (field.null if field.null is not None else -1))).any():
                found.add(field.column.name)
    return found


def _batches(hdu: HDU, fields: tuple[Field, ...]) -> Iterator[pa.RecordBatch]:
    """The rows of one table, decoded."""
    schema = arrow_schema(tuple(field.column for field in fields))
    try:
        if any(field.descriptor for field in fields):
            chunks = _heap_chunks(hdu, fields)
        else:
            decode = ascii_column if hdu.kind == "TABLE" else binary_column
            chunks = ([decode(field, rows) for field in fields] for rows in _row_chunks(hdu))
        for arrays in chunks:
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    except ValueError as error:
        raise hdu.problem(str(error)) from error


def _row_chunks(hdu: HDU) -> Iterator[NDArray[np.uint8]]:
    """Rows as they are in the file, (n_rows, row_bytes) a chunk, read one after the other."""
    with open_decompressed(hdu.file) as stream:
        _go_to(stream, hdu.start)
        yield from _chunks_of(hdu, stream)


def _chunks_of(hdu: HDU, stream: BinaryIO) -> Iterator[NDArray[np.uint8]]:
    size = hdu.row_bytes
    at_once = max(1, min(_CHUNK_ROWS, _CHUNK_BYTES // max(size, 1)))
    for start in range(0, hdu.n_rows, at_once):
        n_rows = min(at_once, hdu.n_rows - start)
        data = stream.read(n_rows * size)
        if len(data) < n_rows * size:
            raise hdu.problem("the table ends before its last row")
        yield np.frombuffer(data, np.uint8).reshape(n_rows, size)


def _heap_chunks(hdu: HDU, fields: Sequence[Field]) -> Iterator[list[pa.Array]]:
    """Decoded chunks of a table with a heap, each small enough although a small file can point far."""
    with _plain_file(hdu) as stream:
        heap = _heap(hdu, stream)
        stream.seek(hdu.start)
        for rows in _chunks_of(hdu, stream):
            for piece in _bearable(fields, rows):
                yield [_any_column(field, piece, heap) for field in fields]


def _any_column(field: Field, rows: NDArray[np.uint8], heap: NDArray[np.uint8]) -> pa.Array:
    if not field.descriptor:
        return binary_column(field, rows)
    counts, starts = descriptors(field, rows)
    return heap_column(field, counts, starts, heap)


def _bearable(fields: Sequence[Field], rows: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Cut rows so that the arrays of one piece stay below a limit of elements, one row at least."""
    counts = sum(np.maximum(descriptors(field, rows)[0], 0) for field in fields if field.descriptor)
    pieces = np.cumsum(counts) // _HEAP_CHUNK
    cuts = [0, *(np.flatnonzero(np.diff(pieces)) + 1).tolist(), len(rows)]
    yield from (rows[start:end] for start, end in pairwise(cuts))


def _heap(hdu: HDU, stream: BinaryIO) -> NDArray[np.uint8]:
    """The heap as a map of the file."""
    table = hdu.row_bytes * hdu.n_rows
    start = whole_number(hdu, "THEAP", table)
    if not table <= start <= hdu.n_bytes:
        raise hdu.problem(f"THEAP is {start}")
    if hdu.n_bytes == start:
        return np.empty(0, np.uint8)
    mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(mapped, np.uint8)[hdu.start + start : hdu.start + hdu.n_bytes]


def _plain_file(hdu: HDU) -> BinaryIO:
    """The file itself or, where it is compressed, its bytes up to the end of this table in a temporary one."""
    stream = open_decompressed(hdu.file)
    if _is_plain(stream):
        return stream
    plain: BinaryIO = tempfile.TemporaryFile(prefix="skydex-fits-")  # noqa: SIM115
    with stream:
        left = hdu.start + hdu.n_bytes
        while left and (data := stream.read(min(left, 1 << 20))):
            plain.write(data)
            left -= len(data)
    plain.flush()
    return plain


def _go_to(stream: BinaryIO, position: int) -> None:
    if _is_plain(stream):
        stream.seek(position)
        return
    while position and (data := stream.read(min(position, 1 << 20))):
        position -= len(data)


def _is_plain(stream: BinaryIO) -> bool:
    return stream.seekable()

"""Plain text for eyes: aligned columns under their names and units.

Widths are known when the last row is, so the rows are put aside once. Control characters are shown as blanks, nulls as
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from skydex.formats.delimited import overflow_remark
from skydex.formats.encoding import text_of
from skydex.formats.format import Format
from skydex.formats.lines import joined_lines
from skydex.formats.parallel import ordered_map, sliced
from skydex.formats.spool import Spool
from skydex.tables import Column, Result

__all__ = ["FORMAT", "write_text"]

_ROWS_A_CHUNK = 16384
_GAP = "  "
_CONTROL = r"[\x00-\x1f\x7f]"


def write_text(result: Result) -> Iterator[bytes]:
    """Write a result as an aligned table; the first byte leaves when the last row is known."""
    columns = result.columns
    widths = [max(len(column.name), len(column.unit or ""), 1) for column in columns]
    with Spool(pa.schema([pa.field(column.name, pa.string()) for column in columns])) as spool:
        for batch in sliced(result.batches, _ROWS_A_CHUNK):
            texts = [_cells(array, column) for array, column in zip(batch.columns, columns, strict=True)]
            widths = [max(width, _longest(array)) for width, array in zip(widths, texts, strict=True)]
            spool.add(pa.RecordBatch.from_arrays(texts, schema=spool.schema))
        yield _heading(columns, widths)

        def lines(batch: pa.RecordBatch) -> bytes:
            return joined_lines([_padded(*cell) for cell in zip(batch.columns, columns, widths, strict=True)], _GAP)

        yield from ordered_map(lines, spool)
    if result.overflow:
        yield f"# {overflow_remark(result)}\n".encode()


def _heading(columns: Sequence[Column], widths: Sequence[int]) -> bytes:
    names = [_placed(column, column.name, width) for column, width in zip(columns, widths, strict=True)]
    units = [_placed(column, column.unit or "", width) for column, width in zip(columns, widths, strict=True)]
    rules = ["-" * width for width in widths]
    return "".join(_GAP.join(line) + "\n" for line in (names, units, rules)).encode()


def _placed(column: Column, text: str, width: int) -> str:
    return text.rjust(width) if column.datatype.is_numeric else text.ljust(width)


def _cells(array: pa.Array, column: Column) -> pa.Array:
    texts = text_of(array, column).fill_null("")
    return pc.replace_substring_regex(texts, pattern=_CONTROL, replacement=" ") if column.datatype.is_text else texts


def _longest(texts: pa.Array) -> int:
    return pc.max(pc.utf8_length(texts)).as_py() or 0


def _padded(texts: pa.Array, column: Column, width: int) -> pa.Array:
    pad = pc.utf8_lpad if column.datatype.is_numeric else pc.utf8_rpad
    return pad(texts, width=width, padding=" ")


FORMAT = Format(name="text", media_type="text/plain", suffixes=(".text",), aliases=("txt",), write=write_text)

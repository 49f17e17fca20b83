"""HTML: a page with one table, for a browser.

Every value, name and message is escaped and inert: the page has no script, and nothing in it is a link. Control
characters, which HTML cannot hold, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

import pyarrow as pa
import pyarrow.compute as pc

from skydex.formats.ascii import read_ascii
from skydex.formats.delimited import overflow_remark
from skydex.formats.encoding import text_of
from skydex.formats.format import Format
from skydex.formats.lines import joined_lines
from skydex.formats.parallel import ordered_map, sliced
from skydex.tables import Column, Result

__all__ = ["FORMAT", "write_html"]

_ROWS_A_CHUNK = 16384
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}
_STYLE = "body{font:14px sans-serif}table{border-collapse:collapse}td,th{padding:2px 8px;border-bottom:1px solid #ccc}"


def write_html(result: Result) -> Iterator[bytes]:
    """Write a result as an HTML page."""
    yield _heading(result).encode()

    def rows(batch: pa.RecordBatch) -> bytes:
        texts = [_cells(array, column) for array, column in zip(batch.columns, result.columns, strict=True)]
        return joined_lines(texts, "</td><td>", begin="<tr><td>", end="</td></tr>\n")

    yield from ordered_map(rows, sliced(result.batches, _ROWS_A_CHUNK))
    remark = f"<p>{_safe(overflow_remark(result))}</p>\n" if result.overflow else ""
    yield f"</tbody>\n</table>\n{remark}</body>\n</html>\n".encode()


def _heading(result: Result) -> str:
    title, about = _safe(result.name), _safe(result.description)
    facts = "".join(f"<p>{_safe(name)}: {_safe(value)}</p>\n" for name, value in result.infos)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{_STYLE}{_numbers_to_the_right(result.columns)}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f"{f'<p>{about}</p>' if about else ''}{facts}<table>\n<thead>\n"
        f"<tr>{''.join(map(_name_cell, result.columns))}</tr>\n"
        f"<tr>{''.join(f'<th>{_safe(column.unit or str())}</th>' for column in result.columns)}</tr>\n"
        "</thead>\n<tbody>\n"
    )


def _numbers_to_the_right(columns: Sequence[Column]) -> str:
    places = [number for number, column in enumerate(columns, 1) if column.datatype.is_numeric]
    return ",".join(f"td:nth-child({place})" for place in places) + "{text-align:right}" if places else ""


def _name_cell(column: Column) -> str:
    words = "; ".join(filter(None, (column.description, column.ucd)))
    return f'<th title="{_safe(words)}">{_safe(column.name)}</th>'


def _cells(array: pa.Array, column: Column) -> pa.Array:
    texts = text_of(array, column)
    if (
        not pa.types.is_string(array.type)
        or not pc.any(pc.match_substring_regex(texts, r"[&<>\"'\x00-\x1f\x7f]")).as_py()
    ):
        return texts
    texts = pc.replace_substring_regex(texts, pattern=_CONTROL, replacement="")
    for character, entity in _ENTITIES.items():
        texts = pc.replace_substring(texts, pattern=character, replacement=entity)
    return texts


def _safe(text: str) -> str:
    return escape(re.sub(_CONTROL, "", text))


FORMAT = Format(name="html", media_type="text/html", suffixes=(".html", ".htm"), read=read_ascii, write=write_html)

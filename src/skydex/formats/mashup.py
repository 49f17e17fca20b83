"""Answers as MAST's invoke sends them: rows as objects, their columns, and which page of how many this is.

`json`: `{"status", "msg", "data": [{...}, ...], "fields": [{"name", "type"}, ...], "paging": {...}}`. `extjs`: the same
facts as the grids of MAST's portal take them, rows as lists. The number of all rows must be known beforehand; whoever
makes the result says so in its infos (`PAGING`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from skydex.formats.jsontable import json_cells, json_rows
from skydex.formats.lines import joined_lines
from skydex.formats.parallel import ordered_map, sliced
from skydex.tables import Column, Datatype, Result

__all__ = ["PAGING", "properties_of", "write_mashup_extjs", "write_mashup_json"]

PAGING = ("page", "pageSize", "rowsTotal")
"""Infos of a result that say which page it is, how many rows a page has, and how many rows there are in all."""

_ROWS_A_CHUNK = 8192
_SELECTED = "_selected_"
"""A column that MAST's pages tick: always null, and always the last."""


def write_mashup_json(
    result: Result, *, with_selected: bool = False, as_texts: Collection[str] = ()
) -> Iterator[bytes]:
    """Write a page of rows as objects; the numbers of some columns may be called texts, as MAST calls counts."""
    keys = [f"{json.dumps(column.name)}: " for column in result.columns]
    end = f', "{_SELECTED}": null}}' if with_selected else "}"
    n_rows = 0
    yield b'{"status": "COMPLETE", "msg": "", "data": ['
    for n_more, chunk in ordered_map(
        partial(_objects, result.columns, keys, end), sliced(result.batches, _ROWS_A_CHUNK)
    ):
        yield chunk[0 if n_rows else 1 :]  # the first row has no comma before it
        n_rows += n_more
    fields = _fields(result.columns, with_selected=with_selected)
    fields = [{**field, "type": "string"} if field["name"] in as_texts else field for field in fields]
    about = {"fields": fields, "paging": _paging(result, n_rows)}
    yield ("\n], " + json.dumps(about, ensure_ascii=False)[1:] + "\n").encode("utf-8", "replace")


def write_mashup_extjs(result: Result, *, with_selected: bool = False) -> Iterator[bytes]:
    """Write a page of rows for a grid of the portal."""
    fields = _fields(result.columns, with_selected=False)
    columns = [
        {"text": column.name, "dataIndex": column.name, "ExtendedProperties": properties_of(column)}
        for column in result.columns
    ]
    about = {
        "name": "Table",
        "ExtendedProperties": {"Paging": _paging(result, _n_rows(result))},
        "Columns": columns,
        "Fields": fields,
    }
    yield b'{"status": "COMPLETE", "msg": "", "data": {"name": "NewDataSet", "Tables": ['
    yield (json.dumps(about, ensure_ascii=False)[:-1] + ', "Rows": [').encode("utf-8", "replace")
    yield from json_rows(result)
    yield b'\n]}], "ExtendedProperties": {}}}\n'


def properties_of(column: Column) -> dict[str, Any]:
    """What is to be known of a column, in the words of MAST's column configuration."""
    facts = {
        "text": column.name,
        "vot.datatype": column.datatype.value,
        "vot.arraysize": column.arraysize,
        "vot.unit": column.unit,
        "vot.ucd": column.ucd,
        "vot.utype": column.utype,
        "vot.ID": column.name,
        "vot.name": column.name,
        "vot.description": column.description,
    }
    return {key: value for key, value in facts.items() if value}


def _objects(columns: Sequence[Column], keys: Sequence[str], end: str, batch: pa.RecordBatch) -> tuple[int, bytes]:
    """Rows as objects, each on a line of its own after a comma."""
    cells = (json_cells(array, column).fill_null("null") for array, column in zip(batch.columns, columns, strict=True))
    texts = [pc.binary_join_element_wise(key, cell, "") for key, cell in zip(keys, cells, strict=True)]
    return batch.num_rows, joined_lines(texts, ", ", begin=",\n{", end=end)


def _fields(columns: Sequence[Column], *, with_selected: bool) -> list[dict[str, str]]:
    fields = [{"name": column.name, "type": _type_of(column)} for column in columns]
    return [*fields, {"name": _SELECTED, "type": "boolean"}] if with_selected else fields


def _type_of(column: Column) -> str:
    """The word of MAST for a datatype."""
    if column.datatype.is_text or column.is_array:
        return "string"
    if column.datatype is Datatype.BOOLEAN:
        return "boolean"
    return "float" if column.datatype.is_floating else "int"


def _n_rows(result: Result) -> int:
    page, page_rows, total = _facts(result)
    return max(0, min(page_rows, total - (page - 1) * page_rows))


def _paging(result: Result, n_rows: int) -> dict[str, int]:
    page, page_rows, total = _facts(result)
    n_pages = -(-total // page_rows)
    return {
        "page": page,
        "pageSize": page_rows,
        "pagesFiltered": max(n_pages, 1),
        "rows": n_rows,
        "rowsFiltered": total,
        "rowsTotal": total,
    }


def _facts(result: Result) -> tuple[int, int, int]:
    infos = dict(result.infos)
    page, page_rows, total = (int(infos[name]) for name in PAGING)
    return page, page_rows, total

"""JSON as catalogue services send it: what the columns are, and rows as lists.

`{"info": [{"name", "type", ...}, ...], "data": [[...], ...], "overflow": false}`. 64-bit integers are texts, since many
readers take numbers for doubles, and whole floats have a point; everything else is as in `jsontable`. How a column is
described is the affair of whoever asks for this form.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from skydex.formats.encoding import with_points
from skydex.formats.jsontable import json_cells, json_rows
from skydex.tables import Column, Result

__all__ = ["write_catalog_json"]

Describe = Callable[[Sequence[Column]], Sequence[Mapping[str, str]]]
"""Gives a description of each column."""


def write_catalog_json(result: Result, *, describe: Describe) -> Iterator[bytes]:
    """Write a result as JSON, a row a line."""
    info = json.dumps(list(describe(result.columns)), ensure_ascii=False)
    yield f'{{"info": {info}, "data": ['.encode("utf-8", "replace")
    yield from json_rows(result, spell=_cells)
    yield f'\n], "overflow": {json.dumps(result.overflow)}}}\n'.encode()


def _cells(array: pa.Array, column: Column) -> pa.Array:
    texts = json_cells(array, column)
    if pa.types.is_int64(array.type):
        return pc.binary_join_element_wise('"', texts, '"', "")
    return with_points(texts, array) if pa.types.is_floating(array.type) else texts

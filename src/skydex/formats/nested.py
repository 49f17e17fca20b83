"""One row for each object, its measurements as lists: what a flat result, sorted by object, becomes.

Parquet and Arrow get list columns, as nested-pandas and LSDB read them, and JSON gets lists. In a flat result an object
without measurements has one row without a time; here its lists are empty. Rows are gathered as they come, so that no
more than one batch and one object is held.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.formats import arrow, parquet
from skydex.formats.encoding import element_offsets
from skydex.formats.format import Format
from skydex.formats.jsontable import described, json_cells
from skydex.formats.lines import joined_lines
from skydex.tables import Column, Result, arrow_type, metadata_of_columns

__all__ = ["NESTING", "gathered", "nested_format"]

NESTING = ("arrow", "parquet", "json")
"""Formats that can hold a list in a row."""


def nested_format(form: Format, *, first_list: str, apart: tuple[str, ...]) -> Format:
    """A format that writes a row for each object.

    Parameters
    ----------
    form : Format
        One of `NESTING`.
    first_list : str
        The first column of measurements; those before it are the same in all rows of an object. It is null where an
        object has no measurements.
    apart : tuple of str
        Columns, without nulls, that tell objects apart, as far as they are there.
    """
    return replace(form, write=partial(_write, name=form.name, first_list=first_list, apart=apart))


def _write(result: Result, *, name: str, first_list: str, apart: tuple[str, ...]) -> Iterator[bytes]:
    names = [column.name for column in result.columns]
    n_flat = names.index(first_list)
    schema = _schema(result, n_flat)
    places = tuple(names.index(one) for one in apart if one in names[:n_flat])
    result.batches = gathered(result.batches, schema, n_flat, places)
    if name == "json":
        return _write_json(result, n_flat)
    if name == "parquet":
        return parquet.write_in(result, schema)
    infos = {arrow.INFOS: json.dumps(result.infos).encode()}
    return arrow.write_in(result, schema.with_metadata({**(schema.metadata or {}), **infos}))


def _schema(result: Result, n_flat: int) -> pa.Schema:
    metadata = metadata_of_columns(result.columns[:n_flat], name=result.name, description=result.description)
    fields = []
    for place, column in enumerate(result.columns):
        kind = arrow_type(column)
        facts = {key: text for key in ("unit", "ucd", "description") if (text := getattr(column, key))}
        fields.append(pa.field(column.name, kind if place < n_flat else pa.list_(kind), metadata=facts))
    return pa.schema(fields, metadata)


def gathered(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, n_flat: int, apart: tuple[int, ...]
) -> Iterator[pa.RecordBatch]:
    """Rows of one object after the other, as one row each; `apart` are places of columns that tell them apart."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if not batch.num_rows:
            continue
        table = pa.Table.from_batches([*held, batch]).combine_chunks()
        whole = table.to_batches()[0]
        starts = _starts(whole, apart)
        last = int(starts[-1])
        if last:
            yield _nested(whole.slice(0, last), starts[:-1], schema, n_flat)
        held = [whole.slice(last)]
    if held:
        yield _nested(held[0], np.zeros(1, dtype=np.int64), schema, n_flat)


def _starts(batch: pa.RecordBatch, apart: tuple[int, ...]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Rows at which another object begins."""
    differs = np.zeros(batch.num_rows, dtype=bool)
    differs[0] = True
    for place in apart:
        values = batch.column(place)
        differs[1:] |= pc.not_equal(values.slice(1), values.slice(0, len(values) - 1)).to_numpy(zero_copy_only=False)
    return np.flatnonzero(differs)


def _nested(
    batch: pa.RecordBatch, starts: np.ndarray[tuple[int], np.dtype[np.int64]], schema: pa.Schema, n_flat: int
) -> pa.RecordBatch:
    is_point = batch.column(n_flat).is_valid()
    counts = np.add.reduceat(is_point.to_numpy(zero_copy_only=False).astype(np.int32), starts, dtype=np.int32)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    firsts = pa.array(starts)
    points = batch if len(starts) and counts.sum() == batch.num_rows else batch.filter(is_point)
    flat = [batch.column(place).take(firsts) for place in range(n_flat)]
    lists = [pa.ListArray.from_arrays(offsets, points.column(place)) for place in range(n_flat, batch.num_columns)]
    arrays = [array.cast(field.type) for array, field in zip([*flat, *lists], schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _write_json(result: Result, n_flat: int) -> Iterator[bytes]:
    about = {"name": result.name, "description": result.description, "infos": dict(result.infos)}
    columns = [described(column) for column in result.columns]
    listed = [{**one, "list": True} if place >= n_flat else one for place, one in enumerate(columns)]
    yield (json.dumps({**about, "columns": listed}, ensure_ascii=False)[:-1] + ', "data": [').encode("utf-8", "replace")
    separator = 1
    for batch in result.batches:
        texts = [_cells(array, column) for array, column in zip(batch.columns, result.columns, strict=True)]
        yield joined_lines(texts, ",", begin=",\n[", end="]", null="null")[separator:]
        separator = 0
    yield f'\n], "overflow": {json.dumps(result.overflow)}}}\n'.encode()


def _cells(array: pa.Array, column: Column) -> pa.Array:
    if not pa.types.is_list(array.type):
        return json_cells(array, column)
    elements = json_cells(array.flatten(), column).fill_null("null")
    lists = pa.ListArray.from_arrays(element_offsets(array), elements)
    return pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")

"""ECSV 1.0: a YAML header in comment lines, then CSV.

Astropy Proposal for Enhancement 6, ECSV 1.0 (2020). UCD, utype, xtype and arraysize stand in a column's `meta`; array
values are JSON texts with a `subtype`. A null is an empty field; a cut result ends in a comment line that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from skydex.formats.delimited.writer import overflow_remark, quoted
from skydex.formats.encoding import element_offsets, text_of
from skydex.formats.lines import joined_lines
from skydex.formats.parallel import ordered_map, sliced
from skydex.tables import Column, Datatype, Result

__all__ = ["write_ecsv"]

_ROWS_A_CHUNK = 16384
_DELIMITER = ","
_DATATYPES = {
    Datatype.BOOLEAN: "bool",
    Datatype.UNSIGNED_BYTE: "uint8",
    Datatype.SHORT: "int16",
    Datatype.INT: "int32",
    Datatype.LONG: "int64",
    Datatype.CHAR: "string",
    Datatype.UNICODE_CHAR: "string",
    Datatype.FLOAT: "float32",
    Datatype.DOUBLE: "float64",
}


def write_ecsv(result: Result) -> Iterator[bytes]:
    """Write a result as ECSV."""
    yield (_header(result) + _names(result.columns)).encode()

    def lines(batch: pa.RecordBatch) -> bytes:
        texts = [_cells(array, column) for array, column in zip(batch.columns, result.columns, strict=True)]
        return joined_lines(texts, _DELIMITER)

    yield from ordered_map(lines, sliced(result.batches, _ROWS_A_CHUNK))
    if result.overflow:
        yield f"# {overflow_remark(result)}\n".encode()


def _header(result: Result) -> str:
    about: dict[str, Any] = {"name": result.name}
    if result.description:
        about["description"] = result.description
    about |= dict(result.infos)
    content = {"delimiter": _DELIMITER, "datatype": [_described(column) for column in result.columns], "meta": about}
    text = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, allow_unicode=False, width=10_000)
    return "".join(f"# {line}\n" for line in ("%ECSV 1.0", "---", *text.splitlines()))


def _described(column: Column) -> dict[str, Any]:
    datatype = _DATATYPES[column.datatype]
    described: dict[str, Any] = {"name": column.name, "datatype": datatype}
    if column.is_array:
        size = column.arraysize if column.arraysize and column.arraysize.isdigit() else "null"
        described |= {"datatype": "string", "subtype": f"{datatype}[{size}]"}
    described |= {"unit": column.unit} if column.unit else {}
    described |= {"description": column.description} if column.description else {}
    meta = {key: getattr(column, key) for key in ("ucd", "utype", "xtype", "arraysize") if getattr(column, key)}
    return described | ({"meta": meta} if meta else {})


def _names(columns: tuple[Column, ...]) -> str:
    names = quoted(pa.array([column.name for column in columns], pa.string()), _DELIMITER)
    return _DELIMITER.join(names.to_pylist()) + "\n"


def _cells(array: pa.Array, column: Column) -> pa.Array:
    if pa.types.is_list(array.type):
        return quoted(_json_arrays(array, column), _DELIMITER)
    texts = text_of(array, column, booleans=("True", "False"))
    return quoted(texts, _DELIMITER) if pa.types.is_string(array.type) else texts


def _json_arrays(array: pa.Array, column: Column) -> pa.Array:
    """Arrays as `[1,2,null]`; NaN and Infinity as Python's JSON spells them."""
    elements = text_of(array.flatten(), column).fill_null("null")
    elements = pc.replace_substring(elements, pattern="Inf", replacement="Infinity")
    lists = pa.ListArray.from_arrays(element_offsets(array), elements)
    texts = pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")
    return pc.if_else(array.is_valid(), texts, pa.scalar(None, pa.string()))

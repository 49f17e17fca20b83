"""DataSet: a table as the XML of ADO.NET, with its schema before it, as CasJobs gives it to clients of .NET.

A schema (XML Schema 1.0, with annotations of `urn:schemas-microsoft-com:xml-msdata`) and the rows as a DiffGram
(`urn:schemas-microsoft-com:xml-diffgram-v1`). A null is an element that is not there. Names that XML does not allow are
spelt as `XmlConvert.EncodeLocalName` does, with `_x0020_` for a blank. As in `typed`, a result that was cut ends in an
error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skydex.errors import ResultTooLongError
from skydex.formats.encoding import text_of
from skydex.formats.format import Format
from skydex.formats.lines import joined_lines
from skydex.formats.parallel import ordered_map, sliced
from skydex.formats.typed import NAMESPACE, SERVICE, is_bit, unique_names
from skydex.formats.votable.tabledata import escaped_xml
from skydex.tables import Column, Datatype, Result, xml_attribute

__all__ = ["FORMAT", "HEAD", "TAIL", "write_dataset"]

HEAD = f'<?xml version="1.0" encoding="utf-8"?>\n<DataSet xmlns="{NAMESPACE}">\n'.encode()
TAIL = b"</DataSet>\n"
"""What stands around schema and rows in a document of its own."""
_MSDATA = 'xmlns:msdata="urn:schemas-microsoft-com:xml-msdata"'
_ROW = "Table1"
_ROWS_A_CHUNK = 8192
_TYPES = {
    Datatype.BOOLEAN: "boolean",
    Datatype.UNSIGNED_BYTE: "unsignedByte",
    Datatype.SHORT: "short",
    Datatype.INT: "int",
    Datatype.LONG: "long",
    Datatype.FLOAT: "float",
    Datatype.DOUBLE: "double",
}
_NOT_IN_NAME = re.compile(r"[^\w.-]|^[\d.-]|_(?=x[0-9A-Fa-f]{4}_)", re.ASCII)


def write_dataset(result: Result) -> Iterator[bytes]:
    """Write a result; `ResultTooLongError` at the end if rows were cut off."""
    names = [_NOT_IN_NAME.sub(_encoded, name) for name in unique_names(result.columns)]
    yield HEAD + _schema(names, result.columns).encode()
    yield (
        f'<diffgr:diffgram {_MSDATA} xmlns:diffgr="urn:schemas-microsoft-com:xml-diffgram-v1">\n<NewDataSet xmlns="">\n'
    ).encode()
    yield from ordered_map(partial(_rows, names, result.columns), _numbered(result.batches))
    if result.overflow:
        raise ResultTooLongError(result.max_rows or 0)
    yield b"</NewDataSet>\n</diffgr:diffgram>\n" + TAIL


def _encoded(found: re.Match[str]) -> str:
    return f"_x{ord(found[0]):04X}_"


def _schema(names: Sequence[str], columns: Sequence[Column]) -> str:
    fields = "".join(
        f'<xs:element name={xml_attribute(name)} type="xs:{_type(column)}" minOccurs="0"/>'
        for name, column in zip(names, columns, strict=True)
    )
    return (
        f'<xs:schema id="NewDataSet" xmlns="" xmlns:xs="http://www.w3.org/2001/XMLSchema" {_MSDATA}>'
        '<xs:element name="NewDataSet" msdata:IsDataSet="true"><xs:complexType>'
        f'<xs:choice minOccurs="0" maxOccurs="unbounded"><xs:element name="{_ROW}"><xs:complexType><xs:sequence>'
        f"{fields}</xs:sequence></xs:complexType></xs:element></xs:choice></xs:complexType></xs:element></xs:schema>\n"
    )


def _type(column: Column) -> str:
    if is_bit(column):
        return "boolean"
    if column.is_timestamp:
        return "dateTime"
    return "string" if column.is_array else _TYPES.get(column.datatype, "string")


def _numbered(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Small batches, each with the number of its first row."""
    n_rows = 0
    for batch in sliced(batches, _ROWS_A_CHUNK):
        yield n_rows, batch
        n_rows += batch.num_rows


def _rows(names: Sequence[str], columns: Sequence[Column], numbered: tuple[int, pa.RecordBatch]) -> bytes:
    first, batch = numbered
    order = pa.array(np.arange(first, first + batch.num_rows))
    tags = pc.binary_join_element_wise(
        f'<{_ROW} diffgr:id="{_ROW}',
        pc.add(order, 1).cast(pa.string()),
        '" msdata:rowOrder="',
        order.cast(pa.string()),
        '">',
        "",
    )
    cells = [_cell(*one) for one in zip(names, batch.columns, columns, strict=True)]
    return joined_lines([tags, *cells], "", end=f"</{_ROW}>\n")


def _cell(name: str, array: pa.Array, column: Column) -> pa.Array:
    values = array.cast(pa.bool_()) if is_bit(column) else array
    texts = text_of(values, column, missing="")
    whole = escaped_xml(texts)[0] if _type(column) == "string" else _as_schema_says(texts, values)
    return pc.binary_join_element_wise(f"<{name}>", whole, f"</{name}>", "")


def _as_schema_says(texts: pa.Array, values: pa.Array) -> pa.Array:
    """XML Schema has INF where others have Inf."""
    if not pa.types.is_floating(values.type):
        return texts
    return pc.replace_substring(texts, pattern="Inf", replacement="INF")


FORMAT = Format("casjobs-dataset", "text/xml; charset=utf-8", (".xml",), write=write_dataset, service=SERVICE)

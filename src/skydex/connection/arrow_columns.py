"""To Arrow: rows that a user has, in whatever kind of table, become rows in motion.

What is taken: astropy tables (with `Quantity`, `Time` and `SkyCoord` columns), pandas and polars frames, Arrow tables,
results, and mappings of names to sequences. NaN becomes null, as everywhere in skydex.
"""

from __future__ import annotations

import math
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.table import Table as AstropyTable
from astropy.time import Time
from astropy.utils.masked import Masked
from numpy.typing import NDArray

from skydex.errors import BadParameterError
from skydex.tables import (
    Column,
    Datatype,
    Result,
    arrow_schema,
    arrow_type,
    column_of_arrow,
    columns_from_metadata,
    conformed,
    longest_text,
    metadata_of_columns,
    uniquely_named,
)

__all__ = ["arrow_table", "result_of"]

_BATCH_ROWS = 65_536
_FACTOR = re.compile(r"[0-9.]+(?:e[+-]?[0-9]+)?")
"""What may stand before a unit."""
_FACTS = ("unit", "ucd", "utype", "description")


def result_of(rows: object, *, name: str = "result") -> Result:
    """Take rows that a user has as a result.

    Parameters
    ----------
    rows : astropy Table, pandas or polars DataFrame, pyarrow Table, mapping of names to sequences, SkyCoord, or Result
        A `SkyCoord` column `c` gives two, `c_ra` and `c_dec`, ICRS in degrees; a `Time` column a timestamp in UTC. A
        `SkyCoord` alone gives `ra` and `dec`.
    name : str, optional
        What to call the table.

    Returns
    -------
    result : Result
        Units, descriptions and UCDs as far as the rows have them.

    Raises
    ------
    BadParameterError
        It is no table, or a column cannot be carried (objects, complex numbers, arrays of text); the message names it.
    """
    if isinstance(rows, Result):
        return rows
    columns, table = _described(rows)
    batches = table.to_batches(max_chunksize=_BATCH_ROWS)
    return Result(columns, iter(batches), name=name, is_held=True)


def arrow_table(rows: object) -> pa.Table:
    """Rows that a user has as an Arrow table, what its columns mean in the metadata; for what is taken see `result_of`.

    The metadata are those of `formats.arrow`: unit, UCD, utype and description beside each field, and the whole as a
    VOTable in the schema's.
    """
    columns, table = _described(rows)
    fields = [pa.field(column.name, arrow_type(column), metadata=_facts(column)) for column in columns]
    return table.cast(pa.schema(fields, metadata_of_columns(columns)))


def _facts(column: Column) -> dict[str, str]:
    return {fact: value for fact in _FACTS if (value := getattr(column, fact))}


def _described(rows: object) -> tuple[tuple[Column, ...], pa.Table]:
    """Columns whose names differ, and the rows in their types."""
    if isinstance(rows, AstropyTable):
        pairs = [pair for name in rows.colnames for pair in _from_astropy(name, rows[name])]
    elif isinstance(rows, Mapping):
        return _described(AstropyTable(dict(rows), copy=False))
    elif hasattr(rows, "icrs"):
        return _described(AstropyTable({"ra": np.ravel(rows.icrs.ra), "dec": np.ravel(rows.icrs.dec)}))
    else:
        pairs = list(_from_arrow(_arrow_of_frame(rows)))
    if not pairs:
        raise BadParameterError("rows", "the table has no columns.")
    columns = uniquely_named([column for column, _ in pairs])
    return columns, pa.Table.from_arrays([values for _, values in pairs], schema=arrow_schema(columns))


def _arrow_of_frame(rows: Any) -> pa.Table:
    if isinstance(rows, pa.RecordBatch):
        return pa.Table.from_batches([rows])
    if isinstance(rows, pa.Table):
        return rows
    if hasattr(rows, "__arrow_c_stream__"):  # polars, and pandas since 2.2
        return pa.table(rows)
    raise BadParameterError("table", f"is a table of astropy, pandas, polars or Arrow, not {type(rows).__name__}.")


def _from_arrow(table: pa.Table) -> Iterator[tuple[Column, pa.ChunkedArray]]:
    told = columns_from_metadata(table.schema.metadata)
    for field, values in zip(table.schema, table.columns, strict=True):
        if field.name.startswith("__index_level_"):
            continue  # how pandas spells that rows have no name of their own
        plain = column_of_arrow(field.name, field.type)
        if plain is None:
            raise _cannot(field.name, str(field.type))
        known = told.get(field.name)
        if known is None or arrow_type(known) != arrow_type(plain):
            known = plain
        chunks = [conformed(chunk, known) for chunk in values.chunks]
        yield known, pa.chunked_array(chunks, arrow_type(known))


def _from_astropy(name: str, column: Any) -> Iterator[tuple[Column, pa.ChunkedArray]]:
    if _is_sky(column):
        yield from _positions(name, column)
        return
    xtype = column.info.meta.get("xtype") if column.info.meta else None
    is_time = isinstance(column, Time)
    xtype = "timestamp" if is_time else xtype
    values, is_null = _plain(column.utc.isot if is_time else column)
    array = _array(name, values, is_null, xtype)
    plain = column_of_arrow(name, array.type)
    if plain is None:
        raise _cannot(name, str(array.type))
    if values.ndim > 1:
        plain = replace(plain, arraysize="x".join(map(str, reversed(values.shape[1:]))))
    if plain.datatype.is_text and not plain.is_timestamp:
        plain = replace(plain, arraysize=f"{max(1, longest_text(pa.chunked_array([array])))}*")
    meant = _meaning(plain, column, None if plain.is_timestamp else xtype)
    yield meant, pa.chunked_array([conformed(array, meant)])


def _is_sky(column: Any) -> bool:
    """Whether a column is a `SkyCoord`; who has not loaded astropy's coordinates, which takes long, has none."""
    coordinates = sys.modules.get("astropy.coordinates")
    return coordinates is not None and isinstance(column, coordinates.SkyCoord)


def _positions(name: str, column: Any) -> Iterator[tuple[Column, pa.ChunkedArray]]:
    place = column.icrs
    for word, angle, ucd in (("ra", place.ra, "pos.eq.ra"), ("dec", place.dec, "pos.eq.dec")):
        degrees = pa.array(np.ma.filled(np.ma.asarray(angle.deg), np.nan), from_pandas=True)
        yield Column(f"{name}_{word}", Datatype.DOUBLE, unit="deg", ucd=ucd), pa.chunked_array([degrees])


def _plain(column: Any) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Values without unit or mask in the byte order of the machine, and where they are null."""
    if isinstance(column, Masked):
        values, mask = column.unmasked, column.mask
    else:
        values, mask = column, getattr(column, "mask", None)
    values = np.asarray(getattr(values, "value", values) if getattr(values, "unit", None) is not None else values)
    if values.dtype.kind in "iufM" and not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    is_null = None if mask is None or not np.any(mask) else np.broadcast_to(np.asarray(mask), values.shape)
    return values, is_null


def _array(name: str, values: NDArray[Any], is_null: NDArray[np.bool_] | None, xtype: str | None) -> pa.Array:
    kind = values.dtype.kind
    if kind == "O":
        return _objects(name, values, is_null)
    if kind not in "biufUSM" or (values.ndim > 1 and kind in "USM"):
        raise _cannot(name, str(values.dtype))
    if kind == "S":
        values = np.char.decode(values, "latin-1")
    flat = np.ascontiguousarray(values).reshape(-1)
    mask = None if is_null is None else np.ascontiguousarray(is_null).reshape(-1)
    elements = pa.array(flat, mask=mask, from_pandas=kind == "f")
    if values.ndim > 1:
        return _lists(elements, len(values))
    return _timestamps(elements) if xtype == "timestamp" and kind == "U" else elements


def _lists(elements: pa.Array, n_rows: int) -> pa.ListArray:
    """Elements of arrays of one shape as array values; one without any value is null."""
    width = len(elements) // max(1, n_rows)
    is_void = elements.is_null().to_numpy(zero_copy_only=False).reshape(n_rows, width).all(axis=1) & (width > 0)
    ends = pa.array(np.arange(n_rows + 1, dtype="i4") * width)
    return pa.ListArray.from_arrays(ends, elements, mask=pa.array(is_void))


def _timestamps(texts: pa.Array) -> pa.Array:
    """Timestamps of ISO 8601 texts; texts as they are where one is none."""
    try:
        return texts.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return texts


def _objects(name: str, values: NDArray[Any], is_null: NDArray[np.bool_] | None) -> pa.Array:
    """Texts, numbers or arrays that came as Python objects."""
    given = [None if value is None or value is np.ma.masked else value for value in values]
    if is_null is not None:
        given = [None if missing else value for value, missing in zip(given, is_null, strict=True)]
    if any(isinstance(value, np.ndarray) for value in given):
        return _ragged(name, given)
    try:
        array = pa.array(given, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise _cannot(name, "Python objects") from error
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def _ragged(name: str, given: list[Any]) -> pa.Array:
    """Arrays of several lengths, one for each row."""
    parts = [np.ma.asarray(value if value is not None else []).reshape(-1) for value in given]
    kind = np.result_type(*(part.dtype for part, value in zip(parts, given, strict=True) if value is not None))
    elements = np.concatenate([np.ma.getdata(part).astype(kind) for part in parts])
    mask = np.concatenate([np.ma.getmaskarray(part) for part in parts])
    ends = np.cumsum([0, *map(len, parts)])
    is_void = pa.array([value is None for value in given])
    flat = _array(name, elements, mask, None)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), flat, mask=is_void)


def _meaning(plain: Column, column: Any, xtype: str | None) -> Column:
    meta = dict(column.info.meta or {})
    unit = column.info.unit
    return replace(
        plain,
        unit=_spelt(unit) if unit is not None else None,
        description=column.info.description or "",
        ucd=_text(meta.get("ucd")),
        utype=_text(meta.get("utype")),
        xtype=xtype or plain.xtype,
    )


def _spelt(unit: Any) -> str:
    """A unit as VOUnit 1.0 writes it, where it can; a factor is a power of ten, which alone FITS reads as well."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of units that are out of use
            text = str(unit.to_string("vounit"))
        factor = _FACTOR.match(text)
        exponent = round(math.log10(float(factor[0])), 9) if factor else 0.5
        return f"10**{int(exponent)}{_FACTOR.sub('', text, count=1)}" if exponent.is_integer() else text
    except (ValueError, TypeError, AttributeError):
        return str(unit)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _cannot(name: str, kind: str) -> BadParameterError:
    return BadParameterError("rows", f'column "{name}" holds {kind}, which cannot be carried. Leave it out.')

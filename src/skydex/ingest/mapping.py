"""`Mapping`: what each column of the input is in the published table; the stage "map" of ingest.

A mapping is made once (`decisions`) and then applied to batch after batch. Rows come out in
`arrow_schema(table.columns)` with their ICRS positions beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.errors import BadRecipeError
from skydex.ingest.angles import degrees
from skydex.ingest.frames import to_icrs
from skydex.ingest.nulls import without_sentinels
from skydex.ingest.recipe import AngleUnit, Frame, PositionRecipe, Sentinel
from skydex.tables import Column, Table, arrow_type, conform

__all__ = ["ColumnMapping", "MappedRows", "Mapping"]


@dataclass(frozen=True)
class MappedRows:
    """A batch after mapping."""

    rows: pa.Table
    """In `arrow_schema(table.columns)`."""
    ra_deg: NDArray[np.float64] | None = None
    """(n,) ICRS; NaN where there is no position. None for a table without positions."""
    dec_deg: NDArray[np.float64] | None = None
    """(n,) ICRS."""


@dataclass(frozen=True)
class ColumnMapping:
    """How one column of the input becomes one of the table."""

    source: str
    """Its name in the input."""
    column: Column
    """What it is in the table."""
    null: tuple[Sentinel, ...] = ()
    """Values that mean "no value"."""


@dataclass(frozen=True)
class Mapping:
    """What each input column is in the table."""

    table: Table
    """The published table."""
    columns: tuple[ColumnMapping, ...]
    """Its columns that come from the input; derived positions follow them."""
    position: PositionRecipe | None = None
    """Where positions are in the input, `unit` filled in."""
    notes: tuple[str, ...] = ()
    """How position and id were found, and what is odd."""

    @property
    def derives_position(self) -> bool:
        """Whether ra and dec are new columns rather than columns of the input."""
        return self.table.position is not None and len(self.table.columns) > len(self.columns)

    def apply(self, rows: pa.Table) -> MappedRows:
        """Map one batch of the input."""
        given = {item.source: _values(rows[item.source], item) for item in self.columns}
        if self.position is None:
            return MappedRows(self._conformed(list(given.values())))
        spared = {name: given.get(name, rows[name].combine_chunks()) for name in self.position.columns}
        ra_deg, dec_deg = _icrs(spared, self.position)
        derived = [pa.array(ra_deg), pa.array(dec_deg)] if self.derives_position else []
        return MappedRows(self._conformed([*given.values(), *derived]), ra_deg, dec_deg)

    def _conformed(self, arrays: list[pa.Array]) -> pa.Table:
        names = [column.name for column in self.table.columns]
        batch = pa.RecordBatch.from_arrays(arrays, names=names)
        return pa.Table.from_batches(conform([batch], self.table.columns))


def _values(column: pa.ChunkedArray, item: ColumnMapping) -> pa.Array:
    array = without_sentinels(column.combine_chunks(), item.null)
    return _cast(array, item.column)


def _cast(array: pa.Array, column: Column) -> pa.Array:
    """Change the type where the recipe asks for it; `conform` does what every table needs."""
    kind = arrow_type(column)
    if array.type == kind:
        return array
    try:
        if pa.types.is_string(array.type):
            trimmed = pc.utf8_trim_whitespace(array)
            array = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
        return array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        kept = "char" if column.datatype.is_text else "double"
        raise BadRecipeError(
            f"A value of {column.name} is no {column.xtype or column.datatype}: {error}. "
            f"Give another type: columns: {{{column.name}: {{type: {kept}}}}}."
        ) from error


def _icrs(arrays: dict[str, pa.Array], position: PositionRecipe) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    unit = position.unit or AngleUnit.DEG
    is_hours = position.frame not in (Frame.GALACTIC, Frame.ECLIPTIC)
    lon_deg = degrees([arrays[name] for name in position.ra], unit, is_hours=is_hours or unit is AngleUnit.HOURANGLE)
    latitude_unit = AngleUnit.DEG if unit is AngleUnit.HOURANGLE else unit
    lat_deg = degrees([arrays[name] for name in position.dec], latitude_unit, is_hours=False)
    return to_icrs(lon_deg, lat_deg, position)

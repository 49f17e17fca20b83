"""What a collection of the simulated archive is made of, before it is ingested.

A collection is a function of a size and a seed that gives its tables, one after the other. Rows come in batches, so
that no table need fit into memory. What is known beforehand about the simulated sky and what observers would have to
find out goes into tables of the schema `truth`, which are kept beside the archive and never published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from skydex.demo.size import Size
from skydex.tables import Column, arrow_schema

if TYPE_CHECKING:
    from skydex.ingest.images import ImageEntry

__all__ = ["TRUTH", "Printed", "Simulate", "SimulatedImages", "SimulatedTable", "batch_of"]

TRUTH = "truth"
"""Schema of the tables that are not published."""


@dataclass(frozen=True)
class Printed:
    """Which rows of a table are not simulated, but were printed by a publication."""

    column: str
    """The column that names them."""
    values: Sequence[int | str]
    """Its values in these rows."""
    source: str
    """The publication."""
    columns: Sequence[str] = ()
    """Columns whose values were printed; if none is named, all were."""


@dataclass(frozen=True)
class SimulatedTable:
    """A table of the simulated archive."""

    name: str
    """`schema.table`."""
    description: str
    """What its rows are; that they are simulated is added by `publish`."""
    columns: tuple[Column, ...]
    """In the order of the archive that is imitated."""
    batches: Iterator[pa.RecordBatch]
    """Rows in `arrow_schema(columns)`; read once."""
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Further options of an ingest: `ra`, `dec`, `id`, `sort_by`, `foreign_keys`, `examples`, `layout`, `columns`."""
    printed: tuple[Printed, ...] = ()
    """Rows that are real."""
    is_real: bool = False
    """Whether all of them are."""


@dataclass(frozen=True)
class SimulatedImages:
    """The images of a simulated camera."""

    collection: str
    """Schema of the tables that describe them."""
    description: str
    """What they are; that they are simulated is added by `publish_simulated_images`."""
    entries: Iterator[ImageEntry]
    """The images; walked through once."""


Simulate = Callable[[Size, int], Iterator[SimulatedTable]]
"""A collection: its tables at a size, for a seed."""


def batch_of(columns: Sequence[Column], values: Mapping[str, Any], n_rows: int) -> pa.RecordBatch:
    """A batch from arrays, or from single values that stand for every row.

    Parameters
    ----------
    columns : sequence of Column
        The table's columns.
    values : mapping
        Array, masked array or single value by column name. NaN is null; a column that is not named is null throughout.
    n_rows : int
        Length of the arrays.
    """
    schema = arrow_schema(tuple(columns))
    unknown = values.keys() - set(schema.names)
    if unknown:
        raise KeyError(f"no columns of the table: {sorted(unknown)}")
    arrays = [_array(values.get(field.name), field.type, n_rows) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: Any, kind: pa.DataType, n_rows: int) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.cast(kind)
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(values.data, mask=np.ma.getmaskarray(values), from_pandas=True).cast(kind)
    if isinstance(values, np.ndarray | list):
        return pa.array(values, from_pandas=True).cast(kind)
    return pa.repeat(pa.scalar(values, kind), n_rows)

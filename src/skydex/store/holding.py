"""`Holding`: what a catalogue on disk says of itself, whoever wrote it.

Our own catalogues (`own`) and everybody else's (`foreign`) are read into this one form, from which a `Dataset` works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.store.manifest import FileFacts
from skydex.store.rowgroups import RowGroups
from skydex.store.statistics import Statistics
from skydex.tables import Table

__all__ = ["NOWHERE", "Holding", "Partition"]

NOWHERE = -1
"""Order and pixel of a partition that belongs to no HEALPix pixel."""


@dataclass(frozen=True)
class Partition:
    """One file of a data set: the rows of one HEALPix pixel, or a part of the rows that have no position."""

    file: str
    """Absolute path or fsspec URL."""
    order: int
    """HEALPix order; -1 for rows without a position."""
    pixel: int
    """NESTED pixel number; -1 for rows without a position."""
    n_rows: int | None
    """Number of rows, if it is known without opening the file."""


@dataclass(frozen=True)
class Holding:
    """The facts of a stored catalogue."""

    table: Table
    """As published, without the index column."""
    version: str
    """Changes when the catalogue changes."""
    arrow_schema: pa.Schema
    """Physical schema of the files."""
    index_column: str | None
    """Name of the HEALPix index column, if there is one."""
    index_order: int
    """Its HEALPix order."""
    nan_is_null: bool
    """Whether floating columns may hold NaN for what is missing."""
    partitions: tuple[Partition, ...]
    """The files."""
    load_row_groups: Callable[[], RowGroups]
    """Read the bounds of the row groups, which may take a while."""
    find_statistics: Callable[[], Statistics | None] = lambda: None
    """Open what is known of the values in the row groups, where that is told apart from the files' own footers."""
    load_some_row_groups: Callable[[NDArray[np.int64]], RowGroups] | None = None
    """Read the bounds of those of some partitions, by number; None where all of them are read at once."""
    bounds_of: Callable[[Partition], tuple[int, int]] = lambda partition: (0, (12 << 58) - 1)
    """Order-29 pixels between which the rows of a partition lie, inclusive, as far as is known without its file."""
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    """What the bytes of each file must be, by relative name; empty if nobody wrote it down."""

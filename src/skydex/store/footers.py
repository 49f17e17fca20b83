"""Bounds of row groups, read from the footers of Parquet files.

Used for catalogues that others wrote. Their `_metadata` file holds all footers at once; without it every file is
opened once. Statistics of the index column are trusted, since HATS readers prune by them; where they are missing the
pixel of the partition stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skydex.errors import DamagedDataError
from skydex.store.holding import NOWHERE, Partition
from skydex.store.layout import partition_label
from skydex.store.location import Location
from skydex.store.remote import RemoteLocation
from skydex.store.rowgroups import RowGroups

__all__ = ["Bounds", "pixel_bounds", "read_footer", "read_footers", "row_groups_of_files", "row_groups_of_metadata"]

_READERS = 16
_EMPTY = (0, -1)
_Row = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Bounds:
    """How to find the order-29 bounds of a row group."""

    column: str | None
    """Name of the index column."""
    order: int
    """Its HEALPix order."""
    fallback: Callable[[Partition], tuple[int, int]]
    """Bounds of a partition whose groups have no statistics."""

    def of(self, group: pq.RowGroupMetaData, number: int | None, partition: Partition) -> tuple[int, int]:
        """Least and greatest order-29 pixel of a row group, inclusive."""
        statistics = group.column(number).statistics if number is not None else None
        if statistics is None or not statistics.has_min_max:
            return self.fallback(partition)
        shift = 2 * (29 - self.order)
        return int(statistics.min) << shift, ((int(statistics.max) + 1) << shift) - 1


def pixel_bounds(partition: Partition) -> tuple[int, int]:
    """Order-29 bounds of a partition's pixel, inclusive; an empty interval for rows without a position."""
    if partition.order == NOWHERE:
        return _EMPTY
    shift = 2 * (29 - partition.order)
    return partition.pixel << shift, ((partition.pixel + 1) << shift) - 1


def read_footer(location: Location, path: str, *, name: str) -> pq.FileMetaData:
    """Read the footer of one file of a catalogue called `name`."""
    if isinstance(location, RemoteLocation):
        return location.files.footers([path])[0].metadata
    try:
        with location.open(path) as file:
            return pq.read_metadata(file)
    except (OSError, pa.ArrowException) as error:
        raise DamagedDataError(f"Partition {partition_label(path)} of {name} cannot be read.") from error


def row_groups_of_metadata(
    metadata: pq.FileMetaData, partitions: Sequence[Partition], numbers: dict[str, int], bounds: Bounds
) -> RowGroups | None:
    """Take the row groups from a `_metadata` file; `None` if it does not speak of exactly these files."""
    column = _column_number(metadata, bounds.column)
    seen: dict[int, int] = {}
    rows: list[_Row] = []
    for position in range(metadata.num_row_groups):
        group = metadata.row_group(position)
        partition = numbers.get(group.column(0).file_path)
        if partition is None:
            return None
        number = seen[partition] = seen.get(partition, -1) + 1
        rows.append((partition, number, group.num_rows, *bounds.of(group, column, partitions[partition])))
    return _collect(rows) if len(seen) == len(partitions) else None


def read_footers(location: Location, paths: Sequence[str], *, name: str) -> list[pq.FileMetaData]:
    """Read the footers of several files, many at a time."""
    if isinstance(location, RemoteLocation):
        return [footer.metadata for footer in location.files.footers(paths)]
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda path: read_footer(location, path, name=name), paths))


def row_groups_of_files(
    location: Location, partitions: Sequence[Partition], bounds: Bounds, *, name: str, numbers: Sequence[int]
) -> RowGroups:
    """Open files once and take the row groups from the footers.

    Parameters
    ----------
    location : Location
        Where they lie.
    partitions : sequence of Partition
        All files of the catalogue.
    bounds : Bounds
        How to find the bounds of a group.
    name : str
        The table, as errors call it.
    numbers : sequence of int
        The partitions whose files are opened.
    """
    footers = read_footers(location, [partitions[number].file for number in numbers], name=name)
    found = zip(numbers, footers, strict=True)
    return _collect(row for number, footer in found for row in _rows(footer, number, partitions, bounds))


def _rows(footer: pq.FileMetaData, number: int, partitions: Sequence[Partition], bounds: Bounds) -> Iterator[_Row]:
    column = _column_number(footer, bounds.column)
    for position in range(footer.num_row_groups):
        group = footer.row_group(position)
        yield number, position, group.num_rows, *bounds.of(group, column, partitions[number])


def _column_number(metadata: pq.FileMetaData, name: str | None) -> int | None:
    paths = (metadata.schema.column(number).path for number in range(metadata.num_columns))
    return next((number for number, path in enumerate(paths) if path == name), None)


def _collect(rows: Iterable[_Row]) -> RowGroups:
    table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 5)
    partition, group, n_rows, least, greatest = (np.ascontiguousarray(column) for column in table.T)
    return RowGroups(partition.astype(np.int32), group.astype(np.int32), n_rows, least, greatest)

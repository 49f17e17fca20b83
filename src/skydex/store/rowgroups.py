"""`RowGroups`: where each row group lies on the sky, and which of them a region needs.

One table of five numbers per row group answers "what must be read" for a whole data set without opening a file.
Positions are order-29 NESTED HEALPix numbers, so that a region is a short list of number ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.sky import merge_ranges, ranges_overlap

__all__ = ["RowGroups", "concat_row_groups", "row_groups_from_bytes", "row_groups_to_bytes"]

Int = NDArray[np.int64]

_FIELDS = {
    "partition": np.int32,
    "group": np.int32,
    "n_rows": np.int64,
    "index_min": np.int64,
    "index_max": np.int64,
}


@dataclass(frozen=True, eq=False)
class RowGroups:
    """All row groups of a data set, one array entry each, sorted by (partition, group)."""

    partition: NDArray[np.int32]
    """Number of the partition, as in `Dataset.partitions`."""
    group: NDArray[np.int32]
    """Number of the row group in its file."""
    n_rows: Int
    """Rows in the group."""
    index_min: Int
    """Least order-29 pixel of its rows."""
    index_max: Int
    """Greatest order-29 pixel of its rows, inclusive; less than `index_min` where no row has a position."""

    def __len__(self) -> int:
        return len(self.group)

    def touching(self, ranges: Int) -> Int:
        """Find the row groups whose bounds meet any of the ranges.

        Parameters
        ----------
        ranges : (n, 2) int64 array
            Half-open ranges of order-29 pixels.

        Returns
        -------
        numbers : (m,) int64 array
            Positions in these arrays, ascending.
        """
        wanted = _disjoint(ranges)
        if not len(wanted) or not len(self):
            return np.empty(0, np.int64)
        order, least, greatest = self._bounds
        first = np.searchsorted(greatest, wanted[:, 0])
        last = np.searchsorted(least, wanted[:, 1])
        candidates = _union(first, last)
        if order is not None:
            candidates = np.sort(order[candidates])
        return candidates[ranges_overlap(wanted, self.index_min[candidates], self.index_max[candidates])]

    def n_rows_in(self, ranges: Int) -> int:
        """Estimate how many rows are in some ranges, as if those of a group were spread evenly between its bounds.

        Parameters
        ----------
        ranges : (n, 2) int64 array
            Half-open, ascending, disjoint ranges of order-29 pixels.
        """
        numbers = self.touching(ranges)
        low, high = self.index_min[numbers], self.index_max[numbers] + 1
        shares = (_n_covered(ranges, high) - _n_covered(ranges, low)) / (high - low)
        return round(float((shares * self.n_rows[numbers]).sum()))

    @cached_property
    def _bounds(self) -> tuple[Int | None, Int, Int]:
        """Order by least pixel (`None` if so already), the least pixels, and the greatest pixel so far.

        Groups without a position get bounds beyond the sky, where no range reaches.
        """
        nowhere = self.index_min > self.index_max
        least = np.where(nowhere, np.iinfo(np.int64).max, self.index_min)
        greatest = np.where(nowhere, np.iinfo(np.int64).max, self.index_max)
        if (least[1:] >= least[:-1]).all():
            return None, least, np.maximum.accumulate(greatest) if len(greatest) else greatest
        order = np.argsort(least, kind="stable")
        return order, least[order], np.maximum.accumulate(greatest[order])


def _disjoint(ranges: Int) -> Int:
    """Ascending ranges that do not overlap; those that come so already are not touched."""
    pairs = np.asarray(ranges, np.int64).reshape(-1, 2)
    ends = pairs.ravel()
    return pairs if (ends[1:] >= ends[:-1]).all() and (pairs[:, 0] < pairs[:, 1]).all() else merge_ranges(pairs)


def _n_covered(ranges: Int, before: Int) -> Int:
    """How many pixels of ranges are smaller than each of some pixels."""
    lengths = ranges[:, 1] - ranges[:, 0]
    last = np.searchsorted(ranges[:, 0], before) - 1
    whole = np.concatenate([[0], np.cumsum(lengths)])
    return np.where(last < 0, 0, whole[last] + np.minimum(before - ranges[last, 0], lengths[last]))


def _union(first: Int, last: Int) -> Int:
    """All numbers in any of the half-open, ascending ranges, each once."""
    first = np.append(first[:1], np.maximum(first[1:], last[:-1]))
    counts = np.maximum(last - first, 0)
    ends = np.cumsum(counts)
    return np.repeat(first - ends + counts, counts) + np.arange(ends[-1])


def concat_row_groups(parts: Sequence[RowGroups]) -> RowGroups:
    """Join row groups of several files, which come in the order of their partitions."""
    return RowGroups(
        **{
            name: np.concatenate([getattr(part, name) for part in parts]) if parts else np.empty(0, kind)
            for name, kind in _FIELDS.items()
        }
    )


def row_groups_to_bytes(groups: RowGroups) -> bytes:
    """Write row groups as an Arrow IPC file."""
    sink = pa.BufferOutputStream()
    table = pa.table({name: getattr(groups, name) for name in _FIELDS})
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def row_groups_from_bytes(content: bytes) -> RowGroups:
    """Read what `row_groups_to_bytes` wrote."""
    table = pa.ipc.open_file(content).read_all()
    return RowGroups(**{name: table[name].to_numpy() for name in _FIELDS})

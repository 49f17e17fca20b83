"""`Side`: one table of a cross-match, whose positions and rows are read piece by piece.

Every row has a number, counted through the row groups of its table in their order: so a row is the same row whichever
part of the sky it was read for, and columns are read only of rows that come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.sky import Places, index29, merge_ranges
from skydex.sky.angles import Floats
from skydex.sky.ranges import Ranges
from skydex.store import Dataset, Piece
from skydex.tables import Table, arrow_type, conformed
from skydex.xmatch import Motion, position_of

__all__ = ["Side", "Spots"]

Rows = NDArray[np.int64]

_MOST_GROUPS = 20
"""Row groups that are read together when columns of chosen rows are read."""


@dataclass(frozen=True)
class Spots:
    """Where some rows of a table are."""

    number: Rows
    """(n,) which rows."""
    index29: Rows
    """(n,) order-29 pixels as their table has them; -1 where it has none."""
    ra_deg: Floats
    """(n,) right ascensions as catalogued; NaN where there is none."""
    dec_deg: Floats
    """(n,) declinations as catalogued."""
    places: Places
    """Where they are at the epoch of the match."""
    error_deg: Floats
    """(n,) errors of positions; NaN where they are not known."""

    def __len__(self) -> int:
        return len(self.number)

    def taken(self, which: Any) -> Spots:
        """Some of them: a mask, numbers or a slice."""
        places = Places(self.places.ra_deg[which], self.places.dec_deg[which], self.places.pixels[which])
        index, error = self.index29[which], self.error_deg[which]
        return Spots(self.number[which], index, self.ra_deg[which], self.dec_deg[which], places, error)


@dataclass(frozen=True)
class Side:
    """One table of a cross-match."""

    dataset: Dataset
    """Its rows; they have an index."""
    motion: Motion | None = None
    """How its stars move, if that counts."""
    year: float = 0.0
    """Julian year to which they are brought."""
    error: str = ""
    """Column of the errors of positions, if they count."""
    error_unit_deg: float = 1.0
    """Its unit, degrees."""
    links: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Columns of addresses that are stored without their beginning, each with what stands before its values."""
    table: Table | None = None
    """What it is called and what its columns mean, if not as in the data set."""

    def __reduce__(self) -> tuple[Any, ...]:  # a MappingProxyType cannot be pickled
        facts = (self.dataset, self.motion, self.year, self.error, self.error_unit_deg, dict(self.links), self.table)
        return Side, facts

    @property
    def shown(self) -> Table:
        """What it is called, and what its columns mean."""
        return self.table or self.dataset.table

    @cached_property
    def starts(self) -> Rows:
        """Number of the first row of each row group, and at the end the number of all."""
        return np.concatenate([[0], np.cumsum(self.dataset.row_groups.n_rows)])

    @cached_property
    def _first_group(self) -> Mapping[str, int]:
        """Where the row groups of each file begin in the list of all."""
        partition = self.dataset.row_groups.partition
        firsts = np.searchsorted(partition, np.arange(len(self.dataset.partitions)))
        return {p.file: first for p, first in zip(self.dataset.partitions, firsts.tolist(), strict=True)}

    def spots(self, ranges: Ranges) -> Spots:
        """Where the rows are whose index is in some ranges of order-29 pixels, ascending by number."""
        found = self._read(self.dataset.select(ranges).pieces)
        return found.taken(_is_within(found.index29, ranges))

    def spots_nowhere(self) -> Iterator[Spots]:
        """Rows without an index, some at a time; none of them has a position that anything can be near."""
        groups = self.dataset.row_groups
        numbers = np.flatnonzero(groups.index_min > groups.index_max)
        for start in range(0, len(numbers), _MOST_GROUPS):
            yield self._read(tuple(self._pieces(numbers[start : start + _MOST_GROUPS])))

    def _read(self, pieces: Sequence[Piece]) -> Spots:
        position = position_of(self.dataset.table)
        index = self.dataset.index_column
        assert index is not None, "tables without an index are put in order before"
        names = [index, position.ra, position.dec, *(self.motion.columns if self.motion else ())]
        names = list(dict.fromkeys([*names, *([self.error] if self.error else [])]))
        read = [self.dataset.read(piece, names) for piece in pieces]
        number = np.concatenate([np.empty(0, np.int64), *(self._numbers(piece) for piece in pieces)])
        schema = pa.schema([self.dataset.arrow_schema.field(name) for name in names])
        rows = pa.concat_tables([schema.empty_table(), *(part.cast(schema) for part in read)])
        shift = 2 * (29 - self.dataset.index_order)
        column = pc.fill_null(pc.cast(rows[index], pa.int64()), -1).to_numpy()
        pixels = np.where(column < 0, -1, column << shift)
        ra, dec = _floats(rows[position.ra]), _floats(rows[position.dec])
        error = _floats(rows[self.error]) * self.error_unit_deg if self.error else np.full(len(rows), np.nan)
        return Spots(number, pixels, ra, dec, self._places(rows, ra, dec, pixels), error)

    def _places(self, rows: pa.Table, ra: Floats, dec: Floats, pixels: Rows) -> Places:
        if self.motion is not None:
            values = {name: _floats(rows[name]) for name in self.motion.columns}
            ra, dec = self.motion.moved(ra, dec, values, self.year)
        elif self.dataset.is_own and self.dataset.index_order == 29:
            return Places(ra, dec, np.where(np.isfinite(ra) & np.isfinite(dec), pixels, -1))
        return Places(ra, dec, index29(ra, dec))

    def _numbers(self, piece: Piece) -> Rows:
        groups = self._first_group[piece.file] + np.asarray(piece.groups, np.int64)
        return np.concatenate([np.arange(self.starts[group], self.starts[group + 1]) for group in groups])

    def _pieces(self, groups: Rows) -> Iterator[Piece]:
        """Row groups, by their numbers in ascending order, as pieces of files."""
        about = self.dataset.row_groups
        partition = about.partition[groups]
        for part in np.unique(partition).tolist():
            here = groups[partition == part]
            yield Piece(
                self.dataset.partitions[part].file, tuple(about.group[here].tolist()), int(about.n_rows[here].sum())
            )

    def rows(self, numbers: Rows, columns: Sequence[str]) -> pa.Table:
        """Columns of some rows, in their logical types.

        Parameters
        ----------
        numbers : (n,) int64 array
            Which rows, in any order, also more than once; null values where it is -1.
        columns : sequence of str
            Names.
        """
        wanted = np.unique(numbers)
        wanted = wanted[wanted >= 0]
        kinds = [self.dataset.table.get_column(name) for name in columns]
        parts = [_empty(kinds, columns), *self._chosen(wanted, list(columns))]
        rows = pa.concat_tables(parts).combine_chunks()
        place = np.searchsorted(wanted, numbers)
        return rows.take(pa.array(place, mask=numbers < 0)) if len(columns) else rows

    def _chosen(self, wanted: Rows, columns: list[str]) -> Iterator[pa.Table]:
        groups = np.searchsorted(self.starts, wanted, side="right") - 1
        for piece in self._pieces(np.unique(groups)) if columns else ():
            for start in range(0, len(piece.groups), _MOST_GROUPS):
                part = Piece(piece.file, piece.groups[start : start + _MOST_GROUPS], 0)
                numbers = self._numbers(part)
                low, high = np.searchsorted(wanted, (numbers[0], numbers[-1] + 1))
                rows = self.dataset.read(part, columns)
                rows = rows.take(pa.array(np.searchsorted(numbers, wanted[low:high])))
                yield self._logical(rows, columns)

    def _logical(self, rows: pa.Table, columns: Sequence[str]) -> pa.Table:
        arrays = []
        for name in columns:
            values = conformed(rows[name].combine_chunks(), self.dataset.table.get_column(name))
            before = self.links.get(name)
            arrays.append(pc.binary_join_element_wise(before, values, "") if before else values)
        return pa.table(arrays, names=list(columns))

    def extremes(self, column: str) -> tuple[float, float]:
        """Least and greatest value of a column, by the statistics of its files or by reading it; zeros for no value."""
        low, high = np.inf, -np.inf
        for partition in self.dataset.partitions:
            for least, greatest in self._extremes_of(partition.file, column):
                low, high = min(low, least), max(high, greatest)
        return (low, high) if low <= high else (0.0, 0.0)

    def _extremes_of(self, file: str, column: str) -> Iterator[tuple[float, float]]:
        footer = self.dataset.open_file(file).metadata
        paths = [footer.schema.column(number).path for number in range(footer.num_columns)]
        place = paths.index(column)
        for number in range(footer.num_row_groups):
            told = footer.row_group(number).column(place).statistics
            if told is not None and told.has_min_max:
                yield float(told.min), float(told.max)
            elif told is None or not told.has_null_count or told.null_count < footer.row_group(number).num_rows:
                values = _floats(self.dataset.read(Piece(file, (number,), 0), [column])[column])
                values = values[np.isfinite(values)]
                if len(values):
                    yield float(values.min()), float(values.max())


def _empty(kinds: Sequence[Any], names: Sequence[str]) -> pa.Table:
    return pa.schema([pa.field(name, arrow_type(kind)) for name, kind in zip(names, kinds, strict=True)]).empty_table()


def _floats(values: pa.ChunkedArray) -> Floats:
    """Numbers, NaN for nulls."""
    return np.asarray(pc.cast(values, pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def _is_within(pixels: Rows, ranges: Ranges) -> NDArray[np.bool_]:
    """Which pixels are in some ranges."""
    ends = merge_ranges(ranges).ravel()
    return np.asarray(np.searchsorted(ends, pixels, side="right") % 2 == 1)

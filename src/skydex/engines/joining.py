"""Joining tables by their places while they are read, for engines that are given the joined rows.

The smaller of two tables is held, a part of the sky after the other, as circles (`sky.Circles`); the other one passes
by in the order of its files, row groups that no circle touches left out. Two threads read and find pairs ahead of
whoever takes the rows. In memory at a time are one such part, a few chunks of the other table, and their pairs; a chunk
with a great many of them is gone through as they are taken.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.engines.engine import Deadline
from skydex.engines.reading import Reader, ahead, chunks
from skydex.query import Plan, Scan, SkyJoin
from skydex.query.kernels import integers, numbers
from skydex.sky import Circles, Places, intersect_ranges, sparse_order
from skydex.store import Piece
from skydex.tables import arrow_schema, conform

__all__ = ["joined_rows", "joined_schema"]

_CHUNK_ROWS = 50_000
"""Rows of the table that passes by, at a time."""
_HELD_BYTES = 128 << 20
"""About as much of the other table is held at a time."""
_FIRST_ROWS = 20_000
"""At first it is no more rows than this, so that the first pairs do not wait."""
_PLACE_BYTES = 64
"""What the place and the circle of a held row take."""
_VALUE_BYTES = 16
"""What a value of a held row takes; texts more, small numbers less."""
_NUMBER_ONLY = pa.schema([pa.field("~rows", pa.int8())])
"""Joined rows of which only the number matters."""


def joined_schema(plan: Plan, join: SkyJoin) -> pa.Schema:
    """The columns of joined rows: `source.column`."""
    tables = {name: plan.scans[name].relation.table for name in join.sides}
    kinds = [arrow_schema((tables[source].get_column(name),)).field(0) for source, name in join.columns]
    named = [kind.with_name(f"{source}.{name}") for kind, (source, name) in zip(kinds, join.columns, strict=True)]
    return pa.schema(named) if named else _NUMBER_ONLY


def joined_rows(plan: Plan, join: SkyJoin, deadline: Deadline | None = None) -> Generator[pa.RecordBatch]:
    """The pairs of rows that a join asks for, in no order."""
    schema, (left, right) = joined_schema(plan, join), (_side(plan, join, number) for number in (0, 1))
    held, passing = (left, right) if left.n_rows <= right.n_rows else (right, left)
    finest = passing.sparse_order()
    for part in held.parts():
        rows = held.read(part)
        circles = Circles(rows.places, join.radius_deg, finest=finest, closed=join.closed)

        def pairs(chunk: Sequence[Piece], rows: _Rows = rows, circles: Circles = circles) -> Iterable[pa.RecordBatch]:
            return _begun(_pairs(circles, rows, passing, chunk, schema, is_left=held is left))

        for batch in ahead(pairs, passing.chunks_near(circles)):
            if deadline is not None:
                deadline.check()
            yield batch


def _begun(batches: Iterator[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    """The same batches, of which the first is made at once."""
    return chain(list(islice(batches, 1)), batches)


def _pairs(
    circles: Circles, held: _Rows, passing: _Side, chunk: Sequence[Piece], schema: pa.Schema, *, is_left: bool
) -> Iterator[pa.RecordBatch]:
    """The pairs of what is held with a chunk of the other table, of which all else is read if there are any."""
    places, columns = passing.places(chunk), None
    for one, other in circles.iter_pairs(places):
        if not len(one):
            continue
        if columns is None:
            columns = passing.columns(chunk)
        arrays = [_taken(held.columns, one), _taken(columns, other)]
        both = [*arrays[0], *arrays[1]] if is_left else [*arrays[1], *arrays[0]]
        yield pa.RecordBatch.from_arrays(both or [pa.nulls(len(one), pa.int8())], schema=schema)


def _taken(columns: Sequence[pa.Array], rows: NDArray[np.int64]) -> list[pa.Array]:
    numbers = pa.array(rows)
    return [column.take(numbers) for column in columns]


@dataclass(frozen=True)
class _Rows:
    """Rows of a table that are held."""

    places: Places
    """Where they are."""
    columns: Sequence[pa.Array]
    """What is wanted of them."""


class _Side(Protocol):
    """One of the two tables; a chunk of one in memory is all of it, and has no pieces."""

    n_rows: int

    def parts(self) -> Iterable[Sequence[Piece]]:
        """Parts of it that are small enough to be held."""
        ...

    def read(self, part: Sequence[Piece]) -> _Rows:
        """One of them."""
        ...

    def chunks_near(self, circles: Circles) -> Sequence[Sequence[Piece]]:
        """The chunks in which there may be something inside of circles."""
        ...

    def places(self, chunk: Sequence[Piece]) -> Places:
        """Where the rows of a chunk are."""
        ...

    def columns(self, chunk: Sequence[Piece]) -> Sequence[pa.Array]:
        """What is wanted of them."""
        ...

    def sparse_order(self) -> int:
        """The order of cells in which its rows are not crowded."""
        ...


def _side(plan: Plan, join: SkyJoin, number: int) -> _Side:
    source = join.sides[number]
    columns = tuple(name for of, name in join.columns if of == source)
    kind = _InMemory if plan.scans[source].selection is None else _Stored
    return kind(plan.scans[source], join.positions[number], columns)


class _Stored:
    """A table that is stored by its places."""

    def __init__(self, scan: Scan, position: tuple[str, str], columns: tuple[str, ...]) -> None:
        self._dataset, self._selection = scan.stored
        self._ranges = scan.ranges
        self._position = Reader(replace(scan, columns=position, ranges=None, with_index=True))
        self._others = Reader(replace(scan, columns=columns, ranges=None, with_index=False)) if columns else None
        self._all = Reader(replace(scan, columns=(*position, *columns), ranges=None, with_index=True))
        self._row_bytes = _PLACE_BYTES + _VALUE_BYTES * len(columns)
        self.n_rows = self._selection.n_rows

    def parts(self) -> Iterable[Sequence[Piece]]:
        most, part, n_rows = _FIRST_ROWS, list[Piece](), 0
        for piece in chunks(self._selection.pieces, n_rows=_CHUNK_ROWS):
            part.append(piece)
            n_rows += piece.n_rows
            if n_rows >= most:
                yield part
                most, part, n_rows = _HELD_BYTES // self._row_bytes, [], 0
        if part:
            yield part

    def read(self, part: Sequence[Piece]) -> _Rows:
        rows = pa.Table.from_batches(list(ahead(self._all.read, part)))
        columns = [column.combine_chunks() for column in rows.columns]
        return _Rows(_places(columns[0], columns[1], columns[-1]), columns[2:-1])

    def chunks_near(self, circles: Circles) -> Sequence[Sequence[Piece]]:
        ranges = circles.ranges29()
        selection = self._dataset.select(ranges if self._ranges is None else intersect_ranges(self._ranges, ranges))
        return [(piece,) for piece in chunks(selection.pieces, n_rows=_CHUNK_ROWS)]

    def places(self, chunk: Sequence[Piece]) -> Places:
        return _places(*_joined(self._position, chunk))

    def columns(self, chunk: Sequence[Piece]) -> Sequence[pa.Array]:
        return _joined(self._others, chunk) if self._others is not None else ()

    def sparse_order(self) -> int:
        groups = self._dataset.row_groups
        return sparse_order(groups.index_min, groups.index_max, groups.n_rows)


class _InMemory:
    """A table in memory."""

    n_rows: int

    def __init__(self, scan: Scan, position: tuple[str, str], columns: tuple[str, ...]) -> None:
        assert isinstance(scan.relation.rows, pa.Table)
        rows, table = scan.relation.rows, scan.relation.table
        arrays = [rows[name].combine_chunks() for name in position]
        batches = rows.select(columns).combine_chunks().to_batches()
        wanted = tuple(table.get_column(name) for name in columns)
        found = pa.Table.from_batches(conform(batches, wanted), arrow_schema(wanted))
        self._rows = _Rows(_places(*arrays), [column.combine_chunks() for column in found.columns])
        self.n_rows = rows.num_rows

    def parts(self) -> Iterable[Sequence[Piece]]:
        return [()] if self.n_rows else []

    def read(self, part: Sequence[Piece]) -> _Rows:
        return self._rows

    def chunks_near(self, circles: Circles) -> Sequence[Sequence[Piece]]:
        return [()] if self.n_rows else []

    def places(self, chunk: Sequence[Piece]) -> Places:
        return self._rows.places

    def columns(self, chunk: Sequence[Piece]) -> Sequence[pa.Array]:
        return self._rows.columns

    def sparse_order(self) -> int:
        pixels = np.sort(self._rows.places.pixels)
        groups = [group for group in np.array_split(pixels, max(1, len(pixels) // 500)) if len(group)]
        return sparse_order(
            *(np.array(values) for values in zip(*((g[0], g[-1], len(g)) for g in groups), strict=True))
        )


def _joined(reader: Reader, chunk: Sequence[Piece]) -> list[pa.Array]:
    """The columns of a chunk."""
    rows = pa.Table.from_batches([batch for piece in chunk for batch in reader.read(piece)])
    return [column.combine_chunks() for column in rows.columns]


def _places(ra: pa.Array, dec: pa.Array, index: pa.Array | None = None) -> Places:
    """Positions; rows that lack one have no pixel, whatever is stored."""
    ra_deg, dec_deg = (numbers(column.cast(pa.float64())) for column in (ra, dec))
    if index is None:
        return Places(ra_deg, dec_deg)
    pixels = integers(index)
    if ra.null_count or dec.null_count:
        pixels = np.where(np.isfinite(ra_deg) & np.isfinite(dec_deg), pixels, -1)
    return Places(ra_deg, dec_deg, pixels)

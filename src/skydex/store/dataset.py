"""`Dataset`: a stored table, open for reading.

Everything that decides what a query reads comes from metadata held in memory: the description, the partitions and the
bounds of their row groups. Files are opened when rows are wanted. The same class serves our own catalogues, those of
others in HATS 1.0 (IVOA Note, 2025), local or remote, and tables without positions.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import finalize

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from skydex.errors import DamagedDataError, RemoteChangedError, StoreError
from skydex.sky import cells_in_fits
from skydex.store.foreign import find_properties, read_foreign
from skydex.store.holding import NOWHERE, Holding, Partition
from skydex.store.layout import COVERAGE, IN_USE, INGEST_REPORT, lookup_of_file, partition_label
from skydex.store.location import LocalLocation, Location, locate
from skydex.store.lookup import Lookup, open_lookup
from skydex.store.manifest import FileFacts, find_manifest
from skydex.store.openfiles import OpenFiles
from skydex.store.own import read_own
from skydex.store.parquet import constant_columns, footer_checksum
from skydex.store.properties import parse_properties
from skydex.store.remote import Incoming, RemoteAccess, RemoteLocation, Traffic, current_traffic
from skydex.store.rowgroups import RowGroups
from skydex.store.rowtests import RowTest, passing
from skydex.store.statistics import (
    ColumnStatistics,
    Statistics,
    joined_statistics,
    no_statistics,
    statistics_in_memory,
    statistics_of_footer,
)
from skydex.store.warm import WarmRows
from skydex.tables import arrow_type

__all__ = ["Dataset", "Partition", "Piece", "RowGroups", "Selection", "open_dataset"]

_MOST_CONSTANTS = 100
"""Files of a data set whose constant columns are remembered; some 20 kB each for a table of 400 columns."""
_ATTEMPTS = 2
_FEW_COLUMNS = 3
"""Of more columns that are asked for one by one, the statistics of all are read at once."""
_FEW = 4
"""Row groups of a region of which values are not asked before they are read."""
_WARM = WarmRows(48 << 20)
"""One for all data sets of a process, so that its bound is that of the process."""


@dataclass(frozen=True)
class Piece:
    """Row groups to be read from one file."""

    file: str
    """Absolute path or fsspec URL."""
    groups: tuple[int, ...]
    """Numbers of the row groups, ascending."""
    n_rows: int
    """Rows in them."""


@dataclass(frozen=True)
class Selection:
    """What must be read of a data set."""

    pieces: tuple[Piece, ...]
    """By file, in the order of the partitions, which is that of the index."""
    n_rows: int
    """Rows in all pieces: an upper bound of the rows sought."""
    n_files: int
    """Files to be opened."""
    n_groups: int
    """Row groups to be read."""
    total_files: int
    """Files of the data set."""
    total_groups: int
    """Row groups of the data set."""
    whole: bool
    """Whether this is the whole data set."""

    @property
    def is_narrow(self) -> bool:
        """Whether most of the data set is left out."""
        return 2 * self.n_groups <= self.total_groups

    @property
    def is_sparse(self) -> bool:
        """Whether most of the files that are opened is left out, too."""
        return 4 * self.n_groups * self.total_files <= self.total_groups * self.n_files


class Dataset:
    """A stored table, open for reading; safe to share between threads."""

    def __init__(self, location: Location, holding: Holding) -> None:
        self.table = holding.table
        """The description under the published name; the index column is not in it."""
        self.directory = location.root
        """Absolute path or fsspec URL of the catalogue."""
        self.version = holding.version
        """Changes with every publication."""
        self.arrow_schema: pa.Schema = holding.arrow_schema
        """Physical schema of the files, which in foreign catalogues may hold any Arrow type."""
        self.index_column = holding.index_column
        """Name of the HEALPix index column, or `None`."""
        self.index_order = holding.index_order
        """HEALPix order of the index column, 0 to 29."""
        self.nan_is_null = holding.nan_is_null
        """Whether NaN stands for what is missing in floating columns."""
        self.partitions = holding.partitions
        """The files, in the order of the index."""
        self.location = location
        """How to reach the files."""
        self._holding = holding
        self._open_files = OpenFiles()
        self._open_lookups: dict[str, Lookup] = {}
        self._constants: dict[str, Mapping[str, pa.Scalar]] = {}
        self._lock = threading.Lock()
        self.is_distant = isinstance(location, RemoteLocation)
        """Whether each reading costs a journey."""
        if isinstance(location, RemoteLocation):
            counts = {location.file_name(partition.file): partition.n_rows for partition in holding.partitions}
            location.files.expect(holding.files, counts)
        self._stay(location)

    def __repr__(self) -> str:
        return f"<Dataset {self.table.name}, version {self.version}, {len(self.partitions)} partitions>"

    def __reduce__(self) -> tuple[Any, ...]:
        if isinstance(self.location, RemoteLocation):
            return _reopen, (self.location.address, self.table.name, self.location.access)
        return _reopen, (self.directory, self.table.name)

    @property
    def is_outdated(self) -> bool:
        """Whether it lies far away and was seen to have changed there, so that it must be opened anew."""
        return isinstance(self.location, RemoteLocation) and self.location.is_outdated

    @property
    def is_own(self) -> bool:
        """Whether skydex wrote it, so that every byte is accounted for."""
        return bool(self._holding.files)

    def find_ingest_report(self) -> dict[str, Any] | None:
        """How the table came to be, as the ingest told it; `None` where it was not ingested from files."""
        content = self.location.find(INGEST_REPORT) if INGEST_REPORT in self._holding.files else None
        if content is None:
            return None
        if not self._holding.files[INGEST_REPORT].agrees_with(content):
            raise self.damage(INGEST_REPORT, "it is not what was written")
        found: dict[str, Any] = json.loads(content)
        return found

    def find_coverage(self, order: int) -> NDArray[np.int64] | None:
        """The pixels of an order in which there are rows, as far as the catalogue says so; it is not read for that."""
        content = self.location.find(COVERAGE)
        return None if content is None else cells_in_fits(content, order)

    @cached_property
    def ready_columns(self) -> frozenset[str]:
        """Columns that are stored as they are to be given: in their logical type, with nulls for what is missing."""
        if self.nan_is_null:
            return frozenset()
        kinds = [(column.name, arrow_type(column)) for column in self.table.columns]
        if self.index_column is not None:
            kinds.append((self.index_column, pa.int64()))
        return frozenset(name for name, kind in kinds if self.arrow_schema.field(name).type == kind)

    @property
    def knows_row_groups(self) -> bool:
        """Whether the bounds of all row groups are at hand, rather than in the footers of many files far away."""
        return self._holding.load_some_row_groups is None or "row_groups" in self.__dict__

    @cached_property
    def row_groups(self) -> RowGroups:
        """Bounds of all row groups."""
        return self._holding.load_row_groups()

    def statistics(self, column: str) -> ColumnStatistics:
        """Least and greatest value of a column and its nulls, row group by row group.

        They are read when they are asked for first: from their own file, from `_metadata`, or from the footers of all
        files, which takes a while where there are many.

        Parameters
        ----------
        column : str
            Name in the files. Of arrays nothing is known.
        """
        known = self._statistics_with(column).find(column)
        if known is not None and len(known) == len(self.row_groups):
            return known
        return no_statistics(len(self.row_groups), self.arrow_schema.field(column).type)

    def all_statistics(self) -> pa.Table:
        """The statistics of all columns, as `statistics_of_footer` has them."""
        return self._statistics.everything()

    def _statistics_with(self, column: str) -> Statistics:
        """Those of all columns, or of one: of hundreds in near footers, one is read in a tenth of the time."""
        if "_statistics" in self.__dict__ or self._written_statistics is not None or self.is_distant:
            return self._statistics
        if column not in self._read_statistics:
            if len(self._read_statistics) >= _FEW_COLUMNS:
                return self._statistics
            self._read_statistics[column] = self._in_footers(pa.schema([self.arrow_schema.field(column)]))
        return self._read_statistics[column]

    @cached_property
    def _statistics(self) -> Statistics:
        return self._written_statistics or self._in_footers(self.arrow_schema)

    @cached_property
    def _written_statistics(self) -> Statistics | None:
        return self._holding.find_statistics()

    @cached_property
    def _read_statistics(self) -> dict[str, Statistics]:
        """Those of single columns that were asked for."""
        return {}

    def _in_footers(self, schema: pa.Schema) -> Statistics:
        parts = [statistics_of_footer(footer, schema, is_own=self.is_own) for footer in self._footers()]
        return statistics_in_memory(joined_statistics(parts) if parts else pa.table({}))

    def _footers(self) -> Iterator[pq.FileMetaData]:
        """The footers of all files."""
        files = [partition.file for partition in self.partitions]
        if isinstance(self.location, RemoteLocation):
            return (footer.metadata for footer in self.location.files.footers(files))
        return (self.open_file(file).metadata for file in files)

    def find_groups(self, column: str, hashes: Callable[[], NDArray[np.uint64]]) -> NDArray[np.bool_] | None:
        """Find the row groups in which a column may have values of some hashes.

        Parameters
        ----------
        column : str
            Name in the files.
        hashes : callable
            Gives the hashes, as `lookup.hashes_of` makes them, if they are wanted.

        Returns
        -------
        found : (n,) bool array or None
            One entry for each row group; `None` if nothing is written down of the column.
        """
        lookups = self._lookups.get(column)
        if lookups is None:
            return None
        wanted, found = hashes(), np.ones(len(self.row_groups), np.bool_)
        for file, first in lookups:
            try:
                lookup = self._lookup(file)
                found[first : first + lookup.n_groups] = False
                found[first + lookup.groups_of(wanted)] = True
            except (OSError, pa.ArrowException) as error:
                raise DamagedDataError(
                    f"The file {file} of {self.table.name} is damaged. Restore it, or ingest the table again."
                ) from error
        return found

    @cached_property
    def _lookups(self) -> Mapping[str, list[tuple[str, int]]]:
        """The files of look-ups by column, each with the first row group that it covers."""
        files: dict[str, list[tuple[str, int]]] = {}
        for file in self._holding.files:
            if found := lookup_of_file(file):
                files.setdefault(found[0], []).append((file, found[1]))
        return files

    def _lookup(self, file: str) -> Lookup:
        with self._lock:
            if file not in self._open_lookups:
                self._open_lookups[file] = open_lookup(self.location, file, self._holding.files[file])
            return self._open_lookups[file]

    def is_found_by(self, column: str) -> bool:
        """Whether a condition on values of a column leaves few row groups to be read; no file is asked for it."""
        return column in self._lookups or (self.knows_row_groups and self.statistics(column).is_clustered)

    def select(self, ranges: NDArray[np.int64] | None, test: RowTest | None = None) -> Selection:
        """Find what must be read for a region, and for conditions on values.

        Parameters
        ----------
        ranges : (n, 2) int64 array or None
            Half-open ranges of order-29 NESTED pixels; `None` is everything, rows without a position included.
        test : RowTest, optional
            What the rows wanted have in common.

        Returns
        -------
        selection : Selection
            Never too little; rows outside the region may be among it.
        """
        if isinstance(self.location, RemoteLocation):
            self.location.check()
        if ranges is None and test is None:
            return self._everything
        load_some = self._holding.load_some_row_groups
        if ranges is not None and load_some is not None and not self.knows_row_groups:
            return self._selection_of_some(ranges, load_some)
        every = self.row_groups
        numbers = np.arange(len(every)) if ranges is None else every.touching(ranges)
        if test is not None and (len(numbers) > _FEW or ranges is None):  # of few, asking costs more than reading
            numbers = numbers[passing(test, self, numbers, every.n_rows[numbers])]
        return self._selection(numbers)

    def _selection_of_some(
        self, ranges: NDArray[np.int64], load: Callable[[NDArray[np.int64]], RowGroups]
    ) -> Selection:
        """What must be read for a region, where only the files that it touches are asked for their row groups."""
        near = load(self._whole_files.touching(ranges))
        chosen = near.touching(ranges)
        unopened = len(self.partitions) - len(np.unique(near.partition))
        return self._selection(chosen, near, total_groups=len(near) + unopened)

    @cached_property
    def _whole_files(self) -> RowGroups:
        """Each file as if it were one row group, with the bounds of its pixel."""
        bounds = np.array([self._holding.bounds_of(partition) for partition in self.partitions], np.int64)
        numbers = np.arange(len(self.partitions), dtype=np.int32)
        n_rows = np.array([partition.n_rows or 0 for partition in self.partitions], np.int64)
        least, greatest = bounds.reshape(-1, 2).T.copy()
        return RowGroups(numbers, np.zeros_like(numbers), n_rows, least, greatest)

    @cached_property
    def has_unpositioned(self) -> bool:
        """Whether there are rows without a position, or without one of its coordinates."""
        if not self.knows_row_groups:
            return any(partition.order == NOWHERE for partition in self.partitions)
        return bool((self.row_groups.index_min > self.row_groups.index_max).any())

    def numbers_of(self, selection: Selection) -> NDArray[np.int64]:
        """The row groups of a selection, as numbers in `row_groups`."""
        if selection.whole:
            return np.arange(len(self.row_groups))
        first = np.searchsorted(self.row_groups.partition, np.arange(len(self.partitions)))
        return np.concatenate(
            [np.empty(0, np.int64), *(first[self._places[p.file]] + np.array(p.groups) for p in selection.pieces)]
        )

    def selection_of(self, numbers: NDArray[np.int64]) -> Selection:
        """What reads some row groups, which are ascending numbers in `row_groups`."""
        return self._selection(numbers)

    def about_bytes(self, selection: Selection, columns: Sequence[str]) -> int:
        """About how many bytes some columns of a selection take in the files, as if all were packed alike.

        Where nobody wrote down how large the files are, it is the bytes that they take unpacked.
        """
        widths = {field.name: _width(field.type) for field in self.arrow_schema}
        wanted, whole = sum(widths[name] for name in columns), sum(widths.values())
        total = 0.0
        for piece in selection.pieces:
            facts = self._holding.files.get(piece.file[len(self.directory) + 1 :])
            n_rows = self.partitions[self._places[piece.file]].n_rows
            per_row = facts.size / n_rows if facts is not None and n_rows else whole
            total += piece.n_rows * per_row * wanted / whole
        return round(total)

    @cached_property
    def _places(self) -> dict[str, int]:
        """The partitions by their files."""
        return {partition.file: number for number, partition in enumerate(self.partitions)}

    @cached_property
    def _everything(self) -> Selection:
        return self._selection(np.arange(len(self.row_groups)))

    def _selection(
        self, numbers: NDArray[np.int64], groups: RowGroups | None = None, *, total_groups: int | None = None
    ) -> Selection:
        groups = self.row_groups if groups is None else groups
        total = len(groups) if total_groups is None else total_groups
        pieces = tuple(self._pieces(numbers, groups))
        return Selection(
            pieces=pieces,
            n_rows=sum(piece.n_rows for piece in pieces),
            n_files=len(pieces),
            n_groups=len(numbers),
            total_files=len(self.partitions),
            total_groups=total,
            whole=len(numbers) == total,
        )

    def _pieces(self, numbers: NDArray[np.int64], groups: RowGroups) -> Iterator[Piece]:
        partition = groups.partition[numbers]
        group, n_rows = groups.group[numbers], groups.n_rows[numbers]
        starts = np.flatnonzero(np.diff(partition, prepend=-1))
        if not len(starts):
            return
        totals = np.add.reduceat(n_rows, starts)
        stops = [*starts[1:].tolist(), len(numbers)]
        for start, stop, total in zip(starts.tolist(), stops, totals.tolist(), strict=True):
            yield Piece(self.partitions[partition[start]].file, tuple(group[start:stop].tolist()), total)

    def read(self, piece: Piece, columns: Sequence[str], *, keep: bool = False) -> pa.Table:
        """Read some columns of a piece, in their physical types.

        Parameters
        ----------
        piece : Piece
            What to read.
        columns : sequence of str
            Names in the files.
        keep : bool
            Whether to keep the rows in memory for a while. Only those of our own catalogues are kept, whose files never
            change under their version.

        Raises
        ------
        DamagedDataError
            The file is missing, or is not what was published.
        """
        if not (keep and self.is_own):
            return self._read(piece, columns)
        key = (self.directory, piece.file, piece.groups, *columns)
        return _WARM.get(key, lambda: self._read(piece, columns).combine_chunks())

    def order(self, piece: Piece, columns: Sequence[str], *, traffic: Traffic) -> Incoming:
        """Begin to read some columns of a piece of a data set that is far away; several come at the same time."""
        assert isinstance(self.location, RemoteLocation), "what is near is read at once"
        n_rows = self._n_rows_of(piece) if "row_groups" in self.__dict__ else None
        return self.location.files.order(piece.file, piece.groups, columns, n_rows=n_rows, traffic=traffic)

    def _n_rows_of(self, piece: Piece) -> int:
        """Rows of some row groups of a file, as the catalogue counts them."""
        start = int(np.searchsorted(self.row_groups.partition, self._numbers[piece.file]))
        return int(self.row_groups.n_rows[start + np.array(piece.groups)].sum())

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Partitions by their files."""
        return {partition.file: number for number, partition in enumerate(self.partitions)}

    def constants(self, file: str) -> Mapping[str, pa.Scalar]:
        """Columns that have one value in all rows of a file, which need not be read: null, or an integer.

        Wide tables have many: in the files of a catalogue of a hundred filters most columns are null, or a number of
        measurements that is 0. Only the footers of our own files are trusted for it.
        """
        if not self.is_own or self.is_distant:
            return {}
        with self._lock:
            if file not in self._constants:
                while len(self._constants) >= _MOST_CONSTANTS:
                    self._constants.pop(next(iter(self._constants)))
                self._constants[file] = constant_columns(self.open_file(file).metadata, self.arrow_schema)
            return self._constants[file]

    def _read(self, piece: Piece, columns: Sequence[str]) -> pa.Table:
        if self.is_distant:
            return self.order(piece, columns, traffic=current_traffic()).table(keep=True)
        try:
            return self.open_file(piece.file).read_row_groups(
                list(piece.groups), columns=list(columns), use_threads=False
            )
        except (OSError, pa.ArrowInvalid) as error:
            raise self.damage(piece.file, "its pages cannot be read") from error

    def open_file(self, file: str) -> pq.ParquetFile:
        """Open one of the files for this thread; it stays open for later calls.

        Raises
        ------
        DamagedDataError
            The file is missing, or its size or footer is not what was published.
        """
        return self._open_files.get(file, self._open)

    def _open(self, file: str) -> pq.ParquetFile:
        facts = self._holding.files.get(file[len(self.directory) + 1 :])
        if isinstance(self.location, RemoteLocation):
            (footer,) = self.location.files.footers([file])
            return pq.ParquetFile(self.location.open(file, footer.stamp), metadata=footer.metadata)
        try:
            source = self.location.open(file)
            if facts is not None:
                self._check(file, source, facts)
            return pq.ParquetFile(source, page_checksum_verification=facts is not None, pre_buffer=False)
        except FileNotFoundError as error:
            raise self.damage(file, "the file is missing") from error
        except (OSError, pa.ArrowException) as error:
            raise self.damage(file, "the file cannot be read as Parquet") from error

    def _check(self, file: str, source: pa.NativeFile, facts: FileFacts) -> None:
        if source.size() != facts.size:
            raise self.damage(file, f"it has {source.size():,} bytes instead of {facts.size:,}")
        if footer_checksum(source) != facts.footer:
            raise self.damage(file, "its footer has changed since publication")

    def damage(self, file: str, what: str) -> DamagedDataError:
        """Make the error for a damaged file; it names table and partition, never the path."""
        return DamagedDataError(
            f"Partition {partition_label(file)} of {self.table.name} is damaged: {what}. "
            "`skydex verify` lists all damage; restore the file or ingest the table again."
        )

    def _stay(self, location: Location) -> None:
        """Keep the version from being cleared away while this object lives."""
        if not isinstance(location, LocalLocation) or not os.path.exists(location.path(IN_USE)):
            return
        descriptor = os.open(location.path(IN_USE), os.O_RDONLY | os.O_CLOEXEC)
        finalize(self, os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(f"This version of {self.table.name} is being removed; open the table again.") from error
        except OSError:
            return  # a file system without locks: old versions are then cleared at the archive's own risk


def _width(kind: pa.DataType) -> float:
    """Bytes of a value; of texts and arrays a guess."""
    try:
        return float(kind.bit_width) / 8.0
    except ValueError:
        return 16.0


def open_dataset(address: str | os.PathLike[str], *, name: str, access: RemoteAccess | None = None) -> Dataset:
    """Open a catalogue: ours, a HATS catalogue or collection, or a directory of Parquet files.

    Parameters
    ----------
    address : str or path
        Local directory or fsspec URL. Of a HATS collection the primary table is opened.
    name : str
        Qualified name under which the table is published.
    access : RemoteAccess, optional
        How to read what lies far away.

    Raises
    ------
    StoreError
        There is nothing there that can be opened.
    """
    for _ in range(_ATTEMPTS):
        with suppress(RemoteChangedError):  # a publication fell into the moment of opening
            return _open(address, name=name, access=access)
    return _open(address, name=name, access=access)


def _open(address: str | os.PathLike[str], *, name: str, access: RemoteAccess | None) -> Dataset:
    location = locate(address, name=name, access=access)
    try:
        dataset = _opened(location, address, name=name, access=access)
    except StoreError as error:
        if isinstance(location, RemoteLocation) and location.denial is not None:
            raise location.told(location.denial) from error
        raise
    if isinstance(location, RemoteLocation):
        location.settle()
    return dataset


def _opened(location: Location, address: str | os.PathLike[str], *, name: str, access: RemoteAccess | None) -> Dataset:
    manifest = find_manifest(location, name=name)
    if manifest is not None:
        return Dataset(location, read_own(location, manifest, name=name))
    primary = None if find_properties(location) else _primary_table(location)
    if primary:
        return _open(_below(address, primary), name=name, access=access)
    return Dataset(location, read_foreign(location, name=name))


def _primary_table(location: Location) -> str | None:
    content = location.find("collection.properties")
    return parse_properties(content.decode()).get("hats_primary_table_url") if content else None


def _below(address: str | os.PathLike[str], name: str) -> str:
    """Address of a directory in another; what follows a question mark stays behind."""
    place, mark, rest = os.fspath(address).partition("?") if "://" in os.fspath(address) else (address, "", "")
    return f"{os.fspath(place).rstrip('/')}/{name}{mark}{rest}"


def _reopen(address: str, name: str, access: RemoteAccess | None = None) -> Dataset:
    return open_dataset(address, name=name, access=access)

"""Appending: a version of a table that is an earlier one and some rows more.

The files of the earlier version are linked, not copied, since files never change once they are written. New rows go
into a file of their own under `appended/`, sorted like any partition, but without a pixel: what it holds may lie
anywhere, which the bounds of its row groups tell. Small files of earlier appendings are taken along into the new one
as long as they have no more rows than it, as bits carry over when one counts: `n` rows added one by one make about
`log n` files, and each row is written again about `log n` times.

What is appended must be few rows compared with the table: they are held in memory, and a table of which most rows were
appended had better be written anew (`worth_appending`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from skydex.errors import StoreError
from skydex.store.assembly import WriteReport, new_version, physical_schema
from skydex.store.dataset import Dataset
from skydex.store.files import link_or_copy, storing, sync_directories
from skydex.store.holding import NOWHERE, Partition
from skydex.store.layout import APPENDED, Layout, lookup_of_file
from skydex.store.lookup import open_lookup
from skydex.store.manifest import Manifest, find_manifest
from skydex.store.parquet import write_partition
from skydex.store.publication import Publication
from skydex.store.rowgroups import RowGroups
from skydex.store.runs import Run, sorted_table
from skydex.store.statistics import FEW_GROUPS
from skydex.store.texts import sized_columns, text_sizes
from skydex.tables import Column, Table, metadata_of_columns

__all__ = ["append_rows", "worth_appending"]


def worth_appending(dataset: Dataset, n_rows: int, *, layout: Layout) -> bool:
    """Whether so many rows had better be appended to a table than be written into it anew."""
    appended = sum(part.n_rows or 0 for part in dataset.partitions if _is_appended(dataset, part))
    total = sum(part.n_rows or 0 for part in dataset.partitions)
    return dataset.is_own and n_rows <= layout.rows_per_partition and appended + n_rows <= (total - appended) / 2


def append_rows(dataset: Dataset, rows: pa.Table, *, directory: Path, layout: Layout) -> WriteReport:
    """Write the version of a table that has some rows more.

    Parameters
    ----------
    dataset : Dataset
        The table as it is, one of our own; it must stay open meanwhile.
    rows : Table
        In the physical schema of its files: the index first if it has a position, null for rows without one.
    directory : Path
        Where the version is written, on the file system of the table; `ArchiveDirectory.publish` takes it from there.
    layout : Layout
        How the new file is written.

    Raises
    ------
    StoreError
        The disk is full or fails.
    """
    with storing(f"rows of {dataset.table.name}"):
        return _Appending(dataset, directory, layout.for_columns(len(dataset.arrow_schema))).write(rows)


class _Appending:
    """A version being written."""

    def __init__(self, dataset: Dataset, directory: Path, layout: Layout) -> None:
        self.dataset = dataset
        self.directory = directory
        self.layout = layout
        self.manifest = _manifest(dataset)

    def write(self, rows: pa.Table) -> WriteReport:
        joined, kept = self._taken_along(rows)
        table = self._table(rows)
        about = metadata_of_columns(table.columns, name=table.name, description=table.description)
        book = Publication(self.directory, table, physical_schema(table), about, replace(self.layout, for_others=False))
        for number in range(kept):
            self._link(book, number)
        self._link_lookups(book)
        run = Run(sorted_table(joined, self.layout.sort_by))
        file = f"{APPENDED}/part{self._free_number(kept)}.parquet"
        parts = [part for part in (run.positioned, run.unpositioned) if len(part)]
        schema = self.dataset.arrow_schema
        layout = replace(self.layout, look_up=self._looked_up())
        written = write_partition(self.directory / file, parts, schema, about=about, layout=layout)
        if book.n_groups + len(written.row_groups) > FEW_GROUPS:
            book.carry_statistics(self.dataset.all_statistics().slice(0, book.n_groups))
        book.add(file, None, written)
        n_new = rows[0].null_count if table.position else len(rows)
        n_unpositioned = self.manifest.n_unpositioned + n_new
        version = new_version()
        book.close(None, n_unpositioned=n_unpositioned, version=version)
        sync_directories(self.directory)
        n_partitions = len(book.partitions)
        return WriteReport(
            self.directory, table, version, table.n_rows or 0, n_unpositioned, n_partitions, book.n_bytes
        )

    def _taken_along(self, rows: pa.Table) -> tuple[pa.Table, int]:
        """The new rows behind those of the last small files, and how many files are left as they are."""
        parts = [rows]
        n_rows, kept = len(rows), len(self.dataset.partitions)
        while kept and _is_appended(self.dataset, last := self.dataset.partitions[kept - 1]):
            size = last.n_rows or 0
            if size > n_rows or size + n_rows > self.layout.rows_per_partition:
                break
            parts.insert(0, self._read(last))
            n_rows, kept = n_rows + size, kept - 1
        return pa.concat_tables(parts), kept

    def _read(self, partition: Partition) -> pa.Table:
        file: pq.ParquetFile = self.dataset.open_file(partition.file)
        try:
            return file.read(columns=self.dataset.arrow_schema.names).cast(self.dataset.arrow_schema)
        except (OSError, pa.ArrowException) as error:
            raise self.dataset.damage(partition.file, "its pages cannot be read") from error

    def _table(self, rows: pa.Table) -> Table:
        """The table with the new rows, and its texts as long as the longest."""
        table = self.dataset.table
        columns = sized_columns(table.columns, text_sizes(rows))
        widened = tuple(_wider(old, new) for old, new in zip(table.columns, columns, strict=True))
        return replace(table, columns=widened, n_rows=(table.n_rows or 0) + len(rows))

    def _link(self, book: Publication, number: int) -> None:
        partition = self.dataset.partitions[number]
        file = partition.file[len(self.dataset.directory) + 1 :]
        self._link_file(file)
        book.carry(replace(partition, file=file), self._groups(number), self.manifest.files[file])

    def _link_file(self, file: str) -> None:
        target = self.directory / file
        target.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(f"{self.dataset.directory}/{file}", target)

    def _looked_up(self) -> tuple[str, ...]:
        """The columns that have look-ups."""
        found = (lookup_of_file(file) for file in self.manifest.files)
        return tuple(dict.fromkeys(each[0] for each in found if each))

    def _link_lookups(self, book: Publication) -> None:
        """Keep the look-ups of row groups that are all kept; rows that are in none are found by statistics."""
        for file, facts in self.manifest.files.items():
            if found := lookup_of_file(file):
                with open_lookup(self.dataset.location, file, facts) as lookup:
                    is_kept = found[1] + lookup.n_groups <= book.n_groups
                if is_kept:
                    self._link_file(file)
                    book.carry_file(file, facts)

    def _groups(self, number: int) -> RowGroups:
        every = self.dataset.row_groups
        own = every.partition == number
        return RowGroups(
            every.partition[own], every.group[own], every.n_rows[own], every.index_min[own], every.index_max[own]
        )

    def _free_number(self, kept: int) -> int:
        """A number that no file has which is kept."""
        parts = [part for part in self.dataset.partitions[:kept] if _is_appended(self.dataset, part)]
        numbers = [int(part.file.rpartition("/part")[2].removesuffix(".parquet")) for part in parts]
        return max(numbers, default=-1) + 1


def _is_appended(dataset: Dataset, partition: Partition) -> bool:
    return partition.order == NOWHERE and partition.file.startswith(f"{dataset.directory}/{APPENDED}/")


def _manifest(dataset: Dataset) -> Manifest:
    manifest = find_manifest(dataset.location, name=dataset.table.name)
    if manifest is None:
        raise StoreError(f"{dataset.table.name} was not written by skydex: nothing can be appended to it.")
    return manifest


def _wider(old: Column, new: Column) -> Column:
    """Of two descriptions of a text column the one that holds the texts of both."""
    if old == new or not old.datatype.is_text:
        return old
    if old.max_length is None:
        return replace(old, datatype=new.datatype)
    return replace(old, datatype=new.datatype, arraysize=f"{max(old.max_length, new.max_length or 1)}*")

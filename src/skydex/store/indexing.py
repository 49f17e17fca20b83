"""Indexing: a look-up for a column of a table that is published already.

The files of the table are linked into a new version, which has one file more; no row is written again. The column is
read once, file by file, and its entries are spilled to the disk when they are many, so that memory does not grow with
the table.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.errors import BadParameterError, StoreError, UnknownColumnError, near_names
from skydex.store.assembly import WRITERS, new_version
from skydex.store.dataset import Dataset
from skydex.store.directory import ArchiveDirectory, ArchiveEntry
from skydex.store.files import link_or_copy, storing, sync_directories, write_file
from skydex.store.layout import LOOKUPS, MANIFEST, MANIFEST_DIGEST, STATISTICS, Layout, lookup_file, lookup_of_file
from skydex.store.lookup import LookupWriter, entries_of, is_hashable
from skydex.store.manifest import FileFacts, Manifest, find_manifest, manifest_to_bytes
from skydex.store.parquet import footer_checksum
from skydex.store.statistics import FEW_GROUPS, statistics_to_bytes
from skydex.tables import arrow_type

__all__ = ["index_column"]

Progress = Callable[[int, int], None]


def index_column(
    directory: ArchiveDirectory, name: str, column: str, *, progress: Progress | None = None
) -> ArchiveEntry:
    """Publish a version of a table in which rows are found by the values of a column.

    Parameters
    ----------
    directory : ArchiveDirectory
        The archive.
    name : str
        Qualified name of a stored table.
    column : str
        Name of a column of whole numbers or texts.
    progress : callable, optional
        Called with the rows read so far and all rows.

    Returns
    -------
    entry : ArchiveEntry
        The table as it is published now.

    Raises
    ------
    UnknownColumnError, BadParameterError
        There is no such column, or its values cannot be looked up.
    StoreError
        The table is not one of our own, it was replaced meanwhile, or the disk is full.
    """
    dataset = directory.open(name)
    table = dataset.table
    found = next((own for own in table.columns if own.name.lower() == column.lower()), None)
    if found is None:
        names = [own.name for own in table.columns]
        raise UnknownColumnError(column, where=table.name, near=near_names(column, names))
    if not is_hashable(arrow_type(found)):
        raise BadParameterError("COLUMN", f"{found.name} is not a column of whole numbers or of texts.")
    manifest = find_manifest(dataset.location, name=table.name)
    entry = directory.get(name)
    if manifest is None or entry.kind != "stored":
        raise StoreError(f"{table.name} lies elsewhere, where nothing is written: ingest it to have it indexed.")
    with directory.stage(table, Layout()) as staging, storing(f"the index of {table.name}"):
        staged = staging.directory / "catalog"
        _write(dataset, manifest, found.name, staged, progress or (lambda _done, _all: None))

        def settle(new: ArchiveEntry, others: tuple[ArchiveEntry, ...]) -> ArchiveEntry:
            if entry not in others:
                raise StoreError(f"{table.name} was replaced while it was being indexed. Index it again.")
            return replace(new, notes=entry.notes)

        return directory.publish(entry.name, staged, settle=settle)


def _write(dataset: Dataset, manifest: Manifest, column: str, staged: Path, progress: Progress) -> None:
    """Link all files, and write the look-up and the manifest beside them."""
    files = {name: facts for name, facts in manifest.files.items() if (lookup_of_file(name) or ("",))[0] != column}
    for file in files:
        target = staged / file
        target.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(f"{dataset.directory}/{file}", target)
    n_groups = len(dataset.row_groups)
    if n_groups > FEW_GROUPS and STATISTICS not in files:
        content = statistics_to_bytes(dataset.all_statistics())
        written = write_file(staged / STATISTICS, content)
        files[STATISTICS] = FileFacts(written.size, written.sha256, footer_checksum(pa.BufferReader(content)))
    file = lookup_file(column, 0)
    with LookupWriter(staged / f".{LOOKUPS}") as writer:
        _read(dataset, column, writer, progress)
        files[file] = writer.finish(staged / file, n_groups=n_groups)
    text, digest = manifest_to_bytes(replace(manifest, version=new_version(), files=files))
    write_file(staged / MANIFEST_DIGEST, digest)
    write_file(staged / MANIFEST, text)
    sync_directories(staged)


def _read(dataset: Dataset, column: str, writer: LookupWriter, progress: Progress) -> None:
    """Read the column of all files in their order, several at a time."""
    every = dataset.row_groups
    bounds = np.searchsorted(every.partition, np.arange(len(dataset.partitions) + 1))
    done, total = 0, int(every.n_rows.sum())

    def entries(number: int) -> NDArray[np.uint64]:
        rows = dataset.open_file(dataset.partitions[number].file).read(columns=[column], use_threads=False)
        return entries_of(rows[column], every.n_rows[bounds[number] : bounds[number + 1]])

    with ThreadPoolExecutor(WRITERS) as pool:
        for start in range(0, len(dataset.partitions), _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, len(dataset.partitions)))
            for number, found in zip(numbers, pool.map(entries, numbers), strict=True):
                writer.add(found, first_group=int(bounds[number]))
                done += int(every.n_rows[bounds[number] : bounds[number + 1]].sum())
                progress(done, total)


_AT_ONCE = 16
"""Files whose entries may be held at the same time."""

"""`verify`: whether a stored catalogue is, to the byte, what was published.

Our own catalogues are compared with their manifest. Others have none; of those every page is read once and rows are
counted, which finds what cannot be decoded but not every flipped bit.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from skydex.errors import StoreError
from skydex.store.dataset import Dataset
from skydex.store.holding import Partition
from skydex.store.layout import IN_USE, MANIFEST, MANIFEST_DIGEST, partition_label
from skydex.store.manifest import FileFacts, Manifest, find_manifest

__all__ = ["Damage", "verify"]

_BLOCK = 1 << 20
_READERS = max(1, min(4, os.cpu_count() or 1))
_UNCOUNTED = {MANIFEST, MANIFEST_DIGEST, IN_USE}


@dataclass(frozen=True)
class Damage:
    """One thing that is not as it was published."""

    table: str
    """Qualified name of the table."""
    partition: str
    """The partition or metadata file, as people call it."""
    file: str
    """Name of the file, relative to the catalogue."""
    problem: str
    """What is wrong, for people."""

    def __str__(self) -> str:
        return f"{self.table}, {self.partition}: {self.problem}"


def verify(dataset: Dataset, *, progress: Callable[[int, int], None] | None = None) -> list[Damage]:
    """Read every byte of a data set and list what is damaged, missing or surplus.

    Parameters
    ----------
    dataset : Dataset
        The manifest is read afresh from its directory.
    progress : callable, optional
        Called after each file with the number of files done and of all files.
    """
    try:
        manifest = find_manifest(dataset.location, name=dataset.table.name)
    except StoreError:
        return [_damage(dataset, MANIFEST, "the manifest is not what was written")]
    if manifest is None and dataset.is_own:
        return [_damage(dataset, MANIFEST, "the manifest is missing")]
    found = _compared(dataset, manifest, progress) if manifest else _decoded(dataset, progress)
    return list(found)


def _compared(dataset: Dataset, manifest: Manifest, progress: Callable[[int, int], None] | None) -> Iterator[Damage]:
    """Compare every file with the manifest."""
    names = dataset.location.iter_names() if dataset.location.has_listing else iter(manifest.files)
    present = set(names) - _UNCOUNTED
    yield from (
        _damage(dataset, file, "nobody published this file") for file in sorted(present - manifest.files.keys())
    )
    yield from (_damage(dataset, file, "the file is missing") for file in sorted(manifest.files.keys() - present))
    files = sorted(manifest.files.keys() & present)
    with ThreadPoolExecutor(_READERS) as pool:
        problems = pool.map(lambda file: _problem(dataset, file, manifest.files[file]), files)
        for done, (file, problem) in enumerate(zip(files, problems, strict=True), start=1):
            if progress:
                progress(done, len(files))
            if problem:
                yield _damage(dataset, file, problem)


def _problem(dataset: Dataset, file: str, facts: FileFacts) -> str | None:
    try:
        with dataset.location.open(dataset.location.path(file)) as source:
            size = source.size()
            if size != facts.size:
                return f"it has {size:,} bytes instead of {facts.size:,}"
            return None if _sha256(source) == facts.sha256 else "its bytes have changed since publication"
    except OSError as error:
        return f"it cannot be read ({os.strerror(error.errno) if error.errno else 'input/output error'})"


def _sha256(source: pa.NativeFile) -> str:
    digest = hashlib.sha256()
    while block := source.read_buffer(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _decoded(dataset: Dataset, progress: Callable[[int, int], None] | None) -> Iterator[Damage]:
    """Decode every page of a catalogue that has no manifest."""
    total = 0
    for done, partition in enumerate(dataset.partitions, start=1):
        n_rows, problem = _decode(dataset, partition)
        total += n_rows
        if progress:
            progress(done, len(dataset.partitions))
        if problem:
            yield _damage(dataset, partition.file, problem)
    expected = dataset.table.n_rows
    if expected is not None and total != expected:
        yield Damage(dataset.table.name, "all partitions", "", f"{total:,} rows instead of {expected:,}")


def _decode(dataset: Dataset, partition: Partition) -> tuple[int, str | None]:
    try:
        with pq.ParquetFile(dataset.location.open(partition.file), page_checksum_verification=True) as file:
            n_rows = sum(len(file.read_row_group(number)) for number in range(file.num_row_groups))
    except (OSError, pa.ArrowException):
        return 0, "it cannot be read as Parquet"
    if partition.n_rows not in (None, n_rows):
        return n_rows, f"it has {n_rows:,} rows instead of {partition.n_rows:,}"
    return n_rows, None


def _damage(dataset: Dataset, file: str, problem: str) -> Damage:
    return Damage(dataset.table.name, partition_label(file), file.removeprefix(f"{dataset.directory}/"), problem)

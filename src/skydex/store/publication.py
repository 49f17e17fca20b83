"""The files around the partitions that make a directory a catalogue.

For HATS 1.0 readers: `hats.properties` and its older twin, `partition_info.csv`, `moc.fits`, and the Parquet files
`_common_metadata` and (where it stays small) `_metadata`. For skydex: the partitions, the bounds of their row groups,
and the manifest, which is written last.
"""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from skydex import __version__
from skydex.sky import coverage_of_pixels, coverage_to_fits, sky_fraction
from skydex.store.files import write_file
from skydex.store.holding import NOWHERE, Partition
from skydex.store.layout import (
    COMMON_METADATA,
    COVERAGE,
    LOOKUPS,
    MANIFEST,
    MANIFEST_DIGEST,
    METADATA,
    PARTITION_INFO,
    PARTITIONS,
    PROPERTIES,
    ROW_GROUPS,
    STATISTICS,
    Layout,
    lookup_file,
)
from skydex.store.lookup import LookupWriter
from skydex.store.manifest import FileFacts, Manifest, facts_of_table, manifest_to_bytes
from skydex.store.own import partitions_to_bytes
from skydex.store.parquet import PartitionFile, footer_checksum
from skydex.store.properties import format_properties
from skydex.store.rowgroups import RowGroups, concat_row_groups, row_groups_to_bytes
from skydex.store.statistics import FEW_GROUPS, joined_statistics, statistics_in_memory, statistics_to_bytes
from skydex.tables import INDEX_COLUMN, Table

__all__ = ["COVERAGE_ORDER", "Publication"]

COVERAGE_ORDER = 9
"""HEALPix order of the coverage map: 6.9 arcmin, three million pixels on the whole sky."""

MAX_CHUNKS = 200_000
"""Column chunks up to which a `_metadata` file is written; readers load it whole, about 150 bytes for each."""
LEAST_LOOKED_UP = 8
"""Row groups below which a look-up is not worth its file."""
_MOST_PARTS = 64
"""Partitions whose statistics are kept apart."""


@dataclass
class Publication:
    """A catalogue directory being completed."""

    directory: Path
    """Where its files go."""
    table: Table
    """As it will be published."""
    schema: pa.Schema
    """Physical schema of the partitions."""
    about: Mapping[bytes, bytes]
    """Key-value metadata of every Parquet file."""
    layout: Layout
    """How its rows are spread."""
    partitions: list[Partition] = field(default_factory=list)
    """So far, with relative file names."""
    _groups: list[RowGroups] = field(default_factory=list)
    _files: dict[str, FileFacts] = field(default_factory=dict)
    _footers: list[pq.FileMetaData] = field(default_factory=list)
    _chunks: int = 0
    _statistics: list[pa.Table] = field(default_factory=list)
    _n_groups: int = 0
    _lookups: dict[str, LookupWriter] = field(default_factory=dict)
    _first_looked_up: int = 0

    def add(self, file: str, pixel: tuple[int, int] | None, written: PartitionFile) -> None:
        """Take note of a partition; they come in the order of the index, those without a position last."""
        partition = Partition(file, *(pixel or (NOWHERE, NOWHERE)), written.n_rows)
        self._look_up(written)
        self.carry(partition, written.row_groups, written.facts)
        self.carry_statistics(written.statistics)
        self._chunks += written.metadata.num_row_groups * written.metadata.num_columns
        if self._chunks > MAX_CHUNKS:
            self._footers.clear()
        elif file.startswith("dataset/"):
            written.metadata.set_file_path(file.removeprefix("dataset/"))
            self._footers.append(written.metadata)

    def carry(self, partition: Partition, groups: RowGroups, facts: FileFacts) -> None:
        """Take note of a partition that lies here already as it was written for an earlier version."""
        number = np.full(len(groups), len(self.partitions), np.int32)
        self._n_groups += len(groups)
        self._groups.append(RowGroups(number, groups.group, groups.n_rows, groups.index_min, groups.index_max))
        self.partitions.append(partition)
        self._files[partition.file] = facts

    def carry_statistics(self, statistics: pa.Table) -> None:
        """Take note of the statistics of further row groups, which partitions that are carried do not bring along."""
        self._statistics.append(statistics)
        if len(self._statistics) > _MOST_PARTS:  # many small arrays take far more room than their values
            self._statistics = [joined_statistics(self._statistics)]

    @property
    def n_groups(self) -> int:
        """Row groups so far."""
        return self._n_groups

    @property
    def n_bytes(self) -> int:
        """Bytes of all files so far."""
        return sum(facts.size for facts in self._files.values())

    def close(self, coverage: NDArray[np.int64] | None, *, n_unpositioned: int, version: str) -> None:
        """Write everything that is not a partition.

        Parameters
        ----------
        coverage : (n,) int64 array or None
            Pixels of `COVERAGE_ORDER` with rows in them; `None` for a table without positions.
        n_unpositioned : int
            Rows without a position.
        version : str
            Name of this version of the catalogue.
        """
        schema = self.schema.with_metadata(dict(self.about))
        self.keep(COMMON_METADATA, _common_metadata(schema))
        if self._footers and self.layout.for_others:
            self.keep(METADATA, _joined_footers(self._footers))
        self.keep(PARTITIONS, partitions_to_bytes(self.partitions))
        self.keep(ROW_GROUPS, row_groups_to_bytes(concat_row_groups(self._groups)))
        if self.n_groups > FEW_GROUPS:
            self._keep_statistics(joined_statistics(self._statistics))
        if coverage is not None and self.layout.for_others:
            self._write_hats(coverage)
        total = sum(partition.n_rows or 0 for partition in self.partitions)
        manifest = Manifest(version, facts_of_table(self.table), total, n_unpositioned, self._files)
        text, digest = manifest_to_bytes(manifest)
        write_file(self.directory / MANIFEST_DIGEST, digest)
        write_file(self.directory / MANIFEST, text)

    def keep(self, name: str, content: bytes) -> None:
        """Write a file and enter it in the manifest."""
        written = write_file(self.directory / name, content)
        self._files[name] = FileFacts(written.size, written.sha256)

    def carry_file(self, name: str, facts: FileFacts) -> None:
        """Take note of a file that lies here already as it was written for an earlier version."""
        self._files[name] = facts

    def _look_up(self, written: PartitionFile) -> None:
        if not self._lookups:
            self._first_looked_up = self.n_groups
        for name, entries in written.entries.items():
            if name not in self._lookups:
                self._lookups[name] = LookupWriter(self.directory / f".{LOOKUPS}" / str(len(self._lookups)))
            self._lookups[name].add(entries, first_group=self.n_groups - self._first_looked_up)

    def _keep_statistics(self, statistics: pa.Table) -> None:
        """Write the statistics, and the look-ups of columns of which they say too little."""
        self._keep_parquet(STATISTICS, statistics_to_bytes(statistics))
        known = statistics_in_memory(statistics)
        first = self._first_looked_up
        for name, lookup in self._lookups.items():
            column = known.find(name)
            if self.n_groups - first >= LEAST_LOOKED_UP and (column is None or not column.is_clustered):
                file = lookup_file(name, first)
                self._files[file] = lookup.finish(self.directory / file, n_groups=self.n_groups - first)
        shutil.rmtree(self.directory / f".{LOOKUPS}", ignore_errors=True)

    def _keep_parquet(self, name: str, content: bytes) -> None:
        """Write a Parquet file of which only parts will be read, so that its footer is checked by itself."""
        written = write_file(self.directory / name, content)
        self._files[name] = FileFacts(written.size, written.sha256, footer_checksum(pa.BufferReader(content)))

    def _write_hats(self, coverage: NDArray[np.int64]) -> None:
        pixels = [partition for partition in self.partitions if partition.order != NOWHERE]
        rows = [f"{partition.order},{partition.pixel},{partition.n_rows}" for partition in pixels]
        self.keep(PARTITION_INFO, "\n".join(["Norder,Npix,num_rows", *rows, ""]).encode())
        moc = coverage_of_pixels(COVERAGE_ORDER, coverage)
        self.keep(COVERAGE, _moc_bytes(moc, self.directory))
        values = self._properties(pixels, sky_fraction(moc))
        for name in PROPERTIES:
            self.keep(name, format_properties(values, title="HATS catalog").encode())

    def _properties(self, pixels: Sequence[Partition], fraction: float) -> dict[str, object]:
        position = self.table.position
        today = datetime.datetime.now(datetime.UTC)
        return {
            "obs_collection": self.table.name.replace(".", "_"),
            "obs_description": self.table.description or None,
            "dataproduct_type": "source" if self.layout.sort_by else "object",
            "hats_nrows": sum(partition.n_rows or 0 for partition in pixels),
            "hats_col_ra": position.ra if position else None,
            "hats_col_dec": position.dec if position else None,
            "hats_col_healpix": INDEX_COLUMN,
            "hats_col_healpix_order": 29,
            "hats_npix_suffix": ".parquet",
            "hats_max_rows": max((partition.n_rows or 0 for partition in pixels), default=0),
            "hats_order": max((partition.order for partition in pixels), default=0),
            "hats_estsize": self.n_bytes // 1024,
            "hats_builder": f"skydex v{__version__}",
            "hats_creation_date": today.strftime("%Y-%m-%dT%H:%MUTC"),
            "hats_release_date": "2025-08-22",
            "hats_version": "v1.0",
            "moc_sky_fraction": f"{fraction:.8g}",
        }


def _moc_bytes(moc: Any, directory: Path) -> bytes:
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        path = Path(folder) / COVERAGE
        coverage_to_fits(moc, path)
        return path.read_bytes()


def _common_metadata(schema: pa.Schema) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_metadata(schema, sink)
    return bytes(sink.getvalue())


def _joined_footers(footers: list[pq.FileMetaData]) -> bytes:
    first, *others = footers
    for footer in others:
        first.append_row_groups(footer)
    sink = pa.BufferOutputStream()
    first.write_metadata_file(sink)
    return bytes(sink.getvalue())

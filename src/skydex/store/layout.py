"""Where the files of a catalogue lie, and how rows are spread over them.

The layout is HATS 1.0 (IVOA Note "HATS: Hierarchical Adaptive Tiling Scheme", 2025): one Parquet file per HEALPix pixel
under `dataset/Norder=k/Dir=d/Npix=n`, whose order adapts to the density of sources. What HATS has no place for (rows
without a position, the manifest, the bounds of the row groups) lies beside it under names of our own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

__all__ = [
    "APPENDED",
    "COMMON_METADATA",
    "COVERAGE",
    "DATASET",
    "INGEST_REPORT",
    "IN_USE",
    "LOOKUPS",
    "MANIFEST",
    "MANIFEST_DIGEST",
    "METADATA",
    "PARTITIONS",
    "PARTITION_INFO",
    "PROPERTIES",
    "ROW_GROUPS",
    "STAGING_LOCK",
    "STATISTICS",
    "UNPOSITIONED",
    "Layout",
    "lookup_file",
    "lookup_of_file",
    "partition_file",
    "partition_label",
    "pixel_of_file",
]

DATASET = "dataset"
APPENDED = "appended"
"""Directory of the rows that were added to a table later; each of its files may lie anywhere on the sky."""
COMMON_METADATA = "dataset/_common_metadata"
METADATA = "dataset/_metadata"
PROPERTIES = ("hats.properties", "properties")
"""The HATS property file under its new and its old name; both are written, the first one found is read."""
PARTITION_INFO = "partition_info.csv"
COVERAGE = "moc.fits"
UNPOSITIONED = "unpositioned"
"""Directory of the rows that have no position."""
MANIFEST = "manifest.json"
MANIFEST_DIGEST = "manifest.sha256"
INGEST_REPORT = "ingest.json"
"""How the table came to be; absent where it was not ingested from files."""
PARTITIONS = "partitions.arrow"
ROW_GROUPS = "row_groups.arrow"
STATISTICS = "statistics.parquet"
"""Least and greatest value of each column in each row group; absent where there are few row groups."""
LOOKUPS = "lookups"
"""Directory of the files that tell in which row groups a value stands."""
IN_USE = "in_use.lock"
"""Readers hold a shared lock on this file, so that a version goes only when nobody reads it."""
STAGING_LOCK = "lock"
"""Who writes in a staging directory holds a lock on this file; one that nobody holds was abandoned."""

_PIXEL = re.compile(r"Norder=(\d+)/(?:Dir=\d+/)?Npix=(\d+)")


@dataclass(frozen=True)
class Layout:
    """How the rows of a data set are spread over partitions and row groups."""

    rows_per_partition: int = 200_000
    """A pixel with more rows is split into four; the coarsest pixel that holds no more becomes a partition."""
    rows_per_group: int = 5_000
    """Rows of one row group, the smallest thing that is read; 10,000 save 5 % of space and cost cones 60 % more."""
    bytes_per_partition: int = 128 << 20
    """Bytes of a partition in memory; lowers `rows_per_partition` for very wide tables."""
    compression_level: int = 3
    """Level of zstd."""
    sort_by: tuple[str, ...] = ()
    """Columns that order rows of the same index, for example the object's number and the time of a detection."""
    max_order: int = 29
    """Finest HEALPix order of a partition."""
    look_up: tuple[str, ...] = ()
    """Columns of which it is written down in which row groups each value stands, unless the rows are in their order."""
    for_others: bool = True
    """Whether other readers of HATS shall find their files; else those are not written, and small tables lie in one."""

    def for_columns(self, n_columns: int) -> Layout:
        """The layout of a table of so many columns: wide ones have longer row groups.

        The footer says some 130 bytes of each column of each group, be it ever so empty, and `_metadata` says it again.
        A length that somebody asked for stays.
        """
        usual = Layout.rows_per_group
        if self.rows_per_group != usual:
            return self
        return replace(self, rows_per_group=min(max(usual, 50 * n_columns), 4 * usual))

    def rows_for(self, bytes_per_row: float) -> int:
        """Rows that one partition may hold when a row takes so many bytes in memory."""
        most = int(self.bytes_per_partition / max(bytes_per_row, 1.0))
        return max(1, min(self.rows_per_partition, max(most, self.rows_per_group)))


def partition_file(order: int, pixel: int, *, suffix: str = ".parquet") -> str:
    """Name of a partition, relative to its catalogue; a suffix of `/` names a directory of files."""
    return f"{DATASET}/Norder={order}/Dir={pixel // 10_000 * 10_000}/Npix={pixel}{suffix.rstrip('/')}"


def pixel_of_file(file: str) -> tuple[int, int] | None:
    """HEALPix order and NESTED pixel in a file name, or `None` for a file that belongs to no pixel."""
    found = _PIXEL.search(file.replace("%3D", "="))
    return (int(found[1]), int(found[2])) if found else None


def partition_label(file: str) -> str:
    """What people call a partition: its pixel, or the last two parts of its name."""
    pixel = pixel_of_file(file)
    return f"Norder={pixel[0]}/Npix={pixel[1]}" if pixel else "/".join(file.rsplit("/", 2)[-2:])


def lookup_file(column: str, first_group: int) -> str:
    """Name of the file that tells in which row groups, from the one of this number, values of a column stand."""
    return f"{LOOKUPS}/{quote(column, safe='')}/{first_group}.arrow"


def lookup_of_file(file: str) -> tuple[str, int] | None:
    """Column and first row group of such a file; `None` for any other."""
    folder, _, rest = file.partition("/")
    column, _, number = rest.partition("/")
    return (unquote(column), int(number.removesuffix(".arrow"))) if folder == LOOKUPS else None

"""Catalogues that skydex wrote: everything needed lies in the manifest and two small Arrow files."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from skydex.errors import DamagedDataError
from skydex.store.holding import Holding, Partition
from skydex.store.layout import COMMON_METADATA, PARTITIONS, ROW_GROUPS, STATISTICS, lookup_of_file
from skydex.store.location import Location
from skydex.store.manifest import Manifest
from skydex.store.parquet import open_checked
from skydex.store.rowgroups import RowGroups, row_groups_from_bytes
from skydex.store.statistics import Statistics
from skydex.tables import INDEX_COLUMN, arrow_schema, columns_from_metadata

__all__ = ["partitions_to_bytes", "read_own"]


def read_own(location: Location, manifest: Manifest, *, name: str) -> Holding:
    """Read what a published catalogue of ours says of itself."""
    common = pq.read_metadata(pa.BufferReader(_sound(location, manifest, COMMON_METADATA, name=name)))
    looked_up = {found[0] for file in manifest.files if (found := lookup_of_file(file))}
    told = columns_from_metadata(common.metadata).values()
    columns = tuple(replace(column, indexed=True) if column.name in looked_up else column for column in told)
    table = manifest.to_table(columns, name=name)
    schema = arrow_schema(columns)
    if table.position:
        schema = schema.insert(0, pa.field(INDEX_COLUMN, pa.int64()))
    return Holding(
        table=table,
        version=manifest.version,
        arrow_schema=schema,
        index_column=INDEX_COLUMN if table.position else None,
        index_order=29,
        nan_is_null=False,
        partitions=_partitions(location, _sound(location, manifest, PARTITIONS, name=name)),
        load_row_groups=lambda: _row_groups(location, manifest, name=name),
        find_statistics=lambda: _statistics(location, manifest, name=name),
        files=manifest.files,
    )


def _sound(location: Location, manifest: Manifest, file: str, *, name: str) -> bytes:
    """Content of a small file; its size is checked, and its digest as well since it is small."""
    content = location.find(file)
    facts = manifest.files.get(file)
    if content is None or facts is None or not facts.agrees_with(content):
        raise DamagedDataError(f"The file {file} of {name} is damaged. Restore the catalogue, or ingest it again.")
    return content


def _row_groups(location: Location, manifest: Manifest, *, name: str) -> RowGroups:
    return row_groups_from_bytes(_sound(location, manifest, ROW_GROUPS, name=name))


def _statistics(location: Location, manifest: Manifest, *, name: str) -> Statistics | None:
    """The statistics, whose footer is checked now and whose pages are when they are read."""
    facts = manifest.files.get(STATISTICS)
    if facts is None:
        return None
    damage = DamagedDataError(f"The file {STATISTICS} of {name} is damaged. Restore the catalogue, or ingest it again.")
    try:
        file = open_checked(location.open(location.path(STATISTICS)), facts)
    except (OSError, pa.ArrowException) as error:
        raise damage from error

    def read(columns: list[str]) -> pa.Table:
        try:
            return file.read(columns, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise damage from error

    return Statistics(file.schema_arrow.names, read, file.metadata.num_rows)


def _partitions(location: Location, content: bytes) -> tuple[Partition, ...]:
    rows = pa.ipc.open_file(content).read_all().to_pydict()
    numbers = zip(rows["file"], rows["order"], rows["pixel"], rows["n_rows"], strict=True)
    return tuple(Partition(location.path(file), *facts) for file, *facts in numbers)


def partitions_to_bytes(partitions: list[Partition]) -> bytes:
    """Write partitions, whose files are named relative to the catalogue, as an Arrow IPC file."""
    table = pa.table(
        {
            "file": pa.array([partition.file for partition in partitions], pa.string()),
            "order": pa.array([partition.order for partition in partitions], pa.int32()),
            "pixel": pa.array([partition.pixel for partition in partitions], pa.int64()),
            "n_rows": pa.array([partition.n_rows for partition in partitions], pa.int64()),
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())

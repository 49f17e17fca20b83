"""An archive of two small tables, one with positions and one without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from skydex.archive import Archive
from skydex.sky import index29
from skydex.store import ArchiveDirectory, Staging
from skydex.tables import INDEX_COLUMN, Column, Datatype, ForeignKey, Position, Table, arrow_schema

N = 1_000
OBJECTS = Table(
    "demo.objects",
    (
        Column("objid", Datatype.LONG, ucd="meta.id;meta.main", description="Number of the object"),
        Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", Datatype.DOUBLE, unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("mag", Datatype.DOUBLE, unit="mag", ucd="phot.mag;em.opt.V"),
        Column("remark", Datatype.CHAR, arraysize="*", principal=False),
    ),
    description="Simulated objects",
    position=Position("ra", "dec"),
    id_column="objid",
)
NOTES = Table(
    "other.notes",
    (Column("objid", Datatype.LONG), Column("note", Datatype.CHAR, arraysize="*")),
    foreign_keys=(ForeignKey("demo.objects", (("objid", "objid"),)),),
)


def publish(archive: ArchiveDirectory, table: Table, rows: pa.Table, key: str = "k") -> None:
    if table.position is not None:
        index = index29(rows[table.position.ra].to_numpy(), rows[table.position.dec].to_numpy())
        rows = rows.add_column(0, INDEX_COLUMN, pa.array(index))
    with Staging.open(archive.staging_directory(table.name, key), table=table) as staging:
        staging.add("all", rows)
        report = staging.finish()
    archive.publish(table.name, report.directory)


@pytest.fixture(scope="session")
def objects() -> pa.Table:
    rng = np.random.default_rng(7)
    columns = [
        np.arange(N) + 10**18,
        10 + rng.random(N),
        20 + rng.random(N),
        rng.normal(20, 2, N),
        [f"remark {i % 7}" for i in range(N)],
    ]
    return pa.table([pa.array(c) for c in columns], schema=arrow_schema(OBJECTS.columns))


@pytest.fixture
def directory(tmp_path: Path, objects: pa.Table) -> ArchiveDirectory:
    archive = ArchiveDirectory.create(tmp_path / "archive")
    publish(archive, OBJECTS, objects)
    notes = pa.table({"objid": [10**18, 10**18 + 1], "note": ["first", None]}, schema=arrow_schema(NOTES.columns))
    publish(archive, NOTES, notes)
    return archive


@pytest.fixture
def archive(directory: ArchiveDirectory) -> Archive:
    return Archive.open(directory.path)


@pytest.fixture
def publisher(directory: ArchiveDirectory):
    """Publish a table, or a new version of one, in the archive."""
    return lambda table, rows: publish(directory, table, rows, "again")

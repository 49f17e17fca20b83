"""An empty archive, tables written as files, and stored tables read back whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skydex.ingest import IngestReport, ingest_files
from skydex.store import ArchiveDirectory
from skydex.tables import INDEX_COLUMN


@pytest.fixture
def archive(tmp_path: Path) -> ArchiveDirectory:
    return ArchiveDirectory.create(tmp_path / "archive")


@pytest.fixture
def stored(archive: ArchiveDirectory) -> Callable[..., pa.Table]:
    """Read a published table: every row, with the index if asked."""

    def read(name: str, *, with_index: bool = False) -> pa.Table:
        dataset = archive.open(name)
        names = [column.name for column in dataset.table.columns]
        names = [INDEX_COLUMN, *names] if with_index and dataset.table.position else names
        empty = dataset.arrow_schema.empty_table().select(names)
        return pa.concat_tables([empty, *(pq.read_table(part.file).select(names) for part in dataset.partitions)])

    return read


@pytest.fixture
def ingest_text(archive: ArchiveDirectory, tmp_path: Path) -> Callable[..., IngestReport]:
    """Ingest a table given as the text of a CSV file."""

    def run(text: str, name: str = "test.table", **options: object) -> IngestReport:
        file = tmp_path / "table.csv"
        file.write_text(text)
        return ingest_files([file], archive, name, **options)

    return run

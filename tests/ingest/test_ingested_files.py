"""Every table file of the real data is ingested with all its values, or refused with a reason.

`ingested_files.csv` lists every table of every file; a new file must be entered there, a changed verdict too. What the
readers yield is compared with astropy, value by value, in tests/formats; here the stored rows are compared with what
the readers yield, and the positions with astropy's own arithmetic.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from skydex.errors import SkydexError
from skydex.ingest import Recipe, ingest_files
from skydex.ingest.inputs import tables_of
from skydex.store import ArchiveDirectory
from skydex.tables import INDEX_COLUMN, arrow_schema, uniquely_named

VERDICTS = list(csv.DictReader((Path(__file__).parent / "ingested_files.csv").read_text().splitlines()))
FOLDERS = ("catalogues", "votable", "fits_tables", "ascii")


def test_every_file_has_its_verdict(shared_data: Path) -> None:
    files = (file for folder in FOLDERS for file in (shared_data / folder).rglob("*") if file.is_file())
    assert {str(file.relative_to(shared_data)) for file in files} == {verdict["file"] for verdict in VERDICTS}


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: f"{verdict['file']}#{verdict['table']}")
def test_file_is_ingested_with_equal_values_or_refused(
    verdict: dict[str, str], shared_data: Path, archive: ArchiveDirectory, stored
) -> None:
    file = shared_data / verdict["file"]
    select = int(verdict["table"] or 0)
    if verdict["verdict"] == "refused":
        with pytest.raises(SkydexError) as refusal:
            ingest_files([file], archive, "test.file", select=select)
        assert str(refusal.value).startswith(verdict["reason"])
        assert not archive.tables()
        return
    report = ingest_files([file], archive, "test.file", select=select)
    position = report.table.position
    assert (report.n_read, report.n_positioned) == (int(verdict["rows"]), int(verdict["positioned"]))
    assert (position.ra if position else "", position.dec if position else "") == (verdict["ra"], verdict["dec"])
    rows = stored("test.file", with_index=True)
    truth = _as_read(file, select)
    assert _rows(rows.select(truth.column_names)) == _rows(truth)
    _check_index(rows, report.n_positioned)


def _as_read(file: Path, select: int) -> pa.Table:
    """What the file's reader yields, under the names of the published table."""
    source = tables_of(file, Recipe())[select]
    table = pa.Table.from_batches(source.open_batches(), arrow_schema(source.columns))
    return table.rename_columns([column.name for column in uniquely_named(source.columns)])


def _rows(table: pa.Table) -> Counter[tuple[Any, ...]]:
    """The rows, whatever their order."""
    columns = [[_plain(value) for value in column.to_pylist()] for column in table.columns]
    return Counter(zip(*columns, strict=True))


def _plain(value: Any) -> Any:
    """A value that compares: NaN is null, times are text, arrays are tuples."""
    if isinstance(value, list):
        return tuple("NaN" if isinstance(item, float) and math.isnan(item) else item for item in value)
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _check_index(rows: pa.Table, n_positioned: int) -> None:
    if INDEX_COLUMN in rows.column_names:
        assert len(rows) - rows[INDEX_COLUMN].null_count == n_positioned

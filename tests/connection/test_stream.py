"""Rows that come while they are looked at: each once, in little memory, and into files that are whole."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy.table import QTable

from skydex.connection.stream import Stream
from skydex.errors import UnreadableFileError, UnsupportedFormatError
from skydex.tables import Column, Datatype, Result, arrow_schema, limited

COLUMNS = (Column("id", Datatype.LONG), Column("mag", Datatype.DOUBLE, unit="mag"))


def batches(*sizes: int) -> Iterator[pa.RecordBatch]:
    start = 0
    for size in sizes:
        ids = np.arange(start, start + size)
        yield pa.RecordBatch.from_arrays([pa.array(ids), pa.array(ids / 2)], schema=arrow_schema(COLUMNS))
        start += size


@pytest.mark.parametrize("sizes", [(10,), (3, 3, 4), (1,) * 10, (10, 0, 0), (7, 3)])
@pytest.mark.parametrize("rows", [1, 3, 5, 10, 11])
def test_loop_gives_every_row_once_in_tables_of_the_size_that_was_asked(sizes: tuple[int, ...], rows: int) -> None:
    stream = Stream(Result(COLUMNS, batches(*sizes)), rows=rows, query="q")
    tables = list(stream)
    assert [number for table in tables for number in table["id"]] == list(range(10))
    assert {len(table) for table in tables[:-1]} <= {rows}
    assert all(table["mag"].unit == "mag" and table.provenance[0]["query"] == "q" for table in tables)
    assert stream.n_rows == 10


def test_no_rows_are_no_tables() -> None:
    stream = Stream(Result(COLUMNS, iter(())))
    assert list(stream) == []
    assert [column.name for column in stream.columns] == ["id", "mag"]
    assert Stream(Result(COLUMNS, iter(()))).table().colnames == ["id", "mag"]


def test_that_rows_were_cut_is_known_at_the_end() -> None:
    stream = Stream(limited(Result(COLUMNS, batches(4, 4)), 6), rows=5)
    tables = list(stream)
    assert [len(table) for table in tables] == [5, 1]
    assert stream.truncated
    assert tables[-1].truncated


def test_a_hundred_times_as_many_rows_need_no_more_memory() -> None:
    def peak(n_batches: int) -> int:
        tracemalloc.start()
        before = pa.total_allocated_bytes()
        most = 0
        for table in Stream(Result(COLUMNS, batches(*[5000] * n_batches)), rows=10_000):
            most = max(most, tracemalloc.get_traced_memory()[1] + pa.total_allocated_bytes() - before)
            assert len(table) == 10_000
        tracemalloc.stop()
        return most

    assert peak(200) < 1.5 * peak(2) + (1 << 20)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ending", ["fits", "vot", "ecsv", "csv"])
def test_file_has_the_rows_as_astropy_reads_them(ending: str, tmp_path: Path) -> None:
    file = Stream(Result(COLUMNS, batches(4, 4))).write(tmp_path / f"rows.{ending}")
    read = QTable.read(file, format="votable") if ending == "vot" else QTable.read(file)
    assert list(read["id"]) == list(range(8))
    assert ending == "csv" or read["mag"].unit == "mag"
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_file_that_is_there_is_replaced_only_if_asked(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        Stream(Result(COLUMNS, batches(1))).write(file)
    assert file.read_text() == "mine"
    Stream(Result(COLUMNS, batches(1))).write(file, overwrite=True)
    assert file.read_text().startswith("id,mag")


def test_rows_that_break_off_leave_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches(3)
        raise UnreadableFileError("answer", "it is cut short")

    with pytest.raises(UnreadableFileError):
        Stream(Result(COLUMNS, broken())).write(tmp_path / "rows.csv")
    assert not list(tmp_path.iterdir())


def test_unknown_ending_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormatError, match=r"rows\.docx"):
        Stream(Result(COLUMNS, batches(1))).write(tmp_path / "rows.docx")


def test_leaving_early_gives_the_rest_up() -> None:
    closed = []

    def watched() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches(3, 3, 3)
        finally:
            closed.append(True)

    with Stream(Result(COLUMNS, watched()), rows=2) as stream:
        next(iter(stream))
    assert closed == [True]

"""Arrow streams with units inside, as pyarrow reads them."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pytest

from skydex.errors import UnreadableFileError
from skydex.formats import arrow
from skydex.tables import Column, Datatype, Result, arrow_schema

COLUMNS = (
    Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra", description="Right ascension"),
    Column("ra", Datatype.INT),
)
ROWS = pa.RecordBatch.from_arrays([pa.array([1.5, None]), pa.array([1, 2], pa.int32())], schema=arrow_schema(COLUMNS))


def written(overflow: bool = False) -> bytes:
    result = Result(COLUMNS, iter([ROWS, ROWS]), infos=(("citation", "X"),), overflow=overflow, warnings=["odd"])
    return b"".join(arrow.write(result))


def test_pyarrow_reads_values_units_and_infos():
    table = pa.ipc.open_stream(io.BytesIO(written())).read_all()
    assert table.column(0).to_pylist() == [1.5, None] * 2
    assert table.column_names == ["ra", "ra"]
    assert table.schema.field(0).metadata[b"unit"] == b"deg"
    assert json.loads(table.schema.metadata[arrow.INFOS]) == [["citation", "X"]]


@pytest.mark.parametrize("overflow", [True, False])
def test_the_last_batch_has_no_rows_and_says_whether_more_exist(overflow):
    stream = pa.ipc.open_stream(io.BytesIO(written(overflow)))
    *_, last = stream.iter_batches_with_custom_metadata()
    assert last.batch.num_rows == 0
    assert json.loads(last.custom_metadata[arrow.OVERFLOW]) is overflow
    assert json.loads(last.custom_metadata[arrow.WARNINGS]) == ["odd"]


def test_every_batch_leaves_at_once():
    left = []

    def batches():
        for _ in range(3):
            left.append(1)
            yield ROWS

    chunks = arrow.write(Result(COLUMNS, batches()))
    next(chunks)
    assert len(left) == 1


@pytest.mark.parametrize("make", [pa.ipc.new_stream, pa.ipc.new_file])
def test_streams_and_files_of_others_are_read(tmp_path, make):
    schema = pa.schema(
        [pa.field("x", pa.float32(), metadata={"unit": "mag"}), pa.field("s", pa.struct([("a", pa.int8())]))]
    )
    file = tmp_path / "x.arrow"
    with make(file, schema) as writer:
        writer.write_table(pa.table({"x": [1.5, None], "s": [None, None]}, schema=schema))
    (source,) = arrow.read(file, {})
    assert [(column.name, column.unit) for column in source.columns] == [("x", "mag")]
    assert 'Column "s" is left out' in source.warnings[0]
    assert [batch.to_pydict() for batch in source.open_batches()] == [{"x": [1.5, None]}]


@pytest.mark.parametrize("content", [b"", b"ARROW1\x00\x00", b"\xff\xff\xff\xff\x10\x00\x00\x00", b"something else"])
def test_damaged_files_are_refused(tmp_path, content):
    file = tmp_path / "x.arrow"
    file.write_bytes(content)
    with pytest.raises(UnreadableFileError):
        arrow.read(file, {})


def test_a_stream_that_is_cut_is_refused(tmp_path):
    file = tmp_path / "x.arrow"
    file.write_bytes(written()[:-300])
    with pytest.raises(UnreadableFileError, match="damaged or cut"):
        [list(source.open_batches()) for source in arrow.read(file, {})]

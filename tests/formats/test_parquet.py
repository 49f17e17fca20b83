"""Parquet with the meaning of its columns inside, read by pyarrow and astropy, and theirs read by us."""

from __future__ import annotations

import datetime as dt
import io

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn, Table

from skydex.errors import UnreadableFileError
from skydex.formats import parquet
from skydex.tables import Column, Datatype, Result, arrow_schema, columns_from_metadata

COLUMNS = (
    Column("name", Datatype.CHAR, arraysize="9*", ucd="meta.id;meta.main", description="Name & number"),
    Column("ra", Datatype.DOUBLE, unit="deg", ucd="pos.eq.ra;meta.main"),
    Column("flux", Datatype.FLOAT, arraysize="2", unit="Jy"),
    Column("t", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
)
ROWS = pa.RecordBatch.from_pydict(
    {
        "name": ["M31", None],
        "ra": [10.684, None],
        "flux": [[1.0, 2.0], [3.0, 4.0]],
        "t": [dt.datetime(2015, 1, 1), None],
    },
    schema=arrow_schema(COLUMNS),
)


def written(**facts) -> bytes:
    return b"".join(parquet.write(Result(COLUMNS, iter([ROWS, ROWS]), **facts)))


def table_of(source) -> pa.Table:
    return pa.Table.from_batches(source.open_batches(), arrow_schema(source.columns))


def test_pyarrow_reads_the_values_and_the_footer_says_the_rest():
    result = Result(COLUMNS, iter([ROWS]), overflow=True, infos=(("citation", "X"),), warnings=["odd"])
    table = pq.read_table(io.BytesIO(b"".join(parquet.write(result))))
    assert table.to_pydict() == ROWS.to_pydict()
    metadata = pq.ParquetFile(io.BytesIO(written(overflow=True))).metadata.metadata
    assert metadata[b"skydex.overflow"] == b"true"
    assert columns_from_metadata(metadata)["ra"].unit == "deg"


def test_floats_are_split_into_bytes_and_compressed_with_zstd():
    group = pq.ParquetFile(io.BytesIO(written())).metadata.row_group(0)
    assert group.column(1).compression == "ZSTD"
    assert "BYTE_STREAM_SPLIT" in group.column(1).encodings


def test_columns_come_back_whole(tmp_path):
    file = tmp_path / "x.parquet"
    file.write_bytes(written())
    (source,) = parquet.read(file, {})
    assert source.columns == COLUMNS
    assert source.n_rows == 4
    assert table_of(source).to_pydict() == pa.Table.from_batches([ROWS, ROWS]).to_pydict()


def test_astropys_units_descriptions_and_masks_are_understood(tmp_path):
    file = tmp_path / "x.parquet"
    table = Table({"ra": [1.0, 2.0] * u.deg, "n": MaskedColumn([1, 2], mask=[False, True])})
    table["ra"].description = 'RA, "x: y"'
    table.write(file)
    (source,) = parquet.read(file, {})
    assert [(column.name, column.unit, column.description) for column in source.columns] == [
        ("ra", "deg", 'RA, "x: y"'),
        ("n", None, ""),
    ]
    assert table_of(source).to_pydict() == {"ra": [1.0, 2.0], "n": [1, None]}


def test_a_directory_is_one_table_in_the_order_of_its_names(tmp_path):
    for i in (2, 1, 3):
        folder = tmp_path / "d" / f"Norder={i}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"n": [i]}), folder / "Npix=0.parquet")
    pq.write_table(pa.table({"n": [99]}), tmp_path / "d" / "_metadata.parquet")
    (source,) = parquet.read(tmp_path / "d", {})
    assert table_of(source)["n"].to_pylist() == [1, 2, 3]
    assert source.n_rows == 3


def test_types_of_other_writers_are_brought_to_ours(tmp_path):
    file = tmp_path / "x.parquet"
    theirs = pa.table(
        {
            "u": pa.array([1, None], pa.uint16()),
            "d": pa.array(["a", "b"]).dictionary_encode(),
            "t": pa.array([0, 1], pa.timestamp("ns", "UTC")),
            "f": pa.array([1.5, np.nan]),
            "l": pa.array([[1], []], pa.large_list(pa.int64())),
            "s": pa.array([{"x": 1}, None]),
            "large": pa.array(["x", None], pa.large_string()),
        }
    )
    pq.write_table(theirs, file)
    (source,) = parquet.read(file, {})
    assert 'Column "s" is left out' in source.warnings[0]
    assert table_of(source).to_pydict() == {
        "u": [1, None],
        "d": ["a", "b"],
        "t": [dt.datetime(1970, 1, 1), dt.datetime(1970, 1, 1)],
        "f": [1.5, None],
        "l": [[1], []],
        "large": ["x", None],
    }


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\x00" * 100 + b"PAR1", b"not parquet"])
def test_damaged_files_are_refused(tmp_path, content):
    file = tmp_path / "x.parquet"
    file.write_bytes(content)
    with pytest.raises(UnreadableFileError):
        parquet.read(file, {})


def test_a_directory_without_parquet_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="no Parquet files"):
        parquet.read(tmp_path, {})


def test_real_files_read_as_pyarrow_reads_them(shared_data):
    files = [file for file in sorted((shared_data / "hats").rglob("*.parquet")) if not file.name.startswith("_")][:40]
    assert files
    for file in files:
        (source,) = parquet.read(file, {})
        theirs = pq.ParquetFile(file).read()
        ours = table_of(source)
        assert ours.num_rows == theirs.num_rows
        for column in source.columns:
            values = theirs[column.name].to_pylist()
            expected = [None if isinstance(value, float) and value != value else value for value in values]
            if not column.is_timestamp:
                assert ours[column.name].to_pylist() == expected


def test_wide_tables_are_written_and_read_in_smaller_pieces(tmp_path):
    columns = tuple(Column(f"c{number}", Datatype.DOUBLE) for number in range(300))
    batch = pa.RecordBatch.from_arrays([pa.array(np.arange(20_000.0))] * 300, schema=arrow_schema(columns))
    file = tmp_path / "wide.parquet"
    file.write_bytes(b"".join(parquet.write(Result(columns, iter([batch] * 3)))))
    assert pq.ParquetFile(file).num_row_groups == 2
    (source,) = parquet.read(file, {})
    pieces = list(source.open_batches())
    assert sum(piece.num_rows for piece in pieces) == 60_000
    assert max(piece.nbytes for piece in pieces) < 20 << 20

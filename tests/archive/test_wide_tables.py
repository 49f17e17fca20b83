"""Tables of hundreds of columns, most of which say nothing: each value comes back, and the silent ones cost little."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skydex.archive import Archive, ConeRequest, QueryRequest
from skydex.ingest import ingest_files
from skydex.store import ArchiveDirectory, Layout, open_dataset

N = 3000


def wide_rows() -> pa.Table:
    """Columns that are alike in all rows, in one half of the sky, in all rows but one, or nowhere."""
    rng = np.random.default_rng(7)
    ra, dec = rng.random(N) * 360.0, np.degrees(np.arcsin(rng.uniform(-1, 1, N)))
    is_north, last = dec > 0.0, np.arange(N) == N - 1
    columns = {
        "id": np.arange(N),
        "ra": ra,
        "dec": dec,
        "mag": rng.normal(20.0, 1.0, N),
        "seven": np.full(N, 7, dtype=np.int32),
        "seven_or_null": pa.array(np.full(N, 7), mask=last),
        "seven_or_eight": np.where(last, 8, 7),
        "by_half": np.where(is_north, 1, 2).astype(np.int16),
        "north_only": pa.array(rng.random(N), mask=~is_north),
        "half_float": np.full(N, 0.5),
        "word": pa.array(["same"] * N),
        "no_word": pa.nulls(N, pa.string()),
        "flag": np.ones(N, dtype=np.bool_),
        "when": pa.array(np.full(N, 10**15), pa.timestamp("us")),
    }
    for number in range(60):
        columns[f"empty{number}"] = pa.nulls(N, pa.float64())
        columns[f"n{number}"] = np.zeros(N, dtype=np.int32)
    return pa.table(columns)


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return wide_rows()


@pytest.fixture(scope="module")
def place(rows: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide")
    pq.write_table(rows, folder / "wide.parquet")
    layout = {"rows_per_partition": 400, "rows_per_group": 100}
    ingest_files([folder / "wide.parquet"], ArchiveDirectory.create(folder / "archive"), "sky.wide", layout=layout)
    return folder / "archive"


@pytest.fixture(scope="module")
def archive(place: Path) -> Archive:
    return Archive.open(place)


def ask(archive: Archive, query: str) -> pa.Table:
    return archive.query(QueryRequest(query)).to_arrow()


@pytest.mark.parametrize("order", ["", " ORDER BY id"], ids=["scanned", "sorted"])
def test_all_columns_come_back_as_they_went_in(archive, rows, order):
    found = ask(archive, f"SELECT * FROM sky.wide{order}").sort_by("id")
    for name in rows.column_names:
        assert found[name].to_pylist() == rows[name].to_pylist(), name


def test_columns_that_say_nothing_come_back_alone_too(archive, rows):
    names = [name for name in rows.column_names if name.startswith(("empty", "n"))]
    found = ask(archive, f"SELECT {', '.join(names)} FROM sky.wide")
    assert found.num_rows == N
    assert set(found["n3"].to_pylist()) == {0}
    assert found["empty59"].null_count == N


def test_conditions_on_columns_that_are_alike_hold_for_all_or_none(archive):
    for condition, expected in (
        ("seven = 7", N),
        ("seven <> 7", 0),
        ("empty3 IS NULL", N),
        ("empty3 > 1", 0),
        ("seven_or_null IS NULL", 1),
        ("seven_or_eight = 8", 1),
        ("n5 + seven = 7 AND no_word IS NULL", N),
    ):
        assert ask(archive, f"SELECT * FROM sky.wide WHERE {condition}").num_rows == expected, condition


def test_cones_of_all_columns_hold_the_rows_of_the_place(archive, rows):
    ra, dec = rows["ra"][0].as_py(), rows["dec"][0].as_py()
    found = archive.query(ConeRequest("sky.wide", ra, dec, 20.0, verbosity=3)).to_arrow()
    by_name = ask(archive, f"SELECT id FROM sky.wide WHERE DISTANCE(ra, dec, {ra}, {dec}) <= 20")
    numbers = sorted(int(number) for number in found["id"].to_pylist())  # SCS asks for texts
    assert numbers == sorted(by_name["id"].to_pylist())
    by_number = {
        int(number): value
        for number, value in zip(found["id"].to_pylist(), found["north_only"].to_pylist(), strict=True)
    }
    assert [by_number[number] for number in numbers] == rows.take(pa.array(numbers))["north_only"].to_pylist()


def test_what_is_alike_is_known_from_the_footers_of_our_own_files_only(place, archive):
    own = open_dataset(ArchiveDirectory(place).hats_path("sky.wide"), name="sky.wide")
    constants = own.constants(own.partitions[0].file)
    assert {name: constants[name].as_py() for name in ("seven", "n0", "empty0", "no_word")} == {
        "seven": 7,
        "n0": 0,
        "empty0": None,
        "no_word": None,
    }
    assert not {"ra", "mag", "half_float", "word", "flag"} & set(constants)
    foreign = open_dataset(f"{own.directory}/dataset", name="sky.foreign")
    assert foreign.constants(foreign.partitions[0].file) == {}


def test_row_groups_of_wide_tables_are_longer_unless_somebody_asked_for_a_length():
    assert Layout().for_columns(14) == Layout()
    assert Layout().for_columns(418).rows_per_group == 20_000
    assert Layout(rows_per_group=100).for_columns(2000).rows_per_group == 100

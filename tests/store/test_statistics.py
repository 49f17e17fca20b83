"""Statistics of row groups: compared with the rows themselves, and with what Parquet says of foreign files."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from skydex.errors import DamagedDataError
from skydex.store import Layout, append_rows, open_dataset
from skydex.store.statistics import has_statistics

SMALL = Layout(rows_per_partition=100, rows_per_group=10)


@pytest.fixture
def rows(writer):
    return writer.scattered(700)


@pytest.fixture
def dataset(writer, rows):
    return writer.dataset(rows, layout=SMALL)


def check(dataset):
    """Every row group's statistics agree with its rows."""
    groups = [
        dataset.open_file(dataset.partitions[part].file).read_row_group(group)
        for part, group in zip(dataset.row_groups.partition.tolist(), dataset.row_groups.group.tolist(), strict=True)
    ]
    for field in dataset.arrow_schema:
        if not has_statistics(field.type):
            continue
        known = dataset.statistics(field.name)
        ends = [pc.min_max(group[field.name]) for group in groups]
        assert known.min.to_pylist() == [end["min"].as_py() for end in ends]
        assert known.max.to_pylist() == [end["max"].as_py() for end in ends]
        assert known.null_count.tolist() == [group[field.name].null_count for group in groups]
        assert known.is_exact.tolist() == known.min.is_valid().to_pylist()


def test_every_scalar_column_has_the_statistics_of_its_rows(dataset):
    assert (len(dataset.row_groups)) > 70
    check(dataset)


def test_a_small_table_keeps_no_file_of_statistics_and_knows_them_all_the_same(writer):
    small = writer.dataset(writer.scattered(60), layout=SMALL)
    assert small.location.find("statistics.parquet") is None
    check(small)


def test_a_catalogue_without_the_file_is_known_from_its_footers(dataset, tmp_path):
    foreign = tmp_path / "foreign"
    shutil.copytree(dataset.directory, foreign, ignore=shutil.ignore_patterns("manifest*", "*.arrow", "stat*"))
    for metadata in (True, False):
        if not metadata:
            (foreign / "dataset" / "_metadata").unlink()
        found = open_dataset(foreign, name="sky.foreign")
        assert not found.is_own
        for name in ("id", "ra", "flags", "good", "seen", "_healpix_29"):
            ours, theirs = dataset.statistics(name), found.statistics(name)
            assert theirs.min.equals(ours.min)
            assert theirs.max.equals(ours.max)
        assert (found.statistics("mag").null_count == -1).all()  # NaN among them would be missing, too
        assert not found.statistics("name").is_exact.any()  # whoever wrote it may have cut texts


def test_arrays_have_none(dataset):
    known = dataset.statistics("spectrum")
    assert len(known) == len(dataset.row_groups)
    assert known.min.null_count == len(known)
    assert (known.null_count == -1).all()


def test_appended_rows_have_theirs_beside_those_of_before(writer, dataset, rows, tmp_path):
    report = append_rows(dataset, rows.slice(0, 35), directory=tmp_path / "next", layout=SMALL)
    appended = open_dataset(report.directory, name="sky.objects")
    assert len(appended.row_groups) == len(dataset.row_groups) + 4
    check(appended)


def test_rows_without_a_position_count(writer, rows):
    index = pc.if_else(np.arange(len(rows)) % 3 == 0, pa.scalar(None, pa.int64()), rows["_healpix_29"])
    check(writer.dataset(rows.set_column(0, "_healpix_29", index), layout=SMALL))


@pytest.mark.parametrize("last", ["z", "\U0010ffff", "\ud7ff"])
def test_long_texts_are_cut_so_that_they_stay_between_their_bounds(writer, rows, last):
    texts = pa.array([f"{'n' * 63}{last}{i}" for i in range(len(rows))])
    cut = writer.dataset(rows.set_column(rows.schema.get_field_index("name"), "name", texts), layout=SMALL)
    known = cut.statistics("name")
    assert not known.is_exact.any()
    assert max(map(len, known.max.to_pylist())) <= 64
    assert pc.all(pc.less_equal(known.min, texts[0])).as_py()
    assert pc.all(pc.greater_equal(known.max, texts[0])).as_py()


def test_what_foreign_files_hold_besides_is_unknown_or_right(tmp_path):
    values = {
        "u": pa.array([1, 2**64 - 1], pa.uint64()),
        "f": pa.array([np.nan, 1.0]),
        "n": pa.array([np.nan, np.nan]),
        "d": pa.array(["b", "a"]).dictionary_encode(),
        "t": pa.array([1, None], pa.timestamp("ms")),
        "none": pa.array([None, None], pa.float32()),
    }
    pq.write_table(pa.table(values), tmp_path / "rows.parquet")
    dataset = open_dataset(tmp_path, name="sky.files")
    known = {name: dataset.statistics(name) for name in values}
    assert known["u"].max.to_pylist() == [2**64 - 1]
    assert (known["f"].min[0].as_py(), known["f"].max[0].as_py()) == (1.0, 1.0)
    assert known["n"].min.to_pylist() == [None]
    assert (known["d"].min[0].as_py(), known["d"].max[0].as_py()) == ("a", "b")
    assert known["t"].null_count.tolist() == [1]
    assert known["none"].min.to_pylist() == [None]


def test_a_flipped_bit_is_noticed(writer, rows):
    dataset = writer.dataset(rows, layout=SMALL)
    path = f"{dataset.directory}/statistics.parquet"
    content = bytearray(dataset.location.find("statistics.parquet"))
    content[200] ^= 4
    with open(path, "wb") as file:
        file.write(content)
    with pytest.raises(DamagedDataError):
        open_dataset(dataset.directory, name="sky.objects").all_statistics()

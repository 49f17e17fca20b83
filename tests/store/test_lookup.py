"""Look-ups: every row group with a value is found, whatever the type, however many rows, and after rows were added."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skydex.errors import BadParameterError, DamagedDataError, UnknownColumnError
from skydex.store import Among, ArchiveDirectory, Layout, append_rows, index_column, lookup, open_dataset, verify
from skydex.store.layout import lookup_file
from skydex.store.location import LocalLocation
from skydex.store.lookup import LookupWriter, entries_of, hashes_of, open_lookup

SMALL = Layout(rows_per_partition=100, rows_per_group=10)
VALUES = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-5, 5), st.integers(-(2**63), 2**63 - 1)), max_size=80),
    st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=80),
)


def written(folder: Path, parts, sizes):
    """A look-up of some columns, one after the other, cut into row groups of these sizes."""
    first = 0
    with LookupWriter(folder / "spilled") as writer:
        for part in parts:
            n_groups = -(-len(part) // sizes)
            lengths = np.diff([*range(0, len(part), sizes), len(part)]) if n_groups else np.empty(0, np.int64)
            writer.add(entries_of(pa.chunked_array([part]), lengths), first_group=first)
            first += n_groups
        facts = writer.finish(folder / "lookup.arrow", n_groups=first)
    return open_lookup(LocalLocation(folder), "lookup.arrow", facts)


@settings(max_examples=40, deadline=None)
@given(values=VALUES, size=st.integers(1, 9))
def test_all_row_groups_of_a_value_are_found(tmp_path_factory, values, size):
    column = pa.array(values, pa.string() if any(isinstance(v, str) for v in values) else pa.int64())
    with written(tmp_path_factory.mktemp("lookup"), [column], size) as found:
        for value in {value for value in values if value is not None}:
            groups = {row // size for row, other in enumerate(values) if other == value}
            assert groups <= set(found.groups_of(hashes_of(pa.array([value], column.type))).tolist())


def test_entries_that_are_many_go_by_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "_MOST_HELD", 1000)
    numbers = np.random.default_rng(1).permutation(20_000) * 10**12
    parts = [pa.array(part) for part in np.split(numbers, 10)]
    with written(tmp_path, parts, 100) as found:
        assert not (tmp_path / "spilled").exists()
        for row in range(0, 20_000, 977):
            groups = found.groups_of(hashes_of(pa.array(numbers[row : row + 1]))).tolist()
            assert row // 100 in groups
            assert len(groups) <= 2
        assert len(found.groups_of(hashes_of(pa.array(numbers[:200])))) < 10
        in_vain = found.groups_of(hashes_of(pa.array(np.arange(1, 1000))))
        assert len(in_vain) < 20  # a thousand that are not there


def test_a_number_is_the_same_in_all_types():
    kinds = (pa.int8(), pa.uint8(), pa.int16(), pa.int64(), pa.uint64())
    assert len({hashes_of(pa.array([7], kind))[0] for kind in kinds}) == 1
    texts = pa.array(["", "a", "ab", "ba", "ab\0"])
    assert len(set(hashes_of(texts).tolist())) == 5
    assert hashes_of(texts.slice(1, 2)).tolist() == hashes_of(pa.array(["a", "ab"], pa.large_string())).tolist()


@pytest.fixture
def rows(writer):
    rows = writer.scattered(700)
    numbers = np.random.default_rng(3).permutation(700) // 3 + 2**53
    return rows.set_column(rows.schema.get_field_index("id"), "id", pa.array(numbers))


@pytest.fixture
def dataset(writer, rows):
    return writer.dataset(rows, layout=SMALL)


def check(dataset, rows, column="id"):
    """Each value is found in all its rows, and in few row groups."""
    for value in pc.unique(rows[column]).drop_null().to_pylist()[::20]:
        selection = dataset.select(None, Among(column, (value,)))
        found = pa.concat_tables([dataset.read(piece, [column]) for piece in selection.pieces])
        expected = pc.sum(pc.equal(rows[column], pa.scalar(value, rows[column].type))).as_py()
        assert pc.sum(pc.equal(found[column], pa.scalar(value, rows[column].type))).as_py() == expected
        assert selection.n_groups <= expected + 2


def test_the_number_of_an_object_is_looked_up_in_published_tables(dataset, rows):
    assert dataset.table.get_column("id").indexed
    assert not dataset.table.get_column("flags").indexed
    check(dataset, rows)


def test_a_column_by_which_rows_are_sorted_needs_none(writer, rows):
    index = pa.array(np.sort(rows["_healpix_29"].to_numpy()))
    ordered = rows.sort_by("id").set_column(0, "_healpix_29", index)
    dataset = writer.dataset(ordered, layout=SMALL)
    assert dataset.location.find(lookup_file("id", 0)) is None
    assert dataset.is_found_by("id")
    check(dataset, ordered)


def test_rows_added_later_are_found(writer, dataset, rows, tmp_path):
    more = rows.slice(0, 150)
    for step in range(3):
        report = append_rows(dataset, more, directory=tmp_path / str(step), layout=SMALL)
        dataset = open_dataset(report.directory, name="sky.objects")
        rows = pa.concat_tables([rows, more])
        check(dataset, rows)
        assert verify(dataset) == []
        more = rows.slice(50, 7)


def test_a_flipped_bit_is_an_error_and_is_listed(dataset):
    path = f"{dataset.directory}/{lookup_file('id', 0)}"
    content = bytearray(Path(path).read_bytes())
    content[len(content) // 3] ^= 1
    Path(path).write_bytes(content)
    again = open_dataset(dataset.directory, name="sky.objects")
    with pytest.raises(DamagedDataError, match="lookups/id"):
        again.select(None, Among("id", tuple(range(2**53, 2**53 + 240))))
    assert [damage.file for damage in verify(again)] == [lookup_file("id", 0)]


def test_a_column_of_a_published_table_is_indexed_without_writing_rows_again(writer, rows, tmp_path):
    archive = ArchiveDirectory.create(tmp_path / "archive")
    directory = archive.staging_directory("sky.objects", "test")
    report = writer.report(rows, layout=SMALL, name=directory)
    archive.publish("sky.objects", report.directory)
    before = archive.open("sky.objects")
    done = []
    index_column(archive, "sky.objects", "NAME", progress=lambda *counts: done.append(counts))
    after = archive.open("sky.objects")
    assert done[-1] == (700, 700)
    assert after.version != before.version
    assert [column.name for column in after.table.columns if column.indexed] == ["id", "ra", "dec", "name"]
    assert Path(after.partitions[0].file).stat().st_ino == Path(before.partitions[0].file).stat().st_ino
    check(after, rows, "name")
    check(after, rows)
    assert verify(after) == []
    with pytest.raises(UnknownColumnError):
        index_column(archive, "sky.objects", "nome")
    with pytest.raises(BadParameterError, match="mag"):
        index_column(archive, "sky.objects", "mag")

"""A data set in use: selections, remote addresses, plain directories, damage, threads."""

from __future__ import annotations

import pickle
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skydex.errors import DamagedDataError, StoreError
from skydex.sky import Cone, ranges29
from skydex.store import Layout, open_dataset
from skydex.store.openfiles import OpenFiles

SMALL = Layout(rows_per_partition=300, rows_per_group=50)


@pytest.fixture
def dataset(writer):
    return writer.dataset(writer.scattered(4_000), layout=SMALL)


@pytest.fixture
def memory():
    """A fresh directory in memory."""
    url = f"memory://{uuid.uuid4().hex}"
    yield url
    fsspec.filesystem("memory").rm(url, recursive=True)


def test_a_cone_selects_few_groups_and_everything_selects_all(dataset):
    few, everything = dataset.select(ranges29(Cone(10.0, 10.0, 1.0))), dataset.select(None)
    assert 0 < few.n_groups < 10
    assert not few.whole
    assert everything.whole
    assert (everything.n_rows, everything.n_files) == (4_000, len(dataset.partitions))
    assert few.total_groups == everything.n_groups == sum(len(piece.groups) for piece in everything.pieces)


def test_no_range_selects_nothing(dataset):
    selection = dataset.select(np.empty((0, 2), np.int64))
    assert (selection.pieces, selection.n_rows, selection.n_files) == ((), 0, 0)


def test_bounds_of_our_row_groups_are_those_in_the_footers(dataset):
    groups = dataset.row_groups
    for number in range(len(groups)):
        footer = pq.read_metadata(dataset.partitions[groups.partition[number]].file)
        statistics = footer.row_group(int(groups.group[number])).column(0).statistics
        assert (statistics.min, statistics.max) == (groups.index_min[number], groups.index_max[number])


def test_a_remote_catalogue_of_ours_gives_the_same_rows(dataset, writer, memory):
    fsspec.filesystem("memory").put(dataset.directory, memory, recursive=True)
    remote = open_dataset(memory, name="sky.objects")
    assert remote.version == dataset.version
    assert remote.directory == memory
    assert writer.all_rows(remote).equals(writer.all_rows(dataset))


@pytest.mark.parametrize("catalog", ["small_sky_order1_collection", "small_sky_npix_as_dir", "small_sky_source"])
def test_a_remote_foreign_catalogue_gives_the_same_rows(shared_data, writer, memory, catalog):
    local = open_dataset(shared_data / "hats" / catalog, name="f.t")
    fsspec.filesystem("memory").put(str(shared_data / "hats" / catalog), memory, recursive=True)
    remote = open_dataset(memory, name="f.t")
    assert writer.all_rows(remote).equals(writer.all_rows(local))


def test_a_directory_of_parquet_files_is_a_table(tmp_path, writer):
    for number in range(3):
        pq.write_table(
            pa.table({"x": [number], "y": pa.array(["a"]).dictionary_encode()}), tmp_path / f"{number}.parquet"
        )
    dataset = open_dataset(tmp_path, name="s.plain")
    assert writer.all_rows(dataset)["x"].to_pylist() == [0, 1, 2]
    assert dataset.table.position is None
    assert pa.types.is_dictionary(dataset.arrow_schema.field("y").type)


def test_files_with_other_columns_are_not_one_table(tmp_path):
    pq.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"y": [1]}), tmp_path / "b.parquet")
    with pytest.raises(StoreError, match=r"b\.parquet has other columns"):
        open_dataset(tmp_path, name="s.plain")


def test_the_version_of_a_foreign_catalogue_follows_its_files(tmp_path):
    pq.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    before = open_dataset(tmp_path, name="s.t").version
    assert open_dataset(tmp_path, name="s.t").version == before
    pq.write_table(pa.table({"x": np.arange(10_000)}), tmp_path / "a.parquet")
    assert open_dataset(tmp_path, name="s.t").version != before


@pytest.mark.parametrize("damage", ["cut", "footer", "missing"])
def test_a_damaged_partition_is_named_and_its_path_is_not(dataset, damage):
    victim = dataset.partitions[3]
    path = Path(victim.file)
    content = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[:-100])
    else:
        content[-50] ^= 4
        path.write_bytes(content)
    with pytest.raises(DamagedDataError, match=f"Norder={victim.order}/Npix={victim.pixel} of sky.objects") as caught:
        dataset.open_file(victim.file)
    assert dataset.directory not in str(caught.value)


def test_a_flipped_bit_in_a_page_is_an_error_when_it_is_read(dataset):
    path = Path(dataset.partitions[0].file)
    content = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(0).column(2)
    content[chunk.data_page_offset + chunk.total_compressed_size - 20] ^= 1
    path.write_bytes(content)
    with pytest.raises(OSError, match="page integrity"):
        dataset.open_file(str(path)).read()


def test_a_damaged_manifest_is_noticed_at_once(dataset):
    path = Path(dataset.directory, "manifest.json")
    path.write_bytes(path.read_bytes().replace(b"4000", b"4001"))
    with pytest.raises(DamagedDataError, match=r"manifest of sky\.objects"):
        open_dataset(dataset.directory, name="sky.objects")


def test_threads_share_a_data_set(dataset, writer):
    expected = writer.all_rows(dataset)
    with ThreadPoolExecutor(8) as pool:
        assert all(rows.equals(expected) for rows in pool.map(lambda _: writer.all_rows(dataset), range(16)))


def test_a_data_set_can_go_to_another_process(dataset, writer):
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy.version == dataset.version
    assert writer.all_rows(copy).equals(writer.all_rows(dataset))


def test_open_files_stay_within_their_bounds(dataset):
    files = OpenFiles(max_files=4, max_chunks=10**6)
    opened = [files.get(partition.file, pq.ParquetFile) for partition in dataset.partitions]
    assert len(files) == 4
    assert files.get(dataset.partitions[-1].file, pq.ParquetFile) is opened[-1]
    narrow = OpenFiles(max_chunks=1)
    narrow.get(dataset.partitions[0].file, pq.ParquetFile)
    narrow.get(dataset.partitions[1].file, pq.ParquetFile)
    assert len(narrow) == 1

"""What is written is what was added, spread over the sky as HATS wants it, however it came."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from healpix_geo import nested

from skydex.errors import StoreError
from skydex.store import Layout, Staging, open_dataset
from skydex.store.layout import pixel_of_file
from skydex.store.runs import open_run, write_run
from skydex.tables import Column, Datatype, Table, arrow_schema

SMALL = Layout(rows_per_partition=300, rows_per_group=100)


def test_every_value_comes_back(writer, sort_by_id):
    rows = writer.scattered(5_000)
    dataset = writer.dataset(rows, layout=SMALL)
    assert sort_by_id(writer.all_rows(dataset)).equals(sort_by_id(rows))
    assert dataset.table.n_rows == 5_000


def test_rows_lie_in_the_pixel_of_their_file_and_are_sorted(writer):
    dataset = writer.dataset(writer.scattered(5_000), layout=SMALL)
    for partition in dataset.partitions:
        rows = pq.read_table(partition.file, partitioning=None)
        index = rows["_healpix_29"].to_numpy()
        assert (np.diff(index) >= 0).all()
        assert (index >> 2 * (29 - partition.order) == partition.pixel).all()
        from astropy.coordinates import Latitude, Longitude

        there = nested.lonlat_to_healpix(
            Longitude(rows["ra"].to_numpy(), "deg"), Latitude(rows["dec"].to_numpy(), "deg"), partition.order
        )
        assert (there == partition.pixel).all()
        assert pixel_of_file(partition.file) == (partition.order, partition.pixel)


def test_partitions_adapt_to_density(writer):
    rng = np.random.default_rng(5)
    sparse = writer.scattered(600)
    cluster = writer.make_rows(rng.normal(201.7, 0.01, 4_000), rng.normal(-47.5, 0.01, 4_000))
    dataset = writer.dataset(pa.concat_tables([sparse, cluster]), layout=SMALL)
    orders = {partition.order for partition in dataset.partitions}
    assert min(orders) == 0
    assert max(orders) >= 8
    index = np.sort(writer.all_rows(dataset)["_healpix_29"].to_numpy())
    for partition in dataset.partitions:
        assert partition.n_rows <= 300
        if partition.order:
            shift = 2 * (30 - partition.order)
            parent = partition.pixel >> 2
            n_parent = np.searchsorted(index, (parent + 1) << shift) - np.searchsorted(index, parent << shift)
            assert n_parent > 300, "a coarser pixel would have done"


def test_rows_at_one_place_stay_in_one_partition(writer):
    rows = writer.make_rows(np.full(1_000, 10.0), np.full(1_000, 20.0))
    dataset = writer.dataset(rows, layout=SMALL)
    assert [partition.n_rows for partition in dataset.partitions] == [1_000]


def test_a_pixel_of_the_greatest_order_holds_what_it_must(writer):
    rng = np.random.default_rng(5)
    rows = writer.make_rows(10 + rng.uniform(0, 1e-3, 1_000), 20 + rng.uniform(0, 1e-3, 1_000))
    dataset = writer.dataset(rows, layout=replace(SMALL, max_order=3))
    assert {partition.order for partition in dataset.partitions} == {3}
    assert dataset.select(None).n_rows == 1_000


@pytest.mark.parametrize("n_rows", [0, 1, 7])
def test_few_rows_make_a_catalogue_too(writer, sort_by_id, n_rows):
    rows = writer.scattered(n_rows)
    dataset = writer.dataset(rows)
    assert sort_by_id(writer.all_rows(dataset)).equals(sort_by_id(rows))
    assert dataset.select(np.array([[0, 12 << 58]])).n_rows == n_rows


def test_a_table_of_418_columns_comes_back(writer):
    columns = tuple(Column(f"c.{i:03d}", Datatype.DOUBLE if i % 2 else Datatype.INT) for i in range(416))
    table = replace(writer.TABLE, columns=(*writer.TABLE.columns[1:3], *columns))
    base = writer.scattered(400).select(["_healpix_29", "ra", "dec"])
    for column in columns:
        kind = arrow_schema((column,)).field(0)
        base = base.append_column(kind, pa.array(np.arange(400), kind.type))
    dataset = writer.dataset(base, table)
    assert writer.all_rows(dataset).sort_by("c.000").combine_chunks().equals(base)
    assert len(dataset.table.columns) == 418


def test_runs_on_disk_give_the_same_catalogue_as_rows_in_memory(tmp_path, writer):
    rows = writer.scattered(3_000)
    at_once = writer.dataset(rows, layout=SMALL)
    with Staging.open(tmp_path / "runs", table=writer.TABLE, layout=SMALL, buffer_bytes=20_000) as staging:
        for start in range(0, 3_000, 50):
            staging.add(str(start), rows.slice(start, 50))
        assert len(list((tmp_path / "runs/runs").iterdir())) > 5
        report = staging.finish()
    from_runs = open_dataset(report.directory, name="sky.objects")
    assert writer.all_rows(from_runs).equals(writer.all_rows(at_once))


@pytest.mark.parametrize("sort_by", [(), ("flags",)])
def test_rows_at_the_same_position_come_in_the_same_order_however_many_threads_write(
    tmp_path, writer, monkeypatch, sort_by
):
    place = np.random.default_rng(3).integers(0, 40, 4_000)
    rows = writer.make_rows(place * 1.5, place - 20.0)

    def written(n_threads):
        monkeypatch.setattr("skydex.store.staging.WRITERS", n_threads)
        monkeypatch.setattr("skydex.store.assembly.WRITERS", n_threads)
        where, layout = tmp_path / str(n_threads), replace(SMALL, sort_by=sort_by)
        with Staging.open(where, table=writer.TABLE, layout=layout, buffer_bytes=60_000) as staging:
            for start in range(0, 4_000, 100):
                staging.add(str(start), rows.slice(start, 100))
            return writer.all_rows(open_dataset(staging.finish().directory, name="sky.objects"))

    keys = [(name, "ascending") for name in ("_healpix_29", *sort_by, "id")]
    sorted_rows = rows.sort_by(keys)
    for n_threads in (1, 2, 7):
        assert written(n_threads).equals(sorted_rows), n_threads


def test_rows_of_one_object_lie_together_by_time(writer):
    n = 2_000
    rng = np.random.default_rng(2)
    who = rng.integers(0, 40, n)
    rows = writer.make_rows(who * 1.5, who - 20.0)
    dataset = writer.dataset(rows, layout=replace(SMALL, sort_by=("seen",)), pieces=7)
    written = writer.all_rows(dataset).select(["_healpix_29", "seen"])
    assert written.equals(
        rows.select(["_healpix_29", "seen"]).sort_by([("_healpix_29", "ascending"), ("seen", "ascending")])
    )


def test_rows_that_tie_keep_the_order_in_which_they_came(writer):
    rows = writer.make_rows(np.repeat([10.0, 200.0], 500), np.repeat([5.0, -60.0], 500))
    ids = writer.all_rows(writer.dataset(rows, pieces=3))["id"].to_pylist()
    by_place = {tuple(sorted(half)): half for half in (ids[:500], ids[500:])}
    assert all(list(key) == half for key, half in by_place.items())


def test_texts_are_bounded_by_the_longest_and_unicode_is_said(writer):
    columns = tuple(Column(name, Datatype.CHAR, "*") for name in ("ascii", "greek", "emoji", "none"))
    texts = {"ascii": ["abc", None, "abcde"], "greek": ["αβ", "x", ""], "emoji": ["x😀", "", "ab"]}
    rows = pa.table({**texts, "none": pa.nulls(3, pa.string())})
    dataset = writer.dataset(rows, Table("s.t", columns), pieces=2)
    found = {column.name: (column.datatype, column.arraysize) for column in dataset.table.columns}
    assert found == {
        "ascii": (Datatype.CHAR, "5*"),
        "greek": (Datatype.UNICODE_CHAR, "2*"),
        "emoji": (Datatype.UNICODE_CHAR, "3*"),  # two units of UTF-16, as VOTable counts
        "none": (Datatype.CHAR, "1*"),
    }


def test_descriptions_survive_in_every_file(writer):
    dataset = writer.dataset(writer.scattered(100))
    assert dataset.table.description == "A small sky."
    assert dataset.table.get_column("mag").unit == "mag"
    assert dataset.table.get_column("id").description == "Number of the object"
    assert dataset.table.get_column("ra").indexed
    assert (
        b"phot.mag;em.opt.R" in pq.read_metadata(dataset.partitions[0].file).metadata[b"IVOA.VOTable-Parquet.content"]
    )


def test_rows_without_a_position_are_kept_apart_and_no_region_finds_them(writer, sort_by_id):
    rows = writer.scattered(900)
    lost = pa.array(np.arange(900) % 9 == 0)
    index = pc.if_else(lost, pa.scalar(None, pa.int64()), rows["_healpix_29"])
    rows = rows.set_column(0, "_healpix_29", index)
    report = writer.report(rows, layout=SMALL, pieces=3)
    dataset = open_dataset(report.directory, name="sky.objects")
    assert report.n_unpositioned == 100
    assert sort_by_id(writer.all_rows(dataset)).equals(sort_by_id(rows))
    assert dataset.select(np.array([[0, 12 << 58]])).n_rows == 800
    assert [p.file.rsplit("/", 2)[-2:] for p in dataset.partitions if p.order < 0] == [
        ["unpositioned", "part0.parquet"]
    ]


def test_a_table_of_which_no_row_has_a_position_is_written(writer):
    rows = writer.scattered(50)
    rows = rows.set_column(0, "_healpix_29", pa.nulls(50, pa.int64()))
    dataset = writer.dataset(rows)
    assert writer.all_rows(dataset).equals(rows)
    assert dataset.select(np.array([[0, 12 << 58]])).n_rows == 0


def test_a_table_without_positions_keeps_its_order(writer):
    rows = pa.table({"n": np.arange(1_000, dtype=np.int32)})
    dataset = writer.dataset(rows, Table("s.plain", (Column("n", Datatype.INT),)), SMALL, pieces=7)
    assert writer.all_rows(dataset).equals(rows)
    assert [partition.n_rows for partition in dataset.partitions] == [300, 300, 300, 100]
    assert dataset.index_column is None
    assert dataset.select(None).whole


def test_numbers_are_written_in_compact_encodings_with_checksums(writer):
    group = pq.read_metadata(writer.dataset(writer.scattered(500)).partitions[0].file).row_group(0)
    encodings = {group.column(i).path_in_schema: group.column(i).encodings for i in range(group.num_columns)}
    assert "DELTA_BINARY_PACKED" in encodings["_healpix_29"]
    assert "BYTE_STREAM_SPLIT" in encodings["ra"]
    assert "BYTE_STREAM_SPLIT" in encodings["spectrum.list.element"]
    packing = {group.column(i).path_in_schema: group.column(i).compression for i in range(group.num_columns)}
    assert packing["_healpix_29"] == packing["ra"] == "LZ4"
    assert set(packing.values()) == {"LZ4", "ZSTD"}


def test_an_interrupted_writing_goes_on_where_it_was(tmp_path, writer, sort_by_id):
    rows = writer.scattered(1_000)
    first = Staging.open(tmp_path / "s", table=writer.TABLE, layout=SMALL, buffer_bytes=10_000)
    for start in range(0, 600, 100):
        first.add(str(start), rows.slice(start, 100))
    first.close()
    with open(tmp_path / "s/journal.jsonl", "ab") as journal:
        journal.write(b'{"pieces": {"torn')
    (tmp_path / "s/runs/run-000099.arrow").write_bytes(b"half a run")
    with Staging.open(tmp_path / "s", table=writer.TABLE, layout=SMALL) as second:
        done = [start for start in range(0, 1_000, 100) if second.is_done(str(start))]
        assert done
        assert second.rows_done == 100 * len(done)
        for start in range(0, 1_000, 100):
            if start not in done:
                second.add(str(start), rows.slice(start, 100))
        report = second.finish()
    dataset = open_dataset(report.directory, name="sky.objects")
    assert sort_by_id(writer.all_rows(dataset)).equals(sort_by_id(rows))
    assert dataset.table.get_column("name").arraysize == "6*"


def test_another_layout_starts_anew(tmp_path, writer):
    with Staging.open(tmp_path / "s", table=writer.TABLE, layout=SMALL, buffer_bytes=1) as staging:
        staging.add("a", writer.scattered(10))
    with Staging.open(tmp_path / "s", table=writer.TABLE, layout=Layout()) as staging:
        assert not staging.is_done("a")
        assert staging.rows_done == 0


def test_two_writers_do_not_meet(tmp_path, writer):
    with Staging.open(tmp_path / "s", table=writer.TABLE), pytest.raises(StoreError, match="another process"):
        Staging.open(tmp_path / "s", table=writer.TABLE)


def test_an_index_beyond_the_sky_loses_no_row_silently(writer):
    rows = writer.scattered(10)
    bad = rows.set_column(0, "_healpix_29", pa.array([-1, *rows["_healpix_29"].to_pylist()[1:]], pa.int64()))
    with pytest.raises(StoreError, match=r"1 rows of sky\.objects have an index"):
        writer.report(bad)


def test_other_columns_and_repeated_pieces_are_refused(tmp_path, writer):
    with Staging.open(tmp_path / "s", table=writer.TABLE) as staging:
        with pytest.raises(StoreError, match="does not have the columns"):
            staging.add("a", pa.table({"x": [1]}))
        staging.add("a", writer.scattered(3))
        with pytest.raises(StoreError, match="already"):
            staging.add("a", writer.scattered(3))


def test_progress_ends_with_all_rows(tmp_path, writer):
    seen = []
    with Staging.open(tmp_path / "s", table=writer.TABLE, layout=SMALL) as staging:
        staging.add("a", writer.scattered(2_000))
        staging.finish(progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2_000, 2_000)
    assert seen == sorted(seen)


def test_wide_rows_make_smaller_partitions():
    layout = Layout()
    assert layout.rows_for(100) == 200_000
    assert layout.rows_for(3_344) == (128 << 20) // 3_344
    assert layout.rows_for(10**9) == layout.rows_per_group


def test_runs_keep_of_a_column_of_one_value_only_the_value(tmp_path):
    rows = pa.table(
        {
            "_healpix_29": pa.array([5, 5, None], pa.int64()),
            "empty": pa.nulls(3, pa.float64()),
            "zero": np.zeros(3, dtype=np.int16),
            "word": ["a", "a", "a"],
            "some": pa.array([1, None, 1]),
        },
        schema=pa.schema(
            [
                pa.field("_healpix_29", pa.int64()),
                pa.field("empty", pa.float64()),
                pa.field("zero", pa.int16()),
                pa.field("word", pa.string()),
                pa.field("some", pa.int64()),
            ],
            {"kept": "too"},
        ),
    )
    for number, part in enumerate((rows, rows.slice(0, 1), rows.slice(0, 0))):
        write_run(tmp_path / f"run{number}", part)
        found = open_run(tmp_path / f"run{number}").rows
        assert found.equals(part, check_metadata=True)
    wide = pa.table({"id": np.arange(9000)} | {f"empty{i}": pa.nulls(9000, pa.float64()) for i in range(100)})
    assert write_run(tmp_path / "wide", wide).size < 100_000

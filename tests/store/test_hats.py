"""HATS both ways: lsdb and hats open what we write, and we open what hats-import wrote."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mocpy import MOC

from skydex.errors import StoreError
from skydex.sky import Cone, ranges29, separation_deg
from skydex.store import Layout, open_dataset

ROWS = 4_000
FOREIGN = {
    "small_sky": 131,
    "small_sky_healpix13/small_sky_healpix13": 131,
    "small_sky_healpix13/small_sky_healpix13_1deg": 23,
    "small_sky_healpix13/small_sky_healpix13_2deg": 47,
    "small_sky_healpix13/small_sky_healpix13_id": 131,
    "small_sky_npix_alt_suffix": 131,
    "small_sky_npix_as_dir": 131,
    "small_sky_order1_collection/small_sky_order1": 131,
    "small_sky_order1_collection/small_sky_order1_id_index": 131,
    "small_sky_order1_collection/small_sky_order1_margin_1deg": 23,
    "small_sky_order1_collection/small_sky_order1_margin_2deg": 47,
    "small_sky_order1_source_collection/small_sky_order1_source": 17_161,
    "small_sky_order1_source_collection/small_sky_order1_source_band_index": 30,
    "small_sky_order1_source_collection/small_sky_order1_source_margin": 6_388,
    "small_sky_order1_source_collection/small_sky_order1_source_object_id_index": 136,
    "small_sky_order3_source": 17_161,
    "small_sky_source": 17_161,
    "small_sky_to_o1source": 131,
    "small_sky_xmatch": 111,
    "square_map": 12,
}
COLLECTIONS = {
    "small_sky_healpix13": 131,
    "small_sky_order1_collection": 131,
    "small_sky_order1_source_collection": 17_161,
}


@pytest.fixture
def written(writer):
    return writer.dataset(writer.scattered(ROWS), layout=Layout(rows_per_partition=500, rows_per_group=100))


def test_lsdb_reads_our_rows(written, writer):
    lsdb = pytest.importorskip("lsdb")
    catalog = lsdb.open_catalog(written.directory)
    assert len(catalog) == ROWS
    frame = catalog.compute().reset_index().sort_values("id")
    rows = writer.all_rows(written).sort_by("id")
    for name in ("id", "ra", "dec", "flags"):
        assert (frame[name].to_numpy() == rows[name].to_numpy()).all()
    assert frame["name"].isna().sum() == rows["name"].null_count


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 90.0), (0.0, -90.0), (0.0, 0.0), (45.0, 41.81), (201.7, -47.5)])
def test_a_cone_of_lsdb_over_our_files_agrees_with_geometry(written, writer, ra, dec):
    lsdb = pytest.importorskip("lsdb")
    found = lsdb.open_catalog(written.directory).cone_search(ra, dec, 8 * 3600).compute()
    rows = writer.all_rows(written)
    near = separation_deg(ra, dec, rows["ra"].to_numpy(), rows["dec"].to_numpy()) <= 8
    assert sorted(found["id"]) == sorted(rows["id"].to_numpy()[near])


def test_hats_finds_our_catalogue_valid(written, caplog):
    pytest.importorskip("hats")
    from hats.io.validation import is_valid_catalog

    with caplog.at_level(logging.WARNING):
        assert is_valid_catalog(written.directory, strict=True)
    assert not caplog.records


def test_hats_reads_our_properties(written):
    hats = pytest.importorskip("hats")
    info = hats.read_hats(written.directory).catalog_info
    assert (info.total_rows, info.ra_column, info.dec_column) == (ROWS, "ra", "dec")
    assert (info.healpix_column, info.healpix_order) == ("_healpix_29", 29)
    assert info.hats_max_rows == max(partition.n_rows for partition in written.partitions)


def test_the_coverage_is_where_the_rows_are(written, writer):
    index = writer.all_rows(written)["_healpix_29"].to_numpy()
    cells = np.unique(index >> 40).astype("u8")
    assert MOC.from_fits(f"{written.directory}/moc.fits") == MOC.from_healpix_cells(
        cells, np.full(len(cells), 9, "u1"), 9
    )


def test_the_joined_metadata_speak_of_every_row(written):
    assert pq.read_metadata(f"{written.directory}/dataset/_metadata").num_rows == ROWS


@pytest.mark.parametrize("catalog", FOREIGN)
def test_a_foreign_catalogue_has_the_rows_that_pyarrow_reads(shared_data, writer, catalog):
    directory = shared_data / "hats" / catalog
    dataset = open_dataset(directory, name="foreign.t")
    files = sorted(path for path in directory.glob("dataset/**/*.par*") if path.is_file())
    theirs = pa.concat_tables([pq.read_table(file, partitioning=None).replace_schema_metadata(None) for file in files])
    ours = writer.all_rows(dataset)
    key = [(name, "ascending") for name in theirs.column_names]
    assert ours.sort_by(key).equals(theirs.sort_by(key))
    assert len(ours) == FOREIGN[catalog] == dataset.table.n_rows
    assert dataset.index_column not in [column.name for column in dataset.table.columns]
    assert dataset.nan_is_null


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_collection_opens_its_primary_table(shared_data, collection):
    dataset = open_dataset(shared_data / "hats" / collection, name="foreign.t")
    assert dataset.table.n_rows == COLLECTIONS[collection]
    assert Path(dataset.directory).parent.name == collection


@pytest.mark.parametrize("catalog", ["small_sky_source", "small_sky_order3_source", "small_sky_healpix13"])
@pytest.mark.parametrize(("ra", "dec"), [(320.0, -45.0), (283.4, -61.1), (0.0, -90.0), (10.0, 60.0)])
@pytest.mark.parametrize("radius", [0.001, 2.0, 30.0])
def test_a_selection_misses_no_row_of_a_cone(shared_data, catalog, ra, dec, radius):
    dataset = open_dataset(shared_data / "hats" / catalog, name="foreign.t")
    selection = dataset.select(ranges29(Cone(ra, dec, radius)))

    def within(pieces):
        names = [dataset.table.position.ra, dataset.table.position.dec]
        for piece in pieces:
            rows = dataset.open_file(piece.file).read_row_groups(list(piece.groups), columns=names)
            apart = separation_deg(ra, dec, rows[names[0]].to_numpy(), rows[names[1]].to_numpy())
            yield int((apart <= radius).sum())

    assert sum(within(selection.pieces)) == sum(within(dataset.select(None).pieces))


def test_the_cone_that_lsdb_expects_is_found(shared_data):
    expected = np.genfromtxt(
        shared_data / "hats/raw/cone_search_expected/catalog.csv",
        delimiter=",",
        names=True,
        dtype=None,
        encoding="utf-8",
    )
    dataset = open_dataset(shared_data / "hats/small_sky_order1_source_collection", name="foreign.t")
    cone = Cone(-35.0, -55.0, 2.0)
    rows = [
        dataset.open_file(piece.file).read_row_groups(list(piece.groups))
        for piece in dataset.select(ranges29(cone)).pieces
    ]
    table = pa.concat_tables(rows)
    ra, dec = table["source_ra"].to_numpy(), table["source_dec"].to_numpy()
    near = separation_deg(cone.ra_deg, cone.dec_deg, ra, dec) <= cone.radius_deg
    assert sorted(table["source_id"].to_numpy()[near]) == sorted(expected["source_id"])


def test_positions_are_marked_as_inferred(shared_data):
    table = open_dataset(shared_data / "hats/small_sky", name="foreign.t").table
    ra = table.get_column("ra")
    assert (ra.unit, ra.ucd) == ("deg", "pos.eq.ra;meta.main")
    assert set(ra.inferred) == {"unit", "ucd"}


def test_a_catalogue_without_data_files_is_refused(shared_data, tmp_path):
    with pytest.raises(StoreError):
        open_dataset(shared_data / "hats/raw/small_sky_no_metadata", name="foreign.t")
    with pytest.raises(StoreError, match="no Parquet files"):
        open_dataset(tmp_path, name="foreign.t")


def test_a_catalogue_without_metadata_files_opens_from_its_footers(shared_data, writer, tmp_path):
    import shutil

    source = shared_data / "hats/small_sky_source"
    shutil.copytree(source / "dataset", tmp_path / "c/dataset", ignore=shutil.ignore_patterns("_*"))
    shutil.copy(source / "properties", tmp_path / "c/properties")
    dataset = open_dataset(tmp_path / "c", name="foreign.t")
    whole = open_dataset(source, name="foreign.t")
    assert writer.all_rows(dataset).equals(writer.all_rows(whole))
    assert dataset.row_groups.index_min.tolist() == whole.row_groups.index_min.tolist()

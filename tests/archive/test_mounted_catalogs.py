"""Catalogues of others in HATS: mounted without import, they answer as their files say."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from skydex.archive import Archive, ConeRequest, QueryRequest
from skydex.store import ArchiveDirectory

CATALOGS = [
    "small_sky",
    "small_sky_healpix13",
    "small_sky_healpix13/small_sky_healpix13",
    "small_sky_healpix13/small_sky_healpix13_1deg",
    "small_sky_healpix13/small_sky_healpix13_2deg",
    "small_sky_healpix13/small_sky_healpix13_id",
    "small_sky_npix_alt_suffix",
    "small_sky_npix_as_dir",
    "small_sky_order1_collection",
    "small_sky_order1_collection/small_sky_order1",
    "small_sky_order1_collection/small_sky_order1_id_index",
    "small_sky_order1_collection/small_sky_order1_margin_1deg",
    "small_sky_order1_collection/small_sky_order1_margin_2deg",
    "small_sky_order1_source_collection",
    "small_sky_order1_source_collection/small_sky_order1_source",
    "small_sky_order1_source_collection/small_sky_order1_source_band_index",
    "small_sky_order1_source_collection/small_sky_order1_source_margin",
    "small_sky_order1_source_collection/small_sky_order1_source_object_id_index",
    "small_sky_order3_source",
    "small_sky_source",
    "small_sky_to_o1source",
    "small_sky_xmatch",
    "square_map",
]


@pytest.fixture
def mounted(tmp_path: Path, shared_data: Path):
    """An archive in which one foreign catalogue is mounted as `theirs.t`."""

    def mount(name: str) -> Archive:
        directory = ArchiveDirectory.create(tmp_path / "archive")
        directory.mount("theirs.t", str(shared_data / "hats" / name))
        return Archive.open(directory.path)

    return mount


def files_of(catalog: Path) -> list[Path]:
    """The partitions of a catalogue, or of a collection's primary table."""
    if (catalog / "collection.properties").is_file():
        lines = (catalog / "collection.properties").read_text().splitlines()
        primary = next(line.partition("=")[2] for line in lines if line.startswith("hats_primary_table_url"))
        catalog = catalog / primary
    return sorted(f for f in (catalog / "dataset").rglob("*") if f.is_file() and not f.name.startswith("_"))


def test_the_list_is_complete(shared_data: Path) -> None:
    known = {str(file.parent.relative_to(shared_data / "hats")) for file in shared_data.glob("hats/**/hats.properties")}
    collections = {
        str(f.parent.relative_to(shared_data / "hats")) for f in shared_data.glob("hats/*/collection.properties")
    }
    assert set(CATALOGS) == known | collections


@pytest.mark.parametrize("name", CATALOGS)
def test_every_catalogue_answers_with_the_rows_of_its_files(name, mounted, shared_data):
    archive = mounted(name)
    files = files_of(shared_data / "hats" / name)
    n_rows = sum(pq.read_metadata(file).num_rows for file in files)
    table = archive.tables()[-1]
    assert archive.query(QueryRequest("SELECT COUNT(*) AS n FROM theirs.t")).to_arrow().to_pylist() == [{"n": n_rows}]
    rows = archive.query(QueryRequest("SELECT * FROM theirs.t")).to_arrow()
    assert rows.num_rows == n_rows
    for column in table.columns[:6]:
        if not column.is_array:
            text = f'SELECT COUNT("{column.name}") AS n FROM theirs.t'
            (row,) = archive.query(QueryRequest(text)).to_arrow().to_pylist()
            assert row["n"] == n_rows - rows[column.name].null_count


@pytest.mark.parametrize("name", [name for name in CATALOGS if "source" in name and "index" not in name][:2])
def test_the_cone_that_lsdb_expects_is_found(name, mounted, shared_data):
    archive = mounted(name)
    with (shared_data / "hats/raw/cone_search_expected/catalog.csv").open() as file:
        expected = {int(row["source_id"]) for row in csv.DictReader(file)}
    found = archive.query(ConeRequest("theirs.t", -35.0 % 360.0, -55.0, 2.0, 3)).to_arrow()
    assert {int(value) for value in found["source_id"].to_pylist()} == expected
    text = "SELECT source_id FROM t WHERE 1=CONTAINS(POINT(source_ra, source_dec), CIRCLE(325, -55, 2)) ORDER BY 1"
    assert archive.query(QueryRequest(text)).to_arrow()["source_id"].to_pylist() == sorted(expected)

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table as AstropyTable

from skydex.ingest import FolderReport, adql_name, ingest_folder
from skydex.store import ArchiveDirectory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a laptop has it: tables in several formats, one of them broken, and other files."""
    home = tmp_path / "My Survey-2"
    (home / "sub").mkdir(parents=True)
    (home / "stars.csv").write_text("id,ra,dec\n1,10,20\n2,30,40\n")
    (home / "2nd list.csv").write_text("ra,dec\n1,2\n")
    AstropyTable({"RA": [1.0], "DEC": [2.0]}).write(home / "sub" / "stars.fits")
    (home / "broken.fits").write_bytes(b"SIMPLE  =                    T")
    (home / "notes.pdf").write_bytes(b"%PDF-1.4 \x00\x01")
    (home / ".hidden.csv").write_text("ra,dec\n1,2\n")
    return home


@pytest.fixture
def ingested(folder: Path) -> Callable[[], FolderReport]:
    return lambda: ingest_folder(folder, folder / ".skydex")


def test_every_readable_table_of_a_folder_is_published(folder: Path, ingested: Callable[[], FolderReport]) -> None:
    report = ingested()
    assert sorted(report.tables) == ["my_survey_2.stars", "my_survey_2.sub_stars", "my_survey_2.t_2nd_list"]
    archive = ArchiveDirectory(folder / ".skydex")
    assert archive.get("my_survey_2.stars").n_rows == 2


def test_what_cannot_be_read_is_reported_and_stops_nothing(ingested: Callable[[], FolderReport]) -> None:
    problems = {entry.file: entry.problem for entry in ingested().entries if entry.problem}
    assert set(problems) == {"broken.fits", "notes.pdf"}
    assert all("Cannot read" in problem for problem in problems.values())


def test_unchanged_files_are_not_ingested_again(folder: Path, ingested: Callable[[], FolderReport]) -> None:
    ingested()
    assert ingested().reports == []
    (folder / "stars.csv").write_text("id,ra,dec\n1,10,20\n2,30,40\n3,50,60\n")
    again = ingested()
    assert [report.table.name for report in again.reports] == ["my_survey_2.stars"]
    assert ArchiveDirectory(folder / ".skydex").get("my_survey_2.stars").n_rows == 3


def test_tables_of_vanished_files_go(folder: Path, ingested: Callable[[], FolderReport]) -> None:
    ingested()
    (folder / "2nd list.csv").unlink()
    assert ingested().removed == ("my_survey_2.t_2nd_list",)
    names = [entry.name for entry in ArchiveDirectory(folder / ".skydex").tables()]
    assert names == ["my_survey_2.stars", "my_survey_2.sub_stars"]


def test_a_table_whose_file_breaks_stays_as_it_was(folder: Path, ingested: Callable[[], FolderReport]) -> None:
    ingested()
    (folder / "sub" / "stars.fits").write_bytes(b"SIMPLE  =                    T")
    assert not ingested().removed
    assert ArchiveDirectory(folder / ".skydex").get("my_survey_2.sub_stars").n_rows == 1


def test_a_recipe_beside_a_file_is_used_and_its_change_is_noticed(
    folder: Path, ingested: Callable[[], FolderReport]
) -> None:
    recipe = folder / "stars.csv.recipe.yaml"
    recipe.write_text("description: Bright stars\n")
    ingested()
    assert ArchiveDirectory(folder / ".skydex").get("my_survey_2.stars").description == "Bright stars"
    recipe.write_text("description: Faint stars\n")
    assert len(ingested().reports) == 1


def test_a_hats_catalogue_is_mounted_and_not_copied(shared_data: Path, tmp_path: Path) -> None:
    home = tmp_path / "sky"
    home.mkdir()
    shutil.copytree(shared_data / "hats" / "small_sky", home / "small_sky")
    report = ingest_folder(home, tmp_path / "cache")
    assert [(entry.table, entry.is_mounted) for entry in report.entries] == [("sky.small_sky", True)]
    assert ArchiveDirectory(tmp_path / "cache").get("sky.small_sky").kind == "mounted"


@pytest.mark.parametrize(
    ("text", "name"),
    [("Stars", "stars"), ("2MASS-J", "t_2mass_j"), ("a b.c", "a_b_c"), ("__", "t"), ("Größe", "gr_e"), ("x1", "x1")],
)
def test_names_are_made_fit_for_adql(text: str, name: str) -> None:
    assert adql_name(text) == name


def test_images_of_a_folder_are_published_beside_its_tables(folder: Path, ingested: Callable[[], FolderReport]) -> None:
    fits.PrimaryHDU(np.zeros((4, 4), ">f4")).writeto(folder / "m31.fits")
    table = fits.BinTableHDU(AstropyTable({"RA": [1.0], "DEC": [2.0]}))
    fits.HDUList([fits.PrimaryHDU(np.ones((3, 3), ">f4")), table]).writeto(folder / "both.fits")
    report = ingested()
    assert report.images is not None
    assert report.images.headline == "my_survey_2: 2 images of 2 files (2 new)"
    assert {"my_survey_2.images", "my_survey_2.both"} <= set(report.tables)
    assert "m31.fits" not in {entry.file for entry in report.entries if entry.problem}
    (folder / "m31.fits").unlink()
    (folder / "both.fits").unlink()
    assert ingested().images is None
    assert not [entry for entry in ArchiveDirectory(folder / ".skydex").tables() if "image" in entry.name]


def test_a_file_that_is_neither_a_table_nor_an_image_tells_why_it_is_no_image(
    folder: Path, ingested: Callable[[], FolderReport]
) -> None:
    fits.PrimaryHDU(np.zeros((9, 4, 4), ">f4")).writeto(folder / "cube.fits")
    report = ingested()
    (problem,) = [entry.problem for entry in report.entries if entry.file == "cube.fits"]
    assert "as an image: HDU 0: it has 9 planes" in problem
    assert report.images is None


def test_a_table_called_images_keeps_its_name(folder: Path, ingested: Callable[[], FolderReport]) -> None:
    (folder / "images.csv").write_text("ra,dec\n1,2\n")
    fits.PrimaryHDU(np.zeros((4, 4), ">f4")).writeto(folder / "m31.fits")
    report = ingested()
    assert {"my_survey_2.images", "my_survey_2_images.images"} <= set(report.tables)
    assert ArchiveDirectory(folder / ".skydex").get("my_survey_2.images").n_rows == 1

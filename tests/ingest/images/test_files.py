"""FITS files become images of a collection, and stay where they are."""

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from skydex.archive import Archive, QueryRequest
from skydex.errors import BadRecipeError
from skydex.ingest import ingest_files
from skydex.ingest.images import Change, changed_originals, ingest_images, remove_images, survey_images
from skydex.store import ArchiveDirectory, Imagery


@pytest.fixture
def directory(tmp_path):
    return ArchiveDirectory.create(tmp_path / "archive")


def header(ra=10.0, dec=20.0, **cards):
    return fits.Header(
        [
            ("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CRVAL1", ra), ("CRVAL2", dec), ("RADESYS", "ICRS"),
            ("CRPIX1", 5.5), ("CRPIX2", 5.5), ("CDELT1", -1e-4), ("CDELT2", 1e-4), *cards.items(),
        ]
    )  # fmt: skip


def plane(value=0.0):
    return np.full((10, 10), value, ">f4")


@pytest.fixture
def files(tmp_path):
    """Two plain files, one of several extensions, one packed, and what is none."""
    folder = tmp_path / "night"
    (folder / "deep").mkdir(parents=True)
    fits.PrimaryHDU(plane(), header(EXPTIME=30.0)).writeto(folder / "a.fits")
    fits.PrimaryHDU(plane(), header(ra=11.0)).writeto(folder / "deep" / "b.fit")
    several = [fits.ImageHDU(plane(), header(12.0), name=name, ver=ver) for ver in (1, 2) for name in ("SCI", "ERR")]
    fits.HDUList([fits.PrimaryHDU(header=fits.Header([("TELESCOP", "HST")])), *several]).writeto(folder / "c_flt.fits")
    (folder / "deep" / "d.fits.gz").write_bytes(gzip.compress((folder / "a.fits").read_bytes()))
    (folder / "notes.txt").write_text("Clouds all night")
    (folder / ".hidden.fits").write_text("")
    return folder


def rows(directory, text):
    return [
        tuple(row.values()) for row in Archive.open(directory.path).query(QueryRequest(text)).to_arrow().to_pylist()
    ]


def test_every_image_extension_goes_in_and_the_rest_is_refused_with_a_reason(directory, files):
    report = ingest_images([files], directory, "run")
    assert report.n_images == 7
    assert [(Path(entry.file).name, entry.problem) for entry in report.refused] == [
        ("notes.txt", "it is no FITS file: it does not begin with SIMPLE")
    ]
    found = rows(directory, "SELECT name, hdu, extension FROM run.images ORDER BY name, hdu")
    assert found == [
        ("a", 0, None),
        ("b", 0, None),
        ("c_flt", 1, "SCI,1"),
        ("c_flt", 2, "ERR,1"),
        ("c_flt", 3, "SCI,2"),
        ("c_flt", 4, "ERR,2"),
        ("d", 0, None),
    ]


def test_planes_of_errors_are_no_products_of_their_own(directory, files):
    ingest_images([files], directory, "run")
    assert rows(directory, "SELECT obs_id, COUNT(*) FROM ivoa.obscore GROUP BY obs_id ORDER BY 1") == [
        ("a", 1),
        ("b", 1),
        ("c_flt", 2),
        ("d", 1),
    ]


def test_an_image_is_opened_by_its_name_or_that_of_its_file(directory, files):
    ingest_images([files], directory, "run")
    images = Archive.open(directory.path).images()
    for name in ("c_flt", "c_flt.fits"):
        record = images.get(name, "SCI,2")
        assert images.open(record).pixels.read(0, 10, 0, 10).shape == (10, 10)
    assert images.get("d.fits.gz") == images.get("d") == images.get("D.FITS", caseless=True)


def test_an_extension_inherits_from_the_first_header(directory, files):
    ingest_images([files], directory, "run")
    assert rows(directory, "SELECT DISTINCT facility_name FROM run.images WHERE name = 'c_flt'") == [("HST",)]


def test_the_originals_are_not_touched(directory, files):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files.rglob("*") if path.is_file()}
    ingest_images([files], directory, "run")
    remove_images(directory, "run")
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files.rglob("*") if path.is_file()}


def test_the_same_again_changes_nothing(directory, files):
    ingest_images([files], directory, "run")
    revision = directory.revision
    report = ingest_images([files], directory, "run")
    assert {entry.change for entry in report.files} == {Change.UNCHANGED}
    assert report.n_images == 7
    assert len(report.refused) == 1
    assert directory.revision == revision


def test_only_what_is_new_or_changed_or_gone_is_looked_at(directory, files):
    ingest_images([files], directory, "run")
    did = rows(directory, "SELECT obs_publisher_did FROM run.images WHERE name = 'a'")
    cards = rows(directory, "SELECT COUNT(*) FROM run.image_cards WHERE name = 'c_flt'")
    fits.PrimaryHDU(plane(), header(EXPTIME=60.0)).writeto(files / "a.fits", overwrite=True)
    (files / "deep" / "b.fit").unlink()
    fits.PrimaryHDU(plane(), header()).writeto(files / "e.fits")
    report = ingest_images([files], directory, "run")
    changes = {Path(entry.file).name: entry.change for entry in report.files}
    assert changes == {
        "a.fits": Change.CHANGED,
        "b.fit": Change.GONE,
        "c_flt.fits": Change.UNCHANGED,
        "d.fits.gz": Change.UNCHANGED,
        "e.fits": Change.NEW,
        "notes.txt": Change.UNCHANGED,
    }
    assert rows(directory, "SELECT obs_publisher_did, t_exptime FROM run.images WHERE name = 'a'") == [(*did[0], 60.0)]
    assert rows(directory, "SELECT DISTINCT name FROM run.images ORDER BY name") == [("a",), ("c_flt",), ("d",), ("e",)]
    assert rows(directory, "SELECT COUNT(*) FROM run.image_cards WHERE name = 'c_flt'") == cards
    images = Archive.open(directory.path).images()
    assert not images.find("b")
    assert images.get("c_flt.fits", "SCI,2").hdu == 3


def test_what_came_from_elsewhere_stays(directory, files, tmp_path):
    ingest_images([files], directory, "run", description="First night")
    other = tmp_path / "night2"
    other.mkdir()
    fits.PrimaryHDU(plane(), header()).writeto(other / "z.fits")
    ingest_images([other], directory, "run")
    assert len(rows(directory, "SELECT name FROM run.images")) == 8
    assert directory.get("run.images").description == "First night"


def test_files_of_one_name_get_names_of_their_own_and_keep_them(directory, tmp_path):
    for night in ("one", "two", "three"):
        (tmp_path / night).mkdir()
        fits.PrimaryHDU(plane(), header()).writeto(tmp_path / night / "sci.fits")
    ingest_images([tmp_path / "two", tmp_path / "one"], directory, "run")
    names = rows(directory, "SELECT name FROM run.images ORDER BY name")
    assert names == [("sci",), ("sci.fits",)]
    ingest_images([tmp_path / "one", tmp_path / "three", tmp_path / "two"], directory, "run")
    assert rows(directory, "SELECT name FROM run.images ORDER BY name") == [*names, ("three_sci",)]
    location = Archive.open(directory.path).images().get("sci").location
    assert Path(location).parent.name == "two"


def test_a_survey_publishes_nothing(directory, files):
    report = survey_images([files], directory, "run")
    assert (report.n_images, len(report.refused)) == (7, 1)
    assert not directory.tables()
    assert not Imagery(directory.path).collections()


def test_files_that_changed_or_vanished_are_noticed(directory, files):
    ingest_images([files], directory, "run")
    assert list(changed_originals(directory, "run")) == []
    (files / "a.fits").unlink()
    with (files / "c_flt.fits").open("ab") as file:
        file.write(b"\0" * 2880)
    found = {Path(file).name: problem for file, problem in changed_originals(directory, "run")}
    assert set(found) == {"a.fits", "c_flt.fits"}
    assert "gone" in found["a.fits"]
    assert "changed" in found["c_flt.fits"]


def test_a_file_that_was_only_copied_has_not_changed(directory, files):
    ingest_images([files], directory, "run")
    os.utime(files / "a.fits", (1, 1))
    assert list(changed_originals(directory, "run")) == []


def test_files_below_the_archive_move_with_it(tmp_path, files):
    directory = ArchiveDirectory.create(tmp_path / "first")
    shutil.move(files, directory.path / "originals")
    ingest_images([directory.path / "originals"], directory, "run")
    shutil.move(directory.path, tmp_path / "second")
    images = Archive.open(tmp_path / "second").images()
    assert images.open(images.get("a")).pixels.read(0, 1, 0, 1) == 0.0
    assert list(changed_originals(ArchiveDirectory(tmp_path / "second"), "run")) == []


def test_the_archive_itself_is_passed_over(tmp_path, files):
    directory = ArchiveDirectory.create(files / "archive")
    report = ingest_images([files], directory, "run")
    assert not [entry for entry in report.files if "archive" in Path(entry.file).parts[len(files.parts) :]]


def test_a_path_at_which_there_is_nothing_is_named(directory, tmp_path):
    with pytest.raises(BadRecipeError, match="missing"):
        ingest_images([tmp_path / "missing"], directory, "run")


def test_it_goes_on_where_it_was_interrupted(directory, files, monkeypatch):
    monkeypatch.setattr("skydex.ingest.images.files._LOT", 1)

    def stop(_stage, done, _total):
        if done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest_images([files], directory, "run", progress=stop)
    n_before = len(rows(directory, "SELECT name FROM run.images"))
    assert 0 < n_before < 7
    report = ingest_images([files], directory, "run")
    assert report.n_files(Change.UNCHANGED) >= 1
    assert len(rows(directory, "SELECT name FROM run.images")) == 7


def test_an_image_without_a_place_is_published_without_one(directory, tmp_path):
    fits.PrimaryHDU(plane()).writeto(tmp_path / "m51.fits")
    report = ingest_images([tmp_path / "m51.fits"], directory, "run")
    assert report.n_images == 1
    assert rows(directory, "SELECT obs_id, s_ra, s_region FROM ivoa.obscore") == [("m51", None, None)]


@pytest.mark.parametrize("name", ["a'b.fits", "a b [1].fits", "ä.fits", "100%.fits", "x\ny.fits"])
def test_names_of_files_may_hold_anything(directory, tmp_path, name):
    folder = tmp_path / "odd"
    folder.mkdir()
    fits.PrimaryHDU(plane(), header()).writeto(folder / name)
    ingest_images([folder], directory, "run")
    images = Archive.open(directory.path).images()
    assert images.open(images.get(name)).shape == (10, 10)


def test_a_table_that_somebody_else_called_so_is_not_replaced(directory, files, tmp_path):
    (tmp_path / "list.csv").write_text("ra,dec\n1,2\n")
    ingest_files([tmp_path / "list.csv"], directory, "run.images")
    with pytest.raises(BadRecipeError, match=r"run\.images"):
        ingest_images([files], directory, "run")
    ingest_images([files / "notes.txt"], directory, "run")
    assert directory.get("run.images").n_rows == 1


def test_a_header_over_which_a_library_fails_does_not_keep_other_files_out(directory, files, monkeypatch):
    def failing(image):
        if image.name == "a":
            raise OverflowError("cannot convert float infinity to integer")
        return None

    monkeypatch.setattr("skydex.ingest.images.files.footprint_of", failing)
    report = ingest_images([files / "a.fits", files / "deep"], directory, "run")
    assert report.n_images == 2
    (refused,) = report.refused
    assert refused.file.endswith("a.fits")
    assert refused.problem == "HDU 0: its header makes no sense (OverflowError)."

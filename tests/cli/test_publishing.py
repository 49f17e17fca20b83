import json

import numpy as np
import pytest
import yaml
from astropy.io import fits
from tests.rangeserver import serving

BAD = "id,ra,dec\n1,10,20\n2,10,91\n3,11,21\n4,12,22\n"  # declination 91


def n_rows(archive, table):
    entries = json.loads((archive / "archive.json").read_text())["tables"]
    return next((entry["n_rows"] for entry in entries if entry["name"] == table), None)


def test_ingest_publishes_a_file_and_reports_its_columns(skydex, stars_file, tmp_path):
    ran = skydex("ingest", stars_file, "--into", tmp_path / "a", "--name", "my.stars")
    assert ran.status == 0, ran.err
    assert "4 rows read, 4 stored with a position" in ran.out
    assert "pos.eq.ra;meta.main" in ran.out
    assert n_rows(tmp_path / "a", "my.stars") == 4


def test_ingest_takes_positions_from_the_columns_named(skydex, tmp_path):
    file = tmp_path / "old.csv"
    file.write_text("x,y,z\n10.0,20.0,1\n11.0,21.0,-999\n")
    options = ("--ra", "x", "--dec", "y", "--unit", "deg", "--null", "-999", "--id", "z")
    assert skydex("ingest", file, "-a", tmp_path / "a", "-n", "old.t", *options).status == 0
    shown = skydex("show", tmp_path / "a", "old.t").out
    assert "position: x, y" in shown
    assert "id: z" in shown


def test_ingest_refuses_bad_rows_on_request_and_publishes_nothing(skydex, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text(BAD)
    ran = skydex("ingest", file, "-a", tmp_path / "a", "-n", "my.bad", "--bad-rows", "refuse")
    assert ran.status == 1
    assert ran.err.startswith("skydex: ")
    assert n_rows(tmp_path / "a", "my.bad") is None


@pytest.mark.parametrize(("choice", "kept"), [("keep", 4), ("drop", 3)])
def test_ingest_keeps_or_drops_bad_rows(skydex, tmp_path, choice, kept):
    file = tmp_path / "bad.csv"
    file.write_text(BAD)
    assert skydex("ingest", file, "-a", tmp_path / "a", "-n", "my.bad", "--bad-rows", choice).status == 0
    assert n_rows(tmp_path / "a", "my.bad") == kept


def test_show_recipe_prints_a_recipe_that_ingests_the_same(skydex, stars_file, tmp_path):
    ran = skydex("ingest", stars_file, "--show-recipe")
    assert ran.status == 0, ran.err
    assert yaml.safe_load(ran.out)["position"]["ra"] in ("ra", ["ra"])
    recipe = tmp_path / "stars.yaml"
    recipe.write_text(ran.out)
    again = skydex("ingest", stars_file, "-a", tmp_path / "a", "-n", "my.stars", "--recipe", recipe)
    assert again.status == 0, again.err
    assert n_rows(tmp_path / "a", "my.stars") == 4


def test_ingest_refuses_names_that_would_hide_what_is_there(skydex, stars_file, tmp_path):
    ran = skydex("ingest", stars_file, "-a", tmp_path / "a", "-n", "tap_schema.tables")
    assert ran.status == 1
    assert "every archive has of itself" in ran.err


def test_ingest_without_a_name_is_wrong_usage(skydex, stars_file, tmp_path):
    ran = skydex("ingest", stars_file, "-a", tmp_path / "a")
    assert ran.status == 2
    assert "--name" in ran.err


def test_mounted_catalog_answers_and_survives_its_removal(skydex, archive, tmp_path):
    place = archive / "catalogs" / "my.stars" / "current"
    other = tmp_path / "other"
    assert "4 rows, mounted" in skydex("mount", place, "-a", other, "-n", "far.stars").out
    assert skydex("query", other, "SELECT COUNT(*) AS n FROM far.stars", "-f", "csv").out == "n\n4\n"
    assert skydex("remove", other, "far.stars").status == 0
    assert n_rows(other, "far.stars") is None
    assert (place / "hats.properties").is_file()


def test_hats_catalog_of_others_is_mounted(skydex, shared_data, tmp_path):
    ran = skydex("mount", shared_data / "hats" / "small_sky_source", "-a", tmp_path / "a", "-n", "hats.source")
    assert ran.out.startswith("hats.source: 17,161 rows, mounted\n")
    assert ran.out.endswith("14 files, positions in source_ra and source_dec\n")


def test_removed_table_is_gone_and_a_mistyped_one_is_named(skydex, stars_file, tmp_path):
    where = tmp_path / "a"
    skydex("ingest", stars_file, "-a", where, "-n", "my.stars")
    assert '"my.stars"' in skydex("remove", where, "my.star").err
    assert skydex("remove", where, "my.stars").status == 0
    assert "my.stars" not in skydex("list", where).out


@pytest.fixture
def night(tmp_path):
    """A folder with an image and something else."""
    folder = tmp_path / "night-1"
    folder.mkdir()
    header = fits.Header([("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CRVAL1", 10.0), ("CRVAL2", 20.0)])
    fits.PrimaryHDU(np.zeros((4, 4), ">f4"), header).writeto(folder / "m31.fits")
    (folder / "log.txt").write_text("Clear sky")
    return folder


def test_ingest_images_publishes_images_and_lists_what_it_refuses(skydex, night, tmp_path):
    ran = skydex("ingest-images", night, "--into", tmp_path / "a")
    assert ran.status == 0, ran.err
    first, refused = ran.out.splitlines()
    assert first == "night_1: 1 images of 1 files (1 new)"
    assert refused.endswith("log.txt: refused (new): it is no FITS file: it does not begin with SIMPLE")
    found = skydex("query", tmp_path / "a", "SELECT obs_id FROM ivoa.obscore", "--format", "csv")
    assert found.out.split() == ["obs_id", "m31"]


def test_an_ingest_of_images_that_finds_none_says_so_and_fails(skydex, tmp_path):
    (tmp_path / "notes.fits").write_text("no image")
    ran = skydex("ingest-images", tmp_path / "notes.fits", "-a", tmp_path / "a", "-c", "survey")
    assert ran.status == 1
    assert "notes.fits" in ran.out
    assert "No image was found." in ran.err


def test_a_dry_run_of_ingest_images_publishes_nothing(skydex, night, tmp_path):
    ran = skydex("ingest-images", night, "-a", tmp_path / "a", "-c", "survey", "--dry-run")
    assert ran.out.startswith("survey: 1 images of 1 files")
    assert not (tmp_path / "a").exists()
    skydex("ingest-images", night, "-a", tmp_path / "a", "-c", "other")
    assert skydex("ingest-images", night, "-a", tmp_path / "a", "-c", "survey", "--dry-run").status == 0
    assert n_rows(tmp_path / "a", "survey.images") is None


def test_remove_of_a_table_of_images_removes_the_images(skydex, night, tmp_path):
    skydex("ingest-images", night, "-a", tmp_path / "a", "-c", "survey")
    assert skydex("remove", tmp_path / "a", "SURVEY.images").status == 0
    assert json.loads((tmp_path / "a" / "archive.json").read_text())["tables"] == []
    assert (night / "m31.fits").is_file()


def test_verify_notices_that_an_image_has_gone(skydex, night, tmp_path):
    skydex("ingest-images", night, "-a", tmp_path / "a", "-c", "survey")
    assert skydex("verify", tmp_path / "a").status == 0
    (night / "m31.fits").unlink()
    ran = skydex("verify", tmp_path / "a")
    assert ran.status == 1
    assert "m31.fits: it is gone, or cannot be read" in ran.out


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("http://ann:secret@127.0.0.1:9/secret", "cannot be reached. See whether its address is right"),
        ("http:///secret", "no http or https address. Mount it by its right address."),
        ("http://127.0.0.1:99999/secret", "its address is none"),
        ("ftp://127.0.0.1:9/secret", "cannot be reached. See whether its address is right"),
        ("nothing://secret", "addresses that begin with nothing://"),
        ("s3:///secret", "names no bucket"),
        ("/no/such/folder", "there is no such directory"),
    ],
)
def test_what_cannot_be_mounted_is_told_in_a_line_and_leaves_nothing_behind(skydex, tmp_path, place, said):
    ran = skydex("mount", place, "-a", tmp_path / "new", "-n", "far.stars")
    assert ran.status == 1
    assert ran.err.startswith("skydex: ")
    assert ran.err.count("\n") == 1
    assert said in ran.err
    assert "secret" not in ran.err
    assert not (tmp_path / "new").exists()


def test_a_password_in_an_address_is_shown_by_no_command(skydex, archive, tmp_path):
    with serving(archive / "catalogs" / "my.stars") as web:
        place = f"{web.url.replace('//', '//ann:secret@')}/current"
        ran = [skydex("mount", place, "-a", tmp_path / "a", "-n", "far.stars")]
        ran += [skydex(*words) for words in (("show", tmp_path / "a", "far.stars"), ("list", tmp_path / "a"))]
        assert all("authorization" in asked.headers for asked in web.requests)
    assert [one.status for one in ran] == [0, 0, 0]
    assert web.url in ran[1].out.replace("\n", "")
    assert not any("secret" in one.out + one.err for one in ran)

"""Every verb of a connection from the shell: near, at a server, under the names of a preset."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

NOVA = 1905457
VARIABLE = 80189155


def rows_of(ran):
    assert ran.status == 0, ran.err
    return Table.read(ran.out.splitlines(), format="ascii.csv")


def test_a_directory_tells_its_tables_and_columns(skydex, archive):
    assert list(rows_of(skydex("tables", archive))["name"]) == ["my.stars"]
    assert rows_of(skydex("tables", archive, "galaxies"))["name"].size == 0
    assert list(rows_of(skydex("columns", archive, "my.stars"))["name"]) == ["id", "ra", "dec", "mag"]
    assert list(rows_of(skydex("columns", archive, "my.stars", "mag"))["name"]) == ["mag"]


def test_a_server_tells_the_same(skydex, archive, server):
    for words in (["columns", "my.stars"], ["search", "my.stars", "-w", "mag>=12.5", "--sort", "-mag"]):
        verb, *more = words
        assert skydex(verb, server, *more).out == skydex(verb, archive, *more).out


def test_names_become_positions(skydex, archive, server):
    here, there = (rows_of(skydex("resolve", where, "M 31", "M 33")) for where in (archive, server))
    assert here["ra"] == pytest.approx([10.6848, 23.4621], abs=1e-3)
    assert here["dec"] == pytest.approx(there["dec"])


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("mag>12.5", [3]),
        ("mag >= 12.5", [1, 3]),
        ("mag<=9.75", [4]),
        ("mag.lt=10", [4]),
        ("id=2", [2]),
        ("id!=2", [1, 3, 4]),
        ("mag.between=10,13", [1]),
        ("mag.null=true", [2]),
        ("id.in=1,4", [1, 4]),
    ],
)
def test_conditions_choose_rows(skydex, archive, condition, ids):
    assert list(rows_of(skydex("search", archive, "my.stars", "-w", condition, "--sort", "id"))["id"]) == ids


def test_a_condition_that_is_none_is_told(skydex, archive):
    ran = skydex("search", archive, "my.stars", "-w", "bright stars")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "COLUMN>=10" in ran.err


def test_a_table_comes_along_with_a_query(skydex, archive, server, tmp_path):
    (tmp_path / "mine.csv").write_text("id\n2\n4\n")
    text = "SELECT s.id FROM my.stars s JOIN TAP_UPLOAD.mine m ON s.id = m.id ORDER BY s.id"
    for where in (archive, server):
        assert skydex("query", where, text, "--upload", f"mine={tmp_path / 'mine.csv'}").out == "id\n2\n4\n"
    assert "NAME=FILE" in skydex("query", archive, text, "--upload", "mine.csv").err


def test_a_job_is_submitted_waited_for_read_and_deleted(skydex, server, tmp_path):
    url = skydex("submit", server, "SELECT id FROM my.stars WHERE id < 3 ORDER BY id").out.strip()
    assert url.startswith(server)
    assert skydex("job", server, url, "wait").out == "COMPLETED\n"
    assert skydex("job", server, url, "result").out == "id\n1\n2\n"
    assert skydex("job", server, url, "result", "-o", tmp_path / "job.fits").status == 0
    assert len(Table.read(tmp_path / "job.fits")) == 2
    assert skydex("job", server, url, "delete").status == 0
    assert skydex("job", server, url).status == 1


def test_a_job_of_a_directory_has_ended_when_the_command_has(skydex, simulated):
    url = skydex("submit", simulated, "SELECT TOP 2 MatchID FROM hsc.SumMagAper2CatView ORDER BY MatchID").out.strip()
    assert skydex("job", simulated, url).out == "COMPLETED\n"
    assert len(rows_of(skydex("job", simulated, url, "result"))) == 2


def test_a_preset_is_asked_in_its_own_words(skydex, simulated):
    place = ("mast-hsc", "summary", "IC 1613", "0.5", "--at", simulated)
    found = rows_of(skydex("cone", *place, "-w", "A_F475W_N>=10", "--columns", "MatchID,A_F475W_N"))
    assert VARIABLE in found["MatchID"]
    assert found["A_F475W_N"].min() >= 10
    ran = skydex("query", "mast-hsc", "SELECT 1", "--at", simulated)
    assert "has no query" in ran.err
    assert ran.err.count("\n") == 1


def test_casjobs_is_asked_in_t_sql(skydex, simulated):
    text = "select top 2 MatchID from HCVmatch order by MatchID"
    assert len(rows_of(skydex("query", "mast-casjobs", text, "--at", simulated))) == 2
    assert "TOP n" in skydex("query", "mast-casjobs", text, "--at", simulated, "--maxrec", 1).err


def test_a_light_curve_is_a_table(skydex, simulated, tmp_path):
    file = tmp_path / "nova.ecsv"
    ran = skydex("lightcurve", "mast-hsc", NOVA, "--bands", "ACS_F606W", "--at", simulated, "-o", file)
    assert ran.status == 0, ran.err
    curve = Table.read(file)
    assert curve.colnames[:3] == ["mjd", "mag", "mag_err"]
    assert (len(curve), curve["mag"].unit) == (21, "mag")
    assert np.all(np.diff(curve["mjd"]) >= 0)


def test_a_cutout_has_the_form_of_its_file(skydex, simulated, tmp_path):
    image = ("mast-hsc", "hst_10543_29_acs_wfc_f606w", "M 87", "--at", simulated, "--size", 21)
    assert skydex("cutout", *image, "-o", tmp_path / "a.fits").status == 0
    assert fits.getdata(tmp_path / "a.fits").shape == (21, 21)
    assert skydex("cutout", *image, "-o", tmp_path / "a.jpg", "--look", "asinh=1").status == 0
    assert (tmp_path / "a.jpg").read_bytes().startswith(b"\xff\xd8")
    assert "ends in .fits" in skydex("cutout", *image, "-o", tmp_path / "a.tiff").err


def test_stamps_are_a_cube_with_a_table(skydex, simulated, tmp_path):
    file = tmp_path / "psf.fits"
    ran = skydex("stamps", "mast-psf", "UVIS", "-w", "n_sat_pixels=0", "--maxrec", 3, "-o", file, "--at", simulated)
    assert ran.status == 0, ran.err
    with fits.open(file) as hdus:
        assert hdus[0].data.shape == (3, 51, 51)
        assert len(hdus["TABLE"].data) == 3


def test_files_are_fetched_once(skydex, simulated, tmp_path):
    (tmp_path / "wanted.txt").write_text("hst_10543_29_acs_wfc_f606w\n")
    words = ("download", "mast-hsc", f"@{tmp_path / 'wanted.txt'}", "--into", tmp_path / "got", "--at", simulated)
    first, second = skydex(*words), skydex(*words)
    assert first.status == 0, first.err
    assert first.out == second.out
    assert fits.getheader(first.out.strip())["SIMPLE"]

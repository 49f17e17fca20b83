import io

import numpy as np
import pytest
from astropy.table import Table

CONE = "10.6", "41.25", "0.2deg"


def test_query_prints_a_table(skydex, archive):
    ran = skydex("query", archive, "SELECT id, mag FROM my.stars WHERE mag < 13 ORDER BY id")
    assert ran.status == 0, ran.err
    assert ran.out.splitlines() == ["id,mag", "1,12.5", "4,9.75"]  # nobody looks at a pipe
    ran = skydex("query", archive, "SELECT id, mag FROM my.stars WHERE mag < 13 ORDER BY id", "-f", "text")
    assert ran.out.split()[-4:] == ["1", "12.5", "4", "9.75"]


@pytest.mark.parametrize("suffix", [".fits", ".vot", ".csv", ".ecsv", ".parquet"])
def test_query_writes_the_format_of_the_file_name(skydex, archive, tmp_path, suffix):
    file = tmp_path / f"out{suffix}"
    ran = skydex("query", archive, "SELECT id, ra, mag FROM my.stars ORDER BY id", "-o", file)
    assert ran.status == 0, ran.err
    table = Table.read(file)
    assert list(table["id"]) == [1, 2, 3, 4]
    mag = np.ma.filled(np.ma.asarray(table["mag"], dtype=float), np.nan)
    assert np.isnan(mag[1])
    assert mag[3] == 9.75


def test_query_reads_its_text_from_a_file_or_standard_input(skydex, archive, tmp_path, monkeypatch):
    text = "SELECT COUNT(*) AS n FROM my.stars"
    file = tmp_path / "q.adql"
    file.write_text(text)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert skydex("query", archive, f"@{file}", "-f", "csv").out == "n\n4\n"
    assert skydex("query", archive, "-", "-f", "csv").out == "n\n4\n"


def test_query_error_points_into_the_text(skydex, archive):
    ran = skydex("query", archive, "SELECT magg\nFROM my.stars")
    assert ran.status == 1
    sentence, line, caret = ran.err.splitlines()
    assert sentence == 'skydex: No column "magg" in my.stars. Did you mean "mag"? (line 1, column 8)'
    assert line == "SELECT magg"
    assert caret == "       ^^^^"


def test_a_context_makes_the_text_a_batch_of_t_sql(skydex, archive):
    text = "declare @m float = 13 select top 1 [id] from stars where mag < @m order by mag"
    assert skydex("query", archive, text, "--context", "my", "-f", "csv").out == "id\n4\n"
    ran = skydex("query", archive, "select magg\nfrom stars", "--context", "my")
    assert ran.err.splitlines()[1:] == ["select magg", "       ^^^^"]


def test_failed_query_leaves_no_file(skydex, archive, tmp_path):
    assert skydex("query", archive, "SELECT x FROM my.stars", "-o", tmp_path / "out.fits").status == 1
    assert list(tmp_path.iterdir()) == []


def test_cut_answer_says_so_and_a_whole_one_does_not(skydex, archive):
    assert "cut at 3 rows" in skydex("query", archive, "SELECT id FROM my.stars", "--maxrec", 3).err
    assert skydex("query", archive, "SELECT id FROM my.stars", "--maxrec", 4).err == ""


@pytest.mark.parametrize(
    "cone",
    [CONE, ("0:42:24", "+41:15:00", "12arcmin"), ("0h42m24s", "41d15m", "720arcsec"), ("10.6d", "41.25", "0.2")],
)
def test_cone_takes_angles_as_people_type_them(skydex, archive, cone):
    ran = skydex("cone", archive, "my.stars", *cone, "-f", "csv", "--columns", "id")
    assert ran.status == 0, ran.err
    header, *rows = ran.out.splitlines()
    assert header == "id"
    assert sorted(rows) == ["1", "2", "3"]


@pytest.mark.parametrize("place", ["M 31", "andromeda galaxy", "NGC 224", "00:42:44.35 +41:16:08.6"])
def test_cone_takes_the_name_of_an_object(skydex, archive, server, place):
    here, there = (skydex("cone", where, "my.stars", place, "0.2deg", "-f", "csv") for where in (archive, server))
    by_numbers = skydex("cone", archive, "my.stars", "10.684792", "41.269055", "0.2deg", "-f", "csv")
    assert here.out == there.out == by_numbers.out
    assert len(here.out.splitlines()) > 1


def test_a_name_that_nobody_knows_is_told_in_one_line(skydex, archive, server):
    for where in (archive, server):
        ran = skydex("cone", where, "my.stars", "Siriuss", "1arcmin")
        assert ran.status == 1
        assert ran.err.strip() == 'skydex: No object "Siriuss". Did you mean "Sirius"?'
    assert "must be RA DEC RADIUS, or NAME RADIUS" in skydex("cone", archive, "my.stars", "M31").err


def test_cone_takes_southern_declinations(skydex, archive):
    for dec in ("-20.5", "-20:30:00", "-20d30m"):
        ran = skydex("cone", archive, "my.stars", "250.1", dec, "1arcmin", "-f", "csv")
        assert ran.out.splitlines()[1].startswith("4,"), ran.err


@pytest.mark.parametrize("cone", [("361", "0", "1"), ("10", "-91", "1"), ("10", "10", "one"), ("10", "10", "-1arcmin")])
def test_impossible_cone_is_refused_in_one_line(skydex, archive, cone):
    ran = skydex("cone", archive, "my.stars", *cone)
    assert ran.status == 1
    assert len(ran.err.splitlines()) == 1


def test_explain_shows_what_is_read(skydex, archive):
    ran = skydex("explain", archive, "SELECT id FROM my.stars WHERE DISTANCE(ra, dec, 250.1, -20.5) < 1", "--run")
    assert ran.status == 0, ran.err
    assert "Engine:" in ran.out
    assert "my.stars" in ran.out
    assert "Answer: 1 rows" in ran.out


def test_server_gives_the_same_as_the_archive(skydex, archive, server):
    text = "SELECT id, ra, mag FROM my.stars ORDER BY id"
    assert skydex("query", server, text, "-f", "csv").out == skydex("query", archive, text, "-f", "csv").out
    assert skydex("query", f"{server}/tap", text).out == skydex("query", archive, text).out
    here, there = (skydex("cone", where, "my.stars", *CONE, "-f", "csv").out for where in (archive, server))
    assert sorted(here.splitlines()) == sorted(there.splitlines())


def test_server_writes_a_file_through_a_part_file(skydex, server, tmp_path):
    file = tmp_path / "out.fits"
    ran = skydex("query", server, "SELECT * FROM my.stars", "-o", file)
    assert ran.status == 0, ran.err
    assert len(Table.read(file)) == 4
    assert list(tmp_path.iterdir()) == [file]


def test_server_refuses_in_its_own_words(skydex, server, tmp_path):
    ran = skydex("query", server, "SELECT * FROM my.star", "-o", tmp_path / "out.fits")
    assert ran.status == 1
    assert 'refuses: No table "my.star". Did you mean "my.stars"?' in ran.err
    assert list(tmp_path.iterdir()) == []
    assert 'No table "my.nothing"' in skydex("cone", server, "my.nothing", *CONE).err


def test_server_marks_a_cut_answer(skydex, server):
    assert "cut at 3 rows" in skydex("query", server, "SELECT id FROM my.stars", "--maxrec", 3).err
    assert skydex("query", server, "SELECT id FROM my.stars", "--maxrec", 4).err == ""


def test_absent_server_is_an_error_in_one_line(skydex):
    ran = skydex("query", "http://127.0.0.1:9", "SELECT 1 FROM t")
    assert ran.status == 1
    assert "127.0.0.1:9" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_the_engine_can_be_chosen_for_a_directory_and_not_for_a_server(skydex, archive):
    text = "SELECT id FROM my.stars WHERE mag < 13 ORDER BY id"
    assert skydex("query", archive, text, "--engine", "duckdb").out.split() == ["id", "1", "4"]
    assert "Engine: duckdb" in skydex("explain", archive, "SELECT id FROM my.stars", "--engine", "duckdb").out
    assert "chooses by itself" in skydex("query", "http://127.0.0.1:9", text, "--engine", "duckdb").err

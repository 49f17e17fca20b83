"""`skydex xmatch`: tables and files matched from the shell."""

from __future__ import annotations

import shutil

import pytest

MINE = "name,ra,dec,err\nA,10.50001,41.2,0.2\nB,250.1,-20.5001,1\nC,77.0,10.0,1.0\n"


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text(MINE)
    return file


def rows_of(ran, n_columns=1):
    assert ran.status == 0, ran.err
    return [",".join(line.split(",")[:n_columns]) for line in ran.out.split()[1:]]


def test_a_file_of_ones_own_is_matched_and_shown(skydex, archive, mine):
    asked = ("xmatch", archive, mine, "my.stars", "-f", "csv")
    ran = skydex(*asked, "-r", "1arcsec")
    assert ran.out.splitlines()[0] == "name,ra,dec,err,id,ra_stars,dec_stars,mag,separation,n_matches"
    assert rows_of(ran, 5) == ["A,10.50001,41.2,0.2,1", "B,250.1,-20.5001,1,4"]
    assert rows_of(skydex(*asked, "-r", "1arcsec", "--keep", "none")) == ["C"]
    assert rows_of(skydex(*asked, "-r", "1arcsec", "--keep", "left")) == ["A", "B", "C"]
    assert rows_of(skydex(*asked, "-r", "0.3*err arcsec")) == ["A"]
    assert rows_of(skydex(*asked, "-r", "1arcsec", "--cone", "250 -20 2")) == ["B"]
    ran = skydex(*asked, "-r", "1arcsec", "--columns", "name", "--columns", "id,mag")
    assert ran.out.splitlines()[0] == "ra,dec,name,id,mag,separation,n_matches"


def test_what_is_kept_is_a_table_or_a_file(skydex, archive, mine, tmp_path):
    place = shutil.copytree(archive, tmp_path / "archive", symlinks=True)
    ran = skydex("xmatch", place, mine, "my.stars", "-r", "1arcsec", "--into", "m.pairs", "--chance")
    assert ran.out.startswith("m.pairs: 2 rows; 2 of 3 have partners; by chance 0.0 ± 0.2 in my.stars")
    assert rows_of(skydex("query", place, "SELECT name FROM m.pairs ORDER BY name", "-f", "csv")) == ["A", "B"]
    ran = skydex("xmatch", place, mine, "my.stars", "-r", "1arcsec", "-o", tmp_path / "pairs.csv")
    assert ran.out.startswith(f"{tmp_path / 'pairs.csv'}: 2 rows")
    assert (tmp_path / "pairs.csv").read_text().startswith("name,ra,dec,err,id")


def test_a_server_is_asked_in_queries(skydex, archive, server, mine):
    for more in ([], ["--keep", "left"], ["--keep", "none"], ["--keep", "all"]):
        asked = (mine, "my.stars", "-r", "1arcsec", "-f", "csv", *more)
        assert skydex("xmatch", server, *asked).out == skydex("xmatch", archive, *asked).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["my.stars", "-r", "1arcsec"], "two or more"),
        (["my.stars", "my.stairs", "-r", "1arcsec"], "my.stairs"),
        (["my.stars", "my.stars", "-r", "1 lightyear"], "RADIUS"),
        (["my.stars", "my.stars", "-r", "3*err"], 'No column "err"'),
        (["my.stars", "my.stars", "-r", "1arcsec", "--keep", "best"], "nearest, all, none"),
        (["my.stars", "my.stars", "-r", "1arcsec", "--into", "mydb"], "not of the form"),
        (["my.stars", "my.stars", "-r", "1arcsec", "--into", "my.stars"], "no cross-match made"),
        (["my.stars", "my.stars", "-r", "1arcsec", "--into", "tap_schema.t"], "every archive has of itself"),
        (["my.stars", "my.stars", "-r", "1arcsec", "--into", "ivoa.obscore"], "that the IVOA describes"),
        (["my.stars", "my.stars", "-r", "nan"], "between 0 and 180 degrees, not nan"),
        (["my.stars", "my.stars", "-r", "400"], "between 0 and 180 degrees, not 400"),
        (["my.stars", "my.stars", "-r", "1arcsec", "--epoch", "nan"], "epoch: is a Julian year"),
        (["my.stars", "my.stars", "-r", "1arcsec", "--epochs", "inf"], "epochs: is a Julian year"),
        (
            ["my.stars", "my.stars", "-r", "1arcsec", "--epochs=-", "--epochs=-", "--epochs=-"],
            "epochs: are given for 3",
        ),
        (["my.stars", "my.stars", "-r", "1arcsec", "--at-most", "5"], "leave it out"),
        (["my.stars", "my.stars", "-r", "1arcsec", "--engine", "spark"], "give --into, or --output"),
        (["my.stars", "my.stars", "-r", "1arcsec", "-o", "/nowhere/x.csv"], "Cannot write /nowhere/x.csv"),
    ],
)
def test_what_is_wrong_is_one_line(skydex, archive, words, said):
    ran = skydex("xmatch", archive, *words)
    assert ran.status == 1
    assert ran.err.startswith("skydex: ")
    assert said in ran.err
    assert ran.err.count("\n") == 1

"""`skydex mirror`: rows from elsewhere, kept here, with where they are from."""

from __future__ import annotations

import pytest

from skydex.cli.selecting import conditions_of, region_of
from skydex.errors import BadParameterError


def rows_of(skydex, archive, table):
    return skydex("query", archive, f"SELECT id FROM {table} ORDER BY id", "--format", "csv").out.split()[1:]


def test_a_cone_is_kept_listed_and_refreshed(skydex, archive, tmp_path):
    into = ("--into", tmp_path / "mine")
    ran = skydex("mirror", archive, "my.stars", "--cone", "10.6 41.25 10arcmin", *into)
    assert (ran.status, ran.out) == (0, f"my.stars: 3 rows from {archive}\n")
    assert rows_of(skydex, tmp_path / "mine", "my.stars") == ["1", "2", "3"]
    shown = skydex("mirror", "--list", *into).out
    assert "my.stars" in shown
    assert "within 0.166667 deg of (10.6000000, 41.2500000)" in shown
    assert skydex("mirror", "--refresh", *into).out == f"my.stars: 3 rows from {archive}, 3 before\n"


def test_conditions_columns_and_a_limit_choose_rows(skydex, archive, tmp_path):
    into = ("--into", tmp_path / "mine")
    assert skydex("mirror", archive, "my.stars", "--where", "mag.gte=12", "--name", "bright", *into).status == 0
    assert rows_of(skydex, tmp_path / "mine", "mirror.bright") == ["1", "3"]
    ran = skydex("mirror", archive, "my.stars", "--columns", "id,ra,dec", "--maxrec", 2, "--name", "a.b", *into)
    assert ran.out == f"a.b: 2 rows from {archive}\n"
    assert "has more rows" in ran.err


def test_a_query_from_a_file_is_kept(skydex, archive, tmp_path):
    (tmp_path / "q.adql").write_text("SELECT id, mag FROM my.stars WHERE id > 2")
    ran = skydex("mirror", archive, "--query", f"@{tmp_path / 'q.adql'}", "--name", "q.q", "--into", tmp_path / "mine")
    assert (ran.status, ran.out) == (0, f"q.q: 2 rows from {archive}\n")


def test_what_is_wrong_is_one_line(skydex, archive, tmp_path):
    into = ("--into", tmp_path / "mine")
    assert skydex("mirror", *into).status == 2
    for words in (["nowhere"], [archive], [archive, "my.stairs"], [archive, "my.stars", "--where", "x"]):
        ran = skydex("mirror", *words, *into)
        assert ran.status == 1
        assert ran.err.startswith("skydex: ")
        assert ran.err.count("\n") == 1
    assert skydex("mirror", archive, "my.stars", *into).status == 0
    assert "no mirrored table" in skydex("mirror", "--refresh", "--name", "my.stars", "--into", archive).err
    assert "Nothing was mirrored" in skydex("mirror", "--refresh", "--into", archive).err


@pytest.mark.parametrize(
    ("text", "where", "radius"),
    [
        ("10.6 -41.25 10arcmin", (10.6, -41.25), 1 / 6),
        ("10.6, -41.25, 0.5", (10.6, -41.25), 0.5),
        ("0:42:24 +41:15:00 10'", (10.6, 41.25), 1 / 6),
        ("IC 1613 0.5", "IC 1613", 0.5),
        ("M 31 2 arcmin", "M 31", 1 / 30),
        ("NGC1333 5e-3", "NGC1333", 0.005),
        ("M31, 0.1", "M31", 0.1),
    ],
)
def test_a_region_is_read_as_people_write_it(text, where, radius):
    found = region_of(text)
    assert found["where"] == pytest.approx(where) if isinstance(where, tuple) else found["where"] == where
    assert found["radius"] == pytest.approx(radius)


@pytest.mark.parametrize("text", ["", "10", "M31", "10 95 1", "10 20 3 parsecs", "10 20 300"])
def test_a_region_that_is_none_is_told(text):
    with pytest.raises(BadParameterError):
        region_of(text)


def test_a_condition_may_hold_equal_signs():
    assert conditions_of(["name=a=b", "x.gte = 3"]) == [{"name": "a=b"}, {"x.gte": "3"}]

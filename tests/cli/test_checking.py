import io

import pytest


def lint(skydex, tmp_path, text, *options):
    file = tmp_path / "q.adql"
    file.write_text(text)
    return skydex("lint", file, *options)


def test_good_query_is_ok(skydex, tmp_path):
    ran = lint(skydex, tmp_path, "SELECT TOP 5 ra FROM t WHERE 1=CONTAINS(POINT(ra,dec),CIRCLE(1,2,3))")
    assert (ran.status, ran.out, ran.err) == (0, "ok\n", "")


def test_bad_query_shows_place_and_exits_with_1(skydex, tmp_path):
    ran = lint(skydex, tmp_path, "SELECT ra\nFROM t\nWHERE ra >")
    assert ran.status == 1
    assert "line 3" in ran.err
    assert ran.err.splitlines()[1] == "WHERE ra >"


def test_versions_of_the_language_differ(skydex, tmp_path):
    text = "SELECT a FROM t UNION SELECT a FROM u OFFSET 2"
    assert lint(skydex, tmp_path, text, "--lang", "adql-2.1").status == 0
    assert lint(skydex, tmp_path, text, "--lang", "adql-2.0").status == 1


@pytest.mark.parametrize("lang", ["sql-92", "adql-3.0"])
def test_unknown_language_or_version_is_named_as_wrong_usage(skydex, tmp_path, lang):
    ran = lint(skydex, tmp_path, "SELECT a FROM t", "--lang", lang)
    assert ran.status == 2
    assert "offered" in ran.err


def test_file_that_is_not_there_is_one_line_of_wrong_usage(skydex, tmp_path):
    ran = skydex("lint", tmp_path / "none.adql")
    assert ran.status == 2
    assert len(ran.err.splitlines()) == 1


def test_queries_of_casjobs_are_checked_as_tsql(skydex, tmp_path):
    text = "SELECT TOP 5 m.* INTO mydb.t FROM dbo.fGetNearbyObjEq(1, 2, 3) AS n JOIN [Mean Object] m ON m.id = n.id"
    assert lint(skydex, tmp_path, text, "--lang", "tsql").out == "ok\n"
    assert lint(skydex, tmp_path, text).status == 1


def test_bad_tsql_shows_place_and_what_to_write_instead(skydex, tmp_path):
    ran = lint(skydex, tmp_path, "SELECT ra\nFROM t LIMIT 5", "--lang", "tsql")
    assert ran.status == 1
    assert ran.err.splitlines() == [
        "skydex: T-SQL has no LIMIT: write SELECT TOP 5. (line 2, column 8)",
        "FROM t LIMIT 5",
        "       ^^^^^",
    ]


def test_standard_input_is_read(skydex, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT a FROM t"))
    assert skydex("lint", "-").out == "ok\n"

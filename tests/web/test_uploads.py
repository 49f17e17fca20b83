"""Tables that come along with a query, by raw HTTP."""

from __future__ import annotations

import io

import pytest
from astropy.io.votable import from_table, writeto
from astropy.table import Table
from serving import stars
from test_tap import error_of, table_of

COUNT = "SELECT COUNT(*) AS n FROM TAP_UPLOAD.u"
VOTABLE = "application/x-votable+xml"


def votable(table, tabledata_format="tabledata"):
    document = from_table(table)
    out = io.BytesIO()
    writeto(document, out, tabledata_format=tabledata_format)
    return out.getvalue()


NUMBERS = votable(Table({"k": [1, 2, 3], "x": [0.5, 1.5, 2.5]}))


def ask(web, query=COUNT, *, files, upload="u,param:u", **fields):
    form = {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": query, "UPLOAD": upload, **fields}
    return web.post("/tap/sync", data=form, files=files)


def test_an_uploaded_table_is_queried_like_any_other(web):
    answer = ask(web, "SELECT k, x FROM TAP_UPLOAD.u WHERE x > 1 ORDER BY k", files={"u": ("u", NUMBERS, VOTABLE)})
    assert [tuple(row) for row in table_of(answer)] == [(2, 1.5), (3, 2.5)]


def test_an_uploaded_table_joins_with_a_published_one(web):
    ids = votable(Table({"id": [3, 5, 7]}))
    query = "SELECT star_id, ra FROM TAP_UPLOAD.u AS u JOIN sky.stars AS s ON u.id = s.star_id ORDER BY star_id"
    assert list(table_of(ask(web, query, files={"u": ("u", ids, VOTABLE)}))["ra"]) == list(stars()["ra"][[3, 5, 7]])


@pytest.mark.parametrize("upload", ["u,param:u;v,param:w", ["u,param:u", "v,param:w"], "u , param:u ; v,PARAM:W ;"])
def test_several_tables_come_in_one_parameter_or_in_several(web, upload):
    query = "SELECT COUNT(*) AS n FROM TAP_UPLOAD.u, TAP_UPLOAD.v"
    answer = ask(web, query, upload=upload, files={"u": ("u", NUMBERS, VOTABLE), "w": ("w", NUMBERS, VOTABLE)})
    assert table_of(answer)["n"][0] == 9


@pytest.mark.parametrize(
    ("upload", "part"),
    [
        ("u", "name,param:part"),
        ("u,", "name,param:part"),
        ("u,u", "name,param:part"),
        (",param:u", "name is a letter"),
        ("1u,param:u", '"1u"'),
        ("TAP_UPLOAD.u,param:u", "without a schema"),
        ('"u",param:u', "name is a letter"),
        ("u,param:other", '"other"'),
        ("u,param:u;U,param:u", "a name of its own"),
        ("u,http://127.0.0.1:1/x.xml", "as name,param:part"),
        ("u,file:///etc/passwd", "as name,param:part"),
        (";".join(f"u{i},param:u" for i in range(33)), "at most 32"),
    ],
)
def test_an_upload_that_cannot_be_is_refused_by_name_and_with_the_remedy(web, upload, part):
    assert part in error_of(ask(web, upload=upload, files={"u": ("u", NUMBERS, VOTABLE)}))


def test_two_parts_of_one_name_are_ambiguous(web):
    files = [("u", ("u", NUMBERS, VOTABLE)), ("u", ("v", NUMBERS, VOTABLE))]
    assert "has 2" in error_of(ask(web, files=files))


def test_a_table_may_come_as_a_plain_field(web):
    answer = ask(web, files={"u": (None, NUMBERS)})
    assert table_of(answer)["n"][0] == 3


def test_the_name_of_a_file_is_never_a_path(web, tmp_path):
    for name in (f"{tmp_path}/x.vot", "../../x.vot", "..\\x.vot", "x/../../y", "\x00.csv", "a" * 100_000):
        answer = ask(web, files={"u": (name, NUMBERS, VOTABLE)})
        assert answer.status_code == 200 or error_of(answer)
    assert not list(tmp_path.iterdir())

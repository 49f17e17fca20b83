"""TAP as clients see it: answers, limits, and errors that are documents."""

from __future__ import annotations

import io

import pytest
from astropy.io.votable import parse
from lxml import etree
from serving import HOSTILE, N_STARS, stars

NS = "{http://www.ivoa.net/xml/VOTable/v1.3}"


def ask(web, query, *, path="/tap/sync", **more):
    return web.post(path, data={"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": query, **more})


def status_of(answer):
    """Values and texts of QUERY_STATUS, in document order."""
    root = etree.fromstring(answer.content)
    return [
        (info.get("value"), info.text or "") for info in root.iter(f"{NS}INFO") if info.get("name") == "QUERY_STATUS"
    ]


def table_of(answer):
    return parse(io.BytesIO(answer.content)).get_first_table().to_table()


def error_of(answer, status=400):
    """The message of an error document, after checking that it is one."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/x-votable+xml"
    ((value, text),) = status_of(answer)
    assert value == "ERROR"
    return text


def test_a_query_without_a_format_is_answered_as_votable(web):
    answer = ask(web, "SELECT star_id, ra, dec, name FROM sky.stars WHERE star_id < 3 ORDER BY star_id")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-votable+xml")
    assert status_of(answer) == [("OK", "")]
    table = table_of(answer)
    assert table["ra"].unit == "deg"
    assert list(table["ra"]) == list(stars()["ra"][:3])
    assert table["name"][0] == HOSTILE


def test_get_and_post_multipart_and_plain_give_the_same_bytes(web):
    fields = {
        "REQUEST": "doQuery",
        "LANG": "ADQL",
        "QUERY": "SELECT TOP 5 * FROM sky.stars ORDER BY ra",
        "FORMAT": "csv",
    }
    post = web.post("/tap/sync", data=fields)
    assert post.status_code == 200
    assert web.get("/tap/sync", params=fields).content == post.content
    assert web.post("/tap/sync", files={key: (None, value) for key, value in fields.items()}).content == post.content


def test_request_and_lang_may_be_left_out_and_unknown_parameters_are_ignored(web):
    answer = web.get(
        "/tap/sync",
        params={"query": "SELECT TOP 1 ra FROM sky.stars", "DUMMY": "ignore-me", "PHASE": "RUN", "RUNID": "x"},
    )
    assert len(table_of(answer)) == 1


@pytest.mark.parametrize("lang", ["ADQL", "adql", "ADQL-2.0", "ADQL-2.1"])
def test_declared_languages_are_accepted(web, lang):
    assert len(table_of(ask(web, "SELECT TOP 1 ra FROM sky.stars", LANG=lang))) == 1


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"LANG": "OOBLECK"}, "LANG"),
        ({"LANG": "ADQL-9.0"}, "LANG"),
        ({"REQUEST": "getCapabilities"}, "REQUEST"),
        ({"QUERY": ""}, "QUERY"),
        ({"QUERY": "DUFF QUERY"}, "DUFF"),
        ({"FORMAT": "application/x-nonsense"}, "x-nonsense"),
        ({"MAXREC": "-1"}, "MAXREC"),
        ({"MAXREC": "many"}, "MAXREC"),
        ({"MAXREC": "9" * 400}, "MAXREC"),
        ({"QUERY": "SELECT TOP -1 ra FROM sky.stars"}, "TOP"),
        ({"QUERY": "SELECT TOP 1.5 ra FROM sky.stars"}, "TOP"),
        ({"UPLOAD": "u,http://127.0.0.1/x.xml"}, "UPLOAD"),
        ({"QUERY": "SELECT nope FROM sky.stars"}, "nope"),
        ({"QUERY": "SELECT * FROM sky.nowhere"}, "nowhere"),
        ({"QUERY": "DROP TABLE sky.stars"}, ""),
        ({"QUERY": "SELECT * FROM read_csv('/etc/passwd')"}, ""),
        ({"QUERY": 'SELECT "<img src=x onerror=alert(1)>" FROM sky.stars'}, "<img"),
        ({"QUERY": "SELECT '\x00\x01' || FROM \x7f"}, ""),
    ],
)
def test_r07_what_cannot_be_answered_is_an_error_document_that_says_why(web, fields, part):
    answer = web.post("/tap/sync", data={"LANG": "ADQL", "QUERY": "SELECT TOP 1 ra FROM sky.stars", **fields})
    assert part in error_of(answer)


def test_a_result_over_the_limit_is_marked_and_one_at_the_limit_is_not(web):
    query = "SELECT star_id FROM sky.stars WHERE star_id < 7"
    over = ask(web, query, MAXREC="6")
    assert (len(table_of(over)), [value for value, _ in status_of(over)]) == (6, ["OK", "OVERFLOW"])
    exact = ask(web, query, MAXREC="7")
    assert (len(table_of(exact)), [value for value, _ in status_of(exact)]) == (7, ["OK"])


def test_maxrec_zero_gives_columns_without_rows(web):
    answer = ask(web, "SELECT * FROM sky.stars", MAXREC="0")
    assert len(table_of(answer)) == 0
    assert len(parse(io.BytesIO(answer.content)).get_first_table().fields) == 6
    assert [value for value, _ in status_of(answer)] == ["OK", "OVERFLOW"]


@pytest.mark.parametrize(
    ("query", "maxrec", "n_rows"),
    [
        ("SELECT star_id FROM sky.stars", None, 1000),
        ("SELECT star_id FROM sky.stars", "1500", 1500),
        ("SELECT star_id FROM sky.stars", "999999999999", 2000),
        ("SELECT TOP 4000 star_id FROM sky.stars", "5000", 2000),
        ("SELECT TOP 3 star_id FROM sky.stars", "5", 3),
        ("SELECT TOP 0 star_id FROM sky.stars", "5", 0),
        ("SELECT TOP 99999999999999999999 star_id FROM sky.stars", "9" * 30, 2000),
        ("SELECT star_id FROM sky.stars OFFSET 9223372036854775807", "5", 0),
    ],
)
def test_r06_neither_maxrec_nor_top_exceeds_the_hard_limit(web, query, maxrec, n_rows):
    more = {} if maxrec is None else {"MAXREC": maxrec}
    assert len(table_of(ask(web, query, **more))) == n_rows


def test_joins_and_aggregates_are_answered(web):
    answer = ask(
        web,
        "SELECT s.n_obs, COUNT(*) AS n, AVG(d.flux) AS f FROM sky.stars AS s JOIN sky.detections AS d "
        "ON s.star_id = d.star_id WHERE s.n_obs IS NOT NULL GROUP BY s.n_obs ORDER BY s.n_obs",
    )
    table = table_of(answer)
    assert list(table["n_obs"]) == list(range(50))
    assert sum(table["n"]) == 3 * sum(i % 7 != 0 for i in range(N_STARS))


@pytest.mark.parametrize("name", ["votable", "votable/td", "fits", "csv", "tsv", "json", "parquet", "arrow"])
def test_answers_come_in_the_format_that_is_asked_for(web, name):
    from skydex.formats import get_format

    answer = ask(web, "SELECT TOP 10 * FROM sky.stars", RESPONSEFORMAT=name)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == get_format(name).media_type
    assert get_format(name).suffixes[0] in answer.headers["content-disposition"]


def test_the_format_is_not_negotiated_through_accept(web):
    answer = web.get("/tap/sync", params={"QUERY": "SELECT TOP 1 ra FROM sky.stars"}, headers={"Accept": "text/plain"})
    assert answer.headers["content-type"] == "application/x-votable+xml"


def test_a_collection_answers_for_its_own_tables_and_knows_no_others(web):
    assert len(table_of(ask(web, "SELECT TOP 2 * FROM stars", path="/sky/tap/sync"))) == 2
    tables = table_of(ask(web, "SELECT table_name FROM TAP_SCHEMA.tables", path="/sky/tap/sync"))
    assert {"sky.stars", "sky.detections"} < set(tables["table_name"])
    assert "nothing" in error_of(ask(web, "SELECT 1 AS x FROM sky.stars", path="/nothing/tap/sync"), status=404)


def test_a_request_over_the_size_limit_is_refused_after_it_was_read(web):
    answer = ask(web, "SELECT TOP 1 ra FROM sky.stars WHERE name = '" + "x" * 10_000_000 + "'")
    assert "4 MB" in error_of(answer, status=413)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "application/json"}, b"{}"),
        ({"content-type": "multipart/form-data; boundary=x"}, b"garbage"),
        ({"content-type": "application/x-www-form-urlencoded", "content-encoding": "gzip"}, b"\x1f\x8b"),
    ],
)
def test_a_body_that_is_no_form_is_an_error_document(web, headers, body):
    error_of(web.post("/tap/sync", headers=headers, content=body))


def test_r21_nothing_of_the_host_header_or_of_line_breaks_comes_back(web):
    answer = web.get("/tap/capabilities", headers={"Host": "evil.example"})
    assert "evil.example" not in answer.text
    answer = ask(web, "SELECT TOP 1 ra FROM sky.stars", RUNID="x\r\nSet-Cookie: a=b", FORMAT="csv\r\nX-Evil: 1")
    assert "x-evil" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_r21_other_origins_may_read_but_never_with_credentials(web):
    answer = ask(web, "SELECT TOP 1 ra FROM sky.stars")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert web.options("/tap/sync", headers={"Origin": "http://x"}).status_code == 204


def test_other_methods_are_refused(web):
    assert web.put("/tap/sync", content=b"").status_code == 405
    assert web.delete("/tap/sync").status_code == 405

"""Accounts and own tables as people use them: registered, brought by drop, asked, renamed, shared, dropped."""

from __future__ import annotations

import itertools

import httpx
import pytest

PASSWORD = "correct-horse-8812"
HTML = {"accept": "text/html"}
ELSEWHERE = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
CSV = "id,ra,dec\n1,10.5,-5.5\n2,20.25,5.5\n"
NUMBERS = itertools.count(1)
DROP = """([target, name, text]) => {
  const files = new DataTransfer();
  files.items.add(new File([text], name, {type: "text/csv"}));
  const given = {dataTransfer: files, bubbles: true, cancelable: true};
  document.querySelector(target).dispatchEvent(new DragEvent("drop", given));
}"""


@pytest.fixture
def web(demo):
    with httpx.Client(base_url=demo.url, timeout=60, headers=HTML) as web:
        yield web


@pytest.fixture
def signed_in(web):
    """A browser of somebody new, and what her forms carry."""
    name = f"user{next(NUMBERS)}"
    facts = web.post(
        "/account/register", json={"name": name, "password": PASSWORD}, headers={"accept": "application/json"}
    ).json()
    return web, {"csrf_token": facts["csrf_token"]}


def test_somebody_registers_brings_a_table_by_drop_asks_renames_and_drops_it(open_page, ready, axe):
    page = open_page("/mydb")
    assert "account/login" in page.url
    page.click("text=Make an account")
    for field, value in {"name": f"carla{next(NUMBERS)}", "password": PASSWORD, "again": PASSWORD}.items():
        page.fill(f"main [name={field}]", value)
    page.click("text=Make it")
    page.click("main >> text=Your tables")
    ready(page)
    page.evaluate(DROP, ["form.upload", "my stars.csv", CSV])
    page.wait_for_selector("[role=status]")
    assert "mydb.my_stars is here now" in page.locator("[role=status]").inner_text()
    assert "2 rows" in page.locator(".card").inner_text()
    assert axe(page) == []
    page.click(".card >> text=Look")
    page.wait_for_selector("#answer table")
    assert page.locator("#answer tbody tr").count() == 2
    page.go_back()
    page.click(".card summary:has-text('Rename')")
    page.fill(".card [name=to]", "two_stars")
    page.click(".card >> button:has-text('Rename')")
    assert page.locator(".card h3").inner_text() == "two_stars"
    page.click(".card summary:has-text('Rename')")
    page.click(".card summary:has-text('Drop it')")
    page.click("button:has-text('Drop two_stars')")
    assert "None yet" in page.locator("main").inner_text()


def test_rows_that_a_job_keeps_are_in_mydb_with_the_query_that_made_them(signed_in):
    web, form = signed_in
    query = "SELECT TOP 3 name, ra, dec INTO mydb.three FROM master_source"
    asked = {**form, "query": query, "where": "casjobs:CSC21", "do": "job"}
    made = web.post("/query/ask", data=asked)
    job = str(made.url.join(made.headers["location"]))
    facts = web.get(f"{job}.json?wait=20").json()["job"]
    while facts["is_active"]:
        facts = web.get(f"{job}.json?wait=20").json()["job"]
    assert (facts["phase"], facts["tables"]) == ("COMPLETED", ["mydb.three"])
    [table] = web.get("/mydb.json").json()["tables"]
    assert (table["name"], table["n_rows"], table["query"], table["job"]) == ("three", 3, query, facts["id"])
    assert [column["name"] for column in table["columns"]] == ["name", "ra", "dec"]
    rows = web.get("/query.json", params={"query": table["look"], "do": "run"}).json()
    assert rows["n_rows"] == 3


def test_a_job_that_waits_says_how_many_of_ones_own_come_before_it(signed_in):
    web, form = signed_in
    sent = {**form, "query": "SELECT TOP 1 name FROM csc21.master_source", "do": "job"}
    for _ in range(6):
        assert web.post("/query/ask", data=sent).status_code == 303
    facts = web.get("/jobs.json").json()
    assert len(facts["jobs"]) == 6
    waiting = [job for job in facts["jobs"] if job["phase"] == "QUEUED"]
    assert [job["n_before"] is not None for job in facts["jobs"]] == [job in waiting for job in facts["jobs"]]
    for job in waiting:  # some that waited a moment ago may have begun since
        assert sum(other["number"] < job["number"] for other in waiting) <= job["n_before"] < 6
    assert facts["server"]["running"] >= 0 <= facts["server"]["waiting"]


def test_statements_that_change_tables_run_when_their_form_is_sent_and_not_by_an_address(signed_in):
    web, form = signed_in
    asked = {"query": "SELECT TOP 2 name INTO mydb.t FROM master_source", "where": "casjobs:CSC21", "do": "run"}
    assert "They run when you say so" in web.get("/query", params=asked).text
    assert web.get("/mydb.json").json()["tables"] == []
    assert web.post("/query/ask", data={**asked, **form}).status_code == 200
    assert [table["n_rows"] for table in web.get("/mydb.json").json()["tables"]] == [2]


def test_what_is_wrong_is_said_above_the_tables_and_nothing_is_kept(signed_in):
    web, form = signed_in
    for file in (b"", b"SIMPLE  =  T"):
        reply = web.post("/mydb/upload", data={**form, "name": "t"}, files={"file": ("t.fits", file)})
        assert 400 <= reply.status_code < 500
        assert 'role="alert"' in reply.text
    assert web.post("/mydb/share", data={**form, "table": "t", "users": "nobody"}).status_code in (400, 404)
    assert web.post("/mydb/drop", data={**form, "table": "<b>"}).status_code in (400, 403, 404)
    assert web.get("/mydb.json").json()["tables"] == []


def test_a_table_is_shared_and_no_more(signed_in, demo):
    web, form = signed_in
    web.post("/mydb/upload", data={**form, "name": "t"}, files={"file": ("t.csv", CSV)})
    other = f"user{next(NUMBERS)}"
    with httpx.Client(base_url=demo.url, headers=HTML, timeout=60) as friend:
        friend.post("/account/register", json={"name": other, "password": PASSWORD}, headers={"accept": "*/*"})
        assert web.post("/mydb/share", data={**form, "table": "t", "users": other}).status_code == 303
        [shared] = friend.get("/mydb.json").json()["shared_with_me"]
        assert shared["n_rows"] == 2
        assert web.post("/mydb/unshare", data={**form, "table": "t", "users": other}).status_code == 303
        assert friend.get("/mydb.json").json()["shared_with_me"] == []


def test_programs_get_what_they_always_got_and_people_a_page(signed_in):
    web, _ = signed_in
    assert web.get("/mydb", headers={"accept": "*/*"}).json()["tables"] == {"used": 0, "most": 500}
    assert "<h1>MyDB</h1>" in web.get("/mydb").text


def test_r23_without_the_token_or_from_elsewhere_no_table_changes(signed_in):
    web, form = signed_in
    csv = {"file": ("t.csv", CSV)}
    assert web.post("/mydb/upload", data={**form, "name": "t"}, files=csv).status_code == 303
    into = {"query": "SELECT 1 AS x INTO mydb.x", "where": "casjobs:CSC21"}
    attempts = (
        ("/mydb/drop", {"table": "t"}),
        ("/mydb/rename", {"table": "t", "to": "u"}),
        ("/mydb/share", {"table": "t", "users": "user1"}),
        ("/mydb/unshare", {"table": "t", "users": "user1"}),
        ("/query/ask", {**into, "do": "run"}),
        ("/query/ask", {**into, "do": "job"}),
    )
    for path, given in attempts:
        assert web.post(path, data=given).status_code == 403, path
        assert web.post(path, data={**given, "csrf_token": "guess"}).status_code == 403, path
        assert web.post(path, data={**given, **form}, headers=ELSEWHERE).status_code == 403, path
    assert web.post("/mydb/upload", data={"name": "u"}, files=csv).status_code == 403
    assert web.post("/mydb/upload", data={**form, "name": "u"}, files=csv, headers=ELSEWHERE).status_code == 403
    assert [table["name"] for table in web.get("/mydb.json").json()["tables"]] == ["t"]
    assert web.get("/jobs.json").json()["jobs"] == []


def test_r22_no_password_or_token_is_logged(signed_in, demo):
    web, form = signed_in
    web.post("/mydb/drop", data={**form, "table": "none"})
    web.get("/query", params={"query": "SELECT 1", "do": "run"})
    log = "".join(demo.log)
    assert PASSWORD not in log
    assert form["csrf_token"] not in log

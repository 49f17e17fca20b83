"""The page for queries: a mistake is shown where it is, a mended query gives its rows, a job is followed to its end."""

from __future__ import annotations

import re

import httpx
import pytest

HTML = {"accept": "text/html"}
ELSEWHERE = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
WRONG = "SELECT TOP 7 name, ra, dec_\nFROM csc21.master_source"


@pytest.fixture
def web(demo):
    with httpx.Client(base_url=demo.url, timeout=60, headers=HTML) as web:
        yield web


def facts_of(web, query, *, do="run", **more):
    return web.get("/query.json", params={"query": query, "do": do, **more}).raise_for_status().json()


def test_a_mistake_is_underlined_while_one_writes_and_mended_with_a_click(open_page, ready, axe):
    page = open_page("/query")
    ready(page)
    page.click(".cm-content")
    page.keyboard.insert_text(WRONG)
    page.wait_for_selector(".cm-lintRange-error")
    assert page.locator(".cm-lintRange-error").inner_text() == "dec_"
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#answer .caret")
    assert axe(page) == []
    assert "^^^^" in page.locator("#answer .caret").inner_text()
    page.click("#answer >> text=Use dec")
    page.wait_for_selector("#answer table")
    assert page.locator("#answer tbody tr").count() == 7
    assert "do=run" in page.url
    assert page.locator("summary:has-text('History')").inner_text().split()[1].startswith("2")
    page.click("button[value=explain]")
    page.wait_for_selector("text=What it would read")
    assert "csc21.master_source" in page.locator("#answer tbody").inner_text()


def test_names_are_completed_from_the_tables_that_a_query_names(open_page, ready):
    page = open_page("/query")
    ready(page)
    page.click(".cm-content")
    page.keyboard.insert_text("SELECT  FROM csc21.master_source AS s WHERE s.")
    page.keyboard.type("hard")
    page.wait_for_selector(".cm-tooltip-autocomplete")
    assert "hard_hm" in page.locator(".cm-tooltip-autocomplete").inner_text()


def test_without_scripts_the_form_leads_to_the_rows_and_to_a_job(open_page):
    page = open_page("/query", java_script_enabled=False)
    page.fill("textarea", WRONG)
    page.click("button[value=run]")
    assert "Did you mean" in page.locator("[role=alert]").inner_text()
    page.click("text=Use dec")
    assert page.locator("#answer tbody tr").count() == 7
    page.click("button[value=job]")
    assert re.search(r"/jobs/j\w+$", page.url)
    assert "SELECT TOP 7" in page.locator("main").inner_text()


def test_a_job_is_seen_to_its_end_and_its_result_opened(open_page, ready, axe, web):
    page = open_page("/query?query=SELECT+COUNT(*)+AS+n_sources+FROM+csc21.master_source&where=csc21")
    ready(page)
    page.click("summary:has-text('Of a job')")
    page.fill("[name=name]", "count <b>")
    page.select_option("[name=format]", "csv")
    page.click("button[value=job]")
    page.wait_for_selector(".phase[data-phase=COMPLETED]")
    assert axe(page) == []
    assert "count <b>" in page.locator("h1").inner_text()
    href = page.locator("#live a.button").get_attribute("href")
    result = web.get(httpx.URL(page.url).join(href))
    n_sources = facts_of(web, "SELECT COUNT(*) AS n FROM csc21.master_source")["rows"]["rows"][0][0]
    assert result.text.split() == ["n_sources", str(n_sources)]
    page.click("main >> text=Jobs")
    row = page.locator("tr", has_text="count <b>")
    assert "COMPLETED" in row.inner_text()
    row.get_by_role("button", name="Delete").click()
    assert page.locator("tr", has_text="count <b>").count() == 0


def test_rows_are_plotted_by_columns_that_are_chosen_by_meaning(open_page, ready, web):
    page = open_page("/query?query=SELECT+TOP+50+name,+ra,+dec+FROM+csc21.master_source&do=run")
    page.click("#answer >> text=Plot")
    ready(page)
    assert "50 rows" in page.locator("[data-island] [role=status]").inner_text()
    assert page.locator("select[name=x]").input_value() == "ra"
    wrong = web.get("/query/plot.json", params={"query": "SELECT rra FROM csc21.master_source"}).json()
    assert "ra" in wrong["mistake"]["near"]


def test_facts_say_what_is_wrong_and_where_and_what_may_have_been_meant(web):
    facts = facts_of(web, WRONG)
    mistake = facts["mistake"]
    assert (mistake["line"], mistake["column"], mistake["length"]) == (1, 24, 4)
    assert "dec" in mistake["near"]
    assert {"name": "dec", "query": WRONG.replace("dec_", "dec")} in mistake["mended"]
    assert mistake["caret"].splitlines()[1].index("^") == 23
    assert facts["rows"] is None
    checked = web.get("/look/check", params={"query": "SELECT 1 +", "where": "csc21"}).json()["mistake"]
    assert checked["line"] == 1


def test_explain_counts_files_and_rows_and_reads_none(web):
    cone = "SELECT name FROM csc21.master_source WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(60.5, 23.5, 0.1))"
    told = web.get("/look/explain", params={"query": cone}).json()
    [read] = told["explanation"]["reads"]
    assert read["n_files"] < read["total_files"]
    assert told["explanation"]["expects"]["n_rows"] <= read["n_rows"]
    assert [column["name"] for column in told["explanation"]["columns"]] == ["name"]


def test_casjobs_sql_reads_by_its_address_and_changes_nothing_by_it(web):
    read = facts_of(web, "SELECT TOP 2 name FROM master_source", where="casjobs:CSC21")
    assert read["n_rows"] == 2
    kept = facts_of(web, "SELECT TOP 2 name INTO mydb.t FROM master_source", where="casjobs:CSC21")
    assert kept["is_change"]
    assert kept["rows"] is None


def test_names_have_the_columns_of_one_table_only_when_asked(web):
    names = web.get("/look/names").json()
    assert "csc21.master_source" in [table["name"] for table in names["tables"]]
    assert {"phase", "ab_mag"} <= {function["name"] for function in names["functions"]}
    assert "columns" not in names
    columns = web.get("/look/names", params={"table": "csc21.master_source"}).json()["columns"]
    assert "dec" in [column["name"] for column in columns]
    assert web.get("/look/names", params={"table": "csc21.master_sources"}).status_code == 404


def test_markup_in_a_query_stays_text(web):
    page = web.get("/query", params={"query": "SELECT '</textarea><script>alert(1)</script>' AS x", "do": "run"}).text
    assert "<script>alert" not in page
    assert "</textarea><script" not in page


def test_r23_forms_from_elsewhere_make_and_stop_no_job(web):
    asked = {"query": "SELECT TOP 1 name FROM csc21.master_source", "do": "job"}
    assert web.post("/query/ask", data=asked, headers=ELSEWHERE).status_code == 403
    made = web.post("/query/ask", data=asked)
    assert made.status_code == 303
    job = str(made.url.join(made.headers["location"]))
    for deed in ("cancel", "delete"):
        assert web.post(f"{job}/{deed}", headers=ELSEWHERE).status_code == 403
    assert web.get(f"{job}.json").status_code == 200
    assert web.post(f"{job}/delete").status_code == 303
    assert web.get(f"{job}.json").status_code == 404

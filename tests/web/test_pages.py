"""The first page tells what is here, and nothing on it can act."""

from __future__ import annotations

import re

import pytest
from serving import HOSTILE


def test_the_first_page_leads_to_tables(web):
    page = web.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert 'href="./t/sky.detections"' in page.text


def test_the_page_of_addresses_has_those_of_all_services(web, server):
    page = web.get("/api")
    for url in (f"{server.url}/tap", f"{server.url}/sky/scs/stars", f"{server.url}/capabilities"):
        assert f'href="{url}"' in page.text


def test_every_address_on_the_page_of_addresses_leads_somewhere(web, server):
    addresses = re.findall(r'href="(http[^"]*)"', web.get("/api").text)
    assert len(addresses) >= 5
    for address in addresses:  # some to the page where one logs in
        reply = web.get(address, headers={"accept": "text/html"}, follow_redirects=True)
        assert reply.status_code in (200, 400), address  # SCS has 200 for errors, too


@pytest.mark.parametrize("base", ["/tap", "/sky/tap"])
def test_the_address_of_tap_says_in_a_browser_what_it_is_for(web, server, base):
    page = web.get(base)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for resource in ("examples", "tables", "capabilities", "async"):
        assert f'href="{server.url}{base}/{resource}"' in page.text
    assert web.get("/nowhere/tap").status_code == 404


def test_r20_titles_and_descriptions_are_inert(web):
    page = web.get("/")
    assert HOSTILE not in page.text
    assert re.findall("<script[^>]*>", page.text) == re.findall('<script type="module" src="[^"]*">', page.text)
    assert "Sky &lt;of&gt; tests" in page.text
    assert "&lt;script&gt;alert(1)" in page.text


def test_r20_the_policy_allows_no_script_in_a_page_and_no_frame(web):
    policy = web.get("/").headers["content-security-policy"]
    parts = dict(part.split(" ", 1) for part in policy.split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["script-src"] == "'self'"
    assert parts["frame-ancestors"] == "'none'"


def test_the_facts_of_a_page_are_at_its_address_with_json(web):
    facts = web.get("/index.json").json()
    tables = [table["name"] for collection in facts["collections"] for table in collection["tables"]]
    assert sorted(tables) == ["sky.detections", "sky.stars"]
    assert web.get("/", headers={"accept": "application/json"}).json() == facts


def test_files_of_pages_are_kept_for_good_and_others_are_not_there(web):
    sheet = re.search(r'href="\./(assets/page-[0-9a-f]{8}\.css)"', web.get("/").text)[1]
    reply = web.get(f"/{sheet}")
    assert reply.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in reply.headers["cache-control"]
    assert web.get("/assets/page.css").status_code == 404


@pytest.mark.parametrize("path", ["/..%2f..%2fetc%2fpasswd", "/etc/passwd", "//evil.example/", "/%00", "/x" * 3000])
def test_other_addresses_are_not_found_and_never_redirected(web, server, path):
    answer = web.get(f"{server.url}{path}")
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert not re.search(r"<script|root:", answer.text)

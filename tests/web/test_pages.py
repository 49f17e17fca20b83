"""The first page tells what is here, and nothing on it can act."""

from __future__ import annotations

import re

import pytest
from serving import HOSTILE


def test_the_first_page_links_to_services_and_tables(web, server):
    page = web.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for url in (f"{server.url}/tap", f"{server.url}/sky/scs/stars", f"{server.url}/capabilities"):
        assert f'href="{url}"' in page.text
    assert "sky.detections" in page.text


def test_every_address_on_the_first_page_leads_somewhere(web, server):
    addresses = re.findall(r'href="(http[^"]*)"', web.get("/").text)
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
    assert "<script" not in page.text
    assert "Sky &lt;of&gt; tests" in page.text
    assert "&lt;script&gt;alert(1)" in page.text


def test_r20_the_policy_allows_no_script_and_no_frame(web):
    policy = web.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", ["/..%2f..%2fetc%2fpasswd", "/etc/passwd", "//evil.example/", "/%00", "/x" * 3000])
def test_other_addresses_are_not_found_and_never_redirected(web, server, path):
    answer = web.get(f"{server.url}{path}")
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert not re.search(r"<script|root:", answer.text)

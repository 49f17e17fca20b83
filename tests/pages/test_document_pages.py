"""Help, addresses, status and citations: what they tell is so, and what they offer runs."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from contextlib import redirect_stdout
from html import unescape
from urllib.parse import urljoin

import httpx
import pytest


@pytest.fixture(scope="module")
def web(demo):
    with httpx.Client(base_url=demo.url, timeout=60) as web:
        yield web


@pytest.fixture(scope="module")
def tools(web):
    return {
        tool["name"]: {s["label"]: s["text"] for s in tool["snippets"]} for tool in web.get("/api.json").json()["tools"]
    }


@pytest.mark.parametrize("tool", ["skydex in Python", "pyvo", "astroquery"])
def test_programs_for_a_tool_run_and_find_rows(tools, tool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for label, text in tools[tool].items():
        named: dict[str, object] = {}
        with redirect_stdout(io.StringIO()):
            exec(text, named)
        assert len(named["rows"]), label


def test_commands_for_curl_run_and_print_something(tools):
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    for label, text in tools["curl"].items():
        done = subprocess.run(["/bin/sh", "-c", f"{text} -sSf"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (label, done.stderr)
        assert len(done.stdout.splitlines()) > 1 or done.stdout.startswith("{"), label


@pytest.mark.slow
def test_the_command_for_stilts_runs(tools):
    if shutil.which("stilts") is None:
        pytest.skip("there is no STILTS on this machine")
    text = tools["STILTS"]["Shell"]
    done = subprocess.run(["/bin/sh", "-c", text], capture_output=True, text=True, timeout=120, check=True)
    assert "MatchID" in done.stdout


def test_maps_for_aladin_and_addresses_for_topcat_answer(tools, web):
    maps = {label: at for label, at in tools["Aladin"].items() if label.startswith("Map of")}
    for at in maps.values():
        assert web.get(f"{at}/properties").status_code == 200
    assert web.get(f"{tools['TOPCAT']['TAP URL']}/capabilities").status_code == 200
    assert web.get(f"{tools['TOPCAT']['Cone URL']}RA=10&DEC=41&SR=0").status_code == 200


def test_every_address_of_a_service_answers(web):
    found = web.get("/api.json").json()
    assert any("openapi" in one["at"] for one in found["documents"])
    for one in found["documents"]:
        assert web.get(f"/{one['at']}").status_code == 200, one


def test_queries_of_the_help_are_queries(web):
    found = web.get("/docs.json").json()
    for collection in found["queries"]:
        query = collection["queries"][0]
        reply = web.get("/tap/sync", params={"LANG": "ADQL", "MAXREC": 1, "QUERY": query["adql"]})
        assert reply.status_code == 200, query
    signatures = [one["signature"] for one in found["functions"]]
    assert len(signatures) == len(set(signatures)) > 20


@pytest.mark.parametrize("path", ["/docs", "/status", "/cite", "/"])
def test_links_of_documents_lead_somewhere(web, path):
    text = web.get(path, headers={"accept": "text/html"}).text
    main = text.partition("<main")[2].partition("</main>")[0]
    here = {unescape(at).partition("#")[0] for at in re.findall(r'<a [^>]*href="([^"]+)"', main)}
    pages = {urljoin(path, at) for at in here if at and not at.startswith("http")}
    own = [at for at in pages if re.match(r"/(t/|o/|tap|api|docs|status|cite|search|query|\Z)", at)]
    assert len(own) > 2 or path == "/cite"
    for at in own[:12]:
        assert web.get(at, follow_redirects=True, headers={"accept": "text/html"}).status_code == 200, at


def test_status_counts_workers_and_jobs(web):
    before = web.get("/status.json").json()
    assert before["available"] is True
    assert before["workers"]["ready"] >= 1
    assert before["versions"]["skydex"]
    job = web.post("/tap/async", data={"LANG": "ADQL", "QUERY": "SELECT TOP 1 * FROM ivoa.obscore"})
    assert job.status_code == 303
    after = web.get("/status.json").json()
    assert sum(after["jobs"].values()) == sum(before["jobs"].values()) + 1
    assert web.delete(job.headers["location"]).status_code in (200, 303)


def test_collections_are_cited_as_their_publishers_ask(web):
    found = {one["name"]: one["citations"] for one in web.get("/cite.json").json()["collections"]}
    (hcv,) = found["hcv"]
    assert (hcv["doi"], "A92" in hcv["text"]) == ("10.1051/0004-6361/201936026", True)
    assert hcv["bibtex"].startswith("@article{2019A&A...630A..92B,")
    assert r"journal = {A\&A}" in hcv["bibtex"]
    assert web.get("/t/hcv.HCVmatch.json").json()["citations"] == [hcv]
    assert [one["doi"] for one in found["ps1"]] == [None, *(f"10.3847/1538-4365/abb82{letter}" for letter in "dba")]

"""TAP services under addresses and names of their own, as `services.toml` says."""

from __future__ import annotations

import httpx
import pytest
import schemas
import serving
from lxml import etree

OFFERS = """
[[tap]]
name = "survey"
title = "A survey <with> a name"
paths = ["/Survey/tapservice.aspx", "/vo-tap/api/v0.1/survey"]
schemas = { dbo = ["sky"] }

[[tap]]
name = "sky"
paths = ["/skytap"]
tables = { "ivoa.Places" = "sky.stars" }
"""
BASE = "/Survey/tapservice.aspx"
BASES = (BASE, "/survey/TapService.aspx", "/vo-tap/api/v0.1/survey", "/survey/tap")


@pytest.fixture(scope="module")
def offered(tmp_path_factory):
    """A server over `sky.stars` and `sky.detections`, with offers."""
    archive = serving.build_archive(tmp_path_factory.mktemp("offered"))
    (archive / "services.toml").write_text(OFFERS, encoding="utf-8")
    with serving.serving(archive) as server:
        yield server


@pytest.fixture(scope="module")
def web(offered):
    with httpx.Client(base_url=offered.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def checked(web, tmp_path_factory):
    """Fetch a document and check it against IVOA's schemas."""
    schema = schemas.vo_schema(tmp_path_factory.mktemp("xsd"))

    def checked(path):
        answer = web.get(path)
        assert answer.status_code == 200
        schema.assertValid(etree.fromstring(answer.content))
        return answer.text

    return checked


def answer(web, base, query):
    return web.post(f"{base}/sync", data={"LANG": "ADQL", "QUERY": query, "FORMAT": "csv"})


@pytest.mark.parametrize("base", BASES)
def test_each_address_answers_under_the_names_of_the_service(web, base):
    assert answer(web, base, "SELECT COUNT(*) AS n FROM dbo.stars").text.split() == ["n", "5000"]
    assert answer(web, base, "SELECT COUNT(*) AS n FROM sky.stars").status_code == 400
    assert "<h1>A survey &lt;with&gt; a name" in web.get(base).text


@pytest.mark.parametrize("base", [*BASES, "/skytap"])
@pytest.mark.parametrize("path", ["capabilities", "tables", "availability"])
def test_descriptions_keep_to_their_schemas(checked, base, path):
    checked(f"{base}/{path}")


def test_tables_are_listed_as_they_are_shown(web):
    tables = web.get(f"{BASE}/tables").text
    assert "<name>dbo.stars</name>" in tables
    assert "sky.stars" not in tables
    assert "<name>dbo.detections</name>" in web.get(f"{BASE}/tables/dbo.detections").text
    assert web.get(f"{BASE}/tables/sky.stars").status_code == 404
    assert "<name>ivoa.Places</name>" in web.get("/skytap/tables").text


def test_capabilities_name_the_address_that_was_asked(web, offered):
    for base in (BASE, "/vo-tap/api/v0.1/survey"):
        root = etree.fromstring(web.get(f"{base}/capabilities").content)
        urls = [element.text for element in root.iter("accessURL")]
        assert f"{offered.url}{base}" in urls
        assert all(url.startswith(f"{offered.url}{base}") for url in urls)


def test_a_job_stays_with_its_service(web, offered):
    query = {"LANG": "ADQL", "QUERY": "SELECT TOP 3 name FROM dbo.stars", "PHASE": "RUN"}
    job = web.post(f"{BASE}/async", data=query).headers["location"]
    assert job.startswith(f"{offered.url}{BASE}/async/")
    document = web.get(f"{job}?WAIT=30").text
    assert ">COMPLETED<" in document
    assert f"{job}/results/result" in document
    assert len(web.get(f"{job}/results/result").content) > 100
    number = job.rpartition("/")[2]
    for base in ("/tap", "/sky/tap", "/skytap"):
        assert web.get(f"{base}/async/{number}").status_code == 404
        assert number not in web.get(f"{base}/async").text
    assert number in web.get(f"{BASE}/async").text
    assert web.delete(job).status_code in (200, 303)


def test_examples_run_where_they_are_shown(web):
    root = etree.fromstring(web.get(f"{BASE}/examples").content)
    queries = [element.text for element in root.iter() if element.get("property") == "query"]
    assert queries
    for query in queries:
        assert answer(web, BASE, query).status_code == 200, query


def test_a_collection_keeps_its_address_beside_an_offer_of_its_name(web):
    assert answer(web, "/sky/tap", "SELECT TOP 1 name FROM sky.stars").status_code == 200
    assert web.get("/tap:sky/tap/tables").status_code == 404


def test_people_and_programs_are_told_of_the_services(web, offered):
    assert f'href="{offered.url}{BASE}"' in web.get("/api").text
    assert f"{offered.url}/skytap" in web.get("/capabilities").text

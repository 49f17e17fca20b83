"""Examples of queries: documents that programs can read, and queries that run."""

from __future__ import annotations

import pytest
from lxml import etree

XHTML = "{http://www.w3.org/1999/xhtml}"


def document(web, path):
    answer = web.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/xhtml+xml")
    return etree.fromstring(answer.content)


def having(root, attribute, value):
    return [element for element in root.iter() if element.get(attribute) == value]


@pytest.mark.parametrize("base", ["/tap", "/sky/tap"])
def test_examples_are_marked_as_dali_asks(web, base):
    root = document(web, f"{base}/examples")
    (body,) = having(root, "vocab", "http://www.ivoa.net/rdf/examples#")
    examples = having(body, "typeof", "example")
    assert examples
    assert len({example.get("id") for example in examples}) == len(examples)
    for example in examples:
        assert example.get("resource") == f"#{example.get('id')}"
        assert len(having(example, "property", "name")) == len(having(example, "property", "query")) == 1
        assert having(example, "property", "table")


@pytest.mark.parametrize("base", ["/tap", "/sky/tap"])
def test_every_example_runs_where_it_is_shown(web, base):
    for query in having(document(web, f"{base}/examples"), "property", "query"):
        answer = web.post(f"{base}/sync", data={"LANG": "ADQL", "QUERY": query.text, "FORMAT": "csv"})
        assert answer.status_code == 200, answer.text
        assert len(answer.text.splitlines()) > 1, query.text


def test_every_link_to_an_answer_leads_to_one(web):
    for link in document(web, "/sky/tap/examples").iter(f"{XHTML}a"):
        assert web.get(link.get("href")).headers["content-type"].startswith("text/html")


def test_the_whole_archive_leads_on_to_its_collections(web, server):
    (link,) = having(document(web, "/tap/examples"), "property", "continuation")
    assert (link.get("href"), link.get("resource")) == (f"{server.url}/sky/tap/examples", "")


@pytest.mark.parametrize("path", ["/nothing/tap/examples", "/TAP_SCHEMA/tap/examples"])
def test_there_are_no_examples_of_what_is_not_there(web, path):
    assert web.get(path).status_code == 404

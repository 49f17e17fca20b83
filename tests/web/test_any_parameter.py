"""R07: any value of any parameter gets a proper answer of the protocol."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

GOOD = {
    "/tap/sync": {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": "SELECT TOP 2 ra FROM sky.stars", "MAXREC": "2"},
    "/sky/scs/stars": {"RA": "10", "DEC": "5", "SR": "1", "VERB": "1", "MAXREC": "2"},
    "/tap/async": {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": "SELECT TOP 2 ra FROM sky.stars"},
}
MORE = {
    "/tap/sync": ("RESPONSEFORMAT", "FORMAT", "VERSION", "RUNID", "UPLOAD", "PHASE"),
    "/sky/scs/stars": ("RESPONSEFORMAT", "CATALOG"),
    "/tap/async": ("RUNID", "PHASE", "MAXREC", "EXECUTIONDURATION", "DESTRUCTION", "QUOTE", "LAST", "AFTER", "WAIT"),
}
STATUSES = {"/tap/sync": (200, 400), "/sky/scs/stars": (200, 400), "/tap/async": (303, 400)}
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["", "-1", "0", "1e999", "nan", "inf", "9" * 400, "\x00", "votable", "text/html", "u,param:u", "RUN"]
    ),
    st.floats().map(str),
    st.integers().map(str),
)
JOB_PARTS = ("phase", "executionduration", "destruction", "parameters", "")


def parameters(path: str):
    """Good parameters, of which some are replaced, and others added, by anything."""
    names = (*GOOD[path], *MORE[path])
    return st.dictionaries(st.sampled_from(names), VALUES, max_size=3).map(lambda given: GOOD[path] | given)


def check(answer, statuses) -> None:
    """The status is one of the protocol's, errors are documents, and nothing is told of the inside."""
    assert answer.status_code in statuses, answer.text
    for secret in ("Traceback", "site-packages", "duckdb", "pyarrow"):
        assert secret not in answer.text
    if answer.status_code == 400:
        ET.fromstring(answer.content)
        assert "ERROR" in answer.text or "Error" in answer.text


def always(function):
    """Try a function of hypothesis some hundred times, however slow the machine is."""
    return settings(max_examples=150)(function)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/tap/sync"),
        ("POST", "/tap/sync"),
        ("GET", "/sky/scs/stars"),
        ("POST", "/sky/scs/stars"),
        ("POST", "/tap/async"),
    ],
)
def test_r07_any_value_of_any_parameter_gets_a_proper_answer(web, verb, path):
    @always
    @given(parameters(path))
    def ask(given):
        sent = {key: value.encode("utf-8", "surrogatepass") for key, value in given.items()}
        answer = web.request(verb, path, **({"params": given} if verb == "GET" else {"data": sent}))
        check(answer, STATUSES[path])
        if answer.status_code == 303:
            web.delete(answer.headers["location"])

    ask()


def test_r07_any_filter_of_the_list_of_jobs_gets_a_proper_answer(web):
    @always
    @given(st.dictionaries(st.sampled_from(["PHASE", "LAST", "AFTER"]), VALUES))
    def ask(given):
        check(web.get("/tap/async", params=given), (200, 400))

    ask()


@pytest.mark.parametrize("part", JOB_PARTS)
def test_r07_anything_said_to_a_job_gets_a_proper_answer(web, part):
    made = web.post("/tap/async", data=GOOD["/tap/async"])
    job = made.headers["location"]

    @always
    @given(st.dictionaries(st.sampled_from(["PHASE", "DESTRUCTION", "EXECUTIONDURATION", "QUERY", "ACTION"]), VALUES))
    def ask(given):
        sent = {key: value for key, value in given.items() if value not in ("RUN", "DELETE", "ABORT")}
        answer = web.post(f"{job}/{part}" if part else job, data=sent)
        assert answer.status_code in (200, 303, 400, 404, 405), answer.text

    ask()
    web.delete(job)

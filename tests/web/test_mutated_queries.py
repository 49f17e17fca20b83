"""R07 over HTTP: whatever is asked, a server answers soon, in its protocol's words, and tells nothing of itself."""

from __future__ import annotations

import contextlib
import itertools
import time
import xml.etree.ElementTree as ET
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx
import numpy as np
import pytest
from astropy.table import Table
from mutants import fitting_queries, mutants
from serving import serving

from skydex.archive import Archive, QueryRequest
from skydex.errors import SkydexError
from skydex.settings import Settings

TIME_LIMIT_S = 2
"""Of one query, so that one that would run for hours ends within the 5 s that R07 grants."""
DEADLINE_S = 5.0
SECRETS = ("Traceback", "duckdb", "sqlglot", "site-packages", "read_parquet", ".parquet", "/tmp/", "/root", "root:x:0")
INFO = "{http://www.ivoa.net/xml/VOTable/v1.3}INFO"
N_CLIENTS = 3


@dataclass(frozen=True)
class Reply:
    """What became of a query."""

    text: str
    status: int
    outcome: str
    """OK, OVERFLOW, ERROR; or what is wrong with the answer."""
    seconds: float


@pytest.fixture(scope="module")
def two_tables(tmp_path_factory):
    """An archive of two tables with the same columns, small enough for joins of several."""
    from skydex.ingest import ingest_files

    place = tmp_path_factory.mktemp("mutated")
    for name, n in (("stars", 300), ("friends", 200)):
        random = np.random.default_rng(n)
        table = Table({"star_id": np.arange(n), "ra": random.uniform(0, 360, n), "dec": random.uniform(-90, 90, n)})
        table["gmag"], table["n_obs"] = random.uniform(10, 20, n), random.integers(0, 9, n)
        table["name"] = [f"star {i % 40}" for i in range(n)]
        table["ra"].unit = table["dec"].unit = "deg"
        table.write(place / f"{name}.fits")
        ingest_files([place / f"{name}.fits"], place / "archive", f"sky.{name}", id="star_id")
    return place / "archive"


@pytest.fixture(scope="module")
def busy(two_tables):
    """A server of these tables."""
    with serving(two_tables, query_time_s=TIME_LIMIT_S, workers=3) as server:
        yield server


@pytest.fixture(scope="module")
def texts(shared_data, two_tables):
    """Queries to be spoilt: mostly some that can be answered, so that many mutants can be, too."""
    texts, archive = fitting_queries(shared_data), Archive.open(two_tables)
    return texts + 8 * [text for text in texts if is_answerable(archive, text)]


def is_answerable(archive: Archive, text: str) -> bool:
    with contextlib.suppress(SkydexError):
        archive.plan(QueryRequest(text))
        return True
    return False


def ask(client: httpx.Client, text: str) -> Reply:
    start = time.monotonic()
    answer = client.post("/tap/sync", data={"LANG": "ADQL", "QUERY": text, "MAXREC": "100"})
    seconds = time.monotonic() - start
    return Reply(text, answer.status_code, outcome_of(text, answer), seconds)


def outcome_of(text: str, answer: httpx.Response) -> str:
    """The last QUERY_STATUS of a well-formed document, or a complaint."""
    try:
        root = ET.fromstring(answer.content)
    except ET.ParseError as error:
        return f"not XML: {error}: {answer.text[:500]!r}"
    told = [secret for secret in SECRETS if secret in answer.text and secret not in text]
    if told:
        return f"tells {told}: {answer.text[:1000]}"
    infos = [info for info in root.iter(INFO) if info.get("name") == "QUERY_STATUS"]
    return infos[-1].get("value") if infos else f"no QUERY_STATUS: {answer.text[:500]}"


def is_too_long(text: str) -> bool:
    """Whether a query makes a larger form than is read."""
    return len(urlencode({"LANG": "ADQL", "QUERY": text, "MAXREC": "100"})) > Settings().form_mb << 20


def asked(server, queries: list[str]) -> list[Reply]:
    """The replies to some queries, asked by several clients at once."""
    with httpx.Client(base_url=server.url, timeout=60) as client, ThreadPoolExecutor(N_CLIENTS) as pool:
        return list(pool.map(lambda text: ask(client, text), queries))


def check(replies: list[Reply]) -> None:
    outcomes = Counter(reply.outcome for reply in replies)
    slowest = max(replies, key=lambda reply: reply.seconds)
    seconds = np.array([reply.seconds for reply in replies])
    print(f"\n{len(replies)} queries: {dict(Counter(r.status for r in replies))}, {dict(outcomes.most_common(4))}")
    print(f"p50 {np.median(seconds):.3f} s, p99 {np.quantile(seconds, 0.99):.3f} s, slowest {slowest.seconds:.2f} s:")
    print(slowest.text[:500])
    assert not [reply for reply in replies if reply.status not in (200, 413 if is_too_long(reply.text) else 400)]
    assert not [reply for reply in replies if (reply.outcome == "ERROR") is not (reply.status >= 400)]
    assert set(outcomes) <= {"OK", "OVERFLOW", "ERROR"}
    assert outcomes["ERROR"] < 0.7 * len(replies), "too few of the mutants are alive to show much"
    assert slowest.seconds < DEADLINE_S, slowest.text


def test_r07_the_queries_themselves_are_answered_or_refused_in_the_words_of_the_protocol(busy, texts):
    check(asked(busy, list(dict.fromkeys(texts))[::7]))


def test_r07_three_hundred_mutated_queries_get_a_proper_answer_in_time(busy, texts):
    check(asked(busy, list(itertools.islice(mutants(texts, seed=7), 300))))


@pytest.mark.slow
def test_r07_ten_thousand_mutated_queries_get_a_proper_answer_in_time(busy, texts):
    check(asked(busy, list(itertools.islice(mutants(texts, seed=10), 10_000))))


def test_r07_mutated_queries_fare_no_worse_as_jobs(busy, texts):
    with httpx.Client(base_url=busy.url, timeout=60) as client:
        for text in itertools.islice(mutants(texts, seed=11), 40):
            reply = ask(client, text)
            made = client.post("/tap/async", data={"LANG": "ADQL", "QUERY": text, "MAXREC": "100", "PHASE": "RUN"})
            phase = end_of_job(client, made)
            assert (phase == "COMPLETED") is (reply.status == 200), (text, phase, reply)


def end_of_job(client: httpx.Client, made: httpx.Response) -> str:
    """The final phase of a job; ERROR also if it was refused."""
    if made.status_code == 400:
        return outcome_of("", made)
    job = client.get(made.headers["location"], params={"WAIT": "30"})
    while (phase := client.get(f"{made.headers['location']}/phase").text) in ("QUEUED", "EXECUTING"):
        job = client.get(made.headers["location"], params={"WAIT": "30", "PHASE": phase})
    assert job.status_code == 200
    client.delete(made.headers["location"])
    return phase

"""R04 and R05 against queries that are short to read and endless to run: they end, and nobody else notices."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import httpx
import pytest
from serving import serving

TIME_LIMIT_S = 2
MEMORY_MB = 300
GRACE_S = 5
"""What R04 grants beyond the limit."""
MOST_RESIDENT_MB = 1.25 * MEMORY_MB + 256 + 150
"""The address space that a worker may map for a query, and what it has at rest."""
PAIRS = "FROM sky.stars AS a, sky.stars AS b"
TRIPLES = "FROM sky.detections AS a, sky.detections AS b, sky.detections AS c"
ZIGZAG = ", ".join(f"{i * 360 / 9000:.4f}, {10 + i % 2 * 30}" for i in range(9000))
QUICK = {
    "every triple": f"SELECT SUM(a.flux * b.flux * c.flux) {TRIPLES}",
    "every pair as one text": f"SELECT ivo_string_agg(a.name || b.name, ',') {PAIRS}",
    "every pair by chance": f"SELECT a.ra {PAIRS} ORDER BY RAND()",
    "numbers without end": "SELECT MAX(POWER(10, star_id)), SUM(EXP(star_id)), SUM(9223372036854775807) FROM sky.stars",
    "wildcards": f"SELECT COUNT(*) FROM sky.stars WHERE '{'a' * 200_000}' || name ILIKE '{'%a_' * 20_000}b'",
}
LONG = {
    "sixty tables": f"SELECT COUNT(*) FROM {', '.join(f'sky.stars AS a{i}' for i in range(60))}",
    "pairs of pairs": "WITH a AS (SELECT star_id FROM sky.stars), b AS (SELECT x.star_id FROM a AS x, a AS y), "
    "c AS (SELECT x.star_id FROM b AS x, b AS y) SELECT COUNT(*) FROM c",
    "texts of texts": f"SELECT MAX(UPPER(x)) FROM (SELECT {'||'.join(['x'] * 400)} AS x FROM "
    f"(SELECT {'||'.join(['name'] * 400)} AS x FROM sky.stars) AS t) AS u",
    "a long text for each": f"SELECT COUNT(*) FROM sky.stars WHERE ivo_hasword('{'a ' * 100_000}' || name, 'b') = 1",
    "a polygon of 9,000": f"SELECT COUNT(*) FROM sky.stars WHERE 1 = CONTAINS(POINT(ra, dec), POLYGON({ZIGZAG}))",
    "its area for each": f"SELECT AREA(POLYGON({ZIGZAG})) FROM sky.stars",
    "what meets it": f"SELECT COUNT(*) FROM sky.stars WHERE 1 = INTERSECTS(CIRCLE(ra, dec, 1), POLYGON({ZIGZAG}))",
    "polygons of pairs": f"SELECT COUNT(*) {PAIRS} WHERE 1 = INTERSECTS(POLYGON(a.ra, a.dec, a.ra + 1, a.dec, a.ra, "
    "a.dec + 1), POLYGON(b.ra, b.dec, b.ra + 1, b.dec, b.ra, b.dec + 1))",
    "the whole sky around each": f"SELECT COUNT(*) {PAIRS} WHERE 1 = CONTAINS(POINT(a.ra, a.dec), "
    "CIRCLE(b.ra, b.dec, 180))",
    "cones": "SELECT COUNT(*) FROM sky.stars WHERE "
    + " OR ".join(f"1 = CONTAINS(POINT(ra, dec), CIRCLE({i % 360}, {i % 90}, 0.1))" for i in range(3_000)),
    "branches": f"SELECT CASE {' '.join(f'WHEN star_id = {i} THEN {i}' for i in range(9_000))} END FROM sky.stars",
    "pixels of pairs": f"SELECT SUM(ivo_healpix_index(29, a.ra, b.dec)) {PAIRS}",
    "moved pairs": f"SELECT ivo_epoch_prop_pos(a.ra, b.dec, 1, 2, 3, 4, 5, 6) {PAIRS} ORDER BY 1",
    "a long chain": "SELECT COUNT(*) FROM sky.detections AS a0 "
    + " ".join(f"JOIN sky.detections AS a{i} ON a{i - 1}.star_id = a{i}.star_id" for i in range(1, 62)),
    "thousands of columns": f"SELECT {', '.join(f'MAX(a.ra * b.dec + {i})' for i in range(2_000))} {PAIRS}",
    "outer joins of all": "SELECT COUNT(*) FROM sky.detections AS a FULL OUTER JOIN sky.detections AS b "
    "ON a.flux < b.flux FULL OUTER JOIN sky.detections AS c ON c.flux < b.flux",
    "thirty unions": " UNION ".join(f"SELECT a.ra + {i}, b.dec {PAIRS}" for i in range(30)),
}


@pytest.fixture(scope="module")
def strict(archive):
    """A server with low limits."""
    limits = {"query_time_s": TIME_LIMIT_S, "query_memory_mb": MEMORY_MB, "query_spill_mb": 200, "workers": 3}
    with serving(archive, **limits) as server:
        yield server


class Watch:
    """Someone else who asks all the time, and a look at the memory of every process of the server."""

    def __init__(self, server) -> None:
        self._server, self._is_over = server, threading.Event()
        self.answers: list[httpx.Response] = []
        self.most_mb = 0.0
        self._threads = [threading.Thread(target=task) for task in (self._ask, self._weigh)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        with httpx.Client(base_url=self._server.url, timeout=60) as client:
            while not self._is_over.wait(0.05):
                self.answers.append(client.get("/sky/scs/stars", params={"RA": 10, "DEC": 5, "SR": 1}))

    def _weigh(self) -> None:
        while not self._is_over.wait(0.05):
            sizes = [resident_mb(pid) for pid in below(self._server.process.pid)]
            self.most_mb = max([self.most_mb, *sizes])


def below(pid: int) -> list[int]:
    """Numbers of a process and of those below it, at any depth."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").glob("*/children"))
        children = [int(child) for task in tasks for child in task.read_text().split()]
    except OSError:
        return []
    return [pid, *(number for child in children for number in below(child))]


def resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)
    except OSError:
        return 0.0


def check(query: str, server) -> None:
    start = time.monotonic()
    with Watch(server) as watch:
        answer = httpx.post(f"{server.url}/tap/sync", data={"LANG": "ADQL", "QUERY": query}, timeout=60)
        seconds = time.monotonic() - start
        time.sleep(0.2)
    waits = [other.elapsed.total_seconds() for other in watch.answers]
    print(f"{answer.status_code} after {seconds:.1f} s, {watch.most_mb:.0f} MB; others waited {max(waits):.2f} s")
    assert answer.status_code in (200, 400), answer.text
    assert 'name="QUERY_STATUS"' in answer.text
    assert seconds < TIME_LIMIT_S + GRACE_S
    assert watch.most_mb < MOST_RESIDENT_MB
    assert {other.status_code for other in watch.answers} == {200}
    assert max(waits) < 2


@pytest.mark.parametrize("what", QUICK)
def test_r04_r05_what_never_ends_is_stopped_and_nobody_else_notices(strict, what):
    check(QUICK[what], strict)


@pytest.mark.slow
@pytest.mark.parametrize("what", LONG)
def test_r04_r05_other_ways_to_never_end_are_stopped_as_well(strict, what):
    check(LONG[what], strict)

"""R05 at its real size: under default limits an intermediate result of 10 GB is refused, and nobody else suffers."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from serving import serving

N_LARGE = 3_000_000
N_CLIENTS = 8
NUMBERS = [f"x{i}" for i in range(10)]
WIDE = ", ".join(f"{side}.{name} AS {side}_{name}" for side in "ab" for name in NUMBERS)
CROSS = "FROM sky.large AS a CROSS JOIN sky.large AS b"
GREEDY = {
    "every pair, sorted": f"SELECT TOP 10000000 {WIDE} {CROSS} ORDER BY a.ra + b.dec",
    "every pair, once": f"SELECT DISTINCT {WIDE} {CROSS} ORDER BY a_x0",
    "every pair, counted": f"SELECT a.id, b.id AS other, COUNT(*) AS n {CROSS} GROUP BY a.id, b.id ORDER BY n",
}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A server with its own limits over a table of 3,000,000 rows."""
    from skydex.ingest import ingest_files

    place, random = tmp_path_factory.mktemp("large"), np.random.default_rng(5)
    columns = {"id": np.arange(N_LARGE), "ra": random.uniform(0, 360, N_LARGE)}
    columns["dec"] = np.degrees(np.arcsin(random.uniform(-1, 1, N_LARGE)))
    columns |= {name: random.normal(size=N_LARGE) for name in NUMBERS}
    pq.write_table(pa.table(columns), place / "large.parquet")
    ingest_files([place / "large.parquet"], place / "archive", "sky.large", ra="ra", dec="dec", id="id")
    with serving(place / "archive", workers=4) as server:
        yield server


class Crowd:
    """Clients that ask for cones, one after another, until they are told to go."""

    def __init__(self, url: str) -> None:
        self._url, self._is_over = url, threading.Event()
        self.seconds: list[float] = []
        self.bad: list[str] = []
        self._clients = [threading.Thread(target=self._ask, args=(number,)) for number in range(N_CLIENTS)]

    def __enter__(self):
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for client in self._clients:
            client.join()

    def _ask(self, number: int) -> None:
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while not self._is_over.is_set():
                where = {"RA": 40 * number, "DEC": 10, "SR": 0.2}
                answer = client.get("/sky/scs/large", params=where)
                self.seconds.append(answer.elapsed.total_seconds())
                if answer.status_code != 200 or "<TABLEDATA>" not in answer.text:
                    self.bad.append(answer.text)


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.mark.slow
@pytest.mark.parametrize("what", GREEDY)
def test_r05_ten_gigabytes_between_are_refused_while_others_are_served(large, what):
    before = resident_mb(large.process.pid)
    with Crowd(large.url) as crowd:
        answer = httpx.post(f"{large.url}/tap/sync", data={"LANG": "ADQL", "QUERY": GREEDY[what]}, timeout=300)
    after = resident_mb(large.process.pid)
    print(
        f"{what}: refused after {answer.elapsed.total_seconds():.1f} s; web process {before:.0f} -> {after:.0f} MB; "
        f"{len(crowd.seconds)} other answers, p50 {np.percentile(crowd.seconds, 50):.3f} s, "
        f"p99 {np.percentile(crowd.seconds, 99):.3f} s; {answer.text}"
    )
    assert answer.status_code == 400
    assert 'value="ERROR"' in answer.text
    assert any(word in answer.text for word in ("limit of 60 s", "MB of memory", "MB of disk"))
    assert not crowd.bad
    assert len(crowd.seconds) > 10 * N_CLIENTS
    assert after < 1.2 * before

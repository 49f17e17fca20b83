"""Spark elsewhere: a standalone cluster that loses its workers in mid-query, and a Spark Connect server."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skydex.archive import Archive
from skydex.engines.duckdb import DuckDBEngine
from skydex.engines.spark_cluster import ConnectServer, SparkCluster
from skydex.query import Namespace, bind, make_plan
from skydex.query.languages import parse_adql

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("java_in_a_hurry")]

PAIRS = (
    "SELECT COUNT(*) AS n FROM sky.sources AS a JOIN sky.sources AS b ON a.mag < b.mag AND a.flux > b.flux "
    "WHERE a.band < 3"
)
"""160 million pairs to look at: seconds."""
ENDLESS = (
    "SELECT COUNT(*) AS n FROM sky.sources AS a, sky.sources AS b, sky.sources AS c "
    "WHERE SIN(a.mag * b.mag * c.mag) > 2"
)
GROUPS = (
    "SELECT band, COUNT(*) AS n, MIN(id) AS first_id, MAX(mag) AS faintest FROM sky.sources GROUP BY band ORDER BY band"
)
LOST_S = 5.0
"""How long a cluster may be without executors."""
IDLE_S = 3.0
"""How long a session is kept without a query."""


@pytest.fixture(scope="module")
def archive(namespace: Namespace) -> Path:
    """The archive in which the sources of all tests of engines are stored."""
    dataset = namespace.find("sky.sources").rows
    (place,) = {Path(piece.file) for piece in dataset.select(None).pieces[:1]}
    return next(folder for folder in place.parents if (folder / "archive.json").is_file())


class Driver:
    """A process that asks Spark."""

    def __init__(self, archive: Path, folder: Path, url: str, query: str, properties: Path | None = None) -> None:
        given = {
            "archive": str(archive),
            "folder": str(folder),
            "url": url,
            "query": query,
            "properties": str(properties) if properties else None,
            "wait_s": LOST_S if properties else 60.0,
            "idle_s": IDLE_S,
        }
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("spark_driver.py")), json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self) -> None:
        self.process.stdin.write("ask\n")
        self.process.stdin.flush()

    def heard(self) -> str:
        line = self.process.stdout.readline().strip()
        assert line, "the driver has ended"
        return line

    def answer(self) -> dict[str, Any]:
        while (line := self.heard()) == "running":
            pass
        return json.loads(line)

    def end(self) -> None:
        self.process.stdin.close()
        try:
            assert self.process.wait(30) == 0
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


@contextlib.contextmanager
def driving(*given: Any) -> Iterator[Driver]:
    driver = Driver(*given)
    try:
        yield driver
    finally:
        driver.end()


def embedded(archive: Path, query: str) -> list[dict[str, Any]]:
    plan = make_plan(bind(parse_adql(query), Archive.open(archive).namespace()))
    return DuckDBEngine().run(plan).to_arrow().to_pylist()


def test_a_query_is_answered_though_a_worker_is_killed_meanwhile_and_fails_in_time_when_all_are(archive, tmp_path):
    truth = embedded(archive, PAIRS)
    with SparkCluster() as cluster, driving(archive, tmp_path, cluster.url, PAIRS, cluster.properties) as driver:
        assert [worker["host"] for worker in cluster.state()["workers"]] == ["127.0.0.1"] * 2
        driver.ask()
        assert driver.heard() == "running"
        os.kill(cluster.workers[0].pid, signal.SIGKILL)
        assert driver.answer()["rows"] == truth
        driver.ask()
        assert driver.heard() == "running"
        os.kill(cluster.workers[1].pid, signal.SIGKILL)
        start = time.monotonic()
        answer = driver.answer()
        assert answer["error"] == "SparkUnavailableError", answer
        assert "All workers of the cluster were lost" in answer["text"]
        assert time.monotonic() - start < LOST_S + 30


def test_a_spark_connect_server_gives_the_rows_of_the_embedded_engine_and_is_told_of_drivers_that_were_killed(
    archive, tmp_path
):
    with ConnectServer() as server:
        with driving(archive, tmp_path, server.url, ENDLESS) as lost:
            lost.ask()
            awaited(lambda: list(tmp_path.glob("spool/*/session")))
            awaited(lambda: seconds_of(server.process.pid, during=1.0) > 0.2)
            lost.process.kill()
            lost.process.wait()
            lost.process.returncode = 0  # as it should
        with driving(archive, tmp_path, server.url, GROUPS) as driver:  # which first looks after what others left
            driver.ask()
            answer = driver.answer()
            awaited(lambda: seconds_of(server.process.pid, during=1.0) < 0.1)
            assert answer.get("rows") == embedded(archive, GROUPS), answer
            check_idle(driver, tmp_path, answer["rows"])


def check_idle(driver: Driver, folder: Path, rows: list[dict[str, Any]]) -> None:
    """A session that was not used for a while is ended, and the next query has another one."""
    (note,) = folder.glob("spool/*/session")
    driver.ask()
    driver.answer()
    before = note.read_text()
    driver.ask()
    assert driver.answer()["rows"] == rows
    assert note.read_text() == before
    time.sleep(IDLE_S + 2.0)
    driver.ask()
    assert driver.answer()["rows"] == rows
    assert note.read_text() != before


def awaited(condition):
    end = time.monotonic() + 90  # the server itself would wait for five minutes
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


def seconds_of(pid: int, *, during: float) -> float:
    """Processor time that a process takes in some time."""
    before = _ticks(pid)
    time.sleep(during)
    return (_ticks(pid) - before) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))

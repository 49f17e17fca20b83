"""Long jobs run on Spark, short ones do not; and what becomes of a job whose Spark is taken away."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import serving
from asking import ENDLESS, UWS, created, document, ended, message, posted, until

from skydex.archive import Archive
from skydex.jobs import Job, Ledger, Phase
from skydex.settings import Settings
from skydex.web.long_queue import LongQueue

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("java_in_a_hurry")]

COUNT = "SELECT n_obs, COUNT(*) AS n, MIN(star_id) AS first_one FROM sky.stars GROUP BY n_obs ORDER BY n_obs"
BASE = "/casjobs/services/jobs.asmx"
PASSWORD = "a long password"
PATIENCE_S = 120
QUEUES = {"spark": "local[1]", "spark_rows": 0, "spark_memory_mb": 700, "job_time_s": 600, "casjobs_queues": "1, 30"}
PROCESSES = {"processes": 2}
"""Whichever of the processes takes a job in, one of them keeps the workers of the queue."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("long")


@pytest.fixture(scope="module")
def server(archive: Path, place: Path) -> Iterator[serving.Server]:
    with serving.serving(archive, state_dir=place / "state", **QUEUES, **PROCESSES) as server:
        yield server
    assert not javas(server.process.pid)


@pytest.fixture(scope="module")
def web(server: serving.Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as web:
        yield web


def javas(ancestor: int) -> list[int]:
    """The Java processes below a process."""
    parents, names = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            pid, name, rest = re.fullmatch(r"(\d+) \((.*)\) (.*)", stat.read_text(), re.S).groups()
            parents[int(pid)], names[int(pid)] = int(rest.split()[1]), name
    found = []
    for pid in [pid for pid, name in names.items() if name == "java"]:
        above = pid
        while above in parents and above != ancestor:
            above = parents[above]
        if above == ancestor:
            found.append(pid)
    return found


def facts(web: httpx.Client, job: str) -> dict[str, str]:
    """What the document of a job says of its queue and its engine."""
    info = document(web.get(job)).find("uws:jobInfo", UWS)
    return {} if info is None else {fact.tag: fact.text for fact in info}


def result(web: httpx.Client, job: str) -> str:
    answer = web.get(f"{job}/results/result")
    assert answer.status_code == 200, answer.text
    return answer.text


def finished(web: httpx.Client, query: str, **fields: str) -> str:
    job = created(web, query, PHASE="RUN", RESPONSEFORMAT="csv", **fields)
    assert ended(web, job) == "COMPLETED", web.get(f"{job}/error").text
    return job


def test_a_job_in_the_long_queue_is_answered_by_spark_with_the_rows_of_a_short_one(web, server) -> None:
    short = finished(web, COUNT)
    assert facts(web, short) == {"engine": "embedded"}
    assert not javas(server.process.pid)
    long = finished(web, COUNT, QUEUE="LONG")
    assert facts(web, long) == {"queue": "long", "engine": "spark"}
    assert javas(server.process.pid)
    assert result(web, long) == result(web, short)


def test_a_job_with_more_time_than_most_is_long_unless_it_says_otherwise(web) -> None:
    job = created(web, COUNT, RESPONSEFORMAT="csv")
    web.post(f"{job}/executionduration", data={"EXECUTIONDURATION": "700"})
    web.post(f"{job}/phase", data={"PHASE": "RUN"})
    assert ended(web, job) == "COMPLETED"
    assert facts(web, job) == {"engine": "spark"}
    job = created(web, COUNT, QUEUE="short")
    web.post(f"{job}/executionduration", data={"EXECUTIONDURATION": "700"})
    web.post(f"{job}/phase", data={"PHASE": "RUN"})
    assert ended(web, job) == "COMPLETED"
    assert facts(web, job) == {"queue": "short", "engine": "embedded"}


def test_a_queue_that_does_not_exist_is_named_with_those_that_do(web) -> None:
    job = posted(web, COUNT, QUEUE="fast").headers["location"]
    assert "short" in message(web.get(f"{job}/error"))


def test_a_long_job_of_casjobs_writes_a_table_of_its_owner_from_spark(archive, place, web) -> None:
    settings = Settings(state_dir=str(place / "state"))
    opened = Archive.open(archive, settings)
    wsid = opened.accounts.add("alice", PASSWORD).wsid
    login = {"wsid": str(wsid), "pw": PASSWORD, "context": "MYDB"}
    query = "SELECT star_id, ra, dec, gmag INTO mydb.bright FROM sky.stars WHERE gmag < 15"
    answer = web.post(f"{BASE}/SubmitJob", data={**login, "qry": query, "estimate": "30", "taskname": "t"})
    number = re.search(r">(\d+)<", answer.text)[1]
    end = time.monotonic() + PATIENCE_S
    while (status := asked(web, "GetJobStatus", **login, jobid=number)) in ("0", "1"):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert status == "5"
    stars = serving.stars()
    expected = sorted(stars["star_id"][stars["gmag"] < 15].tolist())
    kept = opened.mydb("alice").open("bright")
    assert sorted(batch for piece in [kept] for batch in ids_of(piece)) == expected
    with contextlib.closing(sqlite3.connect(place / "state" / "jobs.sqlite")) as ledger:
        assert ledger.execute("SELECT engine FROM jobs WHERE kind = 'casjobs'").fetchall() == [("spark",)]


def ids_of(dataset) -> list[int]:
    from skydex.mydb.rows import rows_of

    return [number for batch in rows_of(dataset) for number in batch.column("star_id").to_pylist()]


def asked(web: httpx.Client, operation: str, **fields: str) -> str:
    answer = web.post(f"{BASE}/{operation}", data=fields)
    assert answer.status_code == 200, answer.text
    return re.search(r">([^<>]*)</\w+>\s*$", answer.text)[1].strip()


def test_a_job_whose_java_is_killed_is_begun_anew_and_one_that_is_stopped_ends_its_spark(web, server) -> None:
    (first,) = javas(server.process.pid)
    job = created(web, ENDLESS, PHASE="RUN", QUEUE="long")
    until(web, job, "EXECUTING")
    time.sleep(2.0)
    os.kill(first, signal.SIGKILL)
    second = awaited(lambda: [pid for pid in javas(server.process.pid) if pid != first])
    until(web, job, "EXECUTING")
    web.post(f"{job}/phase", data={"PHASE": "ABORT"})
    assert ended(web, job) == "ABORTED"
    awaited(lambda: not set(javas(server.process.pid)) & set(second))


def awaited(condition):
    end = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


def test_without_spark_a_queue_is_no_affair_of_a_job(archive, tmp_path) -> None:
    with (
        serving.serving(archive, state_dir=tmp_path / "state") as server,
        httpx.Client(base_url=server.url, timeout=60) as web,
    ):
        for queue in ("long", "whatever"):
            job = finished(web, COUNT, QUEUE=queue)
            assert facts(web, job).get("engine") is None


@pytest.mark.parametrize(
    ("kind", "queue", "duration_s", "takes", "is_taken"),
    [
        ("tap", "", 600, "long", False),
        ("tap", "", 601, "long", True),
        ("tap", "long", 1, "long", True),
        ("tap", "short", 601, "all", False),
        ("tap", "", 1, "all", True),
        ("casjobs", "", 1800, "long", True),
        ("cutouts", "long", 1800, "all", False),
    ],
)
def test_which_jobs_are_long(tmp_path, kind, queue, duration_s, takes, is_taken) -> None:
    job = Job("j1", kind, "", None, "", None, Phase.QUEUED, 0.0, duration_s, 1.0, queue=queue)
    settings = Settings(spark="local[1]", spark_takes=takes, job_time_s=600)
    assert LongQueue(tmp_path, settings).takes(job) is is_taken


def test_a_record_of_jobs_made_before_there_were_queues_gets_them(tmp_path) -> None:
    with contextlib.closing(Ledger(tmp_path / "jobs.sqlite")):
        pass
    with contextlib.closing(sqlite3.connect(tmp_path / "jobs.sqlite")) as old:
        old.execute("ALTER TABLE jobs DROP COLUMN queue")
        old.execute("ALTER TABLE jobs DROP COLUMN engine")
        old.execute(
            "INSERT INTO jobs (id, kind, scope, address, phase, created, duration_s, destruction, attempt, "
            "inputs, parameters, n_given_bytes) VALUES ('j1', 'tap', '', 'a', 'PENDING', 1, 1, 1, 0, '[]', '[]', 4)"
        )
        old.execute("PRAGMA user_version = 3")
        old.commit()
    with contextlib.closing(Ledger(tmp_path / "jobs.sqlite")) as ledger:
        job = ledger.get("j1")
    assert (job.queue, job.engine) == ("", None)

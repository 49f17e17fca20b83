"""`kill -9` of the server at random moments, and what the last one finds (R08).

What a server acknowledged is written down outside of it, here: jobs that it made, started, stopped or forgot, and
results that were seen whole. None of that may be otherwise after any number of kills.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import serving
from asking import created, ended, phase_of

N_CLIENTS = 4
N_JOBS_OF_A_CLIENT = 5
LONGEST_S = 1.5
"""Until a server is killed."""
QUERIES = (
    "SELECT TOP 5 star_id, ra FROM sky.stars ORDER BY star_id",
    "SELECT * FROM sky.stars ORDER BY star_id",
    "SELECT COUNT(*) AS n FROM sky.detections AS a JOIN sky.detections AS b ON a.mjd < b.mjd",
)
"""From a millisecond to about a second."""
BASE = "/tap/async"


@dataclass
class Facts:
    """What servers have acknowledged, by the identifiers of jobs."""

    query: dict[str, str] = field(default_factory=dict)
    """Of every job that was made."""
    started: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    digest: dict[str, str] = field(default_factory=dict)
    """Of results that were seen."""
    doomed: set[str] = field(default_factory=set)
    """Jobs that were to be stopped or forgotten, acknowledged or not."""


def use_until_it_dies(url: str, facts: Facts, seed: float) -> None:
    """Be a client that makes jobs and does this and that to them."""
    dice = random.Random(seed)
    with contextlib.suppress(httpx.TransportError), httpx.Client(base_url=url, timeout=60) as web:
        for job in [make(web, facts, dice) for _ in range(N_JOBS_OF_A_CLIENT)]:
            dice.choice((stop, forget, wait, wait, leave, leave))(web, facts, job)


def make(web, facts, dice):
    query, at_once = dice.choice(QUERIES), dice.random() < 0.5
    job = created(web, query, FORMAT="csv", **({"PHASE": "RUN"} if at_once else {})).rpartition("/")[2]
    facts.query[job] = query
    if not at_once:
        assert web.post(f"{BASE}/{job}/phase", data={"PHASE": "RUN"}).status_code == 303
    facts.started.add(job)
    return job


def stop(web, facts, job):
    facts.doomed.add(job)
    assert web.post(f"{BASE}/{job}/phase", data={"PHASE": "ABORT"}).status_code == 303
    if phase_of(web, f"{BASE}/{job}") == "ABORTED":
        facts.stopped.add(job)


def forget(web, facts, job):
    facts.doomed.add(job)
    assert web.delete(f"{BASE}/{job}").status_code == 303
    facts.forgotten.add(job)


def wait(web, facts, job):
    assert ended(web, f"{BASE}/{job}") in ("COMPLETED", "ERROR")
    answer = web.get(f"{BASE}/{job}/results/result")
    if answer.status_code == 200:
        facts.digest[job] = digest(answer.content)


def leave(web, facts, job):
    pass


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("n_cycles", "processes"),
    [(1, 1), (2, 2), *(pytest.param(20, n, marks=pytest.mark.slow) for n in (1, 2))],
)
def test_r08_servers_that_are_killed_lose_no_job_and_leave_nothing_behind(archive, tmp_path, n_cycles, processes):
    facts, dice = Facts(), random.Random(n_cycles)
    temp = tmp_path / "temp"
    temp.mkdir()
    settings = {"state_dir": tmp_path / "state", "temp_dir": temp, "jobs_per_address": 1000, "workers": 3}
    settings["processes"] = processes
    for _ in range(n_cycles):
        server = serving.Server(archive, **settings)
        with ThreadPoolExecutor(N_CLIENTS) as clients:
            users = [clients.submit(use_until_it_dies, server.url, facts, dice.random()) for _ in range(N_CLIENTS)]
            time.sleep(dice.uniform(0.0, LONGEST_S))
            server.kill()
        for user in users:
            user.result()
    with serving.serving(archive, **settings) as server, httpx.Client(base_url=server.url, timeout=60) as web:
        truth = {
            query: web.post("/tap/sync", data={"LANG": "ADQL", "QUERY": query, "FORMAT": "csv"}) for query in QUERIES
        }
        assert not facts.forgotten & {job for job in facts.query if is_known(web, job)}
        phases = {job: last_phase(web, job) for job in facts.query if is_known(web, job)}
        results = {job: web.get(f"{BASE}/{job}/results/result").content for job in of(phases, "COMPLETED")}
        until_all_is_done(web)
        files_and_jobs_agree(tmp_path / "state")
    assert facts.query.keys() - phases.keys() <= facts.doomed
    assert facts.stopped <= of(phases, "ABORTED") <= facts.doomed
    assert facts.digest.keys() <= of(phases, "COMPLETED")
    assert not facts.started & of(phases, "PENDING")
    assert {job: result for job, result in results.items() if result != truth[facts.query[job]].content} == {}
    assert list(temp.iterdir()) == []


def is_known(web, job) -> bool:
    return web.get(f"{BASE}/{job}").status_code == 200


def last_phase(web, job) -> str:
    """The phase in which a job stays; ERROR only if servers were killed each time while it ran."""
    url = f"{BASE}/{job}"
    if phase_of(web, url) == "PENDING":
        return "PENDING"
    phase = ended(web, url)
    assert phase != "ERROR" or "interrupted" in web.get(url).text
    return phase


def until_all_is_done(web) -> None:
    """Wait for jobs that were made, though nobody heard of them."""
    end = time.monotonic() + 60
    while b"<uws:jobref" in web.get(BASE, params={"PHASE": ["QUEUED", "EXECUTING"]}).content:
        assert time.monotonic() < end
        time.sleep(0.05)


def of(phases: dict[str, str], phase: str) -> set[str]:
    return {job for job, found in phases.items() if found == phase}


def files_and_jobs_agree(state: Path) -> None:
    """Every file is of a completed job, as the ledger says, and has the content that it says."""
    with contextlib.closing(sqlite3.connect(f"file:{state / 'jobs.sqlite'}?mode=ro", uri=True)) as ledger:
        rows = list(ledger.execute("SELECT id, phase, attempt, sha256 FROM jobs"))
    assert {phase for _, phase, _, _ in rows} <= {"PENDING", "COMPLETED", "ERROR", "ABORTED"}
    expected = {f"{job}/result-{attempt}": sha256 for job, phase, attempt, sha256 in rows if phase == "COMPLETED"}
    files = [file for file in (state / "jobs").rglob("*") if file.is_file()]
    assert {str(file.relative_to(state / "jobs")): digest(file.read_bytes()) for file in files} == expected
    assert len(list((state / "jobs").iterdir())) == len(expected)

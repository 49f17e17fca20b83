"""`kill -9` of the server while users fill their tables, and what the last one finds (R08, R13).

A job writes a table in two steps, so that one whose worker was lost, and which is begun again, would show if a step
were made twice or not at all. Queries that are answered at once do the same. What a server acknowledged is written down
here; none of it may be otherwise after any number of kills.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest
import serving

from skydex.archive import Archive
from skydex.settings import Settings

N_CLIENTS = 3
N_TABLES_OF_A_CLIENT = 4
LONGEST_S = 1.5
"""Until a server is killed."""
BASE = "/casjobs/services/jobs.asmx"
PASSWORD = "a long password"


@dataclass
class Facts:
    """What servers have acknowledged."""

    submitted: dict[str, str] = field(default_factory=dict)
    """Tables that jobs make: the number of the job."""
    written: set[str] = field(default_factory=set)
    """Tables that are there, since a quick query has been answered."""
    numbers: itertools.count[int] = field(default_factory=itertools.count)


def fill(name: str) -> str:
    """Statements that make a table of 3000 rows in two steps."""
    return (
        f"SELECT star_id, ra, dec INTO mydb.{name} FROM sky.stars WHERE star_id < 2000; "
        f"INSERT INTO mydb.{name} SELECT star_id, ra, dec FROM sky.stars WHERE star_id >= 2000 AND star_id < 3000"
    )


def use_until_it_dies(url: str, wsid: int, facts: Facts, seed: float) -> None:
    dice = random.Random(seed)
    with contextlib.suppress(httpx.TransportError), httpx.Client(base_url=url, timeout=60) as web:
        for _ in range(N_TABLES_OF_A_CLIENT):
            name = f"t{next(facts.numbers)}"
            if dice.random() < 0.6:
                facts.submitted[name] = asked(web, wsid, "SubmitJob", qry=fill(name), estimate="1")
            else:
                asked(web, wsid, "ExecuteQuickJob", qry=fill(name), isSystem="False")
                facts.written.add(name)


def asked(web: httpx.Client, wsid: int, operation: str, **fields: str) -> str:
    """What an operation says."""
    given = {"context": "MYDB", "taskname": "t", **fields, "wsid": str(wsid), "pw": PASSWORD}
    answer = web.post(f"{BASE}/{operation}", data=given)
    assert answer.status_code == 200, answer.text
    return re.search(r">([^<>]*)</\w+>\s*$", answer.text)[1].strip()


@pytest.mark.parametrize("n_cycles", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_r13_servers_that_are_killed_lose_no_table_and_leave_none_half_made(archive, tmp_path, n_cycles):
    facts, dice = Facts(), random.Random(n_cycles)
    settings = {"state_dir": tmp_path / "state", "jobs_per_user": 1000, "mydb_tables": 2000}
    opened = Archive.open(archive, Settings(state_dir=str(tmp_path / "state"), mydb_tables=2000))
    wsid = opened.accounts.add("alice", PASSWORD).wsid
    for _ in range(n_cycles):
        server = serving.Server(archive, **settings)
        with ThreadPoolExecutor(N_CLIENTS) as clients:
            users = [
                clients.submit(use_until_it_dies, server.url, wsid, facts, dice.random()) for _ in range(N_CLIENTS)
            ]
            time.sleep(dice.uniform(0.2, LONGEST_S))
            server.kill()
        for user in users:
            user.result()
    with serving.serving(archive, **settings) as server, httpx.Client(base_url=server.url, timeout=60) as web:
        status = {name: ended(web, wsid, number) for name, number in facts.submitted.items()}
        until_all_is_done(web)
        n_rows = {table.name: table.n_rows for table in opened.mydb("alice").tables()}
        counts = {name: counted(web, name) for name in n_rows}
    assert counts == n_rows
    done = {name for name, number in status.items() if number == "5"}
    assert {name: n_rows.get(name) for name in done | facts.written} == dict.fromkeys(done | facts.written, 3000)
    assert set(n_rows.values()) <= {2000, 3000}  # what nobody acknowledged may have come to its first step
    assert set(status.values()) <= {"4", "5"}


def ended(web: httpx.Client, wsid: int, number: str) -> str:
    """The status of a job when it has ended; it fails only if servers were killed each time while it ran."""
    end = time.monotonic() + 60
    while (status := asked(web, wsid, "GetJobStatus", jobid=number)) in ("0", "1"):
        assert time.monotonic() < end
        time.sleep(0.02)
    if status == "4":
        answer = web.post(f"{BASE}/GetJobs", data={"wsid": wsid, "pw": PASSWORD, "conditions": f"jobid : {number}"})
        assert "interrupted" in answer.text, answer.text
    return status


def until_all_is_done(web: httpx.Client) -> None:
    """Wait for jobs that were made, though nobody heard of them."""
    end = time.monotonic() + 60
    auth = ("alice", PASSWORD)
    while b"<uws:jobref" in web.get("/tap/async", params={"PHASE": ["QUEUED", "EXECUTING"]}, auth=auth).content:
        assert time.monotonic() < end
        time.sleep(0.05)


def counted(web: httpx.Client, name: str) -> int:
    """Rows of a table, each once."""
    query = f"SELECT COUNT(*) AS n, COUNT(DISTINCT star_id) AS m FROM mydb.{name}"
    asked = {"LANG": "ADQL", "QUERY": query, "FORMAT": "csv"}
    answer = web.post("/tap/sync", data=asked, auth=("alice", PASSWORD))
    n_rows, n_stars = answer.text.split()[1].split(",")
    assert n_rows == n_stars
    return int(n_rows)

"""A server of several processes is one server, whichever of them answers."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from asking import ENDLESS, created, ended, phase_of, until
from serving import Server, serving
from test_server import children, wait_until

N_CLIENTS = 6


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("several")


@pytest.fixture(scope="module")
def several(archive, state):
    """A server of two processes."""
    from skydex.accounts import Accounts

    Accounts(state).add("alice", "a good password")
    with serving(archive, processes=2, state_dir=state, workers=4, log_level="info") as server:
        wait_until(lambda: sum("Started server process" in line for line in server.log) == 2)
        time.sleep(0.2)
        yield server


@pytest.fixture
def clients(several):
    """Clients with a connection each, of which each process has every other one."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(httpx.Client(base_url=several.url, timeout=60)) for _ in range(N_CLIENTS)]
        for client in clients:
            assert client.get("/availability").status_code == 200
        yield clients


def fronts(server):
    return [pid for pid in children(server.process.pid) if parent_of(pid) == server.process.pid]


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def n_connections(pid, port):
    """Established connections of a process to a port of the server."""
    inodes = set()
    for place in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(place))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" and f"socket:[{row[9]}]" in inodes for row in rows)


def test_connections_are_spread_evenly(several, clients):
    found = Counter({pid: n_connections(pid, several.port) for pid in fronts(several)})
    assert sorted(found.values()) == [N_CLIENTS // 2] * 2


def test_a_job_is_made_followed_and_read_by_whichever_process_answers(clients):
    for maker, reader in (clients[:2], clients[1::-1]):
        job = created(maker, PHASE="RUN", FORMAT="csv")
        assert ended(reader, job) == "COMPLETED"
        answers = {client.get(f"{job}/results/result").text for client in clients[:2]}
        assert len(answers) == 1
        assert len(answers.pop().splitlines()) == 6
        assert reader.delete(job).status_code == 303
        assert maker.get(job).status_code == 404


@pytest.mark.parametrize(
    "stop", [lambda web, job: web.post(f"{job}/phase", data={"PHASE": "ABORT"}), httpx.Client.delete]
)
def test_a_job_is_stopped_by_whichever_process_answers_and_its_worker_is_free(clients, stop, state):
    for maker, stopper in (clients[:2], clients[1::-1]):
        job = created(maker, ENDLESS, PHASE="RUN")
        until(stopper, job, "EXECUTING")
        assert stop(stopper, job).status_code == 303
        assert ended(maker, created(maker, PHASE="RUN")) == "COMPLETED"
        folder = state / "jobs" / job.rpartition("/")[2]
        wait_until(lambda folder=folder: not folder.exists() or not list(folder.iterdir()), 10)


def test_wrong_passwords_count_in_all_processes_together(clients):
    statuses = []
    for n in range(8):
        answer = clients[n % 2].get("/tap/sync", auth=("alice", f"wrong {n}"), params={"QUERY": "SELECT 1"})
        statuses.append(answer.status_code)
    assert statuses[:5] == [401] * 5
    assert 429 in statuses[5:]


def test_a_process_that_dies_is_made_anew_and_its_jobs_are_done(archive, tmp_path):
    with serving(archive, processes=2, state_dir=tmp_path / "state", workers=4) as server:
        wait_until(lambda: sum("Started server process" in line for line in server.log) == 2)
        with httpx.Client(base_url=server.url, timeout=60) as web:
            job = created(
                web, "SELECT COUNT(*) AS n FROM sky.detections AS a JOIN sky.detections AS b ON a.mjd < b.mjd"
            )
            web.post(f"{job}/phase", data={"PHASE": "RUN"})
        for pid in fronts(server):
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: not Path(f"/proc/{pid}").exists())
            with httpx.Client(base_url=server.url, timeout=60) as web:  # by the other one, or as soon as there is one
                assert web.get("/availability").status_code == 200
        with httpx.Client(base_url=server.url, timeout=60) as web:
            end = time.monotonic() + 30
            while (answer := web.get(job)).status_code == 503:  # until one of them keeps the jobs again
                assert time.monotonic() < end
                time.sleep(0.05)
            assert answer.status_code == 200
            assert ended(web, job) == "COMPLETED"


def test_r25_all_processes_end_when_the_server_is_told_to_stop(archive, tmp_path):
    server = Server(archive, processes=2, state_dir=tmp_path / "state", temp_dir=tmp_path, stop_time_s=1)
    with httpx.Client(base_url=server.url, timeout=60) as web:
        job = created(web, ENDLESS, PHASE="RUN")
        until(web, job, "EXECUTING")
        everyone = [server.process.pid, *children(server.process.pid)]
        start = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - start < 30
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in everyone))
    assert {file.name for file in tmp_path.iterdir()} == {"state"}
    with serving(archive, state_dir=tmp_path / "state") as server, httpx.Client(base_url=server.url) as web:
        assert phase_of(web, f"/tap/async/{job.rpartition('/')[2]}") in ("QUEUED", "EXECUTING")


def test_a_server_that_cannot_begin_says_why_and_ends(archive, tmp_path):
    import subprocess
    import sys

    (tmp_path / "archive").symlink_to(archive)
    (tmp_path / "skydex.toml").write_text("processes = 2\nport = 1\n" if os.getuid() else 'host = "192.0.2.1"\n')
    command = [
        sys.executable,
        "-m",
        "skydex",
        "serve",
        str(tmp_path / "archive"),
        "--config",
        str(tmp_path / "skydex.toml"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "Cannot listen" in done.stderr

"""Two hundred queued jobs of five users, two at a time: what the queue adds to the work, and who waits how long.

The jobs lie in the record when the server starts, as after a restart. One user has 120 of them, which come first; the
others have 20 each. That none is lost, and that users take turns, is checked; the same queries over /sync by two
clients stand beside. One user never has both places, so the last 80 jobs run one at a time.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.finding import Finding
from benchmarks.holdings import Holdings, Setup
from benchmarks.sample import Sample, Unit
from benchmarks.serving import download, started, stop, wait_for
from skydex.jobs import Job, Ledger, Phase, QueueLimits, StateDirectory, new_job_id

__all__ = ["TITLE", "measure"]

TITLE = "Two hundred queued jobs of five users"
_N_OF_EACH = {"alice": 120, "bob": 20, "carol": 20, "dave": 20, "erin": 20}
_N_AT_ONCE = 2
_N_WORKERS = 4
"""Of which a server leaves one to quick requests and one to those who wait, so that two do jobs."""
_LIMITS = QueueLimits(per_address=1000, per_user=1000, total=1000, kept=1000, kept_mb=1000)
_PATIENCE_S = 300.0


def measure(setup: Setup) -> Iterator[Finding]:
    """Jobs a second beside queries a second, and how long jobs lie in the queue."""
    holdings = Holdings(setup)
    query = f"SELECT TOP 1000 * FROM {holdings.sources()} ORDER BY ra DESC"
    with TemporaryDirectory() as folder:
        state = StateDirectory(Path(folder) / "state")
        _fill(state, query)
        config = Path(folder) / "skydex.toml"
        config.write_text(f'state_dir = "{state.path}"\nworkers = {_N_WORKERS}\n')
        server = started([sys.executable, "-m", "skydex", "serve", str(holdings.directory), "--config", str(config)])
        try:
            jobs = _done(state)
            wait_for(f"{server.url}/availability")
            by_sync = _rate_by_sync(server.port, query, len(jobs))
        finally:
            stop(server)
    _check(jobs)
    begin, end = min(_begun(job) for job in jobs), max(job.ended or 0.0 for job in jobs)
    rate = Sample.of(len(jobs) / (end - begin), Unit.REQUESTS_PER_SECOND)
    yield Finding(f"{len(jobs)} jobs, {_N_AT_ONCE} at a time", rate, f"{_N_AT_ONCE} clients over /sync", by_sync)
    few, many = (_waits(jobs, begin, of_alice=of_alice) for of_alice in (False, True))
    yield Finding("Wait of jobs of users with 20 of them", few, "of the user with 120", many)


def _fill(state: StateDirectory, query: str) -> None:
    """Leave a record with queued jobs behind."""
    state.claim()
    with contextlib.closing(Ledger(state.ledger)) as ledger, ledger.transaction():
        for owner, n_jobs in _N_OF_EACH.items():
            for _ in range(n_jobs):
                ledger.add(_job(owner, query), _LIMITS)
    state.release()


def _job(owner: str, query: str) -> Job:
    now = time.time()
    return Job(
        id=new_job_id(),
        kind="tap",
        scope="",
        owner=owner,
        address="127.0.0.1",
        run_id=None,
        phase=Phase.QUEUED,
        created=now,
        duration_s=600,
        destruction=now + 3600,
        parameters=(("LANG", "ADQL"), ("QUERY", query)),
    )


def _done(state: StateDirectory) -> list[Job]:
    """All jobs when they have ended, in the order in which they began."""
    until = time.perf_counter() + _PATIENCE_S
    with contextlib.closing(Ledger(state.ledger)) as ledger:
        while time.perf_counter() < until:
            jobs = ledger.in_phase(*Phase)
            if all(job.is_final for job in jobs):
                return sorted(jobs, key=_begun)
            time.sleep(0.1)
    raise TimeoutError("The jobs do not end.")


def _waits(jobs: Sequence[Job], begin: float, *, of_alice: bool) -> Sample:
    return Sample.of((_begun(job) - begin for job in jobs if (job.owner == "alice") == of_alice), Unit.SECONDS)


def _begun(job: Job) -> float:
    assert job.started is not None
    return job.started


def _rate_by_sync(port: int, query: str, n_queries: int) -> Sample:
    asked: dict[str, object] = {"LANG": "ADQL", "QUERY": query}
    begin = time.perf_counter()
    with ThreadPoolExecutor(_N_AT_ONCE) as clients:
        list(clients.map(lambda _: download(port, "/tap/sync", asked), range(n_queries)))
    return Sample.of(n_queries / (time.perf_counter() - begin), Unit.REQUESTS_PER_SECOND)


def _check(jobs: Sequence[Job]) -> None:
    """None is lost, none ran twice, and while somebody waits nobody has more than two turns between two of hers."""
    assert Counter(job.owner for job in jobs) == _N_OF_EACH
    assert all((job.phase, job.attempt) == (Phase.COMPLETED, 1) for job in jobs), jobs
    assert len({job.result.sha256 for job in jobs if job.result}) == 1
    begun = [job.owner for job in jobs]
    for owner in _N_OF_EACH:
        places = [place for place, found in enumerate(begun) if found == owner]
        turns = (Counter(begun[first + 1 : second]) for first, second in itertools.pairwise(places))
        worst = max(max(counts.values(), default=0) for counts in turns)
        assert worst <= 2, f"somebody had {worst} turns between two of {owner}"

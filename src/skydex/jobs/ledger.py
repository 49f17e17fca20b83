"""`Ledger`: the jobs of a server, in SQLite.

It knows phases and limits, and no HTTP and no query. Each method is to be called inside `transaction`, and nothing is
true until that has ended well: write-ahead log, and a flush to the disk for each transaction. A connection belongs to
one thread; several processes of one server may write, one transaction after another.

Jobs have an identifier that nobody guesses, and a number that counts them; numbers are never given again.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from skydex.errors import (
    BusyError,
    JobPhaseError,
    JobSpaceError,
    LedgerError,
    TooManyJobsError,
    TooManyKeptJobsError,
    UnknownResourceError,
)
from skydex.jobs.job import Fault, Job, JobInput, JobResult
from skydex.jobs.phases import ACTIVE, Phase, may_follow

__all__ = ["JobFilter", "Ledger", "QueueLimits"]

_FORMAT = 4
_WITHOUT_NUMBERS, _WITHOUT_QUEUES = 2, 3
_IS_ACTIVE = f"phase IN ({', '.join(repr(str(phase)) for phase in sorted(ACTIVE))})"
_TABLES = f"""
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL, scope TEXT NOT NULL, owner TEXT, address TEXT NOT NULL, run_id TEXT,
    phase TEXT NOT NULL, created REAL NOT NULL, duration_s INTEGER NOT NULL, destruction REAL NOT NULL,
    started REAL, ended REAL, attempt INTEGER NOT NULL,
    size INTEGER, sha256 TEXT, media_type TEXT, suffix TEXT, n_rows INTEGER, fault TEXT, is_transient INTEGER,
    inputs TEXT NOT NULL, parameters TEXT NOT NULL, n_given_bytes INTEGER NOT NULL,
    queue TEXT NOT NULL DEFAULT '', engine TEXT
) STRICT;
CREATE INDEX jobs_by_age ON jobs (kind, scope, created);
CREATE INDEX jobs_by_end ON jobs (destruction);
CREATE INDEX jobs_by_asker ON jobs (address, owner, n_given_bytes, size);
CREATE INDEX jobs_by_owner ON jobs (owner, n_given_bytes, size);
CREATE INDEX active_jobs ON jobs (address, owner) WHERE {_IS_ACTIVE};
PRAGMA user_version = {_FORMAT};
"""
_COLUMNS_WITHOUT_NUMBERS = (
    "id, kind, scope, owner, address, run_id, phase, created, duration_s, destruction, started, ended, attempt, "
    "size, sha256, media_type, suffix, fault, is_transient, inputs, parameters, n_given_bytes"
)
_GIVE_NUMBERS = f"""
DROP INDEX jobs_by_age;
DROP INDEX jobs_by_end;
DROP INDEX jobs_by_asker;
DROP INDEX jobs_by_owner;
DROP INDEX active_jobs;
ALTER TABLE jobs RENAME TO jobs_without_numbers;
{_TABLES}
INSERT INTO jobs ({_COLUMNS_WITHOUT_NUMBERS})
    SELECT {_COLUMNS_WITHOUT_NUMBERS} FROM jobs_without_numbers ORDER BY created, id;
DROP TABLE jobs_without_numbers;
"""
_GIVE_QUEUES = f"""
ALTER TABLE jobs ADD COLUMN queue TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN engine TEXT;
PRAGMA user_version = {_FORMAT};
"""
_RETRY_S = 30
_PATIENCE_S = 20.0
"""How long other processes may be at writing."""
_MB = 1 << 20
_MOST_TOLD_BYTES = 16 * _MB
"""Parameters of a list of jobs: somebody may have kept gigabytes of queries."""
_NO_NUMBER = 2**63 - 1
"""The largest that SQLite knows; no job has it."""


@dataclass(frozen=True)
class QueueLimits:
    """How many jobs may be there at once."""

    per_address: int
    """Unfinished ones of one address, nobody being logged in."""
    per_user: int
    """Unfinished ones of one user."""
    total: int
    """Unfinished ones of all."""
    kept: int
    """Of one address or user, with those that have ended."""
    kept_mb: int
    """What these take on the disk."""


@dataclass(frozen=True)
class JobFilter:
    """Which jobs to list."""

    kinds: frozenset[str]
    """Those of some services."""
    scope: str | None
    """And of one part of these; of None, of every part."""
    owner: str | None
    """Those of a user, or those of nobody."""
    address: str | None
    """Of nobody's jobs, those from this address; of None there are none."""
    phases: frozenset[Phase]
    """Those in one of these phases; all if it is empty."""
    after: float | None = None
    """Those made after this moment."""
    last: int | None = None
    """The youngest so many."""
    beside: frozenset[str] = frozenset()
    """Further services, all of whose parts are meant."""
    numbers: frozenset[int] = frozenset()
    """Those with one of these numbers; all if it is empty."""


class Ledger:
    """The jobs in one SQLite file.

    Parameters
    ----------
    path : Path
        The file; it is made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._prepare()
        except sqlite3.Error as error:
            raise LedgerError("The record of jobs cannot be opened.") from error

    def close(self) -> None:
        self._connection.close()

    @property
    def version(self) -> int:
        """Changes when another connection has changed something; costs no look at the disk."""
        found: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return found

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what happens in this block, on the disk when it ends.

        Raises
        ------
        LedgerError
            The disk is full or broken; nothing of it has happened.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise LedgerError("The record of jobs cannot be written. Please try again later.") from error
            raise

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """A part of a transaction that may fail alone."""
        self._connection.execute("SAVEPOINT step")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # a full disk may have ended it already
                self._connection.execute("ROLLBACK TO step")
                self._connection.execute("RELEASE step")
            raise
        self._connection.execute("RELEASE step")

    def counts(self) -> dict[str, int]:
        """How many jobs there are in each phase, of everybody."""
        rows = self._connection.execute("SELECT phase, count(*) AS n FROM jobs GROUP BY phase")
        return {str(row["phase"]): int(row["n"]) for row in rows}

    def check_room(self, address: str, owner: str | None, limits: QueueLimits) -> None:
        """Refuse a job more than there may be.

        Raises
        ------
        TooManyJobsError
            Its address or owner has as many unfinished jobs as it may have.
        TooManyKeptJobsError
            The same for all jobs.
        BusyError
            The server has.
        """
        own = _own(address, owner)
        limit, whose = (limits.per_address, "address") if owner is None else (limits.per_user, "user")
        if self._count(_IS_ACTIVE, *own) >= limit:
            raise TooManyJobsError(limit, whose, _RETRY_S)
        if self._count("TRUE", *own) >= limits.kept:
            raise TooManyKeptJobsError(limits.kept, whose)
        if self._count(_IS_ACTIVE) >= limits.total:
            raise BusyError(_RETRY_S)

    def check_space(self, job: Job, limits: QueueLimits) -> None:
        """Refuse a job, or a change to what it asks, that takes more of the disk than its asker's jobs may.

        Raises
        ------
        JobSpaceError
            It does.
        """
        known = self.find(job.id)
        if _n_given_bytes(job) - (_n_given_bytes(known) if known else 0) > self.space_left(job, limits):
            raise JobSpaceError(limits.kept_mb)

    def space_left(self, job: Job, limits: QueueLimits) -> int:
        """Bytes that the asker of a job may still fill; less than nothing after the limit was lowered."""
        where, whose = _own(job.address, job.owner)
        query = f"SELECT coalesce(sum(n_given_bytes + coalesce(size, 0)), 0) FROM jobs WHERE {where}"
        taken: int = self._connection.execute(query, (whose,)).fetchone()[0]
        return limits.kept_mb * _MB - taken

    def add(self, job: Job, limits: QueueLimits) -> Job:
        """Take in a new job, PENDING or QUEUED, if there is room (`check_room`, `check_space`)."""
        self.check_room(job.address, job.owner, limits)
        self.check_space(job, limits)
        row = _row(job)
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        number = self._connection.execute(f"INSERT INTO jobs ({names}) VALUES ({marks})", row).lastrowid
        return replace(job, number=number or 0)

    def find(self, job_id: str) -> Job | None:
        """A job, if there is one of that name."""
        row = self._connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return _job(row) if row else None

    def get(self, job_id: str) -> Job:
        """A job; `UnknownResourceError` if there is none of that name."""
        job = self.find(job_id)
        if job is None:
            raise UnknownResourceError("job", job_id)
        return job

    def get_numbered(self, number: int, owner: str) -> Job:
        """A job of a user; `UnknownResourceError` if she has none of that number."""
        query = "SELECT * FROM jobs WHERE number = ? AND owner = ?"
        row = self._connection.execute(query, (number, owner)).fetchone() if 0 < number < _NO_NUMBER else None
        if row is None:
            raise UnknownResourceError("job", str(number))
        return _job(row)

    def queue(self, job_id: str) -> Job:
        """Have a job done as soon as it is its turn; also one whose worker was lost."""
        return self._move(job_id, Phase.QUEUED, started=None)

    def put_back(self, job_id: str) -> Job:
        """Queue a job again that its worker has left by no fault of the job: the attempt does not count."""
        return self._move(job_id, Phase.QUEUED, started=None, attempt=max(0, self.get(job_id).attempt - 1))

    def begin(self, job_id: str, now: float, engine: str | None = None) -> Job:
        """A worker begins with a job, and perhaps with which engine."""
        attempt = self.get(job_id).attempt + 1
        return self._move(job_id, Phase.EXECUTING, started=now, attempt=attempt, engine=engine)

    def complete(self, job_id: str, now: float, result: JobResult) -> Job:
        """The answer to a job lies in its file, whole."""
        return self._move(job_id, Phase.COMPLETED, ended=now, **asdict(result))

    def fail(self, job_id: str, now: float, fault: Fault) -> Job:
        """A job has failed."""
        return self._move(job_id, Phase.ERROR, ended=now, fault=fault.message, is_transient=int(fault.is_transient))

    def abort(self, job_id: str, now: float) -> Job:
        """Somebody has stopped a job."""
        return self._move(job_id, Phase.ABORTED, ended=now)

    def spoil(self, job_id: str, now: float, fault: Fault) -> Job:
        """The result of a completed job is lost: the one step that is no part of a job's life."""
        gone = dict.fromkeys(_RESULT)
        facts = {"fault": fault.message, "is_transient": int(fault.is_transient), "ended": now}
        return self._update(job_id, phase=Phase.ERROR, **gone, **facts)

    def set_parameters(
        self,
        job_id: str,
        parameters: Sequence[tuple[str, str]],
        inputs: Sequence[JobInput],
        run_id: str | None,
        queue: str = "",
    ) -> Job:
        """Change what a job asks, as long as it is PENDING."""
        job = self.get(job_id)
        if job.phase is not Phase.PENDING:
            raise JobPhaseError(job.phase, "its parameters can be changed only while it is PENDING")
        new = replace(job, parameters=tuple(parameters), inputs=tuple(inputs))
        row = _row(new)
        asked = {name: row[name] for name in ("parameters", "inputs", "n_given_bytes")}
        return self._update(job_id, **asked, run_id=run_id, queue=queue)

    def set_duration(self, job_id: str, seconds: int) -> Job:
        """Change how long a job may run, as long as no worker has begun with it."""
        phase = self.get(job_id).phase
        if phase not in (Phase.PENDING, Phase.QUEUED):
            raise JobPhaseError(phase, "its time limit can be changed only before it runs")
        return self._update(job_id, duration_s=seconds)

    def set_destruction(self, job_id: str, moment: float) -> Job:
        """Change when a job goes."""
        return self._update(job_id, destruction=moment)

    def remove(self, job_id: str) -> Job:
        """Forget a job."""
        job = self.get(job_id)
        self._connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
        return job

    def jobs(self, wanted: JobFilter) -> list[Job]:
        """Jobs, youngest first, without their parameters."""
        conditions, values = _selecting(wanted)
        query = f"SELECT {_SLIM} FROM jobs WHERE {' AND '.join(conditions)} ORDER BY created DESC, number DESC LIMIT ?"
        most = -1 if wanted.last is None else wanted.last
        return [_job(row) for row in self._connection.execute(query, (*values, most))]

    def whole_jobs(self, wanted: JobFilter) -> list[Job]:
        """The same with their parameters; the oldest without, if those of the younger are many megabytes together."""
        return list(self._with_parameters(self.jobs(wanted)))

    def _with_parameters(self, jobs: Iterable[Job]) -> Iterator[Job]:
        n_bytes = 0
        for job in jobs:
            known = self.find(job.id) if n_bytes < _MOST_TOLD_BYTES else None  # it may have been removed meanwhile
            whole = known or job
            n_bytes += sum(len(value) for _, value in whole.parameters)
            yield whole

    def in_phase(self, *phases: Phase) -> list[Job]:
        """All jobs in some phases, oldest first, without their parameters."""
        query = f"SELECT {_SLIM} FROM jobs WHERE {_is_in('phase', phases)} ORDER BY created, number"
        rows = self._connection.execute(query, phases)
        return [_job(row) for row in rows]

    def expired(self, now: float) -> list[str]:
        """Identifiers of jobs whose time is over."""
        rows = self._connection.execute("SELECT id FROM jobs WHERE destruction <= ?", (now,))
        return [row["id"] for row in rows]

    def owners(self) -> set[str]:
        """Everybody who has jobs."""
        return {row["owner"] for row in self._connection.execute("SELECT DISTINCT owner FROM jobs")} - {None}

    def of_owners(self, owners: Collection[str]) -> list[str]:
        """Identifiers of the jobs of some users."""
        query = f"SELECT id FROM jobs WHERE {_is_in('owner', owners)}"
        return [row["id"] for row in self._connection.execute(query, (*owners,))]

    def identifiers(self) -> set[str]:
        """Every job there is."""
        return {row["id"] for row in self._connection.execute("SELECT id FROM jobs")}

    def _move(self, job_id: str, phase: Phase, **facts: Any) -> Job:
        job = self.get(job_id)
        if not may_follow(job.phase, phase):
            raise JobPhaseError(job.phase, f"it cannot become {phase}")
        return self._update(job_id, phase=phase, **facts)

    def _update(self, job_id: str, **facts: Any) -> Job:
        changes = ", ".join(f"{name} = :{name}" for name in facts)
        self._connection.execute(f"UPDATE jobs SET {changes} WHERE id = :id", {**facts, "id": job_id})
        return self.get(job_id)

    def _count(self, phase: str, whose: str = "TRUE", *values: str) -> int:
        query = f"SELECT count(*) FROM jobs WHERE {phase} AND {whose}"
        found: int = self._connection.execute(query, values).fetchone()[0]
        return found

    def _prepare(self) -> None:
        found = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            self._connection.executescript(f"BEGIN IMMEDIATE;{_TABLES}COMMIT;")
        elif found == _WITHOUT_NUMBERS:
            self._connection.executescript(f"BEGIN IMMEDIATE;{_GIVE_NUMBERS}COMMIT;")
        elif found == _WITHOUT_QUEUES:
            self._connection.executescript(f"BEGIN IMMEDIATE;{_GIVE_QUEUES}COMMIT;")
        elif found != _FORMAT:
            raise LedgerError("The record of jobs was made by another version of skydex.")


def _own(address: str, owner: str | None) -> tuple[str, str]:
    """Which jobs are of one asker: a condition and its value."""
    return ("owner IS NULL AND address = ?", address) if owner is None else ("owner = ?", owner)


def _is_in(column: str, values: Collection[object]) -> str:
    """A condition with a mark for each value."""
    return f"{column} IN ({', '.join('?' * len(values))})"


def _selecting(wanted: JobFilter) -> tuple[list[str], list[Any]]:
    """What is asked of a list, as conditions and their values."""
    here = _is_in("kind", wanted.kinds)
    values: list[Any] = sorted(wanted.kinds)
    if wanted.scope is not None:
        here += " AND scope = ?"
        values.append(wanted.scope)
    conditions = [f"({here} OR {_is_in('kind', wanted.beside)})"]
    values += sorted(wanted.beside)
    if wanted.owner is not None:
        conditions.append("owner = ?")
        values.append(wanted.owner)
    else:
        conditions.append("owner IS NULL AND address = ?")  # which holds for none if there is no address
        values.append(wanted.address)
    if wanted.phases:
        conditions.append(_is_in("phase", wanted.phases))
        values += sorted(wanted.phases)
    if wanted.numbers:
        conditions.append(_is_in("number", wanted.numbers))
        values += [number if 0 < number < _NO_NUMBER else 0 for number in wanted.numbers]
    if wanted.after is not None:
        conditions.append("created > ?")
        values.append(wanted.after)
    return conditions, values


def _row(job: Job) -> dict[str, Any]:
    """A job as the columns of the table."""
    result = asdict(job.result) if job.result else dict.fromkeys(_RESULT)
    return {
        **{name: getattr(job, name) for name in _PLAIN},
        **result,
        "fault": job.fault.message if job.fault else None,
        "is_transient": int(job.fault.is_transient) if job.fault else None,
        "inputs": json.dumps([asdict(kept) for kept in job.inputs]),
        "parameters": json.dumps(job.parameters),
        "n_given_bytes": _n_given_bytes(job),
    }


def _n_given_bytes(job: Job) -> int:
    """What a job takes on the disk before it has a result."""
    return len(json.dumps(job.parameters)) + sum(kept.size for kept in job.inputs)


def _job(row: sqlite3.Row) -> Job:
    result = None
    if row["size"] is not None:
        result = JobResult(*(row[name] for name in _RESULT))
    plain = {name: row[name] for name in _PLAIN if name != "phase"}
    return Job(
        **plain,
        phase=Phase(row["phase"]),
        parameters=tuple((name, value) for name, value in json.loads(row["parameters"])),
        inputs=tuple(JobInput(**kept) for kept in json.loads(row["inputs"])),
        result=result,
        fault=Fault(row["fault"], bool(row["is_transient"])) if row["fault"] is not None else None,
        number=row["number"],
    )


_PLAIN = (
    "id", "kind", "scope", "owner", "address", "run_id", "phase", "created", "duration_s", "destruction",
    "started", "ended", "attempt", "queue", "engine",
)  # fmt: skip
_RESULT = ("size", "sha256", "media_type", "suffix", "n_rows")
_SLIM = ", ".join(("number", *_PLAIN, *_RESULT, "fault, is_transient, inputs, '[]' AS parameters"))

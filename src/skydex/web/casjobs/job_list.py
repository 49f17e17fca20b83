"""The list of a user's jobs, as CasJobs shows it, with those that she made by TAP.

What jobs ask may be long, so it is fetched for a few at a time, and only for those that may be meant.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from skydex.accounts import User
from skydex.errors import BadParameterError, LoginError
from skydex.jobs import Job, JobFilter, Phase
from skydex.web.asgi import Call
from skydex.web.casjobs.conditions import Condition, Fact, parse_conditions
from skydex.web.casjobs.login import checked_if_named, logged_in
from skydex.web.casjobs.operations import Answer
from skydex.web.dali import Parameters
from skydex.web.xml import element, optional

__all__ = ["KIND", "OUTPUT", "STATUS", "get_jobs"]

KIND = "casjobs"
"""Jobs of this service, as the ledger has it."""
OUTPUT = "/casjobs/output"
"""Where files are."""
STATUS = {
    Phase.PENDING: 0,
    Phase.QUEUED: 0,
    Phase.EXECUTING: 1,
    Phase.ABORTED: 3,
    Phase.ERROR: 4,
    Phase.COMPLETED: 5,
}
"""The number that stands for each phase."""
_KINDS = frozenset({KIND, "tap"})
"""What the list shows."""
_ASKED = frozenset({"Query", "Context", "Type"})
"""Keys of conditions for which one must know what a job asks."""
_JOBS_AT_A_TIME = 50
_MOST_CHARACTERS = 16 << 20


async def get_jobs(call: Call, parameters: Parameters) -> Answer:
    """A user's jobs, youngest first, of which all conditions hold."""
    user, url = await _owner(call, parameters), call.site.url
    conditions = parse_conditions(parameters.find("conditions") or "")
    numbers = [condition.only() for condition in conditions if condition.key == "JobID"]
    named = frozenset(number for number in numbers if isinstance(number, int))
    wanted = JobFilter(_KINDS, None, user.name, None, frozenset(), numbers=named)
    now, runner = time.time(), call.site.runner
    known = tuple(condition for condition in conditions if condition.key not in _ASKED)
    meant = [job for job in await runner.jobs(wanted) if job.destruction > now and _fits(_facts(job, user, url), known)]
    records: list[str] = []
    n_left = _MOST_CHARACTERS
    for numbered in _parts(meant):
        jobs = await runner.whole_jobs(replace(wanted, numbers=numbered))
        found = await asyncio.to_thread(_records, jobs, user, url, conditions)
        n_left -= sum(map(len, found))
        if n_left < 0:
            raise BadParameterError(
                "conditions", f"must say which jobs: all that are meant take over {_MOST_CHARACTERS >> 20} MB."
            )
        records += found
    return Answer("ArrayOfCJJob", "\n".join(records))


def _parts(jobs: Sequence[Job]) -> Iterator[frozenset[int]]:
    """Numbers of jobs, a few at a time."""
    for start in range(0, len(jobs), _JOBS_AT_A_TIME):
        yield frozenset(job.number for job in jobs[start : start + _JOBS_AT_A_TIME])


def _records(jobs: Sequence[Job], user: User, url: str, conditions: Sequence[Condition]) -> list[str]:
    facts = (_facts(job, user, url) for job in jobs)
    return [_record(one) for one in facts if _fits(one, conditions)]


async def _owner(call: Call, parameters: Parameters) -> User:
    """Whose jobs are wanted: those of who asks, whose credentials come twice."""
    await checked_if_named(call, parameters)
    if parameters.find("owner_wsid") is None and parameters.find("owner_pw") is None:
        return await logged_in(call, parameters)
    asker = call.user
    owner = await logged_in(call, parameters, who="owner_wsid", password="owner_pw")
    if asker is not None and asker.wsid != owner.wsid:
        raise LoginError("Jobs are shown to their owner alone.")
    return owner


def _fits(facts: Mapping[str, Fact | None], conditions: Sequence[Condition]) -> bool:
    return all(condition.holds(facts) for condition in conditions)


def _facts(job: Job, user: User, url: str) -> dict[str, Fact | None]:
    """What is known of a job, by the names that conditions and records have."""
    asked = {name.upper(): value for name, value in job.parameters}
    is_own = job.kind == KIND
    result = job.result
    return {
        "JobID": job.number,
        "Rows": result.n_rows if result else None,
        "WebServicesID": user.wsid,
        "WSID": user.wsid,
        "TimeSubmit": int(job.created),
        "TimeStart": None if job.started is None else int(job.started),
        "TimeEnd": None if job.ended is None else int(job.ended),
        "Status": STATUS.get(job.phase, 1),
        "Queue": job.queue_minutes,
        "TaskName": job.run_id,
        "OutputLoc": f"{url}{OUTPUT}/{job.id}{result.suffix}" if result and is_own else None,
        "Error": job.fault.message if job.fault else None,
        "Query": asked.get("QUERY"),
        "Context": asked.get("CONTEXT") or job.scope or None,
        "Type": asked.get("TYPE") if is_own else job.kind.upper(),
    }


_RECORD = (
    "JobID", "Rows", "WebServicesID", "TimeSubmit", "TimeStart", "TimeEnd", "Status", "Queue", "TaskName", "OutputLoc",
    "Error", "Query", "Context", "Type",
)  # fmt: skip
"""What a record has, in its order; what has no value is left out, since clients stumble over empty elements."""


def _record(facts: Mapping[str, Fact | None]) -> str:
    shown = ((name, facts[name]) for name in _RECORD)
    return element(
        "CJJob", *(optional(name, _moment(fact) if name.startswith("Time") else fact) for name, fact in shown)
    )


def _moment(seconds: Fact | None) -> str | None:
    """A moment as .NET writes it, without a zone; it is UTC."""
    if seconds is None:
        return None
    return f"{datetime.datetime.fromtimestamp(float(seconds), datetime.UTC):%Y-%m-%dT%H:%M:%S}"

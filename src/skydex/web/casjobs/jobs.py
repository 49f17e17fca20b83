"""Queued jobs of CasJobs: submitted, followed, listed, stopped; and the files that output jobs leave.

They are jobs in the ledger like any other: a user's TAP queries are in her list here, and her jobs of CasJobs in the
list of UWS. The queue of a job is called by the minutes that it may take. What a job has put into a file is at an
address that needs no login, since clients fetch it without (`casjobs` 0.0.2, `get_output`): who knows the identifier in
it, which nobody guesses, may have it.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import time
from collections.abc import Mapping
from pathlib import Path

from skydex.accounts import User
from skydex.archive import MYDB_CONTEXT, BatchRequest
from skydex.errors import BadParameterError, JobPhaseError, LoginError, UnknownResourceError
from skydex.jobs import Job, JobFilter, Phase, new_job_id
from skydex.settings import Settings
from skydex.web.asgi import Call, Reply
from skydex.web.casjobs.conditions import Condition, Fact, parse_conditions
from skydex.web.casjobs.contexts import context_of, contexts
from skydex.web.casjobs.login import logged_in
from skydex.web.casjobs.operations import Answer, integer_answer
from skydex.web.casjobs.quick import query_of
from skydex.web.casjobs.tables import every_row
from skydex.web.dali import Parameters
from skydex.web.files import file_reply
from skydex.web.runner import OrderOf
from skydex.web.workroom import TableOrder
from skydex.web.xml import element, optional, text

__all__ = [
    "KIND",
    "ORDERS",
    "OUTPUT",
    "cancel_job",
    "get_job_status",
    "get_job_types",
    "get_jobs",
    "get_queues",
    "output",
    "submit_extract_job",
    "submit_job",
]

KIND = "casjobs"
"""As the ledger has it."""
OUTPUT = "/casjobs/output"
"""Where files are."""
_KINDS = frozenset({KIND, "tap"})
"""What the list shows."""
_QUERY = "QUERY"
_TYPES: Mapping[str, tuple[str, str]] = {
    _QUERY: ("casjobs-csv", "A query, or other statements"),
    "CSV": ("casjobs-csv", "A table of MyDB as comma-separated values"),
    "DataSet": ("casjobs-dataset", "A table of MyDB as an XML DataSet"),
    "FITS": ("fits", "A table of MyDB as a FITS binary table"),
    "VOTable": ("votable", "A table of MyDB as a VOTable"),
}
"""Types of jobs: the format of what they leave, and what they are."""
_STATUS = {
    Phase.PENDING: 0,
    Phase.QUEUED: 0,
    Phase.EXECUTING: 1,
    Phase.ABORTED: 3,
    Phase.ERROR: 4,
    Phase.COMPLETED: 5,
}
_SHORTEST_ESTIMATE = 30
_DAY_S = 86_400
_MINUTE_S = 60
_MOST_NAME = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


async def submit_job(call: Call, parameters: Parameters) -> Answer:
    """Queue statements."""
    user = await logged_in(call, parameters)
    context, query = context_of(call.site.archive, parameters, user.name), query_of(parameters)
    minutes = parameters.find_integer("estimate")
    queue = _queue(call.site.settings, _SHORTEST_ESTIMATE if minutes is None else minutes)
    return await _submitted(call, user, {"QUERY": query, "CONTEXT": context, "TYPE": _QUERY}, parameters, queue)


async def submit_extract_job(call: Call, parameters: Parameters) -> Answer:
    """Queue the writing of a table to a file."""
    user = await logged_in(call, parameters)
    table, asked = parameters.find("tableName"), parameters.find("type") or ""
    kind = {name.lower(): name for name in _TYPES if name != _QUERY}.get(asked.strip().lower())
    if table is None:
        raise BadParameterError("tableName", "is missing: name a table of your own.")
    if kind is None:
        raise BadParameterError("type", f"must be one of {', '.join(name for name in _TYPES if name != _QUERY)}.")
    queue = _queue(call.site.settings, _SHORTEST_ESTIMATE)
    asked_for = {"QUERY": every_row(table), "CONTEXT": MYDB_CONTEXT, "TYPE": kind}
    return await _submitted(call, user, asked_for, parameters, queue)


async def get_job_status(call: Call, parameters: Parameters) -> Answer:
    """The number of a job's status."""
    return integer_answer("int", _STATUS[(await _job_of(call, parameters)).phase])


async def cancel_job(call: Call, parameters: Parameters) -> Answer:
    """Stop a job; nothing happens to one that has ended."""
    job = await _job_of(call, parameters)
    with contextlib.suppress(JobPhaseError):
        await call.site.runner.abort(job.id)
    return Answer()


async def get_jobs(call: Call, parameters: Parameters) -> Answer:
    """A user's jobs, youngest first, of which all conditions hold."""
    user = await _owner(call, parameters)
    conditions = parse_conditions(parameters.find("conditions") or "")
    numbers = [condition.only() for condition in conditions if condition.key == "JobID"]
    named = frozenset(number for number in numbers if isinstance(number, int))
    wanted = JobFilter(_KINDS, None, user.name, None, frozenset(), numbers=named)
    now = time.time()
    jobs = [job for job in await call.site.runner.whole_jobs(wanted) if job.destruction > now]
    facts = (_facts(job, user, call) for job in jobs)
    return Answer("ArrayOfCJJob", "\n".join(_record(one) for one in facts if _fit(one, conditions)))


async def get_queues(call: Call, parameters: Parameters) -> Answer:
    """Queues of each context, by how many minutes a job in them may take."""
    await _checked_if_named(call, parameters)
    rows = (
        element("CJQueue", text("Context", name), text("Timeout", minutes))
        for name, _ in contexts(call.site.archive, call.owner)
        for minutes in call.site.settings.queue_minutes
    )
    return Answer("ArrayOfCJQueue", "\n".join(rows))


async def get_job_types(call: Call, parameters: Parameters) -> Answer:
    """What kinds of jobs there are."""
    await _checked_if_named(call, parameters)
    rows = (element("CJType", text("Type", name), text("Description", about)) for name, (_, about) in _TYPES.items())
    return Answer("ArrayOfCJType", "\n".join(rows))


async def output(call: Call) -> Reply:
    """The file of a job, whoever asks for it by its identifier."""
    job_id, _, suffix = (call.part("name") or "").partition(".")
    job = await call.site.runner.get(job_id)
    if job.kind != KIND or job.result is None or job.destruction <= time.time() or f".{suffix}" != job.result.suffix:
        raise UnknownResourceError("job", job_id[:100])
    name = f'attachment; filename="{job.number}{job.result.suffix}"'.encode("latin-1")
    headers = ((b"content-disposition", name), (b"cache-control", b"private"))
    path = call.site.runner.result(job)
    return await file_reply(call, path, job.result.media_type, sha256=job.result.sha256, headers=headers)


def _order(settings: Settings, job: Job, folder: Path) -> TableOrder:
    asked = dict(job.parameters)
    request = BatchRequest(asked["QUERY"], context=asked["CONTEXT"], owner=job.owner, origin=job.id)
    return request, _TYPES[asked["TYPE"]][0]


ORDERS: Mapping[str, OrderOf] = {KIND: _order}
"""What jobs mean to a worker."""


async def _submitted(call: Call, user: User, asked: Mapping[str, str], parameters: Parameters, minutes: int) -> Answer:
    settings, now = call.site.settings, time.time()
    task = _CONTROL.sub(" ", parameters.find("taskname") or "").strip()[:_MOST_NAME]
    job = Job(
        id=new_job_id(),
        kind=KIND,
        scope=asked["CONTEXT"],
        owner=user.name,
        address=call.asker,
        run_id=task or None,
        phase=Phase.QUEUED,
        created=now,
        duration_s=minutes * _MINUTE_S,
        destruction=now + settings.job_days * _DAY_S,
        parameters=tuple(asked.items()),
    )
    return integer_answer("long", (await call.site.runner.add(job)).number)


def _queue(settings: Settings, minutes: int) -> int:
    """The shortest queue in which a job may take so long; the longest one if there is none."""
    if minutes < 0:
        raise BadParameterError("estimate", "must not be negative: it is a number of minutes.")
    return next((queue for queue in settings.queue_minutes if queue >= minutes), settings.queue_minutes[-1])


async def _job_of(call: Call, parameters: Parameters) -> Job:
    """The job that a request names, of the user who asks."""
    user = await logged_in(call, parameters)
    number = parameters.find_integer("jobid")
    if number is None:
        raise BadParameterError("jobid", "is missing: it is the number of a job.")
    return await call.site.runner.get_numbered(number, user.name)


async def _owner(call: Call, parameters: Parameters) -> User:
    """Whose jobs are wanted: those of who asks, whose credentials come twice."""
    await _checked_if_named(call, parameters)
    if parameters.find("owner_wsid") is None and parameters.find("owner_pw") is None:
        return await logged_in(call, parameters)
    asker = call.user
    owner = await logged_in(call, parameters, who="owner_wsid", password="owner_pw")
    if asker is not None and asker.wsid != owner.wsid:
        raise LoginError("Jobs are shown to their owner alone.")
    return owner


async def _checked_if_named(call: Call, parameters: Parameters) -> None:
    """Let nobody pass whose credentials are wrong; where none are needed, there may be none."""
    if parameters.find("wsid") is not None or parameters.find("pw") is not None:
        await logged_in(call, parameters)


def _fit(facts: Mapping[str, Fact | None], conditions: tuple[Condition, ...]) -> bool:
    return all(condition.holds(facts) for condition in conditions)


def _facts(job: Job, user: User, call: Call) -> dict[str, Fact | None]:
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
        "Status": _STATUS.get(job.phase, 1),
        "Queue": job.queue_minutes,
        "TaskName": job.run_id,
        "OutputLoc": f"{call.site.url}{OUTPUT}/{job.id}{result.suffix}" if result and is_own else None,
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

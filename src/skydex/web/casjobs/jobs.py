"""Queued jobs of CasJobs: submitted, followed, listed, stopped; and the files that output jobs leave.

They are jobs in the ledger like any other: a user's TAP queries are in her list here, and her jobs of CasJobs in the
list of UWS. The queue of a job is called by the minutes that it may take. What a job has put into a file is at an
address that needs no login, since clients fetch it without (`casjobs` 0.0.2, `get_output`): who knows the identifier in
it, which nobody guesses, may have it.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping
from pathlib import Path

from skydex.accounts import User
from skydex.archive import MYDB_CONTEXT, BatchRequest
from skydex.errors import BadParameterError, JobPhaseError, UnknownResourceError
from skydex.jobs import Job, Phase, new_job_id
from skydex.settings import Settings
from skydex.web.asgi import Call, Reply
from skydex.web.casjobs.contexts import context_of, contexts
from skydex.web.casjobs.job_list import KIND, STATUS
from skydex.web.casjobs.login import checked_if_named, logged_in
from skydex.web.casjobs.operations import Answer, integer_answer
from skydex.web.casjobs.quick import query_of
from skydex.web.casjobs.tables import every_row
from skydex.web.dali import Parameters
from skydex.web.files import file_reply
from skydex.web.runner import OrderOf
from skydex.web.workroom import TableOrder
from skydex.web.xml import element, text

__all__ = [
    "ORDERS",
    "cancel_job",
    "get_job_status",
    "get_job_types",
    "get_queues",
    "output",
    "queued",
    "submit_extract_job",
    "submit_job",
]

_QUERY = "QUERY"
_TYPES: Mapping[str, tuple[str, str]] = {
    _QUERY: ("casjobs-csv", "A query, or other statements"),
    "CSV": ("casjobs-csv", "A table of MyDB as comma-separated values"),
    "DataSet": ("casjobs-dataset", "A table of MyDB as an XML DataSet"),
    "FITS": ("fits", "A table of MyDB as a FITS binary table"),
    "VOTable": ("votable", "A table of MyDB as a VOTable"),
}
"""Types of jobs: the format of what they leave, and what they are."""
_ESTIMATE = 30
"""Minutes that a job may take which says nothing of them; output jobs say nothing."""
_DAY_S = 86_400
_MINUTE_S = 60
_MOST_NAME = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


async def submit_job(call: Call, parameters: Parameters) -> Answer:
    """Queue statements."""
    user = await logged_in(call, parameters)
    context, query = context_of(call.site.archive, parameters, user.name), query_of(parameters)
    asked = {"QUERY": query, "CONTEXT": context, "TYPE": _QUERY}
    job = await queued(call, user, asked, parameters.find("taskname"), parameters.find_integer("estimate"))
    return integer_answer("long", job.number)


async def submit_extract_job(call: Call, parameters: Parameters) -> Answer:
    """Queue the writing of a table to a file."""
    user = await logged_in(call, parameters)
    table, asked = parameters.find("tableName"), parameters.find("type") or ""
    kind = {name.lower(): name for name in _TYPES if name != _QUERY}.get(asked.strip().lower())
    if table is None:
        raise BadParameterError("tableName", "is missing: name a table of your own.")
    if kind is None:
        raise BadParameterError("type", f"must be one of {', '.join(name for name in _TYPES if name != _QUERY)}.")
    asked_for = {"QUERY": every_row(table), "CONTEXT": MYDB_CONTEXT, "TYPE": kind}
    return integer_answer("long", (await queued(call, user, asked_for, parameters.find("taskname"))).number)


async def get_job_status(call: Call, parameters: Parameters) -> Answer:
    """The number of a job's status."""
    return integer_answer("int", STATUS[(await _job_of(call, parameters)).phase])


async def cancel_job(call: Call, parameters: Parameters) -> Answer:
    """Stop a job; nothing happens to one that has ended."""
    job = await _job_of(call, parameters)
    with contextlib.suppress(JobPhaseError):
        await call.site.runner.abort(job.id)
    return Answer()


async def get_queues(call: Call, parameters: Parameters) -> Answer:
    """Queues of each context, by how many minutes a job in them may take."""
    await checked_if_named(call, parameters)
    rows = (
        element("CJQueue", text("Context", name), text("Timeout", minutes))
        for name, _ in contexts(call.site.archive, call.owner)
        for minutes in call.site.settings.queue_minutes
    )
    return Answer("ArrayOfCJQueue", "\n".join(rows))


async def get_job_types(call: Call, parameters: Parameters) -> Answer:
    """What kinds of jobs there are."""
    await checked_if_named(call, parameters)
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


async def queued(call: Call, user: User, asked: Mapping[str, str], task: str | None, minutes: int | None = None) -> Job:
    """Queue what a user asks for, under a name of hers, for so many minutes.

    Raises
    ------
    BadParameterError
        It cannot take so long.
    """
    settings, now = call.site.settings, time.time()
    minutes = _queue(settings, _ESTIMATE if minutes is None else minutes)
    task = _CONTROL.sub(" ", task or "").strip()[:_MOST_NAME]
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
    return await call.site.runner.add(job)


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

"""The pages of jobs: the list of one's own, those of TAP, of CasJobs and of cutouts in one, and each by itself.

Whose jobs are listed is UWS's affair: a user's, or, where nobody is logged in, those of the same address
(docs/decisions/job-list-without-login.md). Who knows the identifier of an anonymous job may use it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace

from starlette.routing import BaseRoute, Route

from skydex.errors import BadParameterError, JobPhaseError, SkydexError, UnknownResourceError
from skydex.jobs import ACTIVE, Job, JobFilter, Phase
from skydex.mydb import MYDB
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Handler, Reply
from skydex.web.casjobs.job_list import KIND as CASJOBS_KIND
from skydex.web.casjobs.job_list import OUTPUT
from skydex.web.door import way_up
from skydex.web.moments import written_moment
from skydex.web.pages.definition import Page, refused
from skydex.web.pages.rendering import Facts
from skydex.web.questions import CASJOBS
from skydex.web.site import Site

__all__ = ["PAGE", "PAGE_OF_ONE", "routes"]

_TITLES = {"tap": "ADQL", CASJOBS_KIND: "CasJobs SQL", "soda": "Cutouts"}
"""Kinds of jobs, as people know them."""
_PER_PAGE = 50
_SHOWN_PHASES = (Phase.PENDING, Phase.QUEUED, Phase.EXECUTING, Phase.COMPLETED, Phase.ERROR, Phase.ABORTED)
_MOST_CHARACTERS = 20_000
_LINE = 160


async def gather(call: Call) -> Facts:
    """One's jobs, youngest first."""
    given = dali.Parameters(call.query_pairs())
    phase, first = _phase(given), max(given.find_integer("first") or 0, 0)
    phases = frozenset({phase}) if phase else frozenset()
    wanted = JobFilter(frozenset(_TITLES), None, call.owner, _address(call), phases)
    runner, now = call.site.runner, time.time()
    found = [job for job in await runner.jobs(wanted) if job.destruction > now]
    shown = frozenset(job.number for job in found[first : first + _PER_PAGE])
    jobs = await runner.whole_jobs(replace(wanted, numbers=shown)) if shown else []
    made, counts = await _made(call, jobs), await runner.counts()
    return {
        "jobs": [
            _facts(call, job, most=_LINE) | {"tables": made.get(job.id, []), "n_before": _n_before(job, found)}
            for job in jobs
        ],
        "server": {"waiting": counts.get(Phase.QUEUED, 0), "running": counts.get(Phase.EXECUTING, 0)},
        "n_jobs": len(found),
        "n_active": sum(job.phase in ACTIVE - {Phase.PENDING} for job in found),
        "first": first,
        "next": first + _PER_PAGE if len(found) > first + _PER_PAGE else None,
        "phase": phase,
        "phases": list(_SHOWN_PHASES),
        "days": call.site.settings.job_days,
    }


async def gather_one(call: Call) -> Facts:
    """One job; with `wait`, when its phase has changed or so many seconds are over."""
    given = dali.Parameters(call.query_pairs())
    job = await _found(call)
    seconds = min(given.find_integer("wait") or 0, call.site.settings.job_wait_s)
    if seconds > 0 and job.phase in ACTIVE:
        call.watch()
        before = job.phase
        job = await call.site.runner.wait(job, lambda now: now.phase is not before, seconds)
    made, n_before = await _made(call, [job]), None
    if job.phase is Phase.QUEUED:
        waiting = JobFilter(frozenset(_TITLES), None, call.owner, _address(call), frozenset({Phase.QUEUED}))
        n_before = _n_before(job, await call.site.runner.jobs(waiting))
    return {"job": _facts(call, job, most=_MOST_CHARACTERS) | {"tables": made.get(job.id, []), "n_before": n_before}}


async def cancel(call: Call) -> Reply:
    """Stop a job; nothing happens to one that has ended."""
    job = await _posted(call)
    with contextlib.suppress(JobPhaseError):
        await call.site.runner.abort(job.id)
    return _see(call, f"jobs/{job.id}")


async def delete(call: Call) -> Reply:
    """Forget a job, with its result."""
    job = await _posted(call)
    await call.site.runner.remove(job.id)
    return _see(call, "jobs")


def routes(site: Site) -> list[BaseRoute]:
    """Where the forms of these pages go."""
    deeds: tuple[tuple[str, Handler], ...] = (("cancel", cancel), ("delete", delete))
    return [
        Route(f"/jobs/{{id}}/{word}", Endpoint(site, refused(deed), methods=("POST",), is_form=True))
        for word, deed in deeds
    ]


async def _posted(call: Call) -> Job:
    given = dali.Parameters(await call.posted_pairs())
    call.check_form(given.find("csrf_token") or "")
    return await _found(call)


async def _found(call: Call) -> Job:
    """The job of an address; one of somebody else is as unknown as one that does not exist."""
    job_id = call.part("id") or ""
    try:
        job = await call.site.runner.get(job_id)
    except UnknownResourceError:
        job = None
    if job is None or job.kind not in _TITLES or not job.is_for(call.owner) or job.destruction <= time.time():
        raise UnknownResourceError("job", job_id[:100])
    return job


def _facts(call: Call, job: Job, *, most: int) -> Facts:
    asked = {name.upper(): value for name, value in job.parameters}
    text = asked.get("QUERY") or ", ".join(f"{name}={value}" for name, value in job.parameters)
    context = asked.get("CONTEXT", "") if job.kind == CASJOBS_KIND else ""
    name = _name(call, job)
    place = _place(job, name)
    now = time.time()
    return {
        "id": job.id,
        "number": job.number,
        "name": job.run_id,
        "kind": job.kind,
        "title": _TITLES[job.kind],
        "phase": job.phase,
        "is_active": job.phase in ACTIVE,
        "is_waited_for": job.phase in (Phase.QUEUED, Phase.EXECUTING),
        "owner": job.owner,
        "created": written_moment(job.created),
        "started": job.started and written_moment(job.started),
        "ended": job.ended and written_moment(job.ended),
        "seconds": None if job.started is None else round((job.ended or now) - job.started, 2),
        "most_seconds": job.duration_s,
        "attempt": job.attempt,
        "engine": job.engine,
        "destruction": written_moment(job.destruction),
        "query": text[:most],
        "is_cut": len(text) > most,
        "where": f"{CASJOBS}{context}" if context else name,
        "can_be_edited": "QUERY" in asked and len(text) <= most,
        "files": [{"name": kept.name, "n_bytes": kept.size} for kept in job.inputs],
        "error": job.fault.message if job.fault else None,
        "may_succeed": bool(job.fault and job.fault.is_transient),
        "result": _result(job, place),
        "url": f"{call.site.url}/{place}" if place else None,
    }


def _n_before(job: Job, own: Sequence[Job]) -> int | None:
    """How many of somebody's own jobs wait, and have done so for longer; None of one that does not wait.

    Whose turn it is goes round among users and addresses, so that nobody's place among all is known.
    """
    if job.phase is not Phase.QUEUED:
        return None
    return sum(one.phase is Phase.QUEUED and one.number < job.number for one in own)


async def _made(call: Call, jobs: Sequence[Job]) -> dict[str, list[str]]:
    """Tables of one's own that jobs have made, or changed last, by the identifiers of these."""
    found: dict[str, list[str]] = {}
    if call.owner is not None and any(job.kind == CASJOBS_KIND for job in jobs):
        with contextlib.suppress(SkydexError):  # a list of tables that cannot be read is told on its own page
            for table in await asyncio.to_thread(call.site.archive.mydb(call.owner).tables):
                found.setdefault(table.origin.partition("#")[0], []).append(f"{MYDB}.{table.name}")
    return found


def _name(call: Call, job: Job) -> str:
    """The collection that a job is confined to, as it stands in addresses."""
    view = call.site.archive.find_view(job.scope, call.owner) if job.kind == "tap" else None
    return view.name if view else ""


def _place(job: Job, name: str) -> str:
    """Where UWS has it; nothing for jobs of CasJobs, which it lists among those of TAP."""
    base = {"tap": f"{name}/tap" if name else "tap", "soda": "soda"}.get(job.kind, "tap")
    return f"{base}/async/{job.id}"


def _result(job: Job, place: str) -> Facts | None:
    """What came of it; rows that went into a table are not in a file that is worth having."""
    if job.result is None:
        return None
    result = job.result
    name = "results" if job.kind == "soda" else "results/result"
    address = f"{OUTPUT[1:]}/{job.id}{result.suffix}" if job.kind == CASJOBS_KIND else f"{place}/{name}"
    return {
        "n_bytes": result.size,
        "n_rows": result.n_rows,
        "media_type": result.media_type,
        "format": result.suffix.lstrip("."),
        "sha256": result.sha256,
        "address": address,
    }


def _phase(given: dali.Parameters) -> Phase | None:
    asked = given.find("phase")
    try:
        return None if asked is None else Phase(asked.strip().upper())
    except ValueError:
        raise BadParameterError("phase", f"must be one of {', '.join(_SHOWN_PHASES)}.") from None


def _address(call: Call) -> str | None:
    return call.asker if call.site.settings.tells_addresses else None


def _see(call: Call, place: str) -> Reply:
    return Reply(b"", dali.TEXT_TYPE, 303, ((b"location", f"{way_up(call.scope['path'])}{place}".encode()),))


PAGE = Page("/jobs", "jobs.html", gather)
PAGE_OF_ONE = Page("/jobs/{id}", "job.html", gather_one)

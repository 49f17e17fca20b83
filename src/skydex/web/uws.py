"""UWS: jobs as resources that a client makes, follows, changes and forgets.

Service side of UWS 1.1 (IVOA REC 2016-10-24): the tree of resources (section 2.2.1), waiting (2.2.1.2) and requests
that change something (2.2.3). What a job asks and means is the affair of its service (`JobKind`); phases and limits are
the ledger's, having jobs done is the runner's, and documents are written by `uws_documents`.

Some things are ours to choose. A request with WAIT and no PHASE is held until the job ends, not merely until it begins,
since clients sleep between their requests; with PHASE it is held until that phase is left. A job that runs into its
time limit is in phase ERROR, where clients look for the reason, and not ABORTED. Who knows the identifier of an
anonymous job may use it; the list shows somebody who is not logged in the anonymous jobs of the same address.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import BaseRoute, Route

from skydex.errors import (
    BadParameterError,
    BodyTooLargeError,
    JobPhaseError,
    RequestError,
    SkydexError,
    UnknownResourceError,
)
from skydex.jobs import ACTIVE, Fault, Job, JobFilter, JobInput, Phase, new_job_id
from skydex.store.files import sync_directories, sync_directory
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Refusal, Reply
from skydex.web.files import file_reply
from skydex.web.long_queue import QUEUE
from skydex.web.moments import parsed_moment, written_moment
from skydex.web.site import Site
from skydex.web.uws_documents import (
    RESULT,
    Part,
    job_document,
    list_document,
    parameters_document,
    results_document,
)
from skydex.web.workroom import Checked

__all__ = ["JobKind", "JobPlace", "submitted", "uws_routes"]

XML_TYPE = "text/xml; charset=utf-8"
_MOST_RUN_ID = 200
_DAY_S = 86_400
_LONGEST_S = 2**31 - 1


@dataclass(frozen=True)
class JobPlace:
    """Which of a server's lists of jobs is meant."""

    scope: str
    """Which part of the service, as the ledger has it."""
    url: str
    """Public address of the list."""


@dataclass(frozen=True)
class JobKind:
    """What a service says of its jobs."""

    name: str
    """As the ledger has it."""
    beside: frozenset[str]
    """Kinds of jobs made otherwise; their owner finds them in the list of the whole, to stop and delete them there."""
    parameters: frozenset[str]
    """Names of parameters that mean something to it, in upper case; others are ignored."""
    gathered: frozenset[str]
    """Those of them of which a later value does not replace an earlier one."""
    read: Callable[[Call, Path], Awaitable[tuple[dali.Parameters, tuple[JobInput, ...]]]]
    """The parameters of a call; files that come along go to a directory, which is made for the first one."""
    is_whole: Callable[[dali.Parameters], bool]
    """Whether a job can be understood already."""
    may_wait: Callable[[RequestError], bool]
    """Whether what is wrong with a job may yet be mended by further parameters."""
    place: Callable[[Call], JobPlace]
    """Which list a call addresses; raises `UnknownResourceError`."""
    refuse: Refusal
    """The form of errors."""
    fault: Callable[[str], Reply]
    """The document that says why a job failed."""
    parts: Callable[[Path], tuple[Part, ...]] | None = None
    """The results in the file of a job, for jobs that have several; by default the file is the one result."""

    def shows(self, job: Job, place: JobPlace) -> bool:
        """Whether a job is in a list."""
        return (job.kind, job.scope) == (self.name, place.scope) or job.kind in self.beside_in(place)

    def beside_in(self, place: JobPlace) -> frozenset[str]:
        """Which other kinds are in a list."""
        return frozenset() if place.scope else self.beside


def uws_routes(site: Site, base: str, kind: JobKind) -> list[BaseRoute]:
    """The tree of resources below the path of a list of jobs; beside the list, what TapPlus deletes jobs with."""
    tree = _Tree(kind)
    resources: tuple[tuple[str, Callable[[Call], Awaitable[Reply]], tuple[str, ...]], ...] = (
        ("", tree.list, ("GET", "POST")),
        ("/{id}", tree.job, ("GET", "POST", "DELETE")),
        ("/{id}/phase", tree.phase, ("GET", "POST")),
        ("/{id}/executionduration", tree.duration, ("GET", "POST")),
        ("/{id}/destruction", tree.destruction, ("GET", "POST")),
        ("/{id}/quote", tree.quote, ("GET",)),
        ("/{id}/error", tree.error, ("GET",)),
        ("/{id}/parameters", tree.parameters, ("GET", "POST")),
        ("/{id}/parameters/{name}", tree.parameter, ("GET",)),
        ("/{id}/results", tree.results, ("GET",)),
        ("/{id}/results/{name}", tree.result, ("GET",)),
        ("/{id}/owner", tree.owner, ("GET",)),
    )
    named = [(base + path, handler, methods) for path, handler, methods in resources]
    beside = (f"{base.rpartition('/')[0]}/deletejobs", tree.delete_listed, ("POST",))
    return [
        Route(path, Endpoint(site, handler, refuse=kind.refuse, methods=methods))
        for path, handler, methods in (*named, beside)
    ]


async def submitted(
    call: Call, kind: JobKind, place: JobPlace, asked: Mapping[str, str], *, name: str | None = None
) -> Job:
    """A job that is queued at once, made of parameters that were checked, and came some other way than UWS's.

    Parameters
    ----------
    call : Call
        Who asks.
    kind : JobKind
        What the job means.
    place : JobPlace
        The list in which it is to be.
    asked : mapping of str
        Its parameters, their names in capitals.
    name : str, optional
        What its owner calls it.
    """
    job = dataclasses.replace(
        _new_job(call, kind, place),
        parameters=tuple(asked.items()),
        run_id=_run_id(dali.Parameters([("RUNID", name or "")])),
    )
    _check_size(job, call.site.settings.form_mb)
    return await call.site.runner.add(dataclasses.replace(job, phase=Phase.QUEUED))


def _new_job(call: Call, kind: JobKind, place: JobPlace) -> Job:
    settings, now = call.site.settings, time.time()
    return Job(
        id=new_job_id(),
        kind=kind.name,
        scope=place.scope,
        owner=call.owner,
        address=call.asker,
        run_id=None,
        phase=Phase.PENDING,
        created=now,
        duration_s=settings.job_time_s,
        destruction=now + settings.job_days * _DAY_S,
    )


class _Tree:
    """The resources of one kind of jobs."""

    def __init__(self, kind: JobKind) -> None:
        self._kind = kind

    async def list(self, call: Call) -> Reply:
        place = self._kind.place(call)
        if call.scope["method"] == "POST":
            return await self._create(call, place)
        jobs = await call.site.runner.jobs(_filter(call, await call.parameters(), self._kind, place))
        return Reply(await asyncio.to_thread(list_document, jobs, place.url), XML_TYPE)  # there may be thousands

    async def job(self, call: Call) -> Reply:
        place, job = await self._find(call)
        if call.scope["method"] == "DELETE":
            return await _delete(call, place, job)
        if call.scope["method"] == "POST":
            return await self._change(call, place, job)
        job = await _waited(call, job, await call.parameters())
        return Reply(job_document(job, place.url, await self._parts(call, job)), XML_TYPE)

    async def phase(self, call: Call) -> Reply:
        place, job = await self._find(call)
        given = await call.parameters()
        if call.scope["method"] == "POST":
            await self._set_phase(call, job, given.find("PHASE"))
            return _see(f"{place.url}/{job.id}")
        return _text((await _waited(call, job, given)).phase)

    async def duration(self, call: Call) -> Reply:
        place, job = await self._find(call)
        if call.scope["method"] != "POST":
            return _text(job.duration_s)
        seconds = (await call.parameters()).find_integer("EXECUTIONDURATION")
        if seconds is None:
            raise BadParameterError("EXECUTIONDURATION", "is missing.")
        most = call.site.settings.job_time_hard_s
        seconds = most if seconds == 0 else min(seconds, most)  # 0 asks for no limit at all
        if seconds < 0:
            raise BadParameterError("EXECUTIONDURATION", "must not be negative.")
        await call.site.runner.change(lambda ledger: ledger.set_duration(job.id, seconds))
        return _see(f"{place.url}/{job.id}")

    async def destruction(self, call: Call) -> Reply:
        place, job = await self._find(call)
        if call.scope["method"] != "POST":
            return _text(written_moment(job.destruction))
        asked = (await call.parameters()).find("DESTRUCTION")
        if asked is None:
            raise BadParameterError("DESTRUCTION", "is missing.")
        now = time.time()
        moment = min(max(parsed_moment("DESTRUCTION", asked), now), now + call.site.settings.job_days_hard * _DAY_S)
        await call.site.runner.change(lambda ledger: ledger.set_destruction(job.id, moment))
        return _see(f"{place.url}/{job.id}")

    async def quote(self, call: Call) -> Reply:
        await self._find(call)
        return _text("")  # nobody knows

    async def error(self, call: Call) -> Reply:
        _, job = await self._find(call)
        if job.fault is None:
            return _text("")
        return self._kind.fault(job.fault.message)

    async def parameters(self, call: Call) -> Reply:
        place, job = await self._find(call)
        if call.scope["method"] == "POST":
            return await self._change(call, place, job)
        return Reply(parameters_document(job, place.url), XML_TYPE)

    async def parameter(self, call: Call) -> Reply:
        _, job = await self._find(call)
        name = call.part("name") or ""
        for kept in job.inputs:
            if kept.name.lower() == name.lower():
                return await _attachment(call, kept.name, call.site.runner.folder(job.id) / kept.file)
        values = dali.Parameters(job.parameters).values(name)
        if not values:
            raise UnknownResourceError("parameter", name)
        return _text("\n".join(values))

    async def results(self, call: Call) -> Reply:
        place, job = await self._find(call)
        return Reply(results_document(job, place.url, await self._parts(call, job)), XML_TYPE)

    async def result(self, call: Call) -> Reply:
        _, job = await self._find(call)
        if call.part("name") == RESULT and job.fault is not None:  # TapPlus looks for the reason here
            return dataclasses.replace(self._kind.fault(job.fault.message), status=404)
        parts = await self._parts(call, job)
        if parts is not None:
            return await _part_reply(call, job, parts)
        if call.part("name") != RESULT or job.result is None:
            raise UnknownResourceError("result", call.part("name") or "")
        name = f'inline; filename="result{job.result.suffix}"'.encode("latin-1")
        return await file_reply(
            call,
            call.site.runner.result(job),
            job.result.media_type,
            sha256=job.result.sha256,
            headers=((b"content-disposition", name),),
        )

    async def owner(self, call: Call) -> Reply:
        _, job = await self._find(call)
        return _text(job.owner or "")

    async def delete_listed(self, call: Call) -> Reply:
        """Delete all jobs of a list of identifiers, or none if one of them is unknown."""
        asked = ((await call.parameters()).find("JOB_IDS") or "").split(",")
        named = dict.fromkeys(job_id.strip() for job_id in asked)
        for job in [(await self._find_named(call, job_id))[1] for job_id in named]:
            await call.site.runner.remove(job.id)
        return _text("")

    async def _parts(self, call: Call, job: Job) -> tuple[Part, ...] | None:
        """The results of a job that has several."""
        if self._kind.parts is None or job.result is None:
            return None
        return await asyncio.to_thread(self._kind.parts, call.site.runner.result(job))

    async def _find(self, call: Call) -> tuple[JobPlace, Job]:
        """The job that a call addresses."""
        return await self._find_named(call, call.part("id") or "")

    async def _find_named(self, call: Call, job_id: str) -> tuple[JobPlace, Job]:
        """A job by its identifier; one of somebody else is as unknown as one that does not exist."""
        place = self._kind.place(call)
        try:
            job = await call.site.runner.get(job_id)
        except UnknownResourceError:
            job = None
        if (
            job is None
            or not self._kind.shows(job, place)
            or not job.is_for(call.owner)
            or job.destruction <= time.time()
        ):
            raise UnknownResourceError("job", job_id[:100])
        return place, job

    async def _create(self, call: Call, place: JobPlace) -> Reply:
        await _check_room(call)
        job = _new_job(call, self._kind, place)
        async with self._posted(call, job) as (given, job):
            await call.site.runner.add(await self._judged(call, job, is_to_run=_is_to_run(given)))
        return _see(f"{place.url}/{job.id}")

    async def _judged(self, call: Call, job: Job, *, is_to_run: bool) -> Job:
        """A new job in its first phase: one that can never be done has failed already.

        It is not refused, since a job is where clients look for the reason (`stilts taplint` calls a refusal an error).
        """
        try:
            await self._check(call, job, is_to_run=is_to_run)
        except RequestError as error:
            if not self._kind.is_whole(dali.Parameters(job.parameters)):
                raise
            fault = Fault(dali.error_message(error))
            return dataclasses.replace(job, phase=Phase.ERROR, ended=time.time(), fault=fault, inputs=())
        return dataclasses.replace(job, phase=Phase.QUEUED) if is_to_run else job

    async def _change(self, call: Call, place: JobPlace, job: Job) -> Reply:
        """Whatever may be posted to a job itself: its end, other parameters, a phase."""
        async with self._posted(call, job) as (given, changed):
            action = given.find("ACTION")
            if action is not None and action.upper() != "DELETE":
                raise BadParameterError("ACTION", 'must be "DELETE".')
            if action is not None:
                return await _delete(call, place, job)
            if changed != job:
                job = await self._set_parameters(call, job, changed)
        if given.find("PHASE") is not None:
            await self._set_phase(call, job, given.find("PHASE"))
        return _see(f"{place.url}/{job.id}")

    async def _set_parameters(self, call: Call, job: Job, changed: Job) -> Job:
        if job.phase is not Phase.PENDING:
            raise JobPhaseError(job.phase, "its parameters can be changed only while it is PENDING")
        await self._check(call, changed, is_to_run=False)
        return await call.site.runner.set_parameters(changed)

    @contextlib.asynccontextmanager
    async def _posted(self, call: Call, job: Job) -> AsyncIterator[tuple[dali.Parameters, Job]]:
        """What a call posts, and the job as it would be with that; files that came along go if the block fails."""
        home = call.site.runner.folder(job.id)
        folder = home / f"inputs-{secrets.token_hex(4)}"
        try:
            given, files = await self._kind.read(call, folder)
            await asyncio.to_thread(_settled, folder, {file.file for file in files})
            inputs = tuple(dataclasses.replace(file, file=f"{folder.name}/{file.file}") for file in files)
            changed = self._with(job, given, inputs)
            _check_size(changed, call.site.settings.form_mb)
            yield given, changed
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # there are others
                home.rmdir()
            raise

    def _with(self, job: Job, given: dali.Parameters, inputs: tuple[JobInput, ...]) -> Job:
        """A job with further parameters; new values replace old ones."""
        known = tuple((name, value) for name, value in given.pairs() if name in self._kind.parameters)
        replaced = {name for name, _ in known} - self._kind.gathered
        new_files = {file.name.lower() for file in inputs}
        return dataclasses.replace(
            job,
            parameters=(*(pair for pair in job.parameters if pair[0] not in replaced), *known),
            inputs=(*(file for file in job.inputs if file.name.lower() not in new_files), *inputs),
            queue=(dali.Parameters(known).find(QUEUE) or job.queue).lower(),
            run_id=_run_id(given) or job.run_id,
        )

    async def _set_phase(self, call: Call, job: Job, asked: str | None) -> None:
        runner = call.site.runner
        word = (asked or "").upper()
        if word == "ABORT":
            if job.phase in ACTIVE:
                await runner.abort(job.id)
        elif word != "RUN":
            raise BadParameterError("PHASE", 'must be "RUN" or "ABORT".')
        elif job.phase is Phase.PENDING:
            await self._check(call, job, is_to_run=True)
            await runner.run(job.id)
        elif job.is_final and not _failed_when_made(job):  # clients send RUN before they look
            raise JobPhaseError(job.phase, "it cannot run again. Create a new one")

    async def _check(self, call: Call, job: Job, *, is_to_run: bool) -> None:
        """See whether a job can be done, before it is accepted; one that is not whole yet may wait for the rest."""
        order = call.site.runner.order
        if not self._kind.is_whole(dali.Parameters(job.parameters)):
            if is_to_run:
                order(job)  # which says what is missing
                raise RequestError("The job is not whole yet.")
            return
        try:
            await call.check(Checked(order(job)), is_quick=not job.inputs)
        except RequestError as error:
            if is_to_run or not self._kind.may_wait(error):
                raise


async def _check_room(call: Call) -> None:
    """Refuse a job more than there may be, before anything of it is kept."""
    try:
        await call.site.runner.check_room(call.asker, call.owner)
    except SkydexError:
        await call.discard_body()
        raise


def _check_size(job: Job, max_mb: int) -> None:
    """Refuse parameters that are too many together, though each request that brought some was small enough."""
    if sum(len(value.encode("utf-8", "replace")) for _, value in job.parameters) > max_mb << 20:
        raise BodyTooLargeError(max_mb)


def _settled(folder: Path, needed: set[str]) -> None:
    """See to it that files that came along are on the disk, with their names, and that those nobody needs are not."""
    if folder.is_dir():
        for file in folder.iterdir():
            if file.name not in needed:
                file.unlink()
                continue
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
        sync_directories(folder)
        sync_directory(folder.parent.parent)


def _is_to_run(given: dali.Parameters) -> bool:
    asked = given.find("PHASE")
    if asked is not None and asked.upper() != "RUN":
        raise BadParameterError("PHASE", 'must be "RUN" for a new job.')
    return asked is not None


def _run_id(given: dali.Parameters) -> str | None:
    run_id = given.find("RUNID")
    if run_id is not None and len(run_id) > _MOST_RUN_ID:
        raise BadParameterError("RUNID", f"must not be longer than {_MOST_RUN_ID} characters.")
    return run_id


def _failed_when_made(job: Job) -> bool:
    return job.phase is Phase.ERROR and not job.attempt


async def _delete(call: Call, place: JobPlace, job: Job) -> Reply:
    await call.site.runner.remove(job.id)
    return _see(place.url)


async def _waited(call: Call, job: Job, given: dali.Parameters) -> Job:
    """A job, as late as the client wants to hear of it (UWS 1.1, section 2.2.1.2)."""
    asked, phase = given.find_integer("WAIT"), given.find("PHASE")
    if asked is None or asked == 0 or job.phase not in ACTIVE:
        return job
    if phase is not None and phase.upper() != job.phase:
        return job
    most = call.site.settings.job_wait_s
    call.watch()
    has_come = _has_ended if phase is None else lambda now: now.phase is not job.phase
    return await call.site.runner.wait(job, has_come, most if asked < 0 else min(asked, most))


def _has_ended(job: Job) -> bool:
    return job.is_final


def _filter(call: Call, given: dali.Parameters, kind: JobKind, place: JobPlace) -> JobFilter:
    """Which jobs to list (UWS 1.1, section 2.2.2.1)."""
    after, last = given.find("AFTER"), given.find_integer("LAST")
    if last is not None and last < 1:
        raise BadParameterError("LAST", "must be greater than 0.")
    return JobFilter(
        frozenset({kind.name}),
        place.scope,
        owner=call.owner,
        address=call.asker if call.site.settings.tells_addresses else None,
        phases=frozenset(map(_phase, filter(None, given.values("PHASE")))),
        after=None if after is None else parsed_moment("AFTER", after),
        last=None if last is None else min(last, _LONGEST_S),
        beside=kind.beside_in(place),
    )


def _phase(word: str) -> Phase:
    try:
        return Phase(word.strip().upper())
    except ValueError:
        raise BadParameterError("PHASE", f"must be one of {', '.join(Phase)}.") from None


async def _part_reply(call: Call, job: Job, parts: tuple[Part, ...]) -> Reply:
    """The one of several results that a call names."""
    part = next((part for part in parts if part.name == call.part("name")), None)
    if part is None:
        raise UnknownResourceError("result", call.part("name") or "")
    disposition = (b"content-disposition", f'inline; filename="{part.name}"'.encode("latin-1"))
    path = call.site.runner.result(job)
    return await file_reply(call, path, part.media_type, span=(part.start, part.size), headers=(disposition,))


async def _attachment(call: Call, name: str, file: Path) -> Reply:
    """What somebody has uploaded: a file to be saved, lest a browser take it for a page of ours."""
    disposition = (b"content-disposition", f'attachment; filename="{name}"'.encode("latin-1"))
    return await file_reply(call, file, "application/octet-stream", headers=(disposition,))


def _see(url: str) -> Reply:
    return Reply(b"", dali.TEXT_TYPE, 303, ((b"location", url.encode("ascii")),))


def _text(value: object) -> Reply:
    return Reply(str(value).encode("utf-8", "replace"), dali.TEXT_TYPE)

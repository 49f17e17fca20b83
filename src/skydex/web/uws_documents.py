"""What is known of jobs, as the documents of UWS.

UWS 1.1 (IVOA REC 2016-10-24), section 2.2.2 and its schema: a job, a list of jobs, parameters and results. Elements
have the prefix `uws:`, on which TapPlus insists.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skydex.jobs import Job
from skydex.web.moments import written_moment
from skydex.web.xml import document, element, optional, text

__all__ = ["RESULT", "Part", "job_document", "list_document", "parameters_document", "results_document"]

RESULT = "result"
"""Name of the one result of a job."""


@dataclass(frozen=True)
class Part:
    """One of several results of a job."""

    name: str
    """As it stands in its address."""
    media_type: str
    """What it holds."""
    start: int
    """Where it begins in the file of all results."""
    size: int
    """Bytes."""


_NAMESPACES = {
    "xmlns:uws": "http://www.ivoa.net/xml/UWS/v1.0",
    "xmlns:xlink": "http://www.w3.org/1999/xlink",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_NIL = {"xsi:nil": "true"}


def list_document(jobs: Iterable[Job], url: str) -> bytes:
    """Some jobs of the list at an address, in brief."""
    attributes = {"version": "1.1", **_NAMESPACES}
    return document(element("uws:jobs", *(_reference(job, url) for job in jobs), attributes=attributes))


def job_document(job: Job, url: str, parts: Sequence[Part] | None = None) -> bytes:
    """All of a job of the list at an address; with the parts of its result, if it is not one whole."""
    root = element(
        "uws:job",
        text("uws:jobId", job.id),
        optional("uws:runId", job.run_id),
        _or_nil("uws:ownerId", job.owner),
        text("uws:phase", job.phase),
        _or_nil("uws:quote", None),
        text("uws:creationTime", written_moment(job.created)),
        _or_nil("uws:startTime", None if job.started is None else written_moment(job.started)),
        _or_nil("uws:endTime", None if job.ended is None else written_moment(job.ended)),
        text("uws:executionDuration", job.duration_s),
        text("uws:destruction", written_moment(job.destruction)),
        _parameters(job, url),
        _results(job, url, parts),
        _fault(job),
        _info(job),
        attributes={"version": "1.1", **_NAMESPACES},
    )
    return document(root)


def parameters_document(job: Job, url: str) -> bytes:
    """What a job of the list at an address asks."""
    return document(_parameters(job, url, _NAMESPACES))


def results_document(job: Job, url: str, parts: Sequence[Part] | None = None) -> bytes:
    """Where the results of a job of the list at an address are."""
    return document(_results(job, url, parts, _NAMESPACES))


def _reference(job: Job, url: str) -> str:
    link = {"id": job.id, "xlink:type": "simple", "xlink:href": f"{url}/{job.id}"}
    return element(
        "uws:jobref",
        text("uws:phase", job.phase),
        optional("uws:runId", job.run_id),
        _or_nil("uws:ownerId", job.owner),
        text("uws:creationTime", written_moment(job.created)),
        attributes=link,
    )


def _parameters(job: Job, url: str, attributes: dict[str, str] | None = None) -> str:
    values = (text("uws:parameter", value, {"id": name}) for name, value in job.parameters)
    files = (
        text("uws:parameter", f"{url}/{job.id}/parameters/{kept.name}", {"id": kept.name, "byReference": "true"})
        for kept in job.inputs
    )
    return element("uws:parameters", *values, *files, attributes=attributes)


def _results(job: Job, url: str, parts: Sequence[Part] | None, attributes: dict[str, str] | None = None) -> str:
    if job.result is None:
        return element("uws:results", attributes=attributes)
    whole = Part(RESULT, job.result.media_type, 0, job.result.size)
    results = (_result(job, url, part) for part in ([whole] if parts is None else parts))
    return element("uws:results", *results, attributes=attributes)


def _result(job: Job, url: str, part: Part) -> str:
    facts = {
        "id": part.name,
        "xlink:type": "simple",
        "xlink:href": f"{url}/{job.id}/results/{part.name}",
        "size": str(part.size),
        "mime-type": part.media_type,
    }
    return element("uws:result", attributes=facts)


def _fault(job: Job) -> str:
    if job.fault is None:
        return ""
    kind = {"type": "transient" if job.fault.is_transient else "fatal", "hasDetail": "true"}
    return element("uws:errorSummary", text("uws:message", job.fault.message), attributes=kind)


def _info(job: Job) -> str:
    """Which queue it is in and what does it, where there is a choice."""
    facts = (optional("queue", job.queue or None), optional("engine", job.engine))
    return element("uws:jobInfo", *facts) if any(facts) else ""


def _or_nil(tag: str, value: object | None) -> str:
    return element(tag, attributes=_NIL) if value is None else text(tag, value)

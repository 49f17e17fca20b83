"""TAP's asynchronous queries: what a job means, and where jobs are.

TAP 1.1 (IVOA REC 2019-09-27), section 2.2: a job takes the parameters of a synchronous query, and its one result,
`result`, is the same bytes. What is common to all jobs is UWS's affair (`uws`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from skydex.archive import TAP_UPLOAD, Upload
from skydex.errors import RequestError, UnknownTableError
from skydex.formats.votable import error_votable
from skydex.jobs import Job, JobInput
from skydex.settings import Settings
from skydex.web import dali
from skydex.web.asgi import Call, Reply
from skydex.web.long_queue import QUEUE, check_queue
from skydex.web.runner import OrderOf
from skydex.web.tap_queries import query_order, refuse
from skydex.web.uploads import received
from skydex.web.uws import JobKind, JobPlace
from skydex.web.views import base_url_of, view_of
from skydex.web.workroom import TableOrder

__all__ = ["ORDERS", "TAP_JOBS"]

_NAME = "tap"
_PARAMETERS = ("REQUEST", "LANG", "QUERY", "MAXREC", "RESPONSEFORMAT", "FORMAT", "UPLOAD", QUEUE)


def _order(settings: Settings, job: Job, folder: Path) -> TableOrder:
    uploads = tuple(Upload(kept.name, str(folder / kept.file), kept.content_type) for kept in job.inputs)
    asked = {"owner": job.owner, "collection": job.scope or None}
    check_queue(settings, job)
    return query_order(dali.Parameters(job.parameters), settings, **asked, uploads=uploads)


async def _read(call: Call, folder: Path) -> tuple[dali.Parameters, tuple[JobInput, ...]]:
    parameters, uploads = await received(call, folder)
    return parameters, tuple(map(_input, uploads))


def _input(upload: Upload) -> JobInput:
    file = Path(upload.path)
    return JobInput(upload.name, file.name, upload.content_type, file.stat().st_size)


def _place(call: Call) -> JobPlace:
    return JobPlace(view_of(call).key, f"{base_url_of(call)}/async")


def _lacks_upload(error: RequestError) -> bool:
    """Whether a query names an upload that has not come yet."""
    return isinstance(error, UnknownTableError) and error.name.upper().startswith(f"{TAP_UPLOAD}.")


def _fault(message: str) -> Reply:
    return Reply(error_votable(dali.error_message(RequestError(message))), dali.VOTABLE_TYPE)


TAP_JOBS = JobKind(
    name=_NAME,
    beside=frozenset({"casjobs"}),
    parameters=frozenset(_PARAMETERS),
    gathered=frozenset({"UPLOAD"}),
    read=_read,
    is_whole=lambda parameters: parameters.find("QUERY") is not None,
    may_wait=_lacks_upload,
    place=_place,
    refuse=refuse,
    fault=_fault,
)
"""Asynchronous queries."""
ORDERS: Mapping[str, OrderOf] = {_NAME: _order}
"""What they mean to a worker."""

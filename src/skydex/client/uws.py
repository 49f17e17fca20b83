"""`UWSJob`: a job that a service carries out apart from the one who asked for it, found again by its address.

UWS 1.1 (IVOA REC 2016-10-24): the job document (section 2.2.2.2), WAIT (2.2.1.3), ABORT and DELETE (2.2.3). Services of
version 1.0 do not know WAIT; these, and those that do not wait, are asked again after pauses that grow.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from urllib.parse import urljoin

from skydex.client.asking import answered_table
from skydex.client.http import Web, host_of
from skydex.client.refusals import words_of
from skydex.client.xml import child, children, text_of, tree_of
from skydex.errors import BadAnswerError, JobFailedError, JobPhaseError, RefusedError, SkydexError, UnknownResourceError
from skydex.tables import Result

__all__ = ["ENDED", "JobDocument", "UWSJob", "begun_job", "read_job"]

ENDED = frozenset({"COMPLETED", "ERROR", "ABORTED", "ARCHIVED"})
"""Phases that no job leaves by itself."""

_LONGEST_WAIT_S = 60.0
"""How long a service is asked to hold its answer: proxies between cut what takes longer."""
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S, _GROWTH = 0.1, 15.0, 1.5
_NOT_FOUND = (404, 410)
_MOST_BYTES = 16 << 20
"""How much a service may say of a job."""


@dataclass(frozen=True)
class JobDocument:
    """What a service says of a job."""

    job_id: str
    """Its name in its list."""
    phase: str
    """In capitals."""
    version: str
    """Of UWS; empty if it is not said, as before 1.1."""
    results: tuple[tuple[str, str], ...]
    """Identifier and address of each result."""
    message: str
    """Why it failed."""

    @property
    def can_wait(self) -> bool:
        """Whether the service knows WAIT."""
        return self.version not in ("", "1.0")


def read_job(content: bytes, host: str) -> JobDocument:
    """Read a job document.

    Raises
    ------
    BadAnswerError
        It is none.
    """
    root = tree_of(content, host)
    phase = text_of(root, "phase").upper()
    if root.tag != "job" or not phase:
        raise BadAnswerError(host, "it describes no job.")
    results = child(root, "results")
    error = child(root, "errorSummary")
    return JobDocument(
        text_of(root, "jobId"),
        phase,
        root.get("version", ""),
        tuple(
            (one.get("id", ""), one.get("href", ""))
            for one in (children(results, "result") if results is not None else ())
        ),
        text_of(error, "message") if error is not None else "",
    )


def begun_job(web: Web, url: str, content: bytes, *, asked: str) -> UWSJob:
    """The job that a service has made, and now runs.

    Parameters
    ----------
    web : Web
        How it is asked further.
    url : str
        Where the answer to its making came from in the end: the job, if the service redirects as it should.
    content : bytes
        That answer.
    asked : str
        The list of jobs, to which its making was sent.
    """
    document = read_job(content, host_of(url))
    is_own = url.partition("?")[0].rstrip("/") != asked.rstrip("/")
    job = UWSJob(web, url if is_own else f"{asked.rstrip('/')}/{document.job_id}")
    if document.phase == "PENDING":
        web.post(f"{job.url}/phase", {"PHASE": "RUN"}, repeatable=False)
    return job


class UWSJob:
    """A job, by its address.

    Parameters
    ----------
    web : Web
        How it is asked.
    url : str
        Where it is.
    """

    def __init__(self, web: Web, url: str) -> None:
        self._web, self._url = web, url.partition("?")[0].rstrip("/")
        self._known: JobDocument | None = None
        self._pause_s = _SHORTEST_PAUSE_S

    @property
    def url(self) -> str:
        return self._url

    def phase(self, wait_s: float = 0.0) -> str:
        """Where it stands; with `wait_s`, as soon as it has ended or that time is over."""
        until = time.monotonic() + wait_s
        known = self._known if wait_s > 0 else None
        document = known or self._document()
        while document.phase not in ENDED and (left_s := until - time.monotonic()) > 0:
            document = self._later(document, left_s)
        return document.phase

    def progress(self) -> float | None:
        """Services of UWS do not tell."""
        return None

    def message(self) -> str:
        """Why it failed: as its document says, or else the document of its error."""
        said = self._document().message
        if said:
            return said
        with contextlib.suppress(SkydexError):
            return words_of(self._web.get(f"{self._url}/error", max_bytes=_MOST_BYTES))
        return ""

    def result(self) -> Result:
        """Its rows.

        Raises
        ------
        JobPhaseError
            It has not ended yet.
        JobFailedError
            It has none.
        """
        document = self._document()
        if document.phase not in ENDED:
            raise JobPhaseError(document.phase, "it has no result before it is COMPLETED")
        if document.phase != "COMPLETED":
            raise JobFailedError(self._url, document.phase, document.message or self.message())
        return answered_table(self._web, "GET", self._result_url(document))

    def abort(self) -> None:
        self._web.post(f"{self._url}/phase", {"PHASE": "ABORT"})

    def delete(self) -> None:
        """Forget it; where a proxy allows no DELETE, by the form that stands for it. One that is gone is gone."""
        try:
            self._web.whole("DELETE", self._url, accepted=_NOT_FOUND)
        except RefusedError as error:
            if error.status not in (405, 501):
                raise
            self._web.whole("POST", self._url, form={"ACTION": "DELETE"}, accepted=_NOT_FOUND)

    def _later(self, document: JobDocument, left_s: float) -> JobDocument:
        """What the service says when something has changed, or a pause is over; pauses grow while nothing changes."""
        if document.can_wait and left_s >= 1:
            begun = time.monotonic()
            later = self._document(round(min(left_s, _LONGEST_WAIT_S)))
            if later.phase != document.phase or time.monotonic() - begun > self._pause_s:
                return later
        time.sleep(min(self._pause_s, left_s))
        self._pause_s = min(self._pause_s * _GROWTH, _LONGEST_PAUSE_S)
        return self._document()

    def _document(self, wait_s: int | None = None) -> JobDocument:
        try:
            content = self._web.get(self._url, {"WAIT": wait_s} if wait_s else None, max_bytes=_MOST_BYTES)
        except RefusedError as error:
            if error.status in _NOT_FOUND:
                raise UnknownResourceError("job", self._url) from error
            raise
        self._known = read_job(content, host_of(self._url))
        return self._known

    def _result_url(self, document: JobDocument) -> str:
        links = [(name, self._joined(href)) for name, href in document.results if href]
        by_path = [href for _, href in links if href.endswith("/results/result")]
        by_name = [href for name, href in links if name == "result"]
        found = next(iter([*by_path, *by_name, *(href for _, href in links)]), f"{self._url}/results/result")
        if not found.startswith(("http://", "https://")):
            raise BadAnswerError(host_of(self._url), "its result is at no address of the Web.")
        return found

    def _joined(self, href: str) -> str:
        """An address beside that of the job; empty if it is none."""
        try:
            return urljoin(f"{self._url}/", href)
        except ValueError:
            return ""

"""TAP's asynchronous queries: what a job means, and where jobs are.

TAP 1.1 (IVOA REC 2019-09-27), section 2.2: a job takes the parameters of a synchronous query, and its one result,
`result`, is the same bytes. What is common to all jobs is UWS's affair (`uws`).
"""

from __future__ import annotations

from pathlib import Path

from skydex.errors import SkydexError
from skydex.formats.votable import error_votable
from skydex.jobs import Job
from skydex.settings import Settings
from skydex.web import dali
from skydex.web.asgi import Call, Reply
from skydex.web.uws import JobKind, JobPlace

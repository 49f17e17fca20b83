"""To ask a service for a table: the way there (`http`) and the reading of what comes (`answers`) in one.

An answer is put aside before it is read, in memory while it is small and on disk when it is large: so one that breaks
off can be asked for again, rows can be taken at leisure, and no connection waits for somebody who may never come back.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from typing import Any

from skydex.client.answers import result_of_answer
from skydex.client.http import Web, host_of
from skydex.tables import Result

__all__ = ["answered_table"]

_IN_MEMORY = 64 << 20
"""Bytes of an answer that stay in memory."""
_CHUNK = 1 << 20


def answered_table(web: Web, method: str, url: str, **asked: Any) -> Result:
    """Ask for a table; further parameters are those of `Web.opened`.

    Raises
    ------
    RefusedError
        The service says no, with whatever status.
    UnreachableError
        It does not answer, or not to the end.
    BadAnswerError
        What comes is no table; also while rows are taken.
    """
    aside = _Aside()
    answer = web.saved(method, url, aside.file, **asked)
    media_type = answer.headers.get("content-type", "")
    return result_of_answer(aside.chunks(), host=host_of(answer.url), media_type=media_type)


class _Aside:
    """What is put aside, until nobody holds it any more."""

    def __init__(self) -> None:
        self.file = tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="skydex-answer-")  # noqa: SIM115
        self.forget = weakref.finalize(self, self.file.close)

    def chunks(self) -> Iterator[bytes]:
        self.file.seek(0)
        while chunk := self.file.read(_CHUNK):
            yield chunk
        self.forget()

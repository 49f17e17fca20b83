"""To ask a service for a table: the way there (`http`) and the reading of what comes (`answers`) in one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from skydex.client.answers import result_of_answer
from skydex.client.http import Web, host_of
from skydex.tables import Result

__all__ = ["answered_table"]


def answered_table(web: Web, method: str, url: str, **asked: Any) -> Result:
    """Ask for a table; further parameters are those of `Web.opened`.

    The connection is given back after the last row, or when the result is closed.

    Raises
    ------
    RefusedError
        The service says no, with whatever status.
    BadAnswerError, UnreachableError
        What comes is no table, or breaks off; also while rows are taken.
    """
    with contextlib.ExitStack() as stack:
        answer = stack.enter_context(web.opened(method, url, **asked))
        media_type = answer.headers.get("content-type", "")
        result = result_of_answer(answer.chunks, host=host_of(answer.url), media_type=media_type)
        result.batches = _until_the_last(result.batches, stack.pop_all())
    return result


def _until_the_last(batches: Iterator[pa.RecordBatch], stack: contextlib.ExitStack) -> Iterator[pa.RecordBatch]:
    with stack:
        yield from batches

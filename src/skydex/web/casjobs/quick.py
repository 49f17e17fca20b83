"""Quick jobs: queries that are answered at once, and the fast download of a table of one's own.

The answer of a quick job is one text inside one element, which clients hold whole in memory, and nothing in it could
say that rows were cut off. So it is gathered before its status is sent, and what is too long is an error; MAST's client
then goes on with an output job (`mastcasjobs` 0.1.1, `get_table`). A download has no such limit and streams.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from skydex.archive import MYDB_CONTEXT, BatchRequest
from skydex.errors import AnswerTooLargeError, BadParameterError, SkydexError, UnknownTableError
from skydex.formats.dataset import HEAD, TAIL
from skydex.tables import xml_text
from skydex.web import dali
from skydex.web.asgi import Call, Reply, refuse_in_text
from skydex.web.casjobs.contexts import context_of
from skydex.web.casjobs.login import logged_in
from skydex.web.casjobs.operations import Answer
from skydex.web.casjobs.tables import every_row
from skydex.web.dispatch import Exchange

__all__ = ["download", "execute_quick_job", "execute_quick_job_ds", "query_of", "refuse_download"]


async def execute_quick_job(call: Call, parameters: dali.Parameters) -> Answer:
    """Answer a query with typed text."""
    text = await _answer(call, parameters, "casjobs")
    return Answer("string", await asyncio.to_thread(_escaped, text))


async def execute_quick_job_ds(call: Call, parameters: dali.Parameters) -> Answer:
    """Answer a query with a DataSet."""
    document = (await _answer(call, parameters, "casjobs-dataset")).decode("utf-8", "replace")
    return Answer("DataSet", document.removeprefix(HEAD).removesuffix(TAIL))


async def download(call: Call) -> Reply:
    """A whole table of a user's own, whom the request names as people do."""
    parameters = await call.parameters()
    user = await call.log_in(parameters.find("userid") or "", parameters.find("pw") or "")
    table = parameters.find("table")
    if table is None:
        raise BadParameterError("table", "is missing: name a table of your own.")
    request = BatchRequest(every_row(table), context=MYDB_CONTEXT, owner=user.name)
    return await call.ask((request, "casjobs-tab"))


def refuse_download(error: SkydexError) -> Reply:
    """An error of a download, as text; clients know 404 where there is no such table."""
    reply = refuse_in_text(error)
    return replace(reply, status=404) if isinstance(error, UnknownTableError) else reply


async def _answer(call: Call, parameters: dali.Parameters, form: str) -> bytes:
    user = await logged_in(call, parameters)
    context, text = context_of(call.site.archive, parameters), query_of(parameters)
    request = BatchRequest(text, context=context, owner=user.name, max_rows=call.site.settings.max_rows_default)
    reply = await call.ask((request, form))
    assert isinstance(reply.body, Exchange)
    return await _gathered(reply.body, call.site.settings.casjobs_answer_mb)


def query_of(parameters: dali.Parameters) -> str:
    """What a request wants to have done.

    Raises
    ------
    BadParameterError
        Nothing.
    """
    text = parameters.find("qry")
    if text is None or not text.strip():
        raise BadParameterError("qry", "is missing: it is a query, or several statements.")
    return text


async def _gathered(exchange: Exchange, max_mb: int) -> bytes:
    """An answer as a whole; `AnswerTooLargeError` if it is larger than that."""
    pieces, n_left = [], max_mb << 20
    try:
        while piece := await exchange.read():
            n_left -= len(piece)
            if n_left < 0:
                raise AnswerTooLargeError(max_mb)
            pieces.append(piece)
    finally:
        exchange.close()
    return b"".join(pieces)


def _escaped(text: bytes) -> str:
    return xml_text(text.decode("utf-8", "replace"))

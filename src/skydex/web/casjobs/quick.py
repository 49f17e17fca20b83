"""Quick jobs: queries that are answered at once, and the fast download of a table of one's own.

The answer of a quick job is one text inside one element, which clients hold whole in memory, and nothing in it could
say that rows were cut off. So it waits until it is whole before its status is sent, and what is too long is an error:
MAST's client then goes on with an output job (`mastcasjobs` 0.1.1, `get_table`). A download has no limit, and streams.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from skydex.archive import MYDB_CONTEXT, BatchRequest
from skydex.errors import BadParameterError, SkydexError, TimeLimitError, UnknownTableError
from skydex.formats import dataset, typed
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
    return Answer("string", document=await _answer(call, parameters, "casjobs-xml"), around=(typed.HEAD, typed.TAIL))


async def execute_quick_job_ds(call: Call, parameters: dali.Parameters) -> Answer:
    """Answer a query with a DataSet."""
    document = await _answer(call, parameters, "casjobs-dataset")
    return Answer("DataSet", document=document, around=(dataset.HEAD, dataset.TAIL))


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


async def _answer(call: Call, parameters: dali.Parameters, form: str) -> Exchange:
    """The answer to a query, all of which is there."""
    user, settings = await logged_in(call, parameters), call.site.settings
    context, text = context_of(call.site.archive, parameters, user.name), query_of(parameters)
    request = BatchRequest(text, context=context, owner=user.name, max_rows=settings.max_rows_default)
    with _telling_of_jobs():
        reply = await call.ask((request, form))
        assert isinstance(reply.body, Exchange)
        try:
            await reply.body.gathered(min(settings.casjobs_answer_mb, settings.spool_mb))
        except BaseException:
            reply.body.close()
            raise
        return reply.body


@contextlib.contextmanager
def _telling_of_jobs() -> Iterator[None]:
    """Let what takes too long for a quick query say that there are other ones."""
    try:
        yield
    except TimeLimitError as error:
        error.args = (f"{error} Or submit it as a job, which may take longer.",)
        raise

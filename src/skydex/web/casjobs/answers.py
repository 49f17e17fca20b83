"""How answers and errors of CasJobs look where no envelope is around them.

An answer is one element with a default namespace, since clients look for its bare name. An error has status 500 and a
text from which a client cuts the message: it stands, escaped as in HTML, between `System.Exception:` and the last
`--->` (`casjobs` 0.0.2, `_parse_error`). Only that somebody should come back later is told by the status as well.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import escape

from skydex.errors import SkydexError
from skydex.formats.typed import NAMESPACE
from skydex.web import dali
from skydex.web.asgi import Reply
from skydex.web.casjobs.operations import Answer
from skydex.web.dispatch import Exchange

__all__ = ["XML_TYPE", "answered", "content_of", "fault_text", "refuse", "status_of"]

XML_TYPE = "text/xml; charset=utf-8"
_LATER = (429, 503)
_FAILED = 500
_SCHEMAS = (
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    f'xmlns="{NAMESPACE}"'
)


def answered(answer: Answer) -> Reply:
    """An answer as a document; without one, nothing."""
    if answer.document is not None:
        return Reply(answer.document, XML_TYPE)
    if not answer.kind:
        return Reply(b"", XML_TYPE)
    namespaces = f'xmlns="{NAMESPACE}"' if answer.kind.islower() else _SCHEMAS
    root = f"<{answer.kind} {namespaces}>{answer.content}</{answer.kind}>"
    return Reply(f'<?xml version="1.0" encoding="utf-8"?>\n{root}\n'.encode("utf-8", "replace"), XML_TYPE)


async def content_of(answer: Answer) -> Answer:
    """The same answer, with a document from a worker taken in, so that it fits into an envelope."""
    if answer.document is None:
        return answer
    try:
        pieces = [piece async for piece in _pieces(answer.document)]
    finally:
        answer.document.close()
    head, tail = answer.around
    return Answer(answer.kind, b"".join(pieces).removeprefix(head).removesuffix(tail).decode("utf-8", "replace"))


async def _pieces(document: Exchange) -> AsyncIterator[bytes]:
    while piece := await document.read():
        yield piece


def refuse(error: SkydexError) -> Reply:
    """An error as the text that clients understand."""
    return Reply(fault_text(error).encode(), dali.TEXT_TYPE, status_of(error), dali.error_headers(error))


def status_of(error: SkydexError) -> int:
    """The HTTP status of an error."""
    status = dali.error_status(error)
    return status if status in _LATER else _FAILED


def fault_text(error: SkydexError, *, is_html: bool = True) -> str:
    """An error in the words of the service, the message escaped as in HTML where nothing else escapes it."""
    message = dali.error_message(error)
    return (
        "System.Web.Services.Protocols.SoapException: Server was unable to process request. ---> "
        f"System.Exception: {escape(message) if is_html else message} ---> {type(error).__name__}\n"
    )

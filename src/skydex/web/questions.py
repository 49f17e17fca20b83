"""`Question`: a query that somebody writes into a page, in ADQL or in the SQL of CasJobs, and where it is to be asked.

`where` names that place, and with it the language: nothing is everything, a word a collection or an address of TAP, and
`casjobs:` with a word behind it a context of CasJobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skydex.archive import MYDB_CONTEXT, BatchRequest, QueryRequest, View
from skydex.errors import BadParameterError, Located, SkydexError
from skydex.query.languages import caret
from skydex.query.languages.places import line_starts
from skydex.web import dali
from skydex.web.asgi import Call
from skydex.web.casjobs.contexts import context_of, contexts

__all__ = ["CASJOBS", "Question", "mistake_in", "places", "read_question", "view_asked"]

CASJOBS = "casjobs:"
"""Before the name of a context."""


@dataclass(frozen=True)
class Question:
    """What is asked, and where."""

    text: str
    """As it was written."""
    where: str
    """As it is spelled here."""
    max_rows: int
    """Rows of the answer that are wanted at the most."""
    key: str = ""
    """By which the archive knows the collection, or the context."""
    name: str = ""
    """The collection as it stands in addresses of TAP."""

    @property
    def is_batch(self) -> bool:
        """Whether it is in the SQL of CasJobs."""
        return self.where.startswith(CASJOBS)

    def request(self, owner: str | None) -> QueryRequest | BatchRequest:
        """What somebody asks who writes this."""
        if self.is_batch:
            return BatchRequest(self.text, context=self.key, owner=owner, max_rows=self.max_rows)
        return QueryRequest(self.text, max_rows=self.max_rows, owner=owner, collection=self.key or None)

    def facts(self) -> dict[str, Any]:
        """For a page."""
        return {
            "query": self.text,
            "where": self.where,
            "language": "CasJobs SQL" if self.is_batch else "ADQL",
            "max_rows": self.max_rows,
        }


def read_question(call: Call, given: dali.Parameters, *, most: int, default: int) -> Question:
    """What the parameters of a call ask: `query` (or `adql`), `where` and `maxrec`.

    Parameters
    ----------
    call : Call
        Who asks.
    given : Parameters
        What was sent.
    most, default : int
        Rows that may be asked for, and those of whom says nothing.

    Raises
    ------
    BadParameterError, UnknownTableError
        There is no such place.
    """
    n_rows = given.find_integer("maxrec")
    if n_rows is not None and n_rows < 0:
        raise BadParameterError("maxrec", "must not be negative.")
    text = (given.find("query", "adql") or "").replace("\r\n", "\n")
    max_rows = min(default if n_rows is None else n_rows, most)
    where = (given.find("where") or "").strip()
    archive = call.site.archive
    if where.lower().startswith(CASJOBS):
        asked = dali.Parameters([("context", where[len(CASJOBS) :])])
        context = context_of(archive, asked, call.owner or "")
        return Question(text, f"{CASJOBS}{context}", max_rows, context)
    view = archive.view(where or None, call.owner)
    return Question(text, view.name, max_rows, view.key, view.name)


def places(call: Call) -> list[dict[str, str]]:
    """Where one may ask: each with its `where`, a `title` and its `language`."""
    archive = call.site.archive
    titles = {"": "Everything"}
    for schema in archive.view(owner=call.owner).schemas[1:]:
        if not schema.is_own:
            titles.setdefault(schema.name, schema.name)
    for offer in archive.offers_for(call.owner).taps:
        titles.setdefault(offer.name, offer.title or offer.name)
    named = [name for name, _ in contexts(archive, call.owner) if name != MYDB_CONTEXT or call.owner is not None]
    return [
        *({"where": where, "title": title, "language": "ADQL"} for where, title in titles.items()),
        *({"where": f"{CASJOBS}{name}", "title": name, "language": "CasJobs SQL"} for name in named),
    ]


def view_asked(call: Call, question: Question) -> View:
    """The tables that a question may name; in the context of MyDB there is everything."""
    archive = call.site.archive
    offer = archive.offers_for(call.owner).find_context(question.key) if question.is_batch else None
    return archive.view(offer.key if offer else None if question.is_batch else question.key or None, call.owner)


def mistake_in(text: str, error: SkydexError) -> dict[str, Any]:
    """What is wrong with a query, for people and for editors.

    `message` says it; where the place is known, `line` and `column` count from 1, `length` is that of the word there,
    and `caret` shows the line with a mark below. `near` are names that may have been meant, and `mended` has the query
    with each of them.
    """
    facts: dict[str, Any] = {
        "message": dali.error_message(error),
        "line": None,
        "column": None,
        "length": None,
        "caret": "",
        "near": list(getattr(error, "near", ())),
        "mended": [],
    }
    if isinstance(error, Located) and error.line is not None and error.column is not None:
        token = (error.token or "").partition("\n")[0]
        facts |= {"line": error.line, "column": error.column, "length": max(len(token), 1)}
        facts["caret"] = caret(text, error)
        if token.strip('"[]').lower() == str(getattr(error, "name", "")).lower():
            start = line_starts(text)[error.line - 1] + error.column - 1
            tail = text[start + len(token) :]
            facts["mended"] = [{"name": name, "query": f"{text[:start]}{name}{tail}"} for name in facts["near"]]
    return facts

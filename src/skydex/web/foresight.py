"""Looks at queries before they run: what would be read, what is wrong, which names there are. JSON, for anybody.

- `/look/explain`: the way a query would be answered: files and row groups that remain of all, rows to read and to
  expect, columns of the answer.
- `/look/check`: only whether it is right; costs some milliseconds, so that an editor may ask while somebody writes.
- `/look/names`: tables and functions that a query may name; with `table`, the columns of that one.

What is asked are the parameters of a `Question`: `query`, `where`, `maxrec`. A query with a mistake in it is an answer,
and no error: `mistake` says what is wrong, and where.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from starlette.routing import BaseRoute, Route

from skydex.errors import LimitError, RequestError, SkydexError, UnknownResourceError, near_names
from skydex.query.functions import GROUPS
from skydex.query.languages.adql import FEATURES
from skydex.query.languages.words import spelled
from skydex.tables import Column
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.questions import Question, mistake_in, read_question, view_asked
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.workroom import Checked, Explained

__all__ = ["SERVICE", "explained"]

JSON_TYPE = "application/json"
_TIME_S = 20.0
"""A look should be short, whatever a query may take."""


async def explain(call: Call) -> Reply:
    """Say what a query would take."""
    question = await _question(call)
    return _json(call, {**question.facts(), **await explained(call, question)})


async def check(call: Call) -> Reply:
    """Say whether a query is right."""
    question = await _question(call)
    try:
        await call.check(Checked((question.request(call.owner), "csv")), is_quick=True)
    except (RequestError, LimitError) as error:
        return _json(call, {"mistake": mistake_in(question.text, error)})
    return _json(call, {"mistake": None})


async def names(call: Call) -> Reply:
    """Tables and functions, or the columns of one table."""
    given = await call.parameters()
    view = view_asked(call, read_question(call, given, most=0, default=0))
    asked = given.find("table")
    tables = [table for schema in view.schemas for table in schema.tables]
    if asked is None:
        facts = {
            "tables": [
                {
                    "name": _written(table.name),
                    "n_columns": len(table.columns),
                    "n_rows": table.n_rows,
                    "description": _first_line(table.description),
                }
                for table in tables
            ],
            "functions": view.namespace.kept(names, _functions),
        }
        return _json(call, facts)
    relation = view.namespace.find(asked)
    if relation is None:
        raise UnknownResourceError("table", asked[:100], near=near_names(asked[:100], [t.name for t in tables]))
    return _json(call, {"columns": [_column(column) for column in relation.table.columns]})


async def explained(call: Call, question: Question) -> dict[str, Any]:
    """The `explanation` of a query, or the `mistake` in it; and whether it only reads (`is_reading`).

    Raises
    ------
    SkydexError
        It has no mistake, and nothing can be said of it all the same.
    """
    try:
        return await call.check(Explained(question.request(call.owner)), is_quick=False, time_s=_TIME_S)
    except (RequestError, LimitError) as error:
        return {"explanation": None, "is_reading": False, "mistake": mistake_in(question.text, error)}


async def _question(call: Call) -> Question:
    settings = call.site.settings
    most, default = settings.max_rows_hard, settings.max_rows_default
    return read_question(call, await call.parameters(), most=most, default=default)


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": _written(column.name),
        "unit": column.unit,
        "ucd": column.ucd,
        "datatype": column.datatype.value,
        "description": _first_line(column.description),
        "principal": column.principal,
    }


def _functions() -> list[dict[str, str]]:
    """Functions beyond the grammar, and those of geometry by their names."""
    own = [
        {"name": form.name.lower(), "usage": form.usage, "description": form.description, "group": group}
        for group, functions in GROUPS.items()
        for function in functions
        for form in function.forms
    ]
    shapes = [
        {"name": name, "usage": name, "description": "", "group": "Geometry"}
        for kind, listed in FEATURES.items()
        if "geo" in kind
        for name in listed
    ]
    return own + shapes


def _written(name: str) -> str:
    """A qualified name as a query has it, quoted where it must be."""
    return ".".join(map(spelled, name.split(".")))


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]


def _refuse(error: SkydexError) -> Reply:
    body = json.dumps({"error": dali.error_message(error)}, ensure_ascii=False)
    return Reply(body.encode("utf-8", "replace"), JSON_TYPE, dali.error_status(error), dali.error_headers(error))


def _json(call: Call, facts: Any) -> Reply:
    return call.document(json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace"), JSON_TYPE)


def _routes(site: Site) -> list[BaseRoute]:
    handlers = (("explain", explain), ("check", check), ("names", names))
    return [
        Route(f"/look/{name}", Endpoint(site, handler, refuse=_refuse, methods=("GET", "POST")))
        for name, handler in handlers
    ]


def _links(site: Site) -> Iterable[Link]:
    yield Link("What a query would read", f"{site.url}/look/explain")


SERVICE = Service("foresight", "Looks at queries (explain, check, names)", _routes, lambda _: (), _links)

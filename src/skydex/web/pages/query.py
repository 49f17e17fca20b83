"""The page for queries: a text in ADQL or in the SQL of CasJobs, and its rows, its mistake, or what it would read.

A query that only reads is asked by its address, which can be kept and passed on. What changes tables is posted with the
token of the session (promise R23), and so is what becomes a job.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.routing import BaseRoute, Route

from skydex.archive import ReadyExample, Schema
from skydex.errors import LimitError, LoginNeededError, RequestError, UnknownTableError
from skydex.formats import writable
from skydex.tables.tap_schema import TAP_SCHEMA
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.casjobs.jobs import queued
from skydex.web.door import way_up
from skydex.web.foresight import explained
from skydex.web.pages.definition import Page, refused
from skydex.web.pages.policy import Policy
from skydex.web.pages.rendering import Facts, rendered
from skydex.web.pages.rows import Rows, rows_of
from skydex.web.questions import Question, mistake_in, places, read_question
from skydex.web.site import Site
from skydex.web.tap_jobs import TAP_JOBS
from skydex.web.uws import JobPlace, submitted
from skydex.web.workroom import Checked

__all__ = ["PAGE", "routes"]

_ROWS, _MOST_ROWS = 100, 1000
"""Rows that are shown; a file may have all of them."""
_MOST_CELLS = 50_000
_MOST_TABLES, _MOST_COLUMNS = 80, 12
"""What the list of tables shows at once; the page of a table has them all."""
_MOST_EXAMPLES = 12
"""Of one collection."""
_SHORT = 1500
"""Characters of a query that fits into an address."""
_FORMATS = ("votable", "csv", "fits", "parquet", "arrow", "ecsv", "json")
_POLICY = Policy(sets_styles=True, sends=True)


async def gather(call: Call) -> Facts:
    """The query of the address, with what it leads to."""
    given = await call.parameters()
    question = _question(call, given)
    done = (given.find("do") or "").lower()
    facts = await _facts(call, question)
    if not question.text.strip() or done not in ("run", "explain"):
        return facts
    if done == "explain":
        return facts | await explained(call, question)
    if question.is_batch:
        found = await explained(call, question)
        if found.get("mistake") is not None:
            return facts | {"mistake": found["mistake"]}
        if not found["is_reading"]:
            return facts | {"is_change": True}
    return facts | await _run(call, question)


async def _run(call: Call, question: Question) -> Facts:
    """Rows, as many as a page can show, or what is wrong."""
    try:
        rows = await rows_of(call, question.request(call.owner))
    except (RequestError, LimitError) as error:
        if isinstance(error, LoginNeededError):
            raise
        return {"mistake": mistake_in(question.text, error)}
    n_shown = min(len(rows.rows), max(_MOST_CELLS // max(len(rows.columns), 1), 1))
    shown = Rows(rows.columns, rows.rows[:n_shown], rows.overflow, rows.infos)
    return {
        "rows": shown.facts(),
        "n_rows": len(rows.rows),
        "downloads": [] if question.is_batch else _downloads(call, question),
        "can_be_plotted": not question.is_batch and sum(column["is_number"] for column in rows.columns) > 1,
    }


def _downloads(call: Call, question: Question) -> list[dict[str, str]]:
    """Addresses of all rows of an answer, by format."""
    if len(question.text) > _SHORT:
        return []
    base = f"{question.name}/tap/sync" if question.name else "tap/sync"
    asked = {"LANG": "ADQL", "QUERY": question.text, "MAXREC": call.site.settings.max_rows_hard}
    return [
        {"format": name, "address": f"{base}?{urlencode({**asked, 'RESPONSEFORMAT': name})}"} for name in _formats()
    ]


def _formats() -> list[str]:
    known = {form.name for form in writable()}
    return [name for name in _FORMATS if name in known]


def _question(call: Call, given: dali.Parameters) -> Question:
    return read_question(call, given, most=_MOST_ROWS, default=_ROWS)


async def _facts(call: Call, question: Question) -> Facts:
    """What the page shows of any query; the first time that takes a second, since every example is bound."""
    return await asyncio.to_thread(_any_facts, call, question)


def _any_facts(call: Call, question: Question) -> Facts:
    settings = call.site.settings
    return {
        "asked": question.facts(),
        "places": places(call),
        "examples": _examples(call),
        "schemas": _schemas(call),
        "limits": {
            "shown": _MOST_ROWS,
            "rows": settings.max_rows_default,
            "most_rows": settings.max_rows_hard,
            "seconds": settings.query_time_s,
            "job_minutes": settings.job_time_s // 60,
            "queue_minutes": list(settings.queue_minutes),
        },
        "formats": _formats(),
        "mistake": None,
        "explanation": None,
        "is_reading": True,
        "is_change": False,
        "rows": None,
        "n_rows": None,
        "downloads": [],
        "can_be_plotted": False,
    }


def _schemas(call: Call) -> list[Facts]:
    view = call.site.archive.view(owner=call.owner)
    made: list[Facts] = view.namespace.kept(_schemas, lambda: _new_schemas(view.schemas))
    return made


def _new_schemas(schemas: tuple[Schema, ...]) -> list[Facts]:
    n_tables = sum(len(schema.tables) for schema in schemas)
    most = _MOST_COLUMNS if n_tables <= _MOST_TABLES else 0
    return [
        {
            "name": schema.name,
            "description": schema.description,
            "tables": [
                {
                    "name": table.name,
                    "n_rows": table.n_rows,
                    "n_columns": len(table.columns),
                    "columns": [
                        {"name": column.name, "unit": column.unit, "description": column.description[:120]}
                        for column in sorted(table.columns, key=lambda column: not column.principal)[:most]
                    ],
                }
                for table in schema.tables
            ],
        }
        for schema in sorted(schemas, key=lambda schema: (not schema.is_own, schema.name == TAP_SCHEMA))
    ]


def _examples(call: Call) -> list[Facts]:
    archive = call.site.archive
    published = archive.published(call.owner)  # which is the same however often somebody changes tables of her own
    made: list[Facts] = published.kept(_examples, lambda: _new_examples(call))
    return made


def _new_examples(call: Call) -> list[Facts]:
    """Queries to learn from: of each collection, and those that reach across."""
    archive, found = call.site.archive, []
    for schema in archive.view(owner=call.owner).schemas[1:]:
        if schema.is_own:
            continue
        try:
            ready = archive.examples(schema.name, call.owner)
        except UnknownTableError:
            continue
        found.append({"where": schema.name, "examples": [_example(one) for one in ready[:_MOST_EXAMPLES]]})
    found.append({"where": "", "examples": [_example(one) for one in archive.examples(owner=call.owner)]})
    return [one for one in found if one["examples"]]


def _example(ready: ReadyExample) -> dict[str, Any]:
    example = ready.example
    return {"name": example.name, "query": example.query, "description": example.description}


# What is posted


async def ask(call: Call) -> Reply:
    """What the form asks: what only reads goes on to an address of its own, if it fits into one."""
    given = dali.Parameters(await call.posted_pairs())
    call.check_form(given.find("csrf_token") or "")
    done = (given.find("do") or "run").lower()
    if done == "job":
        return await _make_job(call, given)
    question = _question(call, given)
    told = await explained(call, question) if question.is_batch or done == "explain" else {}
    if done == "explain" or told.get("mistake") is not None:
        return rendered(call, PAGE.template, await _facts(call, question) | told, policy=_POLICY)
    asked = {"query": question.text, "where": question.where, "maxrec": question.max_rows, "do": done}
    if told.get("is_reading", True) and len(question.text) <= _SHORT:
        return _see(call, f"query?{urlencode({name: value for name, value in asked.items() if value != ''})}")
    found = await _run(call, question)  # first, since it may make tables that the page then lists
    return rendered(call, PAGE.template, await _facts(call, question) | found, policy=_POLICY)


async def _make_job(call: Call, given: dali.Parameters) -> Reply:
    """Make a job of a query, and lead to it."""
    settings = call.site.settings
    shown = _question(call, given)
    question = replace(shown, max_rows=settings.max_rows_hard)
    try:
        job_id = await (_batch_job(call, question, given) if question.is_batch else _table_job(call, question, given))
    except LoginNeededError:
        raise
    except (RequestError, LimitError) as error:
        facts = await _facts(call, shown) | {"mistake": mistake_in(question.text, error)}
        return rendered(call, PAGE.template, facts, policy=_POLICY)
    return _see(call, f"jobs/{job_id}")


def _see(call: Call, place: str) -> Reply:
    return Reply(b"", dali.TEXT_TYPE, 303, ((b"location", f"{way_up(call.scope['path'])}{place}".encode()),))


async def _table_job(call: Call, question: Question, given: dali.Parameters) -> str:
    """A job of TAP, which is anybody's to make."""
    base = f"/{question.name}/tap" if question.name else "/tap"
    asked = {
        "REQUEST": "doQuery",
        "LANG": "ADQL",
        "QUERY": question.text,
        "RESPONSEFORMAT": given.find("format") or "votable",
        "MAXREC": str(question.max_rows),
    }
    place = JobPlace(question.key, f"{call.site.url}{base}/async")
    request = question.request(call.owner)
    await call.check(Checked((request, asked["RESPONSEFORMAT"])), is_quick=True)
    return (await submitted(call, TAP_JOBS, place, asked, name=given.find("name"))).id


async def _batch_job(call: Call, question: Question, given: dali.Parameters) -> str:
    """A job of CasJobs, which is somebody's."""
    if call.user is None:
        raise LoginNeededError("The queue of CasJobs")
    await call.check(Checked((question.request(call.owner), "csv")), is_quick=True)
    asked = {"QUERY": question.text, "CONTEXT": question.key, "TYPE": "QUERY"}
    minutes = given.find_integer("minutes")
    return (await queued(call, call.user, asked, given.find("name"), minutes)).id


def routes(site: Site) -> list[BaseRoute]:
    """Where the form of this page goes."""
    return [Route("/query/ask", Endpoint(site, refused(ask), methods=("POST",), is_form=True))]


PAGE = Page("/query", "query.html", gather, _POLICY)

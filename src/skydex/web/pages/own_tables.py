"""The page of a user's own tables: what they are and where they come from, what room is left, and forms that change it.

Programs that ask for `/mydb` get what they always got there (`web.mydb.overview`), and the facts of the page at
`/mydb.json`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from starlette.routing import BaseRoute, Route

from skydex.errors import BadParameterError, ForgedRequestError, LoginNeededError, SkydexError, UnknownResourceError
from skydex.formats import writable
from skydex.jobs import Job
from skydex.mydb import MYDB, MyDB, OwnTable
from skydex.query.languages.words import spelled
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Handler, Reply
from skydex.web.door import way_up
from skydex.web.mydb import drop, overview, owner_of, renamed, shared, take, unshared
from skydex.web.pages.definition import Page, refused
from skydex.web.pages.rendering import Facts, rendered
from skydex.web.site import Site

__all__ = ["PAGE", "routes"]

_FORMATS = ("csv", "votable", "fits", "parquet", "arrow", "ecsv")
_MOST_COLUMNS = 200
"""Columns that are listed, of one table."""
_MOST_SOURCES = 100
"""Tables of which it is looked up which job made them."""
_MOST_CHARACTERS = 4000
_DONE = {
    "upload": "is here now",
    "drop": "is dropped",
    "rename": "has its new name",
    "share": "is shared",
    "unshare": "is shared less",
}
"""What is said after a deed."""


async def gather(call: Call) -> Facts:
    """Tables, with what they take of what may be taken."""
    owner = owner_of(call)
    given = dali.Parameters(call.query_pairs())
    mydb = call.site.archive.mydb(owner)
    tables = await asyncio.to_thread(_described, mydb)
    sources = await _sources(call, [table for table, _ in tables])
    used = sum(table.n_bytes for table, _ in tables)
    did, name = given.find("did") or "", given.find("table") or ""
    return {
        "tables": [_facts(table, columns, sources.get(table.name)) for table, columns in tables],
        "bytes": {"used": used, "most": mydb.quota.n_bytes},
        "n_tables": {"used": len(tables), "most": mydb.quota.n_tables},
        "shared_with_me": _shared_with(call, owner),
        "groups": sorted(call.user.groups) if call.user else [],
        "upload_mb": call.site.settings.mydb_upload_mb,
        "formats": [name for name in _FORMATS if name in {form.name for form in writable()}],
        "done": f"{MYDB}.{name[:128]} {_DONE[did]}." if did in _DONE and name else None,
        "mistake": None,
    }


def _described(mydb: MyDB) -> list[tuple[OwnTable, list[Facts]]]:
    return [(table, _columns(mydb, table.name)) for table in mydb.tables()]


def _columns(mydb: MyDB, name: str) -> list[Facts]:
    """Columns of a table; of one that cannot be read, or has just gone, none."""
    with contextlib.suppress(SkydexError):
        columns = mydb.describe(name).columns[:_MOST_COLUMNS]
        return [
            {"name": column.name, "datatype": column.datatype.value, "unit": column.unit, "ucd": column.ucd}
            for column in columns
        ]
    return []


async def _sources(call: Call, tables: list[OwnTable]) -> dict[str, Job]:
    """The jobs that made tables, as far as they are still known."""
    found = {}
    for table in tables[:_MOST_SOURCES]:
        job_id = table.origin.partition("#")[0]
        if job_id:
            with contextlib.suppress(UnknownResourceError):
                job = await call.site.runner.get(job_id)
                if job.is_for(call.owner):
                    found[table.name] = job
    return found


def _facts(table: OwnTable, columns: list[Facts], job: Job | None) -> Facts:
    query = next((value for name, value in job.parameters if name.upper() == "QUERY"), None) if job else None
    name = f"{MYDB}.{spelled(table.name)}"
    return {
        "name": table.name,
        "full_name": name,
        "description": table.description,
        "n_rows": table.n_rows,
        "n_bytes": table.n_bytes,
        "created": table.created,
        "changed": table.changed,
        "users": list(table.users),
        "groups": list(table.groups),
        "columns": columns,
        "job": job.id if job else None,
        "job_number": job.number if job else None,
        "query": query[:_MOST_CHARACTERS] if query else None,
        "look": f"SELECT TOP 100 *\nFROM {name}",
    }


def _shared_with(call: Call, owner: str) -> list[Facts]:
    """Tables of others that one may read."""
    schemas = call.site.archive.view(owner=owner).schemas
    theirs = [schema for schema in schemas if schema.is_own and schema.name.lower() not in (MYDB, owner.lower())]
    return [
        {"name": table.name, "n_rows": table.n_rows, "description": table.description}
        for schema in theirs
        for table in schema.tables
    ]


# What is posted

_Deed = Callable[[Call], Awaitable[str]]
"""Changes something, and gives the name of the table of which that is told."""


async def _upload(call: Call) -> str:
    facts = await take(call, lambda given: call.check_form(given.find("csrf_token") or ""))
    return str(facts["name"]).partition(".")[2]


async def _drop(call: Call) -> str:
    given = await _posted(call)
    name = _table(given)
    await drop(call, name)
    return name


async def _rename(call: Call) -> str:
    given = await _posted(call)
    return await renamed(call, _table(given), given)


async def _share(call: Call) -> str:
    given = await _posted(call)
    return await shared(call, _table(given), given)


async def _unshare(call: Call) -> str:
    given = await _posted(call)
    return await unshared(call, _table(given), given)


async def _posted(call: Call) -> dali.Parameters:
    given = dali.Parameters(await call.posted_pairs())
    call.check_form(given.find("csrf_token") or "")
    owner_of(call)
    return given


def _table(given: dali.Parameters) -> str:
    name = given.find("table")
    if name is None:
        raise BadParameterError("table", "is missing: name a table of your own.")
    return name


def _handler(word: str, deed: _Deed) -> Handler:
    async def handle(call: Call) -> Reply:
        try:
            name = await deed(call)
        except (LoginNeededError, ForgedRequestError):
            raise
        except SkydexError as error:
            if not call.is_browser:
                raise
            facts = await gather(call) | {"mistake": dali.error_message(error)}
            return rendered(call, PAGE.template, facts, status=dali.error_status(error))
        place = f"{way_up(call.scope['path'])}mydb?{urlencode({'did': word, 'table': name})}"
        return Reply(b"", dali.TEXT_TYPE, 303, ((b"location", place.encode()),))

    return refused(handle)


def routes(site: Site) -> list[BaseRoute]:
    """Where the forms of this page go."""
    deeds: tuple[tuple[str, _Deed], ...] = (
        ("upload", _upload),
        ("drop", _drop),
        ("rename", _rename),
        ("share", _share),
        ("unshare", _unshare),
    )
    return [
        Route(f"/mydb/{word}", Endpoint(site, _handler(word, deed), methods=("POST",), is_form=True))
        for word, deed in deeds
    ]


PAGE = Page("/mydb", "own_tables.html", gather, others=overview)

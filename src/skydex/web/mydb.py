"""MyDB: the tables that a user keeps on the server, over HTTP, for programs; people have a page (`pages.own_tables`).

`/mydb/tables` lists them; `/mydb/tables/{name}` takes a file (PUT), describes the table (GET), or drops it (DELETE);
with the ending of a format, or `format=`, it gives the whole table as a file. A file is read, and its rows are written,
by a worker; what is dropped, renamed or shared changes a list and no rows, and is done here. Whoever asks must be
logged in, and has no tables but her own: those of others answer as tables that do not exist.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute, Route

from skydex.archive import Deposit, Manner, Upload, own_name, own_table_request, readers
from skydex.errors import (
    BadParameterError,
    LoginNeededError,
    SkydexError,
    UnknownResourceError,
    UnsupportedFormatError,
)
from skydex.formats import Format, format_of_suffix, get_format, writable
from skydex.mydb import MYDB, MyDB, OwnTable
from skydex.tables import Column
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.forms import Head
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.uploads import KeptFile, KeptFiles

__all__ = ["SERVICE", "deposit", "drop", "keep", "overview", "owner_of", "renamed", "shared", "take", "unshared"]

BASE = "/mydb"
JSON_TYPE = "application/json"

_MANNERS = ", ".join(Manner)


def owner_of(call: Call) -> str:
    """Who asks.

    Raises
    ------
    LoginNeededError
        Nobody whom we know.
    """
    if call.owner is None:
        raise LoginNeededError("MyDB")
    return call.owner


async def keep(call: Call, name: str, manner: Manner, *, description: str = "") -> Mapping[str, Any]:
    """Put the body of a request, which is a file, into an own table; what is said of it."""
    name = own_name(name, owner_of(call))
    with call.site.folders.folder() as folder, _files(call, folder) as files:
        await call.posted_file(files, Head(name, None, call.header(b"content-type").decode("latin-1")))
        return await _kept(call, name, files.last, (manner, description))


def _files(call: Call, folder: Path) -> KeptFiles:
    return KeptFiles(folder, call.site.settings.mydb_upload_mb, call.site.intake)


async def deposit(call: Call, order: Deposit) -> Mapping[str, Any]:
    """Have a worker read a file and keep its rows; what is said of it."""
    return await call.check(order, is_quick=False, time_s=call.site.settings.mydb_upload_s)


async def drop(call: Call, name: str) -> None:
    """Drop an own table."""
    name = own_name(name, owner_of(call))
    await _changed(call, name, lambda mydb: mydb.drop(name))


async def overview(call: Call) -> Reply:
    """How much a user keeps, and may keep."""
    mydb = call.site.archive.mydb(owner_of(call))
    tables = await asyncio.to_thread(mydb.tables)
    facts = {
        "user": owner_of(call),
        "tables": {"used": len(tables), "most": mydb.quota.n_tables},
        "bytes": {"used": sum(table.n_bytes for table in tables), "most": mydb.quota.n_bytes},
        "url": f"{call.site.url}{BASE}/tables",
    }
    return _json(facts)


async def tables(call: Call) -> Reply:
    """List the tables, or take one in a form."""
    owner = owner_of(call)
    if call.scope["method"] == "POST":
        return _json(await take(call), 201)
    found = await asyncio.to_thread(call.site.archive.mydb(owner).tables)
    return _json([_facts(table, call.site) for table in found])


async def table(call: Call) -> Reply:
    """One table: taken, described, given or dropped."""
    name, _, suffix = (call.part("name") or "").partition(".")
    method = call.scope["method"]
    if method == "DELETE":
        await drop(call, call.part("name") or "")
        return Reply(b"", dali.TEXT_TYPE, 204)
    given = dali.Parameters(call.query_pairs())
    if method == "PUT":
        owner_of(call)
        manner = _manner(given)
        facts = await keep(call, call.part("name") or "", manner, description=given.find("description") or "")
        return _json(facts, 200 if manner is Manner.APPEND else 201)
    form = _form(given.find("format"), suffix)
    return await (_described(call, name) if form is None else _given(call, name, form))


async def rename(call: Call) -> Reply:
    """Give a table another name."""
    return await _described(call, await renamed(call, call.part("name") or "", await call.parameters()))


async def share(call: Call) -> Reply:
    """Let others read a table."""
    return await _described(call, await shared(call, call.part("name") or "", await call.parameters()))


async def unshare(call: Call) -> Reply:
    """Let others read a table no more."""
    return await _described(call, await unshared(call, call.part("name") or "", await call.parameters()))


async def renamed(call: Call, name: str, given: dali.Parameters) -> str:
    """Give a table the name that parameters say, which comes back."""
    new = given.find("to", "new")
    if new is None:
        raise BadParameterError("to", "is missing: say what the table shall be called.")
    old, new = (own_name(one, owner_of(call)) for one in (name, new))
    await _changed(call, old, lambda mydb: mydb.rename(old, new))
    return new


async def shared(call: Call, name: str, given: dali.Parameters) -> str:
    """Let those read a table whom parameters name; its name comes back."""
    name = own_name(name, owner_of(call))
    users, groups = await asyncio.to_thread(_readers, call, given)
    await _changed(call, name, lambda mydb: mydb.share(name, users=users, groups=groups))
    return name


async def unshared(call: Call, name: str, given: dali.Parameters) -> str:
    """Let those read a table no more whom parameters name; its name comes back."""
    name = own_name(name, owner_of(call))
    users, groups = _words(given, "users", "user"), _words(given, "groups", "group")
    await _changed(call, name, lambda mydb: mydb.unshare(name, users=users, groups=groups))
    return name


def refuse(error: SkydexError) -> Reply:
    """An error as JSON."""
    status = dali.error_status(error)
    document = {"error": dali.error_message(error), "status": status}
    return Reply(json.dumps(document).encode(), JSON_TYPE, status, dali.error_headers(error))


async def take(call: Call, check: Callable[[dali.Parameters], None] = lambda _: None) -> Mapping[str, Any]:
    """Keep a file that comes in a form, with the name of its table; what is said of it.

    Parameters
    ----------
    call : Call
        The request.
    check : callable, optional
        Looks at the fields of the form before anything is kept.
    """
    owner = owner_of(call)
    with call.site.folders.folder() as folder, _files(call, folder) as files:
        given = await call.parameters(files)
        check(given)
        name = given.find("name")
        if name is None:
            raise BadParameterError("name", "is missing: say what the table shall be called.")
        file = files.of_part("file") or _in_text(given, files)
        told = _manner(given), given.find("description") or ""
        return await _kept(call, own_name(name, owner), file, told)


def _in_text(given: dali.Parameters, files: KeptFiles) -> KeptFile:
    text = given.find("file")
    if text is None:
        raise BadParameterError("file", "is missing: send a table as a part of a multipart form.")
    return files.keep_text("file", text)


async def _kept(call: Call, name: str, file: KeptFile, told: tuple[Manner, str]) -> Mapping[str, Any]:
    """Have a worker read a file and keep its rows; `told` is what becomes of a table that is there, and a description.

    A table to which rows shall be added is looked for first, and answers like one that is asked for.
    """
    manner, description = told
    if manner is Manner.APPEND:
        await asyncio.to_thread(_found, call, name)
    upload = Upload(name, str(file.path), file.content_type)
    facts = await deposit(call, Deposit(owner_of(call), upload, manner, description))
    return {"name": f"{MYDB}.{name}", **facts}


async def _changed(call: Call, name: str, change: Callable[[MyDB], object]) -> None:
    """Change something about a table, in a thread, to its end."""

    def changed() -> None:
        _found(call, name)
        change(call.site.archive.mydb(owner_of(call)))

    await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, changed))


def _found(call: Call, name: str) -> tuple[MyDB, OwnTable]:
    mydb = call.site.archive.mydb(owner_of(call))
    found = mydb.find(name)
    if found is None:
        raise UnknownResourceError("table", f"{MYDB}.{name[:128]}")
    return mydb, found


async def _described(call: Call, name: str) -> Reply:
    def described() -> Reply:
        mydb, found = _found(call, name)
        columns = mydb.describe(found.name).columns
        return _json(_facts(found, call.site) | {"columns": [_column(column) for column in columns]})

    return await asyncio.to_thread(described)


async def _given(call: Call, name: str, form: Format) -> Reply:
    """The whole table as a file, without a limit of rows."""
    mydb, found = await asyncio.to_thread(_found, call, name)
    reply = await call.ask((own_table_request(mydb, found.name), form.name))
    disposition = f'attachment; filename="{found.name}{form.suffixes[0]}"'.encode("latin-1")
    headers = tuple(pair for pair in reply.headers if pair[0] != b"content-disposition")
    return dataclasses.replace(reply, headers=(*headers, (b"content-disposition", disposition)))


def _manner(given: dali.Parameters) -> Manner:
    asked = (given.find("mode") or Manner.CREATE).lower()
    try:
        return Manner(asked)
    except ValueError:
        raise BadParameterError("mode", f'must be one of {_MANNERS}, not "{asked[:40]}".') from None


def _form(asked: str | None, suffix: str) -> Format | None:
    """The format in which a table is wanted; none where it shall be described."""
    if asked is None and not suffix:
        return None
    form = get_format(asked) if asked is not None else format_of_suffix(f"x.{suffix}")
    if form not in writable():
        raise UnsupportedFormatError(asked or suffix, sorted({kind.name for kind in writable()}))
    return form


def _readers(call: Call, given: dali.Parameters) -> tuple[tuple[str, ...], tuple[str, ...]]:
    users, groups = _words(given, "users", "user"), _words(given, "groups", "group")
    return readers(call.site.accounts, owner_of(call), users=users, groups=groups)


def _words(given: dali.Parameters, *names: str) -> list[str]:
    texts = [text for name in names for text in given.values(name)]
    return [word for text in texts for word in map(str.strip, text.split(",")) if word]


def _facts(found: OwnTable, site: Site) -> dict[str, Any]:
    """What is known of a table without opening it."""
    return {
        "name": f"{MYDB}.{found.name}",
        "description": found.description,
        "n_rows": found.n_rows,
        "n_bytes": found.n_bytes,
        "created": found.created,
        "changed": found.changed,
        "users": list(found.users),
        "groups": list(found.groups),
        "url": f"{site.url}{BASE}/tables/{found.name}",
    }


def _column(column: Column) -> dict[str, Any]:
    facts = {"name": column.name, "datatype": column.datatype.value, "arraysize": column.arraysize}
    facts |= {"unit": column.unit, "ucd": column.ucd, "description": column.description or None}
    return {key: value for key, value in facts.items() if value is not None}


def _json(document: object, status: int = 200) -> Reply:
    return Reply(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"), JSON_TYPE, status)


def _routes(site: Site) -> list[BaseRoute]:
    one = f"{BASE}/tables/{{name}}"
    handlers = (
        (f"{BASE}/tables", tables, ("GET", "POST")),
        (one, table, ("GET", "PUT", "DELETE")),
        (f"{one}/rename", rename, ("POST",)),
        (f"{one}/share", share, ("POST",)),
        (f"{one}/unshare", unshare, ("POST",)),
    )
    return [Route(path, Endpoint(site, handler, refuse=refuse, methods=methods)) for path, handler, methods in handlers]


def _links(site: Site) -> Iterable[Link]:
    yield Link("Your own tables", f"{site.url}{BASE}/tables")


SERVICE = Service("mydb", "Your own tables (MyDB)", _routes, lambda _: (), _links)

"""TAP's persistent tables: made, filled and dropped where queries find them.

As the drafts of TAP 1.2 have it, and CADC's youcat, for which pyvo has `create_table`, `load_table`, `remove_table` and
`create_index`: PUT and DELETE on `tables/{name}`, POST on `load/{name}`, and jobs at `table-update`. The definition of
a table is a VOSI table element, or any file that holds a table, whose rows are then kept, too. A user has one schema to
make tables in: `mydb`, which may also be written as her name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from starlette.routing import BaseRoute, Route

from skydex.archive import IndexRequest, Manner, own_name
from skydex.errors import BadParameterError, LoginNeededError, RequestError
from skydex.formats.votable import error_votable
from skydex.jobs import Job, JobInput
from skydex.mydb import MYDB
from skydex.settings import Settings
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.mydb import drop, keep, owner_of
from skydex.web.runner import OrderOf
from skydex.web.site import Site
from skydex.web.tap_queries import refuse
from skydex.web.uws import JobKind, JobPlace, uws_routes
from skydex.web.vosi import capability, table_reply
from skydex.web.workroom import TableOrder

__all__ = ["INDEX_ORDERS", "index_routes", "table_capabilities", "table_routes"]

BASE = "/tap"
"""The service over everything, in which all own tables are found."""
_NAME = "index"


async def table(call: Call) -> Reply:
    """A table: described (VOSI 1.1, section 6), made, or dropped."""
    name = call.part("name") or ""
    if call.scope["method"] == "DELETE":
        await drop(call, name)
        return Reply(b"", dali.TEXT_TYPE)
    if call.scope["method"] == "PUT":
        await keep(call, name, Manner.CREATE)
        return Reply(f"{MYDB}.{own_name(name, owner_of(call))}\n".encode(), dali.TEXT_TYPE, 201)
    return await table_reply(call)


async def load(call: Call) -> Reply:
    """Add the rows of a file to a table."""
    facts = await keep(call, call.part("name") or "", Manner.APPEND)
    return Reply(f"{facts['n_rows']} rows\n".encode(), dali.TEXT_TYPE)


def table_routes(site: Site) -> list[BaseRoute]:
    """Where own tables are made and changed."""
    return [
        Route(f"{BASE}/tables/{{name}}", Endpoint(site, table, methods=("GET", "PUT", "DELETE"))),
        Route(f"{BASE}/load/{{name}}", Endpoint(site, load, methods=("POST",))),
    ]


def index_routes(site: Site) -> list[BaseRoute]:
    """Where indexes are asked for; behind the routes of queries, whose list of jobs has resources of the same names."""
    return uws_routes(site, f"{BASE}/table-update", _JOBS)


def table_capabilities(site: Site, base_url: str) -> Iterable[str]:
    """Capability elements of the resources that change tables, under the names that youcat gives them."""
    if base_url != site.url + BASE:
        return
    for name, path in (("table-update-async-1.x", "table-update"), ("table-load-sync-1.x", "load")):
        yield capability(f"ivo://ivoa.net/std/VOSI#{name}", f"{base_url}/{path}", use="base")


def _order(_: Settings, job: Job, __: Path) -> TableOrder:
    parameters = dali.Parameters(job.parameters)
    table, column = parameters.find("TABLE"), parameters.find("INDEX")
    if table is None or column is None:
        raise BadParameterError("TABLE" if table is None else "INDEX", "is missing.")
    if job.owner is None:
        raise LoginNeededError("An index")
    unique = (parameters.find("UNIQUE") or "false").lower() == "true"
    return IndexRequest(f"{MYDB}.{own_name(table, job.owner)}", column, unique, job.owner), "votable"


async def _read(call: Call, _: Path) -> tuple[dali.Parameters, tuple[JobInput, ...]]:
    return await call.parameters(), ()


def _place(call: Call) -> JobPlace:
    owner_of(call)
    return JobPlace("", f"{call.site.url}{BASE}/table-update")


def _fault(message: str) -> Reply:
    return Reply(error_votable(dali.error_message(RequestError(message))), dali.VOTABLE_TYPE)


_JOBS = JobKind(
    name=_NAME,
    beside=frozenset(),
    parameters=frozenset({"TABLE", "INDEX", "UNIQUE"}),
    gathered=frozenset(),
    read=_read,
    is_whole=lambda given: given.find("TABLE") is not None and given.find("INDEX") is not None,
    may_wait=lambda _: False,
    place=_place,
    refuse=refuse,
    fault=_fault,
)
INDEX_ORDERS: Mapping[str, OrderOf] = {_NAME: _order}
"""What jobs at `table-update` mean to a worker."""

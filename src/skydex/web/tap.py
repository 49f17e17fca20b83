"""TAP: where table access is, and what it offers.

Service side of TAP 1.1 (IVOA REC 2019-09-27): sync (2.1) and async (2.2). What a request means stands in `tap_queries`
and `tap_jobs`; what the service says of itself is `tapregext`'s and `vosi`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from starlette.routing import BaseRoute, Route

from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.examples import examples_capability, examples_routes
from skydex.web.pages import link_list, page
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.tap_jobs import ORDERS, TAP_JOBS
from skydex.web.tap_queries import collection_of, query_order, refuse
from skydex.web.tapregext import tap_capability
from skydex.web.uploads import received
from skydex.web.uws import uws_routes
from skydex.web.vosi import vosi_capabilities, vosi_routes

__all__ = ["SERVICE"]

BASES = ("/tap", "/{collection}/tap")
"""Where TAP answers: over everything, and over one collection."""

_TITLE = "Queries in ADQL (TAP)"


async def sync(call: Call) -> Reply:
    """Answer a synchronous query (TAP 1.1, sections 2.1 and 2.7)."""
    with call.site.folders.folder() as folder:
        parameters, uploads = await received(call, folder)
        collection = collection_of(call)
        return await call.ask(query_order(parameters, call.site.settings, collection=collection, uploads=uploads))


async def about(call: Call) -> Reply:
    """What somebody sees who opens the address of the service in a browser."""
    base_url = _base_url(call)
    resources = (
        Link("Examples of queries", f"{base_url}/examples"),
        Link("Tables and their columns", f"{base_url}/tables"),
        Link("What the service can", f"{base_url}/capabilities"),
        Link("Your jobs", f"{base_url}/async"),
    )
    words = "Give this address to a TAP client such as TOPCAT, STILTS, pyvo or astroquery:"
    return page(_TITLE, f"<p>{words} <code>{escape(base_url)}</code></p>{link_list(resources)}")


def _routes(site: Site) -> list[BaseRoute]:
    routes: list[BaseRoute] = []
    for base in BASES:
        endpoint = Endpoint(site, sync, refuse=refuse, methods=("GET", "POST"))
        routes += [Route(base, Endpoint(site, about)), Route(f"{base}/sync", endpoint), *examples_routes(site, base)]
        routes += uws_routes(site, f"{base}/async", TAP_JOBS)
        routes += vosi_routes(site, base, _capabilities_here, with_tables=True)
    return routes


def _capabilities_here(call: Call) -> Iterable[str]:
    base_url = _base_url(call)
    yield tap_capability(call.site, base_url)
    yield from vosi_capabilities(base_url, with_tables=True)
    yield examples_capability(base_url)


def _base_url(call: Call) -> str:
    collection = collection_of(call)
    return f"{call.site.url}/{collection}/tap" if collection else f"{call.site.url}/tap"


def _capabilities(site: Site) -> Iterable[str]:
    yield tap_capability(site, f"{site.url}/tap")


def _links(site: Site) -> Iterable[Link]:
    yield Link("TAP over everything", f"{site.url}/tap")
    yield Link("Examples of queries", f"{site.url}/tap/examples")


SERVICE = Service("tap", _TITLE, _routes, _capabilities, _links, ORDERS)

"""TAP: where table access is, and what it offers.

Service side of TAP 1.1 (IVOA REC 2019-09-27): sync (2.1) and async (2.2). What a request means stands in `tap_queries`
and `tap_jobs`; what the service says of itself is `tapregext`'s and `vosi`'s.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from html import escape

from starlette.routing import BaseRoute, Route

from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.examples import examples_capability, examples_routes
from skydex.web.pages import link_list, page
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.tap_jobs import ORDERS, TAP_JOBS
from skydex.web.tap_queries import query_order, refuse
from skydex.web.tap_tables import INDEX_ORDERS, index_routes, table_capabilities, table_routes
from skydex.web.tapregext import tap_capability
from skydex.web.uploads import received
from skydex.web.uws import uws_routes
from skydex.web.views import BASES, base_url_of, main_url, routes_of_offers, view_of
from skydex.web.vosi import vosi_capabilities, vosi_routes

__all__ = ["SERVICE"]

_TITLE = "Queries in ADQL (TAP)"


async def sync(call: Call) -> Reply:
    """Answer a synchronous query (TAP 1.1, sections 2.1 and 2.7)."""
    with call.site.folders.folder() as folder:
        parameters, uploads = await received(call, folder)
        asked = {"owner": call.owner, "collection": view_of(call).key or None}
        return await call.answer(query_order(parameters, call.site.settings, **asked, uploads=uploads))


async def about(call: Call) -> Reply:
    """What somebody sees who opens the address of the service in a browser."""
    view, base_url = view_of(call), base_url_of(call)
    title = f"{view.title}: {_TITLE[0].lower()}{_TITLE[1:]}" if view.key else _TITLE
    resources = (
        Link("Examples of queries", f"{base_url}/examples"),
        Link("Tables and their columns", f"{base_url}/tables"),
        Link("What the service can", f"{base_url}/capabilities"),
        Link("Your jobs", f"{base_url}/async"),
    )
    words = "Give this address to a TAP client such as TOPCAT, STILTS, pyvo or astroquery:"
    return page(call, title, f"<p>{words} <code>{escape(base_url)}</code></p>{link_list(resources)}")


def _routes(site: Site) -> list[BaseRoute]:
    own = [route for base in BASES for route in _routes_at(site, base)]
    return [
        *routes_of_offers(site, functools.partial(_routes_at, site)),
        *table_routes(site),
        *own,
        *index_routes(site),
    ]


def _routes_at(site: Site, base: str) -> list[BaseRoute]:
    endpoint = Endpoint(site, sync, refuse=refuse, methods=("GET", "POST"))
    return [
        Route(base, Endpoint(site, about)),
        Route(f"{base}/sync", endpoint),
        *examples_routes(site, base),
        *uws_routes(site, f"{base}/async", TAP_JOBS),
        *vosi_routes(site, base, _capabilities_here, with_tables=True),
    ]


def _capabilities_here(call: Call) -> Iterable[str]:
    base_url = base_url_of(call)
    yield tap_capability(call.site, base_url, view_of(call))
    yield from vosi_capabilities(base_url, with_tables=True)
    yield examples_capability(base_url)
    yield from table_capabilities(call.site, base_url)


def _capabilities(site: Site) -> Iterable[str]:
    yield tap_capability(site, f"{site.url}/tap", site.archive.view())
    for offer in site.archive.offers_for(None).taps:
        yield tap_capability(site, main_url(site, offer), site.archive.view(offer.key))


def _links(site: Site) -> Iterable[Link]:
    yield Link("TAP over everything", f"{site.url}/tap")
    yield Link("Examples of queries", f"{site.url}/tap/examples")
    for offer in site.archive.offers_for(None).taps:
        yield Link(offer.title or offer.name, main_url(site, offer))


SERVICE = Service("tap", _TITLE, _routes, _capabilities, _links, {**ORDERS, **INDEX_ORDERS})

"""SIA: which images there are of a place, a time, a wavelength.

Simple Image Access 2.0 (IVOA REC 2015-12-23): the query (section 2.1), its answer in the columns of ObsCore (3), VOSI
resources (2.2); MAXREC, RESPONSEFORMAT and errors are DALI's. The rows are those of `ivoa.obscore`. For clients that
know the older protocol alone there is `sia1`.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from starlette.routing import BaseRoute, Route

from skydex.archive import ImageSearch
from skydex.formats import get_format
from skydex.tables import OBSCORE
from skydex.web import dali, sia1
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.pages import link_list, page
from skydex.web.service import Link, Service
from skydex.web.sia_parameters import facts_in, regions_in
from skydex.web.site import Site
from skydex.web.tap_queries import refuse
from skydex.web.vosi import capability, vosi_capabilities, vosi_routes

__all__ = ["SERVICE", "SIA2"]

BASE = "/sia2"
SIA2 = "ivo://ivoa.net/std/SIA#query-2.0"
"""standardID of its capability (SIA 2.0, section 2.2)."""
DEFAULT_FORMAT = "votable"
_TITLE = "Image search (SIA)"


async def search(call: Call) -> Reply:
    """Answer a search for images."""
    parameters = await call.parameters()
    request = ImageSearch(
        regions=regions_in(parameters),
        facts=facts_in(parameters),
        max_rows=dali.row_limit(parameters, call.site.settings),
        owner=call.owner,
    )
    form = get_format(parameters.find("RESPONSEFORMAT") or DEFAULT_FORMAT)
    return await call.answer((request, form.name))


async def about(call: Call) -> Reply:
    """What somebody sees who opens the address of the service in a browser."""
    url = call.site.url + BASE
    words = "Give this address to a client of SIA 2, such as pyvo or TOPCAT:"
    example = f"{url}/query?POS=CIRCLE+0+0+180&MAXREC=10"
    resources = (Link("Ten images", example), Link("What the service can", f"{url}/capabilities"))
    return page(call, _TITLE, f"<p>{words} <code>{escape(url)}</code></p>{link_list(resources)}")


def has_images(site: Site) -> bool:
    """Whether there is anything to search."""
    return any(table.name.lower() == OBSCORE for table in site.archive.tables())


def _routes(site: Site) -> list[BaseRoute]:
    return [
        Route(BASE, Endpoint(site, about)),
        Route(f"{BASE}/query", Endpoint(site, search, refuse=refuse, methods=("GET", "POST"))),
        *vosi_routes(site, BASE, _capabilities_here, with_tables=False),
        *sia1.routes(site),
    ]


def _capabilities_here(call: Call) -> Iterable[str]:
    yield _capability(call.site)
    yield from vosi_capabilities(call.site.url + BASE, with_tables=False)


def _capability(site: Site) -> str:
    return capability(SIA2, f"{site.url}{BASE}/query", version="2.0", use="base")


def _capabilities(site: Site) -> Iterable[str]:
    return (_capability(site), sia1.capability_of(site)) if has_images(site) else ()


def _links(site: Site) -> Iterable[Link]:
    return (Link("Images by place, time and wavelength", site.url + BASE),) if has_images(site) else ()


SERVICE = Service("sia", _TITLE, _routes, _capabilities, _links)

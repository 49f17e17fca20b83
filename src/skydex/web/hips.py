"""HiPS: the images of a collection as a map for sky viewers, such as Aladin.

HiPS 1.0 (IVOA REC 2017-05-19): the tree of a map (section 4), `properties`, `Moc.fits` and `index.html` (4.4), the list
of maps (5). A collection's main map is at `/hips/{collection}`, that of each band at `/hips/{collection}/{band}`. The
coverage of a collection, whatever the band, is a MOC (MOC 2.0, IVOA REC 2022-07-27) at `/moc/{collection}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from html import escape

from starlette.routing import BaseRoute, Route

from skydex.archive import (
    AllskyRequest,
    CoverageRequest,
    HipsListRequest,
    PropertiesRequest,
    TileRequest,
)
from skydex.errors import UnknownResourceError
from skydex.web.asgi import Call, Endpoint, Handler, Reply
from skydex.web.pages import link_list, page
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.vosi import capability

__all__ = ["SERVICE"]

BASE = "/hips"
LIST = f"{BASE}/hipslist"
MOC = "/moc"
HIPS = "ivo://ivoa.net/std/hips#hips-1.0"
HIPS_LIST = "ivo://ivoa.net/std/hips#hipslist-1.0"
_TITLE = "Maps of images for sky viewers (HiPS)"
_PER_DIRECTORY = 10_000
"""Tiles of one `Dir` (HiPS 1.0, section 4.1)."""
_KEPT: tuple[tuple[bytes, bytes], ...] = ((b"cache-control", b"public, max-age=3600"),)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


async def tile(call: Call) -> Reply:
    """A tile."""
    order, folder, pixel = (_number(call, name) for name in ("order", "folder", "pixel"))
    if folder != pixel // _PER_DIRECTORY * _PER_DIRECTORY:
        raise UnknownResourceError("tile", f"Dir{folder}/Npix{pixel}")
    return _public(call, await call.ask(TileRequest(*_where(call), order, pixel, _part(call, "format"))))


async def allsky(call: Call) -> Reply:
    """All tiles of order 3 in one picture."""
    return _public(call, await call.ask(AllskyRequest(*_where(call), _part(call, "format"))))


async def coverage(call: Call) -> Reply:
    """Where a map has images."""
    return _public(call, await call.ask(CoverageRequest(*_where(call))))


async def whole_coverage(call: Call) -> Reply:
    """Where a collection has images."""
    return _public(call, await call.ask(CoverageRequest(*_where(call), is_whole=True)))


async def properties(call: Call) -> Reply:
    """What is said of a map."""
    return await call.ask(PropertiesRequest(*_where(call), _address(call)))


async def hips_list(call: Call) -> Reply:
    """What is said of all maps."""
    return await call.ask(HipsListRequest(call.site.url + BASE, call.owner))


async def about(call: Call) -> Reply:
    """What somebody sees who opens the address of a map in a browser."""
    collection, band, _ = _where(call)
    name = _collection(call, collection)
    if band is not None:
        await call.check(PropertiesRequest(name, band, call.owner), is_quick=False)  # that there is such a map
    address = f"{call.site.url}{BASE}/{name}" + (f"/{band}" if band else "")
    links = (
        Link("What is said of it", f"{address}/properties"),
        Link("Where there are images (MOC)", f"{address}/Moc.fits"),
        Link("The whole sky", f"{address}/Norder3/Allsky.jpg"),
        Link("All maps of this archive", call.site.url + LIST),
    )
    words = "Give this address to a sky viewer such as Aladin:"
    title = f"Map of {name}" + (f", {band}" if band else "")
    return page(call, title, f"<p>{words} <code>{escape(address)}</code></p>{link_list(links)}")


def _routes(site: Site) -> list[BaseRoute]:
    def route(path: str, handler: Handler) -> Route:
        return Route(path, Endpoint(site, handler))

    return [
        route(LIST, hips_list),
        route("/hipslist", hips_list),
        route(f"{MOC}/{{collection}}", whole_coverage),
        *(route(base + path, handler) for base in _BASES for path, handler in _RESOURCES.items()),
    ]


_BASES = (f"{BASE}/{{collection}}", f"{BASE}/{{collection}}/{{band}}")
"""Resources of the main map come first: no band is called like one of them."""
_RESOURCES: dict[str, Handler] = {
    "/properties": properties,
    "/Moc.fits": coverage,
    "/index.html": about,
    "/Norder{order}/Dir{folder}/Npix{pixel}.{format}": tile,
    "/Norder3/Allsky.{format}": allsky,
    "/": about,
    "": about,
}


def _where(call: Call) -> tuple[str, str | None, str | None]:
    """Collection, band and who asks."""
    return _part(call, "collection"), call.part("band"), call.owner


def _part(call: Call, name: str) -> str:
    return call.part(name) or ""


def _number(call: Call, name: str) -> int:
    text = _part(call, name)
    if not _NUMBER.fullmatch(text):
        raise UnknownResourceError("tile", call.scope["path"][-100:])
    return int(text)


def _collection(call: Call, name: str) -> str:
    """A collection as it is spelled."""
    known = call.site.archive.images(call.owner).collections()
    found = next((one for one in known if one.lower() == name.lower()), None)
    if found is None:
        raise UnknownResourceError("collection of images", name[:80])
    return found


def _address(call: Call) -> str:
    return f"{call.site.url}{BASE}/{_collection(call, _part(call, 'collection'))}"


def _public(call: Call, reply: Reply) -> Reply:
    """What does not depend on who asks may be kept by whoever passes it on."""
    return reply if call.user else replace(reply, headers=(*reply.headers, *_KEPT))


def _capabilities(site: Site) -> Iterable[str]:
    collections = site.archive.images().collections()
    if collections:
        yield capability(HIPS_LIST, site.url + LIST)
    yield from (capability(HIPS, f"{site.url}{BASE}/{name}", use="base") for name in collections)


def _links(site: Site) -> Iterable[Link]:
    collections = site.archive.images().collections()
    yield from (Link(f"Map of {name}", f"{site.url}{BASE}/{name}") for name in collections)
    if collections:
        yield Link("All maps", site.url + LIST)


SERVICE = Service("hips", _TITLE, _routes, _capabilities, _links)

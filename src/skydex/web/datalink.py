"""DataLink: what there is for an image, or for an object of a catalogue.

Service side of DataLink 1.1 (IVOA REC 2023-12-15): ID and RESPONSEFORMAT (section 2.1), the table of links (3), errors
of single identifiers in it and others as VOTable (3.5). With TABLE, a parameter of our own, identifiers are those of
the objects of a table, without its name, so that a table can lead to links by its own column of identifiers. What the
links are is the affair of `skydex.archive`.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute, Route

from skydex.archive import LINKS_FORMAT, LinksRequest
from skydex.errors import BadParameterError, RequestError, SkydexError
from skydex.formats import get_format
from skydex.formats.votable import error_votable
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.service import Link, Service
from skydex.web.sia import has_images
from skydex.web.site import Site
from skydex.web.vosi import capability, vosi_capabilities, vosi_routes

__all__ = ["SERVICE"]

BASE = "/datalink"
_STANDARD = "ivo://ivoa.net/std/DataLink#links-1.1"
_MOST_IDS = 200
"""Identifiers that are answered; of more the first ones, and the table says that it is cut."""
_QUICK_IDS = 10
"""Up to so many identifiers an answer is short work."""
_LONGEST_ID = 1000
_VOTABLE = ("votable", "application/x-votable+xml", "text/xml")


async def links(call: Call) -> Reply:
    """Answer with the links of some identifiers."""
    parameters = await call.parameters()
    asked = list(dict.fromkeys(text for text in parameters.values("ID") if text.strip()))
    too_long = next((text for text in asked if len(text) > _LONGEST_ID), None)
    if too_long is not None:
        raise BadParameterError("ID", f"must not be longer than {_LONGEST_ID:,} characters.")
    is_cut = len(asked) > _MOST_IDS
    request = LinksRequest(
        tuple(asked[:_MOST_IDS]),
        call.site.url,
        (parameters.find("TABLE") or "")[:_LONGEST_ID],
        _format(parameters),
        is_cut,
        call.owner,
    )
    return await call.answer(request, is_quick=len(request.ids) <= _QUICK_IDS)


def refuse(error: SkydexError) -> Reply:
    """An error as a VOTable, with a word of DataLink before it."""
    word = "UsageFault" if isinstance(error, RequestError) else "DefaultFault"
    status = dali.error_status(error)
    word = "TransientFault" if status == 503 else word
    document = error_votable(f"{word}: {dali.error_message(error)}")
    return Reply(document, dali.VOTABLE_TYPE, status, dali.error_headers(error))


def _format(parameters: dali.Parameters) -> str:
    """The format of the table; a VOTable is one with the rows as XML, unless it is asked for otherwise."""
    asked = parameters.find("RESPONSEFORMAT", "FORMAT")
    words = [word.strip().lower() for word in (asked or _VOTABLE[0]).replace(" ", "+").split(";")]
    if words[0] in _VOTABLE and not any(word.startswith("serialization") for word in words):
        return LINKS_FORMAT
    return get_format(asked or "").name


def _routes(site: Site) -> list[BaseRoute]:
    endpoint = Endpoint(site, links, refuse=refuse, methods=("GET", "POST"))
    return [Route(BASE, endpoint), *vosi_routes(site, BASE, _capabilities_here, with_tables=False)]


def _capabilities_here(call: Call) -> Iterable[str]:
    yield _capability(call.site)
    yield from vosi_capabilities(call.site.url + BASE, with_tables=False)


def _capability(site: Site) -> str:
    return capability(_STANDARD, site.url + BASE, use="base")


def _capabilities(site: Site) -> Iterable[str]:
    return (_capability(site),) if has_images(site) else ()


def _links(site: Site) -> Iterable[Link]:
    return (Link("Links of an image or an object by its identifier", site.url + BASE),) if has_images(site) else ()


SERVICE = Service("datalink", "What belongs to an image or an object (DataLink)", _routes, _capabilities, _links)

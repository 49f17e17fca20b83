"""SCS: the cone search of one table.

Simple Cone Search 1.03 (IVOA REC 2008-02-22): RA, DEC and SR (section 2.1), VERB (2.1), the answer with UCD1 words
(2.2), errors as INFO with HTTP status 200 (2.3), SR=0 for the columns alone (2.1). MAXREC and RESPONSEFORMAT are taken
as DALI 1.1 defines them. Which columns an answer has is the archive's affair. `services.toml` may give the cone search
of a table a further address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from starlette.routing import BaseRoute, Route

from skydex.archive import ConeOffer, ConeRequest
from skydex.errors import BadParameterError, BusyError, SkydexError, UnknownResourceError, UnknownTableError
from skydex.formats import get_format
from skydex.formats.votable import scs_error_votable
from skydex.tables import Table
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.views import PlacedRoute
from skydex.web.vosi import SECURITY_METHODS, vosi_capabilities, vosi_routes
from skydex.web.xml import element, text

__all__ = ["SERVICE"]

BASE = "/{collection}/scs/{table}"
"""Where the cone search of a table answers."""
DEFAULT_FORMAT = "votable/td"


async def search(call: Call) -> Reply:
    """Answer a cone search."""
    parameters = await call.parameters()
    format_name = parameters.find("RESPONSEFORMAT", "FORMAT") or DEFAULT_FORMAT
    request = ConeRequest(
        table=f"{call.part('collection')}.{call.part('table')}",
        ra_deg=parameters.get_number("RA", least=0, most=360),
        dec_deg=parameters.get_number("DEC", least=-90, most=90),
        radius_deg=parameters.get_number("SR", least=0, most=180),
        verbosity=_verbosity(parameters),
        max_rows=dali.row_limit(parameters, call.site.settings),
        owner=call.owner,
    )
    try:
        return await call.answer((request, get_format(format_name).name), is_quick=request.radius_deg <= 1)
    except UnknownTableError:
        base = call.part("base")
        if base is None:
            raise
        raise UnknownResourceError("cone search", base) from None  # whose table is not the asker's to know of


def refuse(error: SkydexError) -> Reply:
    """An error as a VOTable; only that the service is busy is told by the status as well."""
    status = dali.error_status(error) if isinstance(error, BusyError) else 200
    document = scs_error_votable(dali.error_message(error))
    return Reply(document, dali.VOTABLE_TYPE, status, dali.error_headers(error))


def _verbosity(parameters: dali.Parameters) -> int:
    verbosity = parameters.find_integer("VERB")
    if verbosity is None:
        return 2
    if not 0 <= verbosity <= 3:
        raise BadParameterError("VERB", "must be 1, 2 or 3.")
    return max(verbosity, 1)


def _routes(site: Site) -> list[BaseRoute]:
    placed = (
        PlacedRoute(route.path, route.endpoint, _parts(offer))
        for offer in site.archive.offers.cones
        for route in _routes_at(site, offer.path)
    )
    return [*placed, *_routes_at(site, BASE)]


def _routes_at(site: Site, base: str) -> Iterator[Route]:
    yield Route(base, Endpoint(site, search, refuse=refuse, methods=("GET", "POST")))
    routes = vosi_routes(site, base, _capabilities_here, with_tables=False)
    yield from (route for route in routes if isinstance(route, Route))


def _parts(offer: ConeOffer) -> dict[str, str]:
    """What stands in the usual address of the same table."""
    collection, _, table = offer.table.partition(".")
    return {"collection": collection, "table": table, "base": offer.path}


def _positioned(site: Site, owner: str | None = None) -> Iterable[Table]:
    return (table for table in site.archive.tables(owner) if table.position is not None)


def _url(site: Site, table: Table) -> str:
    return f"{site.url}/{table.schema_name}/scs/{table.bare_name}"


def _capabilities_here(call: Call) -> Iterable[str]:
    name, base = f"{call.part('collection')}.{call.part('table')}".lower(), call.part("base")
    table = next((table for table in _positioned(call.site, call.owner) if table.name.lower() == name), None)
    if table is None:
        raise UnknownResourceError("cone search", base or name)
    url = _url(call.site, table) if base is None else call.site.url + base
    yield _capability(call.site, table, url)
    yield from vosi_capabilities(url, with_tables=False)


def _capabilities(site: Site) -> Iterable[str]:
    return (_capability(site, table, url) for table, url in _searches(site))


def _searches(site: Site) -> Iterator[tuple[Table, str]]:
    """Every table that can be searched, with each of its addresses."""
    for table in _positioned(site):
        yield table, _url(site, table)
        yield from ((table, site.url + offer.path) for offer in site.archive.offers.cones if _is_of(offer, table))


def _is_of(offer: ConeOffer, table: Table) -> bool:
    return offer.table.lower() == table.name.lower()


def _capability(site: Site, table: Table, url: str) -> str:
    access = text("accessURL", f"{url}?", {"use": "base"})
    return element(
        "capability",
        text("description", f"Cone search in {table.name}"),
        element("interface", access, *SECURITY_METHODS, attributes={"xsi:type": "vs:ParamHTTP", "role": "std"}),
        text("maxSR", 180),
        text("maxRecords", site.settings.max_rows_hard),
        text("verbosity", "true"),
        element("testQuery", text("ra", 0), text("dec", 0), text("sr", 180), text("extras", "MAXREC=1")),
        attributes={"standardID": "ivo://ivoa.net/std/ConeSearch", "xsi:type": "cs:ConeSearch"},
    )


def _links(site: Site) -> Iterable[Link]:
    return (Link(f"Cone search in {table.name}", url) for table, url in _searches(site))


SERVICE = Service("scs", "Cone search (SCS)", _routes, _capabilities, _links)

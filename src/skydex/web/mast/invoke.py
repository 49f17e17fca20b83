"""Invoke: one address for all services of MAST.

MAST API ("Mashup"), https://mast.stsci.edu/api/v0: GET or POST with a parameter `request` (`requests`). An answer has
status 200 whatever becomes of the request: what is wrong with it is told by `"status": "ERROR"` and `msg`, which
astroquery shows to its user. Only that the server is busy is told by the HTTP status, since clients know to come back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from starlette.routing import BaseRoute, Route

from skydex.errors import BadParameterError, BusyError, SkydexError, near_names
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.mast import downloads, hsc, names, psf
from skydex.web.mast.names import JSON_TYPE, santa
from skydex.web.mast.requests import InvokeRequest, InvokeService
from skydex.web.service import Link, Service
from skydex.web.site import Site

__all__ = ["SERVICE", "SERVICES"]

SERVICES: dict[str, InvokeService] = {
    service.name: service for service in (*names.SERVICES, *hsc.SERVICES, *psf.SERVICES)
}
"""Everything that can be invoked, by its name."""

INVOKE = ("/api/v0/invoke", "/portal/Mashup/Mashup.asmx/invoke")
"""Where it answers at MAST: for programs, and for the pages of its portal, which old notebooks ask."""
COLUMNS = "/portal/Mashup/Mashup.asmx/columnsconfig"
SANTA = "/Santa-war/query"


async def invoke(call: Call) -> Reply:
    """Hand a request to the service that it names."""
    parameters = await call.parameters()
    request = InvokeRequest.parse(parameters.find("request"))
    service = SERVICES.get(request.service)
    if service is None:
        near = near_names(request.service, SERVICES)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        raise BadParameterError("service", f'there is none of the name "{request.service[:100]}" here.{meant}')
    return await service.answer(call, request)


async def columns(call: Call) -> Reply:
    """What is to be known of a service's columns; nothing of a service that is not here, as at MAST."""
    name = (await call.parameters()).find("colConfigId") or ""
    service = SERVICES.get(name)
    return Reply(json.dumps(service.properties(call) if service else {}).encode(), JSON_TYPE)


def refuse(error: SkydexError) -> Reply:
    """An error in the form of an answer."""
    told = {"status": "ERROR", "msg": dali.error_message(error), "data": [], "fields": []}
    status = dali.error_status(error) if isinstance(error, BusyError) else 200
    return Reply(json.dumps(told).encode(), JSON_TYPE, status, dali.error_headers(error))


def _routes(site: Site) -> list[BaseRoute]:
    methods = ("GET", "POST")
    endpoint = Endpoint(site, invoke, refuse=refuse, methods=methods)
    return [
        *(Route(path, endpoint) for path in INVOKE),
        Route(COLUMNS, Endpoint(site, columns, methods=methods)),
        Route(SANTA, Endpoint(site, santa, methods=methods)),
        *downloads.routes(site),
    ]


def _links(site: Site) -> Iterable[Link]:
    yield Link("Requests in JSON (MAST invoke)", f"{site.url}{INVOKE[0]}")
    yield Link("Products by their data URIs (MAST Download)", f"{site.url}{downloads.BASE}/file")
    yield Link("Positions of named objects (SANTA)", f"{site.url}{SANTA}?name=M31&outputFormat=json")


SERVICE = Service("mast", "MAST: invoke, downloads and names", _routes, lambda _: (), _links)

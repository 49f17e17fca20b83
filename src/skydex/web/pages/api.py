"""All addresses of the services, to copy into the tools that speak to them."""

from __future__ import annotations

from skydex.web.asgi import Call
from skydex.web.pages.definition import Page
from skydex.web.pages.rendering import Facts

__all__ = ["PAGE"]


async def gather(call: Call) -> Facts:
    """Each service with what it says of its addresses."""
    from skydex.web import SERVICES

    services = (
        {"title": service.title, "links": [{"title": link.title, "url": link.url} for link in service.links(call.site)]}
        for service in SERVICES
    )
    return {"services": [service for service in services if service["links"]]}


PAGE = Page("/api", "api.html", gather)

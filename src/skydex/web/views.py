"""Which part of an archive a TAP address shows: everything, a collection, or what `services.toml` presents there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from skydex.archive import TapOffer, View
from skydex.errors import UnknownResourceError
from skydex.web.asgi import Call
from skydex.web.site import Site

__all__ = ["BASES", "PlacedRoute", "base_url_of", "main_url", "routes_of_offers", "view_of"]

BASES = ("/tap", "/{collection}/tap")
"""Where TAP answers without being told to: over everything, and over one collection or by the name of an offer."""


def view_of(call: Call) -> View:
    """What the service that a call addresses shows.

    Raises
    ------
    UnknownResourceError
        There is no such collection.
    """
    asked = call.part("collection") or ""
    view = call.site.archive.find_view(call.part("offer") or asked, call.owner) if ":" not in asked else None
    if view is None:
        raise UnknownResourceError("collection", asked)
    return view


def base_url_of(call: Call) -> str:
    """Public address of the TAP service that a call addresses."""
    base = call.part("base")
    if base is None:
        view = view_of(call)
        base = f"/{view.name}/tap" if view.name else "/tap"
    return call.site.url + base


def main_url(site: Site, offer: TapOffer) -> str:
    """The address of an offer that people are told."""
    return site.url + (offer.paths[0] if offer.paths else f"/{offer.name}/tap")


def routes_of_offers(site: Site, routes_at: Callable[[str], Iterable[BaseRoute]]) -> list[BaseRoute]:
    """The routes of a service at each address that `services.toml` names.

    Parameters
    ----------
    site : Site
        What is served.
    routes_at : callable
        The routes below a base path.
    """
    return [
        PlacedRoute(route.path, route.endpoint, {"offer": offer.key, "base": base})
        for offer in site.archive.offers.taps
        for base in offer.paths
        for route in routes_at(base)
        if isinstance(route, Route)
    ]


class PlacedRoute(Route):
    """A route that answers in any case of letters, as the servers do whose addresses it has, and fills in `parts`."""

    def __init__(self, path: str, endpoint: Callable[..., object], parts: Mapping[str, str]) -> None:
        super().__init__(path, endpoint)
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)
        self._parts = parts

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, way = super().matches(scope)
        if match is not Match.NONE:
            way["path_params"] |= self._parts
        return match, way

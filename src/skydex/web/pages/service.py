"""All pages, in plain sight, and the files that go with them."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute

from skydex.web.pages import (
    api,
    cite,
    docs,
    home,
    images,
    jobs,
    one_object,
    own_tables,
    plot,
    psf,
    query,
    search,
    status,
    table,
    variability,
)
from skydex.web.pages.assets import asset_routes
from skydex.web.pages.definition import Page, page_routes
from skydex.web.service import Link, Service
from skydex.web.site import Site

__all__ = ["PAGES", "SERVICE"]

PAGES: tuple[Page, ...] = (
    home.PAGE,
    one_object.PAGE,
    table.PAGE,
    search.PAGE,
    variability.PAGE,
    api.PAGE,
    docs.PAGE,
    status.PAGE,
    cite.PAGE,
    query.PAGE,
    plot.PAGE,
    jobs.PAGE,
    jobs.PAGE_OF_ONE,
    images.PAGE,
    psf.PAGE,
    own_tables.PAGE,
)


def _routes(site: Site) -> list[BaseRoute]:
    return [
        *asset_routes(site),
        *page_routes(site, PAGES),
        *query.routes(site),
        *jobs.routes(site),
        *own_tables.routes(site),
        *psf.routes(site),
    ]


def _none(_: Site) -> Iterable[Link]:
    return ()


SERVICE = Service("pages", "Pages", _routes, lambda _: (), _none)

"""fitscut.cgi: cutouts of images by name, as FITS for programs or as a picture.

The interface of the Hubble Legacy Archive (https://hla.stsci.edu/fitscutcgi_interface.html) and of Pan-STARRS
(https://ps1images.stsci.edu/cgi-bin/fitscut.cgi): names and values of parameters without regard to case, but for names
of images; unknown parameters are ignored. What the parameters mean is the affair of `skydex.archive.fitscut_words`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote

from starlette.routing import BaseRoute, Route

from skydex.archive import CutoutRequest, cutout_request, is_wanted
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.service import Link, Service
from skydex.web.site import Site

__all__ = ["PATHS", "SERVICE", "is_small"]

PATHS = ("/cgi-bin/fitscut.cgi", "/cgi-bin/hla/fitscut.cgi")
"""Where it answers: as at HLA and Pan-STARRS, and as at MAST for the images of the PSF databases."""

_SMALL = 1 << 20
"""Pixels of a small cutout."""


async def cutout(call: Call) -> Reply:
    """Answer with a cutout."""
    parameters = await call.parameters()
    request = cutout_request(parameters, call.owner)
    reply = await call.picture(request, is_quick=is_small(request))
    return _as_download(reply) if is_wanted(parameters, "download", default=False) else reply


def is_small(request: CutoutRequest) -> bool:
    """Whether a cutout needs no longer than other quick requests."""
    return request.size is not None and request.size[0] * request.size[1] <= _SMALL


def _as_download(reply: Reply) -> Reply:
    """The same, for a browser to keep and not to show."""
    headers = tuple((name, value.replace(b"inline;", b"attachment;", 1)) for name, value in reply.headers)
    return replace(reply, headers=headers)


def _routes(site: Site) -> list[BaseRoute]:
    return [Route(path, Endpoint(site, cutout, methods=("GET", "POST"))) for path in PATHS]


def _links(site: Site) -> Iterable[Link]:
    images = site.archive.images()
    first = next((record for collection in images.collections() for record in images.records(collection)), None)
    if first is not None:
        yield Link("Cutouts of images", f"{site.url}{PATHS[0]}?red={quote(f'{first.name}[{first.hdu}]')}&size=256")


SERVICE = Service("fitscut", "Cutouts (fitscut.cgi)", _routes, lambda _: (), _links)

"""SODA: parts of images, at once or by a job.

Service side of SODA 1.0 (IVOA REC 2017-05-17): sync (section 2.1) and async (2.2), ID, POS, CIRCLE, POLYGON, BAND and
TIME (3), answers and errors (5, 6). Several values of a parameter are for jobs (3.1): each combination gives one
result, and one that comes to nothing gives a text that says why (6). At once there is one result; where nothing is
left of an image the answer is 204, without content (5.1). A region says what a cutout has to cover; what that means
for pixels is the affair of `skydex.archive.soda_request`. Our own LIKE names
the image whose levels of black and white a PNG or JPEG has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from starlette.routing import BaseRoute, Route

from skydex.archive import SODA_FORMATS, Interval, SodaJob, SodaRequest
from skydex.errors import (
    BadParameterError,
    NoOverlapError,
    SeveralValuesError,
    SkydexError,
    UnsupportedFormatError,
)
from skydex.formats.package import Member, members_of
from skydex.jobs import Job, JobInput
from skydex.settings import Settings
from skydex.sky import Region
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.dali_values import parse_circle, parse_interval, parse_polygon, parse_pos
from skydex.web.pages import link_list, page
from skydex.web.runner import OrderOf
from skydex.web.service import Link, Service
from skydex.web.sia import has_images
from skydex.web.site import Site
from skydex.web.uws import JobKind, JobPlace, uws_routes
from skydex.web.uws_documents import Part
from skydex.web.vosi import capability, vosi_capabilities, vosi_routes

__all__ = ["SERVICE"]

BASE = "/soda"
_TITLE = "Cutouts of images (SODA)"
_STANDARD = "ivo://ivoa.net/std/SODA#"
_NAME = "soda"
_SHAPES: Mapping[str, Callable[[str, str], Region]] = {
    "POS": parse_pos,
    "CIRCLE": parse_circle,
    "POLYGON": parse_polygon,
}
_WORDS = {
    "fits": "fits",
    "image/fits": "fits",
    "application/fits": "fits",
    "png": "png",
    "image/png": "png",
    "jpeg": "jpeg",
    "jpg": "jpeg",
    "image/jpeg": "jpeg",
}
"""Formats, by the words and the media types for them."""
_QUICK_DEG = 0.005
"""Radius up to which a cutout is sure to be short work, whatever the size of the pixels."""
_MEDIA_TYPES = {".fits": "application/fits", ".png": "image/png", ".jpg": "image/jpeg", ".txt": dali.TEXT_TYPE}


async def sync(call: Call) -> Reply:
    """Answer with one part of one image."""
    parameters = await call.parameters()
    given = {name: len(_distinct(parameters, name)) for name in ("ID", *_SHAPES, "BAND", "TIME", "LIKE")}
    several = next((name for name, n in given.items() if n > 1), None)
    if several is None and sum(given[name] for name in _SHAPES) > 1:
        several = ", ".join(name for name in _SHAPES if given[name])
    if several is not None:
        raise SeveralValuesError(several, f"For several cutouts make a job at {call.site.url}{BASE}/async.")
    (request,) = _requests(parameters, call.owner, most=1)
    is_quick = request.region is not None and request.region.bounding_cone.radius_deg <= _QUICK_DEG
    return await call.picture(request, is_quick=is_quick)


def refuse(error: SkydexError) -> Reply:
    """An error as text that begins with a word of SODA; nothing at all where nothing is left of an image."""
    if isinstance(error, NoOverlapError):
        return Reply(b"", dali.TEXT_TYPE, 204)
    text = dali.error_text(error).replace(b"NotFoundError:", b"UsageError:", 1)
    return Reply(text, dali.TEXT_TYPE, dali.error_status(error), dali.error_headers(error))


async def about(call: Call) -> Reply:
    """What somebody sees who opens the address of the service in a browser."""
    url = call.site.url + BASE
    resources = (Link("What the service can", f"{url}/capabilities"), Link("Your jobs", f"{url}/async"))
    words = (
        "A part of an image is had by its identifier (<code>obs_publisher_did</code> of <code>ivoa.obscore</code>) and "
        f"a region: <code>{escape(url)}/sync?ID=...&amp;CIRCLE=ra dec radius</code>, in degrees."
    )
    return page(call, _TITLE, f"<p>{words}</p>{link_list(resources)}")


def _requests(parameters: dali.Parameters, owner: str | None, *, most: int) -> tuple[SodaRequest, ...]:
    """The parts that are asked for: one of each combination of values."""
    dids = _distinct(parameters, "ID")
    if not dids:
        raise BadParameterError("ID", "is missing: it names an image, as obs_publisher_did of ivoa.obscore does.")
    regions = [parse(name, text) for name, parse in _SHAPES.items() for text in _distinct(parameters, name)]
    bands, times = _intervals(parameters, "BAND"), _intervals(parameters, "TIME")
    chosen: Sequence[Region | None] = regions or [None]
    n_parts = len(dids) * len(chosen) * len(bands) * len(times)
    if n_parts > most:
        raise BadParameterError("request", f"asks for {n_parts:,} cutouts; a job may ask for {most:,}. Make several.")
    form, like = _format(parameters), parameters.find("LIKE") or None
    return tuple(
        SodaRequest(did, region, band, time, form, owner, like)
        for did in dids
        for region in chosen
        for band in bands
        for time in times
    )


def _intervals(parameters: dali.Parameters, name: str) -> Sequence[Interval | None]:
    return [parse_interval(name, text) for text in _distinct(parameters, name)] or [None]


def _distinct(parameters: dali.Parameters, name: str) -> list[str]:
    """The values of a parameter, each once; empty ones count as none."""
    return [text for text in dict.fromkeys(parameters.values(name)) if text.strip()]


def _format(parameters: dali.Parameters) -> str:
    asked = parameters.find("RESPONSEFORMAT", "FORMAT") or SODA_FORMATS[0]
    form = _WORDS.get(asked.partition(";")[0].strip().lower())
    if form is None:
        raise UnsupportedFormatError(asked, list(SODA_FORMATS))
    return form


def _order(settings: Settings, job: Job, _: Path) -> SodaJob:
    parameters = dali.Parameters(job.parameters)
    return SodaJob(_requests(parameters, job.owner, most=settings.cutouts_per_job))


async def _read(call: Call, _: Path) -> tuple[dali.Parameters, tuple[JobInput, ...]]:
    return await call.parameters(), ()


def _parts(package: Path) -> tuple[Part, ...]:
    return tuple(map(_part, members_of(package)))


def _part(member: Member) -> Part:
    media_type = _MEDIA_TYPES.get(Path(member.name).suffix, "application/octet-stream")
    return Part(member.name, media_type, member.start, member.size)


def _fault(message: str) -> Reply:
    return Reply(f"Error: {message}\n".encode(), dali.TEXT_TYPE)


_FILTERS = ("ID", *_SHAPES, "BAND", "TIME")
_JOBS = JobKind(
    name=_NAME,
    beside=frozenset(),
    parameters=frozenset({*_FILTERS, "RESPONSEFORMAT", "FORMAT", "LIKE"}),
    gathered=frozenset(_FILTERS),
    read=_read,
    is_whole=lambda parameters: bool(_distinct(parameters, "ID")),
    may_wait=lambda _: False,
    place=lambda call: JobPlace("", f"{call.site.url}{BASE}/async"),
    refuse=refuse,
    fault=_fault,
    parts=_parts,
)
_ORDERS: Mapping[str, OrderOf] = {_NAME: _order}


def _routes(site: Site) -> list[BaseRoute]:
    return [
        Route(BASE, Endpoint(site, about)),
        Route(f"{BASE}/sync", Endpoint(site, sync, refuse=refuse, methods=("GET", "POST"))),
        *uws_routes(site, f"{BASE}/async", _JOBS),
        *vosi_routes(site, BASE, _capabilities_here, with_tables=False),
    ]


def _capabilities_here(call: Call) -> Iterable[str]:
    yield from _own_capabilities(call.site)
    yield from vosi_capabilities(call.site.url + BASE, with_tables=False)


def _capabilities(site: Site) -> Iterable[str]:
    return _own_capabilities(site) if has_images(site) else ()


def _own_capabilities(site: Site) -> Iterable[str]:
    for manner in ("sync", "async"):
        yield capability(f"{_STANDARD}{manner}-1.0", f"{site.url}{BASE}/{manner}")


def _links(site: Site) -> Iterable[Link]:
    return (Link("Cutouts of images by their identifiers", site.url + BASE),) if has_images(site) else ()


SERVICE = Service("soda", _TITLE, _routes, _capabilities, _links, _ORDERS)

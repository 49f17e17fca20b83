"""Images as files: originals byte for byte, single images as FITS, and previews.

The addresses that ObsCore's `access_url` gives. An original is the file that was registered, whole or in part (RFC
9110, section 14); what no file has, such as an image that is simulated, is written while it is sent. Names are looked
up in the register, and never joined to a path.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import attrgetter
from urllib.parse import quote

from starlette.routing import BaseRoute, Route

from skydex.archive import ImageFileRequest, Original, PreviewRequest, find_original, plain_name
from skydex.errors import BadParameterError, UnknownImageError, UnknownResourceError, near_names
from skydex.store import ImageRecord
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.files import file_reply
from skydex.web.pages.rendering import rendered
from skydex.web.service import Link, Service
from skydex.web.site import Site

__all__ = ["SERVICE"]

BASE = "/images/{collection}/{place:path}"
_PREVIEW = re.compile(r"(.+)/(?:preview|thumbnail)\.(jpe?g|png)", re.IGNORECASE)
_HDU = re.compile(r"(.+)/(\d{1,6})")
_LARGEST_PREVIEW = 2048
_PER_PAGE = 60
_PLAIN = "@:+"


@dataclass(frozen=True)
class _Asked:
    """What an address means."""

    records: list[ImageRecord]
    """Images of the name; never empty."""
    hdu: int | None
    """Which of them; None for all."""

    @property
    def first(self) -> ImageRecord:
        return self.records[0]

    @property
    def original(self) -> Original | None:
        """The file, if it is what is meant, and not one image of several in it."""
        return find_original(self.first) if self.hdu in (None, 0) else None


async def image(call: Call) -> Reply:
    """A file, an image, or a preview of it."""
    place = call.part("place") or ""
    preview = _PREVIEW.fullmatch(place)
    asked = _asked(call, preview[1] if preview else place)
    if preview is not None:
        return await _preview(call, asked, "png" if preview[2].lower() == "png" else "jpeg")
    if asked.original is not None:
        return await _original(call, asked.original)
    first = asked.first
    reply = await call.picture(ImageFileRequest(first.collection, first.name, asked.hdu, call.owner))
    suffix = "" if asked.hdu is None else f"_{asked.hdu}"
    return _named(reply, f"{first.name.removesuffix('.fits')}{suffix}.fits")


async def _preview(call: Call, asked: _Asked, format_name: str) -> Reply:
    side = (await call.parameters()).find_integer("size")
    if side is not None and not 1 <= side <= _LARGEST_PREVIEW:
        raise BadParameterError("size", f"must be from 1 to {_LARGEST_PREVIEW}: it is the longer side, in pixels.")
    first = asked.first
    reply = await call.picture(
        PreviewRequest(first.collection, first.name, first.hdu, side or 256, format_name, call.owner)
    )
    if call.user:
        return reply
    told = tuple(header for header in reply.headers if header[0] != b"cache-control")
    return replace(reply, headers=(*told, (b"cache-control", b"max-age=3600")))


async def _original(call: Call, original: Original) -> Reply:
    reply = await file_reply(call, original.path, original.media_type, is_dated=True)
    return _named(reply, original.path.name) if reply.status in (200, 206) else reply


def _asked(call: Call, place: str) -> _Asked:
    """The images of an address; the number of an HDU may stand behind the name.

    Raises
    ------
    UnknownImageError
        There are none.
    """
    images, collection = call.site.archive.images(call.owner), call.part("collection") or ""
    numbered = _HDU.fullmatch(place)
    if records := images.find_in(collection, place):
        return _Asked(records, None)
    records = images.find_in(collection, numbered[1]) if numbered else []
    hdu = int(numbered[2]) if numbered else 0
    if chosen := [record for record in records if record.hdu == hdu]:
        return _Asked(chosen, hdu)
    raise UnknownImageError(place[:200], where=collection[:100])


def _named(reply: Reply, name: str) -> Reply:
    kept = tuple(header for header in reply.headers if header[0] != b"content-disposition")
    file_name = plain_name(name) or "image.fits"
    return replace(reply, headers=(*kept, (b"content-disposition", f'attachment; filename="{file_name}"'.encode())))


async def gallery(call: Call) -> Reply:
    """A page of previews of a collection."""
    asked = call.part("collection") or ""
    images = call.site.archive.images(call.owner)
    collection = next((own for own in images.collections() if own.lower() == asked.lower()), None)
    if collection is None:
        raise UnknownResourceError(
            "collection of images", asked[:100], near=near_names(asked[:100], images.collections())
        )
    begin = max((await call.parameters()).find_integer("first") or 1, 1) - 1
    names = [name for name, _ in itertools.groupby(images.records(collection), key=attrgetter("name"))]
    shown = names[begin : begin + _PER_PAGE]
    further = begin + _PER_PAGE
    facts = {
        "collection": collection,
        "images": [{"name": name, "at": f"images/{quote(collection)}/{quote(name, safe=_PLAIN)}"} for name in shown],
        "first": begin + 1,
        "n": len(names),
        "back": max(begin + 1 - _PER_PAGE, 1) if begin else None,
        "forth": further + 1 if further < len(names) else None,
    }
    return rendered(call, "gallery.html", facts)


def _routes(site: Site) -> list[BaseRoute]:
    return [
        Route("/images/{collection}", Endpoint(site, gallery)),
        Route(BASE, Endpoint(site, image, methods=("GET", "POST"))),
    ]


def _links(site: Site) -> Iterable[Link]:
    for collection in site.archive.images().collections():
        yield Link(f"Previews of {collection}", f"{site.url}/images/{quote(collection)}")


SERVICE = Service("images", "Images", _routes, lambda _: (), _links)

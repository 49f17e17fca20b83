"""The catalogue REST API: tables searched by cone and constraints, with metadata, in the form that MAST gives it.

`/api/v0.1/{path}` for each `[[catalog]]` of `services.toml`, and `/api/v0.1/{collection}/{table}` for every other
table. GET with a query string, POST with a form or JSON. Errors are JSON with a status of 4xx. What a request means is
`catalog_parameters`' affair; what it finds, the archive's.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import quote, urlencode

from starlette.routing import BaseRoute, Route

from skydex.archive import Archive, CatalogOffer, Upload, described_columns
from skydex.errors import BadParameterError, SkydexError, UnknownResourceError, UnsupportedFormatError, near_names
from skydex.formats import Format, get_format, writable
from skydex.query import Namespace
from skydex.tables import Table
from skydex.tables.tap_schema import TAP_SCHEMA
from skydex.web import dali
from skydex.web.asgi import MORE_ROWS, Call, Endpoint, Reply
from skydex.web.catalog_openapi import openapi_document
from skydex.web.catalog_pages import overview_page, table_page
from skydex.web.catalog_parameters import Fields, catalog_request, counterparts_request, received_fields
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.uploads import KeptFile, KeptFiles

__all__ = ["BASE", "JSON_TYPE", "SERVICE", "find_offer", "format_named", "offers_of", "refuse"]

BASE = "/api/v0.1"
JSON_TYPE = "application/json"
DEFAULT_FORMAT = "json"

_MOST_NEAR = 3


async def search(call: Call) -> Reply:
    """Answer a search."""
    path, suffix = _address(call)
    offer = find_offer(call.site.archive, path, call.owner)
    fields = await received_fields(call)
    form = format_named(suffix or fields.find("format") or DEFAULT_FORMAT)
    request = catalog_request(fields, offer, call.site.settings, owner=call.owner)
    reply = await call.answer((request, form.name), is_quick=request.search.cone is not None)
    return _with_next(reply, call, fields, request.page)


async def counterparts(call: Call) -> Reply:
    """Find what is near each of the positions in a file."""
    path = call.part("path") or ""
    offer = find_offer(call.site.archive, path, call.owner)
    if not offer.crossmatch:
        raise UnknownResourceError("cross-match", path[:80])
    max_mb, intake = call.site.settings.upload_mb, call.site.intake
    with call.site.folders.folder() as folder, KeptFiles(folder, max_mb, intake) as files:
        fields = await received_fields(call, files)
        file = files.of_part("file") or _in_text(fields, files)
        upload = Upload("positions", str(file.path), file.content_type)
        form = format_named(call.part("format") or fields.find("format") or DEFAULT_FORMAT)
        request = counterparts_request(fields, offer, call.site.settings, upload=upload, owner=call.owner)
        return await call.ask((request, form.name))


def _in_text(fields: Fields, files: KeptFiles) -> KeptFile:
    """A table that came as a plain field."""
    texts = fields.values("file")
    if len(texts) != 1:
        raise BadParameterError("file", "is missing: send a table of positions as a part of a multipart form.")
    return files.keep_text("file", texts[0])


async def metadata(call: Call) -> Reply:
    """Describe the columns of a table."""
    offer = find_offer(call.site.archive, call.part("path") or "", call.owner)
    return call.document(_metadata(call.site.archive.namespace(owner=call.owner), offer), JSON_TYPE)


async def overview(call: Call) -> Reply:
    """What somebody sees who opens the address of the API in a browser."""
    return overview_page(call, presented(call.site.archive, call.owner), call.site.url + BASE)


async def about(call: Call) -> Reply:
    """What somebody sees who opens the page of a table."""
    archive = call.site.archive
    offer = find_offer(archive, call.part("path") or "", call.owner)
    return table_page(call, offer, table_of(archive, offer, call.owner), call.site.url + BASE)


async def description(call: Call) -> Reply:
    """The API described for machines."""
    return call.document(_openapi(call.site, call.owner), JSON_TYPE)


def refuse(error: SkydexError) -> Reply:
    """An error as JSON: the message, the status, and what it is about."""
    status = dali.error_status(error)
    about = {key: getattr(error, key) for key in ("name", "near") if getattr(error, key, None)}
    document = {"error": dali.error_message(error), "status": status, **about}
    return Reply(json.dumps(document).encode(), JSON_TYPE, status, dali.error_headers(error))


def find_offer(archive: Archive, path: str, owner: str | None) -> CatalogOffer:
    """What is offered to a user, or to anybody, at a path.

    Raises
    ------
    UnknownResourceError
        Nothing is.
    """
    offers = offers_of(archive, owner)
    found = offers.get(path.strip("/").lower()) or _beside(archive.namespace(owner=owner), path.strip("/"))
    if found is None:
        raise UnknownResourceError("catalogue", path[:80], near=near_names(path[:80], offers, most=_MOST_NEAR))
    return found


def offers_of(archive: Archive, owner: str | None) -> Mapping[str, CatalogOffer]:
    """Everything that is offered and published, by its path in small letters: what is configured, then the rest."""
    namespace = archive.namespace(owner=owner)
    return namespace.kept(offers_of, lambda: _offers(archive, namespace))


def _offers(archive: Archive, namespace: Namespace) -> Mapping[str, CatalogOffer]:
    tables = {relation.table.name.lower(): relation.table for relation in namespace}
    offers = {
        path.lower(): offer
        for offer in archive.offers.catalogs
        if offer.table.lower() in tables
        for path in (offer.path, *offer.aliases)
    }
    for table in tables.values():
        plain = _plain_offer(table)
        offers.setdefault(plain.path.lower(), plain)
    return MappingProxyType(offers)


def _beside(namespace: Namespace, path: str) -> CatalogOffer | None:
    """What can be found and is not listed: a table of the asker's own, or one that is shared with her."""
    schema, _, bare = path.partition("/")
    relation = namespace.find(f"{schema}.{bare}") if schema and bare and "/" not in bare else None
    is_meant = relation is not None and relation.table.name.lower() == f"{schema}.{bare}".lower()
    return _plain_offer(relation.table) if relation is not None and is_meant else None


def _plain_offer(table: Table) -> CatalogOffer:
    return CatalogOffer(f"{table.schema_name}/{table.bare_name}", table.name, title=table.description)


def presented(archive: Archive, owner: str | None) -> list[CatalogOffer]:
    """What is shown to who looks around: what is configured, and tables that are offered in no other way."""
    offers = {offer.path: offer for offer in offers_of(archive, owner).values()}
    configured = {offer.table.lower() for offer in archive.offers.catalogs}
    return [
        offer
        for offer in offers.values()
        if offer in archive.offers.catalogs or not (offer.table.lower() in configured or _is_own(offer))
    ]


def _is_own(offer: CatalogOffer) -> bool:
    """Whether the table describes the archive."""
    return offer.table.startswith(f"{TAP_SCHEMA}.")


def table_of(archive: Archive, offer: CatalogOffer, owner: str | None) -> Table:
    """The table that an offer is about."""
    return archive.namespace(owner=owner).get(offer.table).table


def _metadata(namespace: Namespace, offer: CatalogOffer) -> bytes:
    """The document about the columns of a table, kept as long as they are the same."""
    return namespace.kept((_metadata, offer.path), lambda: _new_metadata(namespace.get(offer.table).table, offer))


def _new_metadata(table: Table, offer: CatalogOffer) -> bytes:
    return json.dumps(described_columns(table, offer), ensure_ascii=False).encode()


def _openapi(site: Site, owner: str | None) -> bytes:
    """The description of the API, kept as long as the tables are the same."""
    return site.archive.namespace(owner=owner).kept((_openapi, site.url), lambda: _new_openapi(site, owner))


def _new_openapi(site: Site, owner: str | None) -> bytes:
    offers, title = presented(site.archive, owner), site.settings.title
    find = functools.partial(table_of, site.archive, owner=owner)
    document = openapi_document(offers, find, site.settings, url=site.url + BASE, title=title)
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def _address(call: Call) -> tuple[str, str]:
    """The path of a table, and the ending that names a format; the ending of an unknown table belongs to its name."""
    path = call.part("path") or ""
    stem, dot, suffix = path.rpartition(".")
    if dot and "/" not in suffix and path.lower() not in offers_of(call.site.archive, call.owner):
        return stem, suffix
    return path, ""


def format_named(name: str) -> Format:
    """A format by its name or by the ending of a file name."""
    words = ((word, form) for form in reversed(writable()) for word in (*(end[1:] for end in form.suffixes), form.name))
    forms = dict(words)
    form = forms.get(name.lower())
    if form is None:
        raise UnsupportedFormatError(name[:80], sorted({form.name for form in forms.values()}))
    return get_format("votable/td") if form.media_type == get_format("votable").media_type else form


def _with_next(reply: Reply, call: Call, fields: Fields, page: int) -> Reply:
    """Where the next page is, if there is one and its address says all (RFC 8288)."""
    if (MORE_ROWS, b"true") not in reply.headers or call.scope["method"] == "POST":
        return reply
    pairs = [(field.name, value) for field in fields if field.name.lower() != "page" for value in field.values]
    address = f"{call.site.url}{quote(call.scope['path'])}?{urlencode([*pairs, ('page', page + 1)])}"
    return replace(reply, headers=(*reply.headers, (b"link", f'<{address}>; rel="next"'.encode("latin-1"))))


def _routes(site: Site) -> list[BaseRoute]:
    describe = Endpoint(site, metadata, refuse=refuse)
    match = Endpoint(site, counterparts, refuse=refuse, methods=("POST",))
    return [
        Route(BASE, Endpoint(site, overview)),
        Route(f"{BASE}/", Endpoint(site, overview)),
        Route(f"{BASE}/openapi.json", Endpoint(site, description)),
        Route(BASE + "/{path:path}/docs", Endpoint(site, about)),
        Route(BASE + "/{path:path}/crossmatch/upload", match),
        Route(BASE + "/{path:path}/crossmatch/upload.{format}", match),
        Route(BASE + "/{path:path}/metadata", describe),
        Route(BASE + "/{path:path}/metadata.json", describe),
        Route(BASE + "/{path:path}", Endpoint(site, search, refuse=refuse, methods=("GET", "POST"))),
    ]


def _links(site: Site) -> Iterable[Link]:
    yield Link("Search catalogues", f"{site.url}{BASE}/")


SERVICE = Service("catalogs", "Catalogue searches (REST)", _routes, lambda _: (), _links)

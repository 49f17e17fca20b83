"""TAP: what a table-access request means.

Service side of TAP 1.1 (IVOA REC 2019-09-27): sync (2.1), REQUEST, LANG and QUERY (2.7), MAXREC (2.7.4), errors (3.3)
and overflow (3.4). Reading parameters is DALI's affair (`dali`), what the service says of itself is `tapregext`'s and
`vosi`'s, and what a query text means is the archive's.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute, Route

from skydex.archive import QueryRequest, Upload
from skydex.errors import BadParameterError, SkydexError, UnknownResourceError
from skydex.formats import get_format
from skydex.formats.votable import error_votable
from skydex.query.languages import LANGUAGES, Language
from skydex.settings import Settings
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.examples import examples_capability, examples_routes
from skydex.web.service import Link, Service
from skydex.web.site import Site
from skydex.web.tapregext import tap_capability
from skydex.web.uploads import received
from skydex.web.vosi import find_schema, vosi_capabilities, vosi_routes

__all__ = ["SERVICE"]

BASES = ("/tap", "/{collection}/tap")
"""Where TAP answers: over everything, and over one collection."""
DEFAULT_LANGUAGE = "ADQL"
DEFAULT_FORMAT = "votable"


async def sync(call: Call) -> Reply:
    """Answer a synchronous query (TAP 1.1, sections 2.1 and 2.7)."""
    with call.site.folders.folder() as folder:
        parameters, uploads = await received(call, folder)
        _check_collection(call)
        form = get_format(parameters.find("RESPONSEFORMAT", "FORMAT") or DEFAULT_FORMAT)
        request = query_request(parameters, call.site.settings, collection=call.part("collection"), uploads=uploads)
        return await call.ask((request, form.name))


def query_request(
    parameters: dali.Parameters, settings: Settings, *, collection: str | None, uploads: tuple[Upload, ...] = ()
) -> QueryRequest:
    """Read what a query asks.

    Raises
    ------
    BadParameterError
        A parameter is missing or is none that TAP knows a meaning for.
    """
    request = parameters.find("REQUEST")
    if request is not None and request.lower() != "doquery":
        raise BadParameterError("REQUEST", 'must be "doQuery".')
    query = parameters.find("QUERY")
    if query is None:
        raise BadParameterError("QUERY", "is missing.")
    max_rows = dali.row_limit(parameters, settings)
    return QueryRequest(
        query, language=_language(parameters), max_rows=max_rows, collection=collection, uploads=uploads
    )


def _language(parameters: dali.Parameters) -> str:
    asked = (parameters.find("LANG") or DEFAULT_LANGUAGE).upper()
    offered = [name for language in LANGUAGES.values() for name in (language.name, *_with_versions(language))]
    if asked not in offered:
        raise BadParameterError("LANG", f"must be one of {', '.join(offered)}.")
    return asked


def _with_versions(language: Language) -> list[str]:
    return [f"{language.name}-{version}" for version in language.versions]


def refuse(error: SkydexError) -> Reply:
    """An error as a VOTable."""
    document = error_votable(dali.error_message(error))
    return Reply(document, dali.VOTABLE_TYPE, dali.error_status(error), dali.error_headers(error))


def _check_collection(call: Call) -> None:
    collection = call.part("collection")
    if collection is not None and find_schema(call.site.archive, collection) is None:
        raise UnknownResourceError("collection", collection)


def _routes(site: Site) -> list[BaseRoute]:
    routes: list[BaseRoute] = []
    for base in BASES:
        endpoint = Endpoint(site, sync, refuse=refuse, methods=("GET", "POST"))
        routes += [Route(f"{base}/sync", endpoint), *examples_routes(site, base)]
        routes += vosi_routes(site, base, _capabilities_here, with_tables=True)
    return routes


def _capabilities_here(call: Call) -> Iterable[str]:
    _check_collection(call)
    collection = call.part("collection")
    base_url = f"{call.site.url}/{collection}/tap" if collection else f"{call.site.url}/tap"
    yield tap_capability(call.site, base_url)
    yield from vosi_capabilities(base_url, with_tables=True)
    yield examples_capability(base_url)


def _capabilities(site: Site) -> Iterable[str]:
    yield tap_capability(site, f"{site.url}/tap")


def _links(site: Site) -> Iterable[Link]:
    yield Link("TAP over everything", f"{site.url}/tap")
    yield Link("Examples of queries", f"{site.url}/tap/examples")


SERVICE = Service("tap", "Queries in ADQL (TAP)", _routes, _capabilities, _links)

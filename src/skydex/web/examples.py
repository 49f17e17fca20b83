"""DALI examples: queries to learn from, for people and for programs.

DALI 1.1 (IVOA REC 2017-05-17), section 2.3: one XHTML document with RDFa Lite, whose vocabulary for TAP has `query` and
`table` (TAP 1.1, section 2.4.4; IVOA Note TAPNotes 1.0, section 2.4.2). The document of the whole archive has the
examples that reach across collections and leads on to those of each collection.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from starlette.routing import BaseRoute, Route

from skydex.archive import ReadyExample, View
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.site import Site
from skydex.web.views import base_url_of, view_of
from skydex.web.vosi import capability
from skydex.web.xml import document, element, optional, text

__all__ = ["examples_capability", "examples_routes"]

XHTML_TYPE = "application/xhtml+xml; charset=utf-8"
VOCABULARY = "http://www.ivoa.net/rdf/examples#"

_POLICY = b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = ((b"content-security-policy", _POLICY), (b"referrer-policy", b"no-referrer"))
"""What keeps the document inert."""
_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}pre{background:#f4f4f4;padding:1em}"
)


def examples_routes(site: Site, base: str) -> list[BaseRoute]:
    """The examples of the TAP service at a base path; in `base`, `{collection}` restricts them."""
    return [Route(f"{base}/examples", Endpoint(site, _examples))]


def examples_capability(base_url: str) -> str:
    """The capability element of the examples of a service."""
    return capability("ivo://ivoa.net/std/DALI#examples", f"{base_url}/examples")


async def _examples(call: Call) -> Reply:
    view, base_url = view_of(call), base_url_of(call)
    page = await asyncio.to_thread(_page, call, view, base_url)
    return Reply(page, XHTML_TYPE, headers=_HEADERS)


def _page(call: Call, view: View, base_url: str) -> bytes:
    return view.namespace.kept((_page, base_url), lambda: _new_page(call, view, base_url))


def _new_page(call: Call, view: View, base_url: str) -> bytes:
    site = call.site
    title = f"Examples of {view.title or site.settings.title}"
    shown = [
        _example(f"{view.name or 'all'}-{number}", ready, base_url)
        for number, ready in enumerate(site.archive.examples(view.key or None, call.owner), start=1)
    ]
    more = [] if view.key else [_continuation(site, schema.name) for schema in view.schemas[1:]]
    head = element("head", text("title", title), text("style", _STYLE))
    body = element("body", text("h1", title), *shown, *more, attributes={"vocab": VOCABULARY})
    namespace = {"xmlns": "http://www.w3.org/1999/xhtml", "lang": "en", "xml:lang": "en"}
    return document(element("html", head, body, attributes=namespace))


def _example(identifier: str, ready: ReadyExample, base_url: str) -> str:
    example = ready.example
    address = urlencode({"LANG": "ADQL", "RESPONSEFORMAT": "html", "MAXREC": 1000, "QUERY": example.query})
    tables = (text("code", name, {"property": "table"}) for name in ready.tables)
    return element(
        "div",
        text("h2", example.name, {"property": "name"}),
        optional("p", example.description),
        text("pre", example.query, {"property": "query"}),
        element("p", "Reads ", ", ".join(tables), ". ", text("a", "Run it", {"href": f"{base_url}/sync?{address}"})),
        attributes={"typeof": "example", "id": identifier, "resource": f"#{identifier}"},
    )


def _continuation(site: Site, collection: str) -> str:
    address = f"{site.url}/{collection}/tap/examples"
    words = {"property": "continuation", "resource": "", "href": address}
    return element("p", text("a", f"Examples of {collection}", words))

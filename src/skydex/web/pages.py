"""Pages for people: the first one, which says what is here and where, and the form of others.

Values and descriptions are inert: everything is escaped, and the content security policy allows no script at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from starlette.routing import BaseRoute, Route

from skydex.archive import Schema
from skydex.tables import Table
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.service import Link, Service
from skydex.web.site import Site

__all__ = ["HEADERS", "SERVICE", "link_list", "page"]

HTML_TYPE = "text/html; charset=utf-8"

_POLICY = b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = ((b"content-security-policy", _POLICY), (b"referrer-policy", b"no-referrer"))
"""What keeps pages inert."""
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2em .8em .2em 0}"
    "tr{border-top:1px solid #ddd}td.n{text-align:right}code{background:#f4f4f4}"
)


async def landing(call: Call) -> Reply:
    """The first page."""
    from skydex.web import SERVICES

    site = call.site
    services = "".join(_service(service, site) for service in SERVICES)
    schemas = "".join(_schema(schema) for schema in site.archive.schemas(call.owner))
    return page(site.settings.title, f"{_about(site)}<h2>Services</h2>{services}<h2>Tables</h2>{schemas}")


def page(title: str, body: str) -> Reply:
    """A page of a title, which is escaped here, and of a body in HTML, which is not."""
    title = escape(title)
    return Reply(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f'<link rel="icon" href="data:,"></head><body><h1>{title}</h1>{body}</body></html>\n'.encode(),
        HTML_TYPE,
        headers=HEADERS,
    )


def link_list(links: Iterable[Link]) -> str:
    """Links as a list; nothing if there are none."""
    items = "".join(map(_link, links))
    return f"<ul>{items}</ul>" if items else ""


def _about(site: Site) -> str:
    facts = (site.settings.publisher, site.settings.contact)
    return "".join(f"<p>{escape(fact)}</p>" for fact in facts if fact)


def _service(service: Service, site: Site) -> str:
    links = link_list(service.links(site))
    return f"<h3>{escape(service.title)}</h3>{links}" if links else ""


def _link(link: Link) -> str:
    return f'<li>{escape(link.title)}: <a href="{escape(link.url)}"><code>{escape(link.url)}</code></a></li>'


def _schema(schema: Schema) -> str:
    rows = "".join(_row(table) for table in schema.tables)
    head = "<tr><th>table</th><th>rows</th><th>description</th></tr>"
    about = f"<p>{escape(schema.description)}</p>" if schema.description else ""
    return f"<h3>{escape(schema.name)}</h3>{about}<table>{head}{rows}</table>"


def _row(table: Table) -> str:
    n_rows = f"{table.n_rows:,}" if table.n_rows is not None else ""
    name, description = escape(table.name), escape(table.description)
    return f'<tr><td><code>{name}</code></td><td class="n">{n_rows}</td><td>{description}</td></tr>'


def _routes(site: Site) -> list[BaseRoute]:
    return [Route("/", Endpoint(site, landing))]


def _none(_: Site) -> Iterable[Link]:
    return ()


SERVICE = Service("pages", "Pages", _routes, lambda _: (), _none)

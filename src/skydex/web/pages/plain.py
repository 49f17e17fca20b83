"""Pages of one text: what a service says of itself to somebody who opens its address in a browser."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from markupsafe import Markup

from skydex.web.asgi import Call, Reply
from skydex.web.pages.rendering import rendered
from skydex.web.service import Link

__all__ = ["link_list", "page"]


def page(call: Call, title: str, body: str) -> Reply:
    """A page of a title, which is escaped here, and of a body in HTML, which is not."""
    return rendered(call, "plain.html", {"title": title, "body": Markup(body)})


def link_list(links: Iterable[Link]) -> str:
    """Links as a list; nothing if there are none."""
    items = "".join(map(_link, links))
    return f"<ul>{items}</ul>" if items else ""


def _link(link: Link) -> str:
    return f'<li>{escape(link.title)}: <a href="{escape(link.url)}"><code>{escape(link.url)}</code></a></li>'

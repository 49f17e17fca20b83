"""What a page looks like: its facts, put into a template.

Templates escape every value (Jinja2, autoescape), so that names, descriptions and values are inert (promise R20).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from skydex import __version__
from skydex.web.door import way_up
from skydex.web.pages import assets
from skydex.web.pages.policy import STRICT, Policy

if TYPE_CHECKING:
    from skydex.web.asgi import Call, Reply
    from skydex.web.pages.refusals import Refusals

__all__ = ["HTML_TYPE", "Facts", "rendered"]

HTML_TYPE = "text/html; charset=utf-8"
Facts = dict[str, Any]
"""What a page says, in values that JSON has."""

_MENU = (
    ("search", "Search"),
    ("query", "Query"),
    ("images", "Images"),
    ("psf", "PSF"),
    ("mydb", "MyDB"),
    ("jobs", "Jobs"),
    ("api", "Addresses"),
)
"""The pages that each page leads to."""
_SMALL, _LARGE = 1e-4, 1e6
_DECIMALS = 6


def rendered(
    call: Call,
    template: str,
    facts: Mapping[str, Any],
    *,
    policy: Policy = STRICT,
    status: int = 200,
    refusals: Refusals | None = None,
) -> Reply:
    """A page of facts.

    Parameters
    ----------
    call : Call
        The request that is answered.
    template : str
        Name of a template.
    facts : mapping
        What it shows.
    policy : Policy
        What the page may do in a browser.
    status : int
        HTTP status.
    refusals : Refusals, optional
        What of the address was refused; of a page that is shown all the same.
    """
    from skydex.web.asgi import Reply
    from skydex.web.pages.refusals import Refusals

    headers = (*policy.headers(), (b"vary", b"accept, authorization, cookie"), (b"cache-control", b"private, no-cache"))
    text = _environment().get_template(template).render(**_surroundings(call), refusals=refusals or Refusals(), **facts)
    body = text.encode("utf-8", "replace")
    if status == HTTPStatus.OK and call.session is None:  # what has a secret in it is not compressed (BREACH)
        return call.document(body, HTML_TYPE, headers)
    return Reply(body, HTML_TYPE, status, headers)


def _surroundings(call: Call) -> Facts:
    """What every page shows."""
    path = call.scope["path"]
    settings = call.site.settings
    return {
        "root": way_up(path) or "./",
        "here": path,
        "site": {"title": settings.title, "publisher": settings.publisher, "contact": settings.contact},
        "url": call.site.url,
        "menu": _MENU,
        "user": call.owner,
        "csrf_token": call.csrf_token,
        "version": __version__,
        "style": assets.style(),
        "boot": assets.built("boot"),
        "built": assets.built,
    }


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("skydex.web.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "size": size,
        "props": props,
        "path": path_part,
        "query": query_part,
        "share": share,
    }
    return environment


def number(value: object) -> str:
    """A value as people read it: `18,666`, `22.451`, `1.2e-07`; nothing for a null."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if value and not _SMALL <= abs(value) < _LARGE:
        return f"{value:.{_DECIMALS}g}"
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def size(n_bytes: float) -> str:
    """A number of bytes: `3.4 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}" if unit != "bytes" else f"{n_bytes:.0f} bytes"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"


def share(part: float) -> str:
    """A part of a whole: `0`, `12 %`, `< 0.1 %`."""
    if not part:
        return "0"
    percent = 100.0 * part
    return "< 0.1 %" if percent < 0.1 else f"{percent:.3g} %"


def props(values: Mapping[str, Any]) -> Markup:
    """What an island is given, as the value of an attribute."""
    return Markup.escape(json.dumps(values, separators=(",", ":"), default=str))


def path_part(text: object) -> str:
    """A text as one step of a path."""
    return quote(str(text), safe="")


def query_part(values: Mapping[str, Any]) -> str:
    """Values as the query of an address."""
    return urlencode(values, doseq=True)

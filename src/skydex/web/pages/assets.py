"""Style sheets and scripts, as files that browsers keep for good: their names change with what is in them.

The style sheets are ours and stand in `static/`; the scripts are bundled from `page/` into `built/` when a wheel is
made. Without them (`PAGE_WITHOUT_SCRIPTS`) the pages are documents, tables and forms.
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path

from starlette.routing import BaseRoute, Route

from skydex.errors import UnknownResourceError
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.site import Site

__all__ = ["BASE", "asset_routes", "built", "style"]

BASE = "assets"
"""Below the address of the server."""

_HERE = Path(__file__).parent
_STATIC, _BUILT = _HERE / "static", _HERE / "built"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FOR_GOOD = (
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"cross-origin-resource-policy", b"cross-origin"),
)


def style() -> str:
    """Name of the style sheet of all pages."""
    return next(name for name in _static() if name.endswith(".css"))


def built(entry: str) -> str | None:
    """Name of a bundled script; `None` where it was left out."""
    return _manifest().get(entry)


async def asset(call: Call) -> Reply:
    """One file."""
    name = call.part("name") or ""
    file = _static().get(name) or _bundled().get(name)
    if file is None:
        raise UnknownResourceError("file", name[:100])
    media_type = _TYPES[file.suffix]
    return call.file(_bytes(file), media_type, _FOR_GOOD)


def asset_routes(site: Site) -> list[BaseRoute]:
    """Where the files are."""
    return [Route(f"/{BASE}/{{name}}", Endpoint(site, asset))]


@functools.cache
def _static() -> dict[str, Path]:
    """Our own files, by names that tell what is in them."""
    return {f"{file.stem}-{_digest(file)}{file.suffix}": file for file in sorted(_STATIC.iterdir()) if file.is_file()}


@functools.cache
def _bundled() -> dict[str, Path]:
    return {file.name: file for file in _BUILT.glob("*") if file.suffix in _TYPES}


@functools.cache
def _manifest() -> dict[str, str]:
    file = _BUILT / "manifest.json"
    return json.loads(file.read_text()) if file.is_file() else {}


@functools.lru_cache(64)
def _bytes(file: Path) -> bytes:
    return file.read_bytes()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8]

"""Download: products of MAST by their data URIs, one at a time or many in a bundle.

`/api/v0.1/Download/file?uri=...` gives the bytes of a product; `/api/v0.1/Download/bundle.tar.gz` and `.zip` those of
as many as there are `uri`, in a folder `MAST_{time}` with a `MANIFEST.HTML`; `bundle.sh` is a script that has curl
fetch them, and `bundle` alone a `tar.gz`. MAST API, https://mast.stsci.edu/api/v0/_downloads.html. `data_uris` says
which products there are; a cutout has the bytes that fitscut gives for the same parameters.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote, unquote

from starlette.routing import BaseRoute, Route

from skydex import __version__
from skydex.archive import BundleFile, BundleRequest, CutoutRequest, DataURI, product_files, product_request
from skydex.errors import BadParameterError, one_line
from skydex.web import dali
from skydex.web.asgi import Call, Endpoint, Reply
from skydex.web.files import file_reply
from skydex.web.fitscut import is_small
from skydex.web.site import Site

__all__ = ["BASE", "routes"]

BASE = "/api/v0.1/Download"
_SCRIPT = "sh"
_BUNDLES = {"": "tar.gz", ".tar.gz": "tar.gz", ".zip": "zip", ".sh": _SCRIPT}
"""What comes, by the end of the address."""
_SCRIPT_TYPE = "text/x-shellscript; charset=utf-8"
_FOLDER = "MAST_%Y-%m-%dT%H%M"
_URLENCODED = "application/x-www-form-urlencoded"


def routes(site: Site) -> list[BaseRoute]:
    """Where products are given."""
    methods = ("GET", "POST")
    return [
        Route(f"{BASE}/file", Endpoint(site, download, methods=methods)),
        *(Route(f"{BASE}/bundle{ending}", _bundles(site, kind, methods)) for ending, kind in _BUNDLES.items()),
    ]


def _bundles(site: Site, container: str, methods: tuple[str, ...]) -> Endpoint:
    """A form of a page may ask for a bundle without the token of its session: it changes nothing."""
    return Endpoint(site, partial(bundle, container=container), methods=methods, is_form=True)


async def download(call: Call) -> Reply:
    """One product."""
    uri = _pasted(call.scope["query_string"]) or (await call.parameters()).find("uri")
    if uri is None:
        raise BadParameterError("uri", "is missing: it names a product, as in mast:WFC3PSF/url/cgi-bin/fitscut.cgi?...")
    request = product_request(DataURI.parse(uri), call.owner)
    if isinstance(request, CutoutRequest):
        return await call.picture(request, is_quick=is_small(request))
    original = request.find_original(call.site.archive.images(call.owner))
    if original is None:
        return await call.ask(request)
    name = (b"content-disposition", f'inline; filename="{request.file_name}"'.encode("latin-1"))
    return await file_reply(call, original.path, original.media_type, headers=(name,), is_dated=True)


def _pasted(query: bytes) -> str | None:
    """A data URI that somebody has put into the address as it is: its own `?` and `&` are no marks of the address."""
    name, _, uri = query.partition(b"=")
    return unquote(uri.decode("utf-8", "replace")) if name.lower() == b"uri" and b"?" in uri else None


async def bundle(call: Call, container: str) -> Reply:
    """Many products."""
    settings = call.site.settings
    uris = list(dict.fromkeys(await _uris(call, settings.bundle_files)))
    if not uris:
        raise BadParameterError("uri", "is missing: give it once for each product.")
    files, folder = await asyncio.to_thread(product_files, uris, call.owner), datetime.now(UTC).strftime(_FOLDER)
    if container == _SCRIPT:
        name = (b"content-disposition", f'inline; filename="{folder}.sh"'.encode())
        return Reply(_script(files, folder, call.site.url).encode(), _SCRIPT_TYPE, headers=(name,))
    return await call.ask(BundleRequest(files, folder, container, settings.bundle_mb, settings.bundle_file_mb))


async def _uris(call: Call, most: int) -> list[str]:
    """All products that a request names; a form may name more than other forms have fields."""
    pairs = call.query_pairs()
    if call.scope["method"] == "POST":
        kind = call.header(b"content-type").decode("latin-1").partition(";")[0].strip().lower()
        is_plain = kind in ("", _URLENCODED)
        pairs += dali.parse_pairs(await call.posted_text(), most=most) if is_plain else await call.posted_pairs()
    return [value.strip() for value in dali.Parameters(pairs).values("uri") if value.strip()]


def _script(files: Sequence[BundleFile], folder: str, url: str) -> str:
    """A script that fetches the files one by one; all that a request brings along stands in quotes."""
    places = sorted({file.path.rpartition("/")[0] for file in files if file.request is not None})
    return "\n".join(
        [
            "#!/bin/sh",
            f"# {len(files)} files from {url}, by skydex {__version__}; curl takes credentials from ~/.netrc",
            "failed=0",
            "get() {",
            '    echo "$2"',
            '    curl --fail --silent --show-error --netrc-optional --output "$2.part" "$1" && mv "$2.part" "$2" ||',
            '        { rm -f "$2.part"; missing "$2"; }',
            "}",
            "missing() {",
            "    failed=$((failed + 1))",
            "    printf 'missing: %s\\n' \"$1\" >&2",
            "}",
            *(f"mkdir -p {shlex.quote(f'{folder}/{place}')}" for place in places),
            *(_line(file, folder, url) for file in files),
            'test "$failed" = 0',
            "",
        ]
    )


def _line(file: BundleFile, folder: str, url: str) -> str:
    if file.request is None:
        return f"missing {shlex.quote(_shown(f'{file.uri}: {file.trouble}'))}"
    address = f"{url}{BASE}/file?uri={quote(file.uri, safe='')}"
    return f"get {shlex.quote(address)} {shlex.quote(f'{folder}/{file.path}')}"


def _shown(text: str) -> str:
    """A text that does nothing to a terminal."""
    return "".join(character if character.isprintable() else "?" for character in one_line(text, most=1000))

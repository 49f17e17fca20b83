"""Whole files from an archive: what the user names becomes sources, which `client.transfers` fetches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from skydex.client.door import Door, FileSource
from skydex.client.files import WebFile
from skydex.client.http import origin_of
from skydex.client.transfers import Manifest, fetch_all, fetch_all_async, fetch_bundled
from skydex.client.transfers.progress import Shown
from skydex.errors import BadParameterError

__all__ = ["download", "download_async", "sources_of"]

_ADDRESSES = ("datauri", "dataurl", "access_url", "url")
"""Columns that say where files are, the likeliest first."""


def download(
    door: Door, things: Any, into: str | os.PathLike[str] = ".", *, bundle: bool = False, progress: Shown = True
) -> Manifest:
    """Fetch files; see `Connection.download`."""
    sources = list(sources_of(door, things))
    if bundle:
        return fetch_bundled(sources, Path(into), door.bundle, progress=progress)
    return fetch_all(sources, Path(into), progress=progress)


async def download_async(
    door: Door, things: Any, into: str | os.PathLike[str] = ".", *, progress: Shown = True
) -> Manifest:
    """Fetch files beside other work."""
    return await fetch_all_async(list(sources_of(door, things)), Path(into), progress=progress)


def sources_of(door: Door, things: Any) -> Iterator[FileSource]:
    """The files that are meant: by addresses, data URIs, names of images, or a table with a column of them."""
    if isinstance(things, str):
        yield _source(door, things)
    elif hasattr(things, "open") and hasattr(things, "reference"):
        yield things
    elif isinstance(things, Table):
        yield from sources_of(door, _addresses(things))
    elif isinstance(things, Iterable):
        for thing in things:
            if thing is not np.ma.masked and (not isinstance(thing, str) or thing):
                yield from sources_of(door, thing)
    else:
        raise BadParameterError("things", "are addresses, data URIs, names of images, or a table with such a column.")


def _addresses(table: Table) -> Any:
    by_lower = {name.lower(): name for name in reversed(table.colnames)}
    found = next((by_lower[name] for name in _ADDRESSES if name in by_lower), None)
    if found is None:
        names = ", ".join(table.colnames[:10])
        raise BadParameterError("things", f'has no column of addresses. Name it, as in rows["url"]; there are {names}.')
    return table[found]


def _source(door: Door, reference: str) -> FileSource:
    web = getattr(door, "web", None)
    if web is None or not reference.startswith(("http://", "https://")):
        return door.file(reference)
    is_ours = origin_of(reference) in web.origins  # an address needs no service for files, and may need the login
    return WebFile(reference, login=web.login if is_ours else None)

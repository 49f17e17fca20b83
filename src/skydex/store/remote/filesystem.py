"""Files of any other file system that fsspec knows: `gs://`, `sftp://`, `memory://` and so on.

These tell the version of a file apart from its bytes, so it is asked for once more after each range.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from skydex.errors import StoreError
from skydex.store.remote.faults import Altered, Fault, Fleeting
from skydex.store.remote.source import Order, Reply
from skydex.store.remote.stamp import Stamp
from skydex.store.remote.traffic import Traffic

__all__ = ["FilesystemSource"]

_VERSIONS = ("ETag", "etag", "md5Hash", "generation", "LastModified", "last_modified", "updated", "mtime", "created")


class FilesystemSource:
    """A directory behind an address of any scheme."""

    has_listing = True

    def __init__(self, url: str, *, time_s: float) -> None:
        import fsspec  # only here: it takes a tenth of a second to import

        scheme = url.partition("://")[0]
        try:
            self._files, folder = fsspec.core.url_to_fs(url.rstrip("/"))
        except (ImportError, ValueError) as error:
            raise StoreError(
                f"Nothing here can read addresses that begin with {scheme}://.{_advice(scheme)}"
            ) from error
        except Exception as error:  # some connect at once, and their errors have no common class
            raise Fault("its server cannot be reached", remedy="See whether its address is right.") from error
        self._folder = folder.rstrip("/")
        self._time_s = time_s

    async def get(self, order: Order, traffic: Traffic) -> Reply | None:
        reply: Reply | None = await self._run(self._get, order, traffic)
        return reply

    async def names(self, folder: str, traffic: Traffic) -> Sequence[str]:
        start = f"{self._folder}/{folder}".rstrip("/")
        traffic.add(requests=1)
        found = await self._run(self._files.find, start)
        return [name[len(self._folder) :].lstrip("/") for name in found]

    async def _run(self, work: Any, *arguments: Any) -> Any:
        try:
            async with asyncio.timeout(2 * self._time_s):
                return await asyncio.to_thread(work, *arguments)
        except TimeoutError as error:
            raise Fleeting("its server is silent") from error
        except PermissionError as error:
            raise Fault("its server refuses access") from error
        except OSError as error:
            raise Fleeting("its server broke off") from error

    def _get(self, order: Order, traffic: Traffic) -> Reply | None:
        path = f"{self._folder}/{order.name}"
        try:
            stamp = self._stamp(path, traffic)
            if order.known is not None and order.known.agrees_with(stamp):
                return Reply(b"", stamp, is_known=True)
            content = b"" if order.only_stamp else self._content(path, order, stamp, traffic)
            if content and not stamp.agrees_with(self._stamp(path, traffic)):
                raise Altered("a file is not the one that it was")
        except (FileNotFoundError, IsADirectoryError) as error:
            if order.expected is not None:
                raise Altered("a file is gone") from error
            return None
        if order.expected is not None and not order.expected.agrees_with(stamp):
            raise Altered("a file is not the one that it was")
        return Reply(content, stamp)

    def _content(self, path: str, order: Order, stamp: Stamp, traffic: Traffic) -> bytes:
        if order.span is None:
            start, stop = 0, stamp.size
        else:
            start = order.span.start if order.span.start >= 0 else max(0, stamp.size + order.span.start)
            stop = stamp.size if order.span.start < 0 else min(order.span.stop, stamp.size)
        if stop - start > (order.most_bytes if order.span is None else order.span.length):
            raise Fault("a file is too large")
        traffic.add(requests=1)
        content: bytes = self._files.cat_file(path, start=start, end=stop)
        traffic.add(n_bytes=len(content))
        if len(content) != stop - start:
            raise Fleeting("its server broke off")
        return content

    def _stamp(self, path: str, traffic: Traffic) -> Stamp:
        traffic.add(requests=1)
        self._files.invalidate_cache()
        facts = self._files.info(path)
        if facts.get("type") == "directory":
            raise IsADirectoryError(path)
        version = next((str(facts[key]) for key in _VERSIONS if facts.get(key)), "")
        return Stamp(version, "", int(facts["size"] or 0))


def _advice(scheme: str) -> str:
    """What fsspec says must be installed for a scheme that it knows."""
    from fsspec.registry import known_implementations

    said = known_implementations.get(scheme, {}).get("err", "")
    return f" {said.rstrip('.')}." if said else ""

"""`RemoteLocation`: a catalogue far away, over HTTP, S3 or any file system that fsspec knows.

Its small files are a `Snapshot`; of its large ones ranges are read, many at once. Errors name the table and never the
address, which may be nobody's business.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

import pyarrow as pa

from skydex.errors import RemoteChangedError, RemoteUnavailableError, StoreError
from skydex.store.layout import partition_label
from skydex.store.remote.access import RemoteAccess
from skydex.store.remote.cache import RangeCache
from skydex.store.remote.faults import Altered, Fault, Unreached, asking_again
from skydex.store.remote.files import FarFiles
from skydex.store.remote.filesystem import FilesystemSource
from skydex.store.remote.http import Denied, HttpSource
from skydex.store.remote.s3 import S3Source
from skydex.store.remote.seekable import Seekable
from skydex.store.remote.snapshot import Snapshot, find_snapshot
from skydex.store.remote.source import Order, Reply, Source, Span
from skydex.store.remote.stamp import Stamp
from skydex.store.remote.traffic import Traffic, current_traffic
from skydex.store.remote.wire import wire

__all__ = ["RemoteLocation"]

_T = TypeVar("_T")
_MOST_SMALL = 512 << 20
"""Bytes of the largest metadata file that is read."""
_STREAM_BYTES = 4 << 20
_LITTLE_BYTES = 16 << 10
_CHECK_TIME_S = 5.0
"""How long it may take to see whether a catalogue has changed; if it takes longer, reading will show."""
_RECHECK_S = 10.0


class RemoteLocation:
    """A directory behind a URL.

    Parameters
    ----------
    url : str
        Address with any scheme; user and password in it are sent and never shown.
    name : str
        The table, as errors call it.
    access : RemoteAccess
        Limits, and where the cache is.
    """

    is_distant = True

    def __init__(self, url: str, *, name: str, access: RemoteAccess | None = None) -> None:
        self.address = url.rstrip("/")
        """As it was given, with what may be secret in it."""
        self.access = access or RemoteAccess()
        self.root = _public(self.address)
        self.name = name
        self.cache = RangeCache(self.access)
        self.is_outdated = False
        """Whether the catalogue was seen to have changed, so that it must be opened anew."""
        self.denial: Denied | None = None
        """How access to a file was refused that may not be there."""
        self._source = self._telling(lambda: _source(self.address, self.access))
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._was_earlier = self._has_answered = False
        self._checked_at = 0.0
        self._slots: asyncio.Semaphore | None = None
        self.files = FarFiles(self)
        """Its Parquet files."""

    def __repr__(self) -> str:
        return f"<RemoteLocation of {self.name}>"

    @property
    def has_listing(self) -> bool:
        """Whether it tells what files there are."""
        return self._source.has_listing

    def path(self, name: str) -> str:
        return f"{self.root}/{name}"

    @property
    def snapshot(self) -> Snapshot:
        """What is known of the small files: from an earlier process if it still holds, else nothing yet."""
        with self._lock:
            if self._snapshot is None:
                earlier = self._earlier()
                self._was_earlier = earlier is not None
                self._snapshot = earlier or Snapshot(self.root)
                self._checked_at = time.monotonic()
            return self._snapshot

    def find(self, name: str) -> bytes | None:
        snapshot = self.snapshot
        if name in snapshot.stamps:
            stamp = snapshot.stamps[name]
            content = snapshot.content(name, self.cache) if stamp else None
            if stamp is None or content is not None:
                return content
        traffic = current_traffic()
        reply = self._run(lambda: self._find(Order(name, most_bytes=_MOST_SMALL), traffic))
        self._learn(name, reply, with_content=True)
        return reply.content if reply else None

    def stamp(self, name: str) -> tuple[Any, ...] | None:
        traffic = current_traffic()
        if name not in self.snapshot.stamps:
            reply = self._run(lambda: self._find(Order(name, only_stamp=True), traffic))
            self._learn(name, reply, with_content=False)
        found = self.snapshot.stamps[name]
        return (self.snapshot.token, str(found)) if found else None

    def is_small(self, name: str, most_bytes: int) -> bool:
        """Whether there is a file of that name, and it is no larger."""
        self.stamp(name)
        stamp = self.snapshot.stamps[name]
        return stamp is not None and stamp.size <= most_bytes

    def size(self, path: str) -> int:
        traffic = current_traffic()
        order = Order(self.file_name(path), only_stamp=True)
        reply = self._run(lambda: self.ask(order, traffic))
        if reply is None or reply.stamp.size < 0:
            raise FileNotFoundError(path)
        return reply.stamp.size

    def iter_names(self, folder: str = "") -> Iterator[str]:
        traffic = current_traffic()
        try:
            yield from self._run(lambda: asking_again(lambda: self._source.names(folder, traffic), self.access))
        except RemoteUnavailableError as error:
            if self._source.has_listing:
                raise
            raise StoreError(
                f"The files of {self.name} cannot be found: {error.reason}. Is its address that of a HATS catalogue?"
            ) from error

    def open(self, path: str, stamp: Stamp | None = None) -> pa.NativeFile:
        """Open a file for reading all of it; a stamp says which version of it."""
        return pa.PythonFile(_Stream(self, self.file_name(path), stamp, _STREAM_BYTES), mode="r")

    def open_for_little(self, path: str) -> pa.NativeFile:
        """Open a file of which little will be read, here and there."""
        return pa.PythonFile(_Stream(self, self.file_name(path), None, _LITTLE_BYTES), mode="r")

    def file_name(self, path: str) -> str:
        """Name of a file, relative to the catalogue."""
        return path[len(self.root) + 1 :]

    def range_of(self, name: str, span: Span, expected: Stamp | None = None) -> Reply:
        """A range of a file; raises `FileNotFoundError` if there is none."""
        traffic = current_traffic()
        reply = self._run(lambda: self.ask(Order(name, span, expected), traffic), file=name)
        if reply is None:
            raise FileNotFoundError(name)
        return reply

    async def ask(self, order: Order, traffic: Traffic) -> Reply | None:
        """Ask for something, and again if need be; to be awaited in the wire's loop."""
        if self._slots is None:
            self._slots = asyncio.Semaphore(self.access.connections)

        async def once() -> Reply | None:
            assert self._slots is not None
            async with self._slots:
                return await self._got(order, traffic)

        return await asking_again(once, self.access)

    async def _got(self, order: Order, traffic: Traffic) -> Reply | None:
        """Ask once; who has never answered is most often mistyped, or down, and is not asked again."""
        try:
            reply = await self._source.get(order, traffic)
        except Unreached as fault:
            if self._has_answered:
                raise
            raise Fault(str(fault), remedy="See whether its address is right, or try again later.") from fault
        self._has_answered = True
        return reply

    def submit(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Begin some work in the wire's loop."""
        self.snapshot  # noqa: B018  in the loop nobody could wait for it
        return wire().submit(work)

    def settle(self) -> None:
        """See to it that all small files that were read are of one publication.

        Raises
        ------
        RemoteChangedError
            They may not be.
        """
        if not self._was_earlier and not self._still(self.snapshot):
            raise self.changed("")

    def check(self) -> None:
        """See now and then whether the catalogue has changed.

        Raises
        ------
        RemoteChangedError
            It has; it must be opened anew.
        """
        if self.is_outdated:
            raise self.changed("")
        if time.monotonic() - self._checked_at < self.access.check_s:
            return
        self._checked_at = time.monotonic()
        try:
            same = wire().submit(self._is_same(self.snapshot)).result(_CHECK_TIME_S)
        except (Fault, TimeoutError):
            self._checked_at += _RECHECK_S - self.access.check_s
            return
        if not same:
            raise self.changed("")

    def changed(self, file: str) -> RemoteChangedError:
        """Make the error for a catalogue that has changed; it cannot be read any more as it was opened."""
        self.is_outdated = True
        if self._snapshot is not None:
            self._snapshot.drop(self.cache)
        return RemoteChangedError(self.name, partition_label(file) if file else "")

    def told(self, fault: Fault, file: str = "") -> StoreError:
        """A fault in words that name the table."""
        if isinstance(fault, Altered):
            return self.changed(file)
        return RemoteUnavailableError(self.name, str(fault), remedy=fault.remedy)

    def _earlier(self) -> Snapshot | None:
        """The snapshot of an earlier process, if nothing has changed since, or nobody says so."""
        found = find_snapshot(self.root, self.cache)
        if found is None or not found.telling():
            return None
        try:
            return found if self._still(found) else None
        except RemoteUnavailableError:
            return found

    def _still(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot still holds."""
        return self._run(lambda: asking_again(lambda: self._is_same(snapshot), self.access))

    async def _is_same(self, snapshot: Snapshot) -> bool:
        traffic = Traffic()
        telling = snapshot.telling()
        orders = [Order(name, known=stamp, most_bytes=_MOST_SMALL) for name, stamp in telling.items()]
        replies = await asyncio.gather(*(self._got(order, traffic) for order in orders))
        return all(
            reply is not None and (reply.is_known or (stamp.is_telling and stamp.agrees_with(reply.stamp)))
            for reply, stamp in zip(replies, telling.values(), strict=True)
        )

    async def _find(self, order: Order, traffic: Traffic) -> Reply | None:
        """A small file; servers may say of one that is not there that it is not given."""
        try:
            return await self.ask(order, traffic)
        except Denied as denial:
            self.denial = denial
            return None

    def _learn(self, name: str, reply: Reply | None, *, with_content: bool) -> None:
        snapshot = self.snapshot
        if reply is not None and reply.date and not snapshot.date:
            snapshot.date = reply.date
        stamp, content = (reply.stamp, reply.content) if reply else (None, None)
        known = snapshot.stamps.get(name)
        if known is not None and stamp is not None and not known.agrees_with(stamp):
            raise self.changed("")
        snapshot.add(name, stamp, content if with_content else None, self.cache)

    def _run(self, work: Callable[[], Coroutine[Any, Any, _T]], *, file: str = "") -> _T:
        """Do some work in the wire's loop, and wait for it."""
        return self._telling(lambda: wire().submit(work()).result(), file=file)

    def _telling(self, work: Callable[[], _T], *, file: str = "") -> _T:
        try:
            return work()
        except Fault as fault:
            raise self.told(fault, file) from fault


class _Stream(Seekable):
    """A file far away as one that can be read anywhere, in steps of so many bytes at least."""

    def __init__(self, location: RemoteLocation, name: str, stamp: Stamp | None, step_bytes: int) -> None:
        self._location, self._name, self._step_bytes = location, name, step_bytes
        self._stamp = stamp or location.range_of(name, Span(-8, 0)).stamp
        self._block, self._block_at = b"", 0
        super().__init__(self._stamp.size)

    def read(self, size: int = -1) -> bytes:
        stop = self._stop(size)
        if stop <= self._at:
            return b""
        inside = self._block_at <= self._at and stop <= self._block_at + len(self._block)
        if not inside:
            far = max(stop, self._stop(self._step_bytes))
            self._block = self._location.range_of(self._name, Span(self._at, far), self._stamp).content
            self._block_at = self._at
        content = self._block[self._at - self._block_at : stop - self._block_at]
        self._at = stop
        return content


def _source(url: str, access: RemoteAccess) -> Source:
    scheme = url.partition("://")[0].lower()
    if scheme in ("http", "https"):
        return HttpSource.of(url, time_s=access.time_s)
    if scheme in ("s3", "s3a"):
        return S3Source(url, time_s=access.time_s, anonymous=access.s3_anonymous)
    return FilesystemSource(url, time_s=access.time_s)


def _public(url: str) -> str:
    """An address without user, password and what follows a question mark."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0].partition('#')[0]}".rstrip("/")

"""The files of a bundle in one stream: tar (POSIX.1-2001 pax) in gzip, or ZIP (APPNOTE 6.3) with data descriptors.

Stamps are mostly noise, of which compression takes little: the quickest way is used, which for tar is to look for runs
alone, such as of blanks in headers (a third of the time, within 5 % of the size). What is packed is compressed in a
second thread, while the next file is drawn.
"""

from __future__ import annotations

import io
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Protocol, cast

from skydex.formats.sink import Sink

__all__ = ["CONTAINERS", "Container", "Packer"]

_LEVEL = 1
_GZIP = 31
"""What zlib calls the largest window, with gzip's header and trailer."""
_PIECE_BYTES = 1 << 18


class Packer(Protocol):
    """Puts files into a stream, one after the other; each step gives the bytes that have become known."""

    def folder(self, name: str) -> bytes: ...

    def file(self, path: str, content: bytes) -> bytes: ...

    def end(self) -> bytes: ...


class _TarGz:
    """A tar file that is compressed behind the back of whoever fills it."""

    def __init__(self) -> None:
        self._sink, self._time = Sink(), time.time()
        self._tar = tarfile.open(fileobj=cast(IO[bytes], self._sink), mode="w|", bufsize=_PIECE_BYTES)  # noqa: SIM115
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
        self._pool = ThreadPoolExecutor(1)
        self._waiting: list[Future[bytes]] = []

    def folder(self, name: str) -> bytes:
        entry = self._entry(name, 0o755)
        entry.type = tarfile.DIRTYPE
        self._tar.addfile(entry)
        return self._compressed()

    def file(self, path: str, content: bytes) -> bytes:
        entry = self._entry(path, 0o644)
        entry.size = len(content)
        self._tar.addfile(entry, io.BytesIO(content))
        return self._compressed()

    def end(self) -> bytes:
        self._tar.close()
        with self._pool:
            return b"".join([self._compressed(), *(one.result() for one in self._waiting), self._deflate.flush()])

    def _entry(self, name: str, mode: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(name)
        entry.mode, entry.mtime = mode, int(self._time)
        return entry

    def _compressed(self) -> bytes:
        """Hand on what the tar file has given, and take what has been compressed meanwhile."""
        piece = self._sink.taken()
        if piece:
            self._waiting.append(self._pool.submit(self._deflate.compress, piece))
        done = []
        while self._waiting and (self._waiting[0].done() or len(self._waiting) > 2):
            done.append(self._waiting.pop(0).result())
        return b"".join(done)


class _Zip:
    """A ZIP file."""

    def __init__(self) -> None:
        self._sink, self._time = Sink(), time.gmtime()[:6]
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)

    def folder(self, name: str) -> bytes:
        self._zip.writestr(self._entry(f"{name}/", 0o40755), b"")
        return self._sink.taken()

    def file(self, path: str, content: bytes) -> bytes:
        self._zip.writestr(self._entry(path, 0o100644), content, zipfile.ZIP_DEFLATED, _LEVEL)
        return self._sink.taken()

    def end(self) -> bytes:
        self._zip.close()
        return self._sink.taken()

    def _entry(self, name: str, mode: int) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name, self._time)
        entry.external_attr = mode << 16
        return entry


@dataclass(frozen=True)
class Container:
    """A format that holds files."""

    suffix: str
    """File name ending, with its dot."""
    media_type: str
    """What the bytes are."""
    open: Callable[[], Packer]
    """Begins a stream."""

    def packed(self, folder: str, files: Iterator[tuple[str, bytes]]) -> Iterator[bytes]:
        """The stream of a folder with files, whose paths are below it."""
        packer = self.open()
        yield packer.folder(folder)
        for path, content in files:
            yield packer.file(f"{folder}/{path}", content)
        yield packer.end()


CONTAINERS = {
    "tar.gz": Container(".tar.gz", "application/gzip", _TarGz),
    "zip": Container(".zip", "application/zip", _Zip),
}
"""By what stands behind `bundle.`"""

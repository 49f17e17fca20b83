"""Where the bytes of a FITS file come from: the file itself, or what it unpacks to.

A plain file is read where it is asked, without a position of its own, so that threads share it. A file that is
compressed as a whole (gzip, bzip2) can only be read from its beginning; what is unpacked of it is limited.
"""

from __future__ import annotations

import bz2
import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol

from skydex.images.limits import ImageLimits

__all__ = ["Source", "open_source"]

_MAGIC_GZIP, _MAGIC_BZIP2 = b"\x1f\x8b", b"BZh"
_CHUNK = 1 << 20


class Source(Protocol):
    """Bytes by their place; a packed source wants to be asked in ascending order."""

    is_packed: bool
    """Whether the file is compressed as a whole."""

    def read(self, offset: int, n_bytes: int) -> bytes:
        """Bytes from a place on; fewer at the end of the file."""
        ...

    def reaches(self, offset: int) -> bool:
        """Whether the file is that long."""
        ...


class PlainSource:
    """A file that is as it is read."""

    is_packed = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    def read(self, offset: int, n_bytes: int) -> bytes:
        return os.pread(self._descriptor, n_bytes, offset)

    def reaches(self, offset: int) -> bool:
        return offset <= self._size


class PackedSource:
    """A file that is unpacked while it is read."""

    is_packed = True

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, limits: ImageLimits) -> None:
        self._stream, self._limits = stream, limits
        self._at = 0

    def read(self, offset: int, n_bytes: int) -> bytes:
        if offset < self._at:
            self._stream.seek(0)
            self._at = 0
        self._skip(offset - self._at)
        data = self._stream.read(n_bytes) if self._at == offset else b""
        self._count(len(data))
        return data

    def reaches(self, offset: int) -> bool:
        self._check(offset)
        if offset > self._at:
            self._skip(offset - self._at)
        return self._at >= offset

    def _skip(self, n_bytes: int) -> None:
        while n_bytes > 0 and (data := self._stream.read(min(n_bytes, _CHUNK))):
            self._count(len(data))
            n_bytes -= len(data)

    def _count(self, n_bytes: int) -> None:
        self._at += n_bytes
        self._check(self._at)

    def _check(self, size: int) -> None:
        if size > self._limits.unpacked_mb << 20:
            raise OSError(0, f"it unpacks to more than {self._limits.unpacked_mb:,} MB, which is the limit")


@contextmanager
def open_source(path: str | os.PathLike[str], limits: ImageLimits) -> Iterator[Source]:
    """Open a file for reading; whether it is packed is seen from its first bytes.

    Raises
    ------
    OSError
        It is not there, or unpacks to more than it may.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        magic = os.pread(descriptor, 3, 0)
        if magic[:2] == _MAGIC_GZIP:
            with open(descriptor, "rb", closefd=False) as file, gzip.GzipFile(fileobj=file) as stream:
                yield PackedSource(stream, limits)
        elif magic == _MAGIC_BZIP2:
            with open(descriptor, "rb", closefd=False) as file, bz2.BZ2File(file) as stream:
                yield PackedSource(stream, limits)
        else:
            yield PlainSource(descriptor)
    finally:
        os.close(descriptor)

"""Where a catalogue lies: a local directory, or anything that fsspec can reach.

Local directories are read without fsspec, because every query passes here. Names inside a location are relative and
use forward slashes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from pyarrow.fs import FSSpecHandler, PyFileSystem

from skydex.errors import StoreError

__all__ = ["LocalLocation", "Location", "RemoteLocation", "locate"]


class Location(Protocol):
    """A directory of files to read."""

    root: str
    is_distant: bool
    """Whether each reading costs a journey, so that few large ones are better than many small ones."""

    def path(self, name: str) -> str:
        """Absolute path or URL of a file."""
        ...

    def find(self, name: str) -> bytes | None:
        """Content of a file, or `None` if there is no such file."""
        ...

    def iter_names(self, folder: str = "") -> Iterator[str]:
        """Names of all files below a folder, relative to the root."""
        ...

    def stamp(self, name: str) -> tuple[Any, ...] | None:
        """What changes when a file changes: size and time, or `None` if there is no such file."""
        ...

    def size(self, path: str) -> int:
        """Bytes of the file at an absolute path or URL of this location."""
        ...

    def open(self, path: str) -> pa.NativeFile:
        """Open the file at an absolute path or URL of this location, for reading at random."""
        ...


def locate(address: str | os.PathLike[str]) -> Location:
    """Find out whether an address is a path or a URL."""
    text = os.fspath(address)
    if "://" not in text:
        return LocalLocation(text)
    return LocalLocation(text[7:]) if text.startswith("file://") else RemoteLocation(text)


class LocalLocation:
    """A directory of this machine."""

    is_distant = False

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.path.abspath(root)

    def path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def find(self, name: str) -> bytes | None:
        try:
            return Path(self.root, name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"The file {name} of a catalogue cannot be read: {error.strerror}.") from error

    def iter_names(self, folder: str = "") -> Iterator[str]:
        for parent, _, files in os.walk(os.path.join(self.root, folder)):
            for file in files:
                yield Path(parent, file).relative_to(self.root).as_posix()

    def stamp(self, name: str) -> tuple[Any, ...] | None:
        try:
            status = os.stat(self.path(name))
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns

    def size(self, path: str) -> int:
        return os.stat(path).st_size

    def open(self, path: str) -> pa.NativeFile:
        return pa.OSFile(path)


class RemoteLocation:
    """A directory behind a URL of any scheme that fsspec knows."""

    is_distant = True

    def __init__(self, url: str) -> None:
        import fsspec  # only here: it takes a tenth of a second to import

        try:
            self._files, self._folder = fsspec.core.url_to_fs(url.rstrip("/"))
        except (ImportError, ValueError) as error:
            raise StoreError(f"Nothing here can read addresses that begin with {url.split('://')[0]}://.") from error
        self.root = url.rstrip("/")
        self._scheme = url.split("://")[0]
        self._arrow = PyFileSystem(FSSpecHandler(self._files))

    def path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def find(self, name: str) -> bytes | None:
        try:
            content: bytes = self._files.cat_file(f"{self._folder}/{name}")
        except (FileNotFoundError, IsADirectoryError):
            return None
        except OSError as error:
            raise StoreError("A remote catalogue does not answer.") from error
        return content

    def iter_names(self, folder: str = "") -> Iterator[str]:
        start = f"{self._folder}/{folder}".rstrip("/")
        for name in self._files.find(start):
            yield name[len(self._folder) :].lstrip("/")

    def stamp(self, name: str) -> tuple[Any, ...] | None:
        try:
            facts = self._files.info(f"{self._folder}/{name}")
        except OSError:
            return None
        times = (str(facts[key]) for key in ("ETag", "etag", "LastModified", "mtime", "created") if key in facts)
        return facts.get("size"), *times

    def size(self, path: str) -> int:
        return int(self._files.size(self._inner(path)))

    def open(self, path: str) -> pa.NativeFile:
        return self._arrow.open_input_file(self._inner(path))

    def _inner(self, path: str) -> str:
        return f"{self._folder}{path[len(self.root) :]}"

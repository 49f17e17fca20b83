"""Where a catalogue lies: a local directory, or far away (`remote`).

Names inside a location are relative and use forward slashes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from skydex.errors import StoreError
from skydex.store.remote import RemoteAccess, RemoteLocation

__all__ = ["LocalLocation", "Location", "locate"]


class Location(Protocol):
    """A directory of files to read."""

    @property
    def root(self) -> str:
        """Absolute path, or a URL without what is secret in it."""
        ...

    @property
    def has_listing(self) -> bool:
        """Whether it tells what files there are; web servers do not."""
        ...

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


def locate(address: str | os.PathLike[str], *, name: str, access: RemoteAccess | None = None) -> Location:
    """Find out whether an address is a path or a URL.

    Parameters
    ----------
    address : str or path
        Local directory, or an address with a scheme.
    name : str
        The table, as errors call it.
    access : RemoteAccess, optional
        How to read what lies far away.
    """
    text = os.fspath(address)
    if "://" not in text:
        return LocalLocation(text)
    return LocalLocation(text[7:]) if text.startswith("file://") else RemoteLocation(text, name=name, access=access)


class LocalLocation:
    """A directory of this machine."""

    has_listing = True

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

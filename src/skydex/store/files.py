"""Files that are either whole or not there.

A file is written under a temporary name, flushed to the disk and renamed; its size and SHA-256 are known when that is
done. A disk that is full or broken is a `StoreError`, and leaves nothing behind under a final name.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skydex.errors import StoreError

__all__ = [
    "NewFile",
    "Written",
    "link_or_copy",
    "new_file",
    "storing",
    "sync_directories",
    "sync_directory",
    "write_file",
]

_UNLINKABLE = (errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP)


@dataclass(frozen=True)
class Written:
    """What is known of a file once it is on the disk."""

    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal digest of its content."""


class NewFile(io.RawIOBase):
    """A file being written, which counts and digests what goes into it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._digest = hashlib.sha256()
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self._descriptor < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        left = memoryview(data).cast("B")
        total = len(left)
        while left:
            left = left[os.write(self._descriptor, left) :]
        self._digest.update(data)
        self._size += total
        return total

    def fileno(self) -> int:
        return self._descriptor

    def tell(self) -> int:
        return self._size

    def close(self) -> None:
        """Take no more bytes, whoever still holds it: a writer that failed tries again when it is forgotten.

        The number of its descriptor may belong to another file by then.
        """
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    @property
    def written(self) -> Written:
        return Written(self._size, self._digest.hexdigest())


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Turn what the operating system says into a `StoreError` about `what`."""
    try:
        yield
    except OSError as error:
        raise StoreError(_sentence(what, error)) from error


def _sentence(what: str, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full: {what} could not be written. Free some space and try again; nothing was published."
    reason = os.strerror(error.errno) if error.errno else "input/output error"
    return f"{what[:1].upper()}{what[1:]} could not be written: {reason}."


@contextmanager
def new_file(path: Path) -> Iterator[NewFile]:
    """Open a file for writing that gets its name only when the block ends well and its bytes are on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    file = NewFile(descriptor)
    try:
        yield file
        os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        file.close()


def write_file(path: Path, content: bytes) -> Written:
    """Write a small file whole, durably and in one step."""
    with new_file(path) as file:
        file.write(content)
    return file.written


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directories(root: Path) -> None:
    """Make every name below a directory durable, and that of the directory itself."""
    for folder, _, _ in os.walk(root, topdown=False):
        sync_directory(Path(folder))
    sync_directory(root.parent)


def link_or_copy(source: str, target: Path) -> None:
    """Another name for a file; a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _UNLINKABLE:
            raise
        shutil.copyfile(source, target)
        descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

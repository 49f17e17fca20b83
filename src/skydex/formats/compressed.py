"""Files that may be compressed, opened as if they were not.

The first bytes decide, not the suffix: archives hand out gzipped VOTables under plain names. Decompression streams, and
stops with an error at a limit of bytes if the caller sets one, so that a small file cannot unpack to a whole disk.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from skydex.errors import UnreadableFileError

__all__ = ["first_bytes", "is_compressed", "open_decompressed"]

_Opener = Callable[[BinaryIO], BinaryIO]

_OPENERS: dict[bytes, _Opener] = {
    b"\x1f\x8b": lambda raw: cast(BinaryIO, gzip.GzipFile(fileobj=raw)),
    b"BZh": lambda raw: cast(BinaryIO, bz2.BZ2File(raw)),
    b"\xfd7zXZ\x00": lambda raw: cast(BinaryIO, lzma.LZMAFile(raw)),  # noqa: SIM115 -- closed with the stream it reads
}
_BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError)


def open_decompressed(file: Path, *, max_bytes: int | None = None) -> io.BufferedReader:
    """Open a file for reading its plain bytes, whatever compresses them (gzip, bzip2, xz, or nothing).

    Parameters
    ----------
    file : Path
        The file.
    max_bytes : int, optional
        How many plain bytes may be read before it is too much.

    Raises
    ------
    UnreadableFileError
        While reading: the compressed stream is damaged or cut, or there are more than `max_bytes`.
    """
    raw = file.open("rb")
    magic = raw.read(6)
    raw.seek(0)
    opener = next((opener for start, opener in _OPENERS.items() if magic.startswith(start)), None)
    if opener is None and max_bytes is None:
        return raw
    return io.BufferedReader(_Guarded(file, raw, opener(raw) if opener else raw, max_bytes), 1 << 18)


def is_compressed(head: bytes) -> bool:
    """Whether a file that begins so is compressed."""
    return head.startswith(tuple(_OPENERS))


def first_bytes(file: Path, n_bytes: int = 4096) -> bytes:
    """Give the first plain bytes of a file, to recognise it by; damaged compression gives what could be read."""
    try:
        with open_decompressed(file) as stream:
            return stream.read(n_bytes)
    except UnreadableFileError:
        return b""


class _Guarded(io.RawIOBase):
    """A plain stream that counts its bytes and turns a decompressor's complaints into ours."""

    def __init__(self, file: Path, raw: BinaryIO, plain: BinaryIO, max_bytes: int | None) -> None:
        self._file, self._raw, self._plain, self._left = file, raw, plain, max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._plain.read(len(buffer))
        except _BROKEN as error:
            raise UnreadableFileError(self._file.name, f"its compressed data are damaged or cut ({error})") from error
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                raise UnreadableFileError(self._file.name, "it holds more bytes than are accepted")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._raw.close()
        super().close()

"""Text files as streams of plain bytes: compressed ones, and zip files with one member."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from skydex.errors import UnreadableFileError
from skydex.formats.compressed import open_decompressed

__all__ = ["open_plain", "squeezed", "unescaped"]

_BLOCK = 4 << 20
_COMMENT = re.compile(rb"^[ \t]*#.*(?:\n|\Z)", re.MULTILINE)
_MARGIN = re.compile(rb"^[ \t]+|[ \t\r]+$", re.MULTILINE)
_BLANKS = re.compile(rb"[ \t]+")
_EMPTY = re.compile(rb"^\n+", re.MULTILINE)
_ESCAPED_TAB = re.compile(rb"(?<!\\)((?:\\\\)*\\)\t")


def open_plain(file: Path, *, max_bytes: int | None = None) -> BinaryIO:
    """Open a text file for reading its bytes.

    Raises
    ------
    UnreadableFileError
        A zip file with more than one member or none, or damaged compression (while reading).
    """
    with file.open("rb") as stream:
        is_zip = stream.read(4) == b"PK\x03\x04"
    if not is_zip:
        return open_decompressed(file, max_bytes=max_bytes)
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise UnreadableFileError(file.name, f"its zip directory is damaged ({error})") from error
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise UnreadableFileError(file.name, f"a zip file must hold one table, not {len(members)} files")
    if max_bytes is not None and members[0].file_size > max_bytes:
        raise UnreadableFileError(file.name, "it holds more bytes than are accepted")
    return cast(BinaryIO, archive.open(members[0]))


def squeezed(stream: BinaryIO) -> BinaryIO:
    """Read a table separated by blanks as one with single blanks, without comments and margins."""
    return cast(BinaryIO, io.BufferedReader(_ByLines(stream, _squeeze), _BLOCK))


def unescaped(stream: BinaryIO) -> BinaryIO:
    r"""Read a MySQL dump with its escaped tabs spelt `\t`, as it spells other control characters."""
    return cast(BinaryIO, io.BufferedReader(_ByLines(stream, lambda lines: _ESCAPED_TAB.sub(rb"\1t", lines)), _BLOCK))


def _squeeze(lines: bytes) -> bytes:
    return _EMPTY.sub(b"", _BLANKS.sub(b" ", _MARGIN.sub(b"", _COMMENT.sub(b"", lines))))


class _ByLines(io.RawIOBase):
    """A stream whose whole lines pass through a function."""

    def __init__(self, stream: BinaryIO, tidy: Callable[[bytes], bytes]) -> None:
        self._stream, self._tidy, self._rest, self._ready = stream, tidy, b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready and self._fill():
            pass
        n_bytes = min(len(buffer), len(self._ready))
        buffer[:n_bytes] = self._ready[:n_bytes]
        self._ready = self._ready[n_bytes:]
        return n_bytes

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _fill(self) -> bool:
        """Tidy the next whole lines; false at the end."""
        block = self._stream.read(_BLOCK)
        text = self._rest + block
        end = text.rfind(b"\n") + 1 if block else len(text)
        lines, self._rest = text[:end], text[end:]
        self._ready = memoryview(self._tidy(lines))
        return bool(block)

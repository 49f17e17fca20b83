"""Several files in one: a ZIP archive whose members are stored as they are, so that each can be given out by itself.

ZIP (APPNOTE 6.3.3): members are not compressed, their sizes stand behind them, since the bytes are written as they
come, and there may be more than 4 GB of them.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from skydex.errors import StoreError
from skydex.formats.sink import Sink

__all__ = ["PACKAGE_TYPE", "Member", "members_of", "packed"]

PACKAGE_TYPE = "application/zip"
_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest there is: the same files make the same package."""
_LOCAL_HEADER = 30
_LENGTHS = struct.Struct("<HH")
"""Of the name and the further facts, at the end of the header of a member."""
_LENGTHS_AT = 26


@dataclass(frozen=True)
class Member:
    """One file in a package, which is a part of the package's bytes."""

    name: str
    """With its suffix."""
    start: int
    """Where its bytes begin."""
    size: int
    """How many they are."""


def packed(members: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """Write a package as a stream.

    Parameters
    ----------
    members : iterable of pairs
        The name of each file, plain and different from all others, and its bytes.
    """
    sink = Sink()
    with zipfile.ZipFile(sink, "w") as package:
        for name, chunks in members:
            with package.open(zipfile.ZipInfo(name, _DATE), "w", force_zip64=True) as file:
                for chunk in chunks:
                    file.write(chunk)
                    yield sink.taken()
            yield sink.taken()
    yield sink.taken()


def members_of(path: Path) -> tuple[Member, ...]:
    """Find the members of a package that `packed` has written, in their order.

    Raises
    ------
    StoreError
        It is not there, or damaged.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as package:
            infos = package.infolist()
            return tuple(Member(info.filename, _start(file, info.header_offset), info.file_size) for info in infos)
    except (OSError, zipfile.BadZipFile, struct.error) as error:
        raise StoreError("A package of results cannot be read any more.") from error


def _start(file: io.BufferedReader, header: int) -> int:
    file.seek(header + _LENGTHS_AT)
    of_name, of_facts = _LENGTHS.unpack(file.read(_LENGTHS.size))
    return int(header + _LOCAL_HEADER + of_name + of_facts)

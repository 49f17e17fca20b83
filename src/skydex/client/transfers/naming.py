"""What copies are called: one plain name each, the same at the next call.

Names come from others. They may neither lead out of the folder nor hide in it, and two files never share one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from types import MappingProxyType

from skydex.client.door import FileSource
from skydex.client.transfers.manifest import MANIFEST, Manifest

__all__ = ["PART", "Names", "plain_name"]

PART = ".part"
"""Ending of what is not whole yet."""
_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*\ud800-\udfff]+")
_LONGEST = 180
_MOST_READ = 4096
_ENDINGS = MappingProxyType(
    {
        "application/fits": ".fits",
        "image/fits": ".fits",
        "image/jpeg": ".jpg",
        "image/png": ".png",
        "application/x-votable+xml": ".vot",
    }
)
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,9}$", re.ASCII)
_NOT_OURS = re.compile(rf"(con|prn|aux|nul|com\d|lpt\d)(\.|$)|{re.escape(MANIFEST)}$|.*\.part(\.json)?$", re.IGNORECASE)


def plain_name(name: str) -> str:
    """A name as a file on any disk may have it, next to ours."""
    last = name[-_MOST_READ:].replace("\\", "/").rpartition("/")[2]
    plain = _NOT_PLAIN.sub("_", last).strip(" .")
    if not plain:
        return "download"
    if _NOT_OURS.match(plain):
        plain = f"_{plain}_"
    if len(plain.encode()) <= _LONGEST:
        return plain
    ending = PurePosixPath(plain).suffix[-20:]
    room = _LONGEST - len(ending.encode())
    return plain.removesuffix(ending).encode()[:room].decode("utf-8", "ignore") + ending


class Names:
    """The names of copies in one folder.

    Parameters
    ----------
    known : Manifest
        What is there.
    """

    def __init__(self, known: Manifest) -> None:
        self._known = known
        self._holders = {file.name.casefold(): file.reference for file in known}

    def given(self, sources: Iterable[FileSource]) -> list[tuple[FileSource, str]]:
        """Each source once, with the name of its copy: that which it has already, or a new one."""
        named: dict[str, tuple[FileSource, str]] = {}
        for source in sources:
            if source.reference not in named:
                before = self._known.find(source.reference)
                name = before.name if before is not None else plain_name(source.file_name)
                named[source.reference] = (source, self._taken(name, source.reference))
        return list(named.values())

    def final(self, name: str, reference: str, *, told: str, media_type: str) -> str:
        """The name that a file has in the end: if its own has no ending, what its sender calls it, or what it is."""
        if _ENDING.search(name) or self._known.find(reference) is not None:
            return name
        better = plain_name(told or name)
        if not _ENDING.search(better):
            better += _ENDINGS.get(media_type, "")
        return self._taken(better, reference) if better != name else name

    def _taken(self, name: str, reference: str) -> str:
        if self._holders.setdefault(name.casefold(), reference) != reference:
            name = _distinguished(name, reference)
            self._holders[name.casefold()] = reference
        return name


def _distinguished(name: str, reference: str) -> str:
    """A name that another file has, told from it by where it is from."""
    path = PurePosixPath(name)
    return f"{path.stem}_{hashlib.sha256(reference.encode()).hexdigest()[:10]}{path.suffix}"

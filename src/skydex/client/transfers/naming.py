"""What copies are called: one plain name each, the same at the next call.

Names come from others. They may neither lead out of the folder nor hide in it, and two files never share one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from skydex.client.door import FileSource
from skydex.client.transfers.manifest import MANIFEST, Manifest

__all__ = ["PART", "plain_name", "with_names"]

PART = ".part"
"""Ending of what is not whole yet."""
_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*]+")
_LONGEST = 180
_NOT_OURS = re.compile(rf"(con|prn|aux|nul|com\d|lpt\d)(\.|$)|{re.escape(MANIFEST)}$|.*\.part(\.json)?$", re.IGNORECASE)


def plain_name(name: str) -> str:
    """A name as a file on any disk may have it, next to ours."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = _NOT_PLAIN.sub("_", last).strip(" .")
    if not plain:
        return "download"
    if _NOT_OURS.match(plain):
        plain = f"_{plain}_"
    ending = PurePosixPath(plain).suffix[-20:]
    while len(plain.encode()) > _LONGEST:
        plain = plain[: len(plain) - len(ending) - 8] + ending
    return plain


def with_names(sources: Sequence[FileSource], known: Manifest) -> list[tuple[FileSource, str]]:
    """Each source once, with the name of its copy: that which it has already, or a new one."""
    named: dict[str, tuple[FileSource, str]] = {}
    holders = {entry.name.casefold(): entry.reference for entry in known}
    for source in sources:
        if source.reference in named:
            continue
        before = known.find(source.reference)
        name = before.name if before is not None else plain_name(source.file_name)
        if holders.setdefault(name.casefold(), source.reference) != source.reference:
            name = _distinguished(name, source.reference)
            holders[name.casefold()] = source.reference
        named[source.reference] = (source, name)
    return list(named.values())


def _distinguished(name: str, reference: str) -> str:
    """A name that another file has, told from it by where it is from."""
    path = PurePosixPath(name)
    return f"{path.stem}_{hashlib.sha256(reference.encode()).hexdigest()[:10]}{path.suffix}"

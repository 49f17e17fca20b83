"""Files in memory: several at once from far away, one after the other from this disk; and what a bundle holds."""

from __future__ import annotations

import contextlib
import tarfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from skydex.client import Door, FileSource
from skydex.errors import NotOfferedError, SkydexError

if TYPE_CHECKING:
    from skydex.client.transfers.progress import Shown

__all__ = ["bundled", "contents_of"]

_BUNDLED = 250
"""Files of one bundle: enough that asking costs nothing, and few enough that one that breaks off costs little."""
_FEW = 16
"""So many files come sooner one by one."""
_MOST_BYTES = 1 << 28
"""Largest file."""
_MOST_OF_BUNDLE = 4 << 30
"""Bytes to which one may unpack."""


def contents_of(sources: Sequence[FileSource], progress: Shown = False) -> list[bytes | SkydexError]:
    """The bytes of files, in their order; for one that does not come, why."""
    if not any(map(_is_far, sources)):
        return [_read(source) for source in sources]
    from skydex.client.transfers import TransferLimits, read_all

    return read_all(sources, limits=TransferLimits(max_file_bytes=_MOST_BYTES), progress=progress)


def bundled(door: Door, uris: Mapping[str, str], progress: Shown = False) -> list[bytes | SkydexError]:
    """The bytes of products, in bundles where that is quicker.

    Parameters
    ----------
    door : Door
        Whom to ask.
    uris : mapping
        Data URIs, with what their files are called in a bundle.
    progress : bool or callable
        As for `contents_of`.

    Returns
    -------
    contents : list of bytes or SkydexError
        In the order of the URIs; for one that does not come, why.
    """
    found = dict[str, bytes]()
    if len(uris) > _FEW and len(set(uris.values())) == len(uris):
        for content in contents_of(list(_bundles(door, list(uris))), progress):
            found |= _unpacked(content, set(uris.values()))
    missing = [uri for uri, name in uris.items() if name not in found]
    others = dict(zip(missing, contents_of([door.file(uri) for uri in missing], progress), strict=True))
    return [found[name] if name in found else others[uri] for uri, name in uris.items()]


def _bundles(door: Door, uris: Sequence[str]) -> Iterator[FileSource]:
    """Bundles of products far away; none of an archive on this disk, where packing only takes time."""
    if _is_far(door.file(uris[0])):
        with contextlib.suppress(NotOfferedError):
            for start in range(0, len(uris), _BUNDLED):
                yield door.bundle(uris[start : start + _BUNDLED])


def _unpacked(content: bytes | SkydexError, wanted: Collection[str]) -> dict[str, bytes]:
    """The files of a bundle by their plain names, as far as it is whole; others are not looked at."""
    from skydex.client.transfers.unpacking import DAMAGES, Member

    found, n_left = dict[str, bytes](), _MOST_OF_BUNDLE
    if isinstance(content, SkydexError):
        return found
    try:
        with tarfile.open(fileobj=BytesIO(content), mode="r|gz", tarinfo=Member) as tar:
            for member in tar:
                n_left -= max(member.size, 0)
                if n_left < 0:
                    return found
                name = member.name.rpartition("/")[2]
                file = tar.extractfile(member) if member.isreg() and member.size <= _MOST_BYTES else None
                if file is not None and name in wanted:
                    found[name] = file.read()
    except DAMAGES:
        return found  # what is missing is asked for one by one, and then says why it does not come
    return found


def _read(source: FileSource) -> bytes | SkydexError:
    try:
        with source.open() as opened:
            return b"".join(opened.chunks)
    except SkydexError as error:
        return error


def _is_far(source: FileSource) -> bool:
    from skydex.client.files import WebFile

    return isinstance(source, WebFile)

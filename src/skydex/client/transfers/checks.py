"""Whether bytes are what their name promises: by what files of a kind begin with.

A service that fails often sends a page for browsers with status 200; a portal before which one must log in does too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

__all__ = ["HEAD_BYTES", "misfit"]

HEAD_BYTES = 512
"""How much of a file tells what it is."""

_HTML = re.compile(rb"\s*(<!doctype\s+html|<html|<head|<!--)", re.IGNORECASE)


def _begins(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(starts)


def _is_xml(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") and not _HTML.match(head)


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar" or not any(head)


_GZIP, _FITS = _begins(b"\x1f\x8b"), _begins(b"SIMPLE  =")
_JPEG = _begins(b"\xff\xd8\xff")
_KINDS: Mapping[str, Callable[[bytes], bool]] = MappingProxyType(
    {
        ".fits": _FITS,
        ".fit": _FITS,
        ".fts": _FITS,
        ".gz": _GZIP,
        ".tgz": _GZIP,
        ".fz": _FITS,
        ".bz2": _begins(b"BZh"),
        ".xz": _begins(b"\xfd7zXZ"),
        ".zst": _begins(b"\x28\xb5\x2f\xfd"),
        ".zip": _begins(b"PK\x03\x04", b"PK\x05\x06"),
        ".tar": _is_tar,
        ".jpg": _JPEG,
        ".jpeg": _JPEG,
        ".png": _begins(b"\x89PNG\r\n\x1a\n"),
        ".gif": _begins(b"GIF8"),
        ".pdf": _begins(b"%PDF"),
        ".asdf": _begins(b"#ASDF"),
        ".h5": _begins(b"\x89HDF"),
        ".hdf5": _begins(b"\x89HDF"),
        ".parquet": _begins(b"PAR1"),
        ".vot": _is_xml,
        ".votable": _is_xml,
        ".xml": _is_xml,
    }
)
_PAGES = (".html", ".htm", ".xhtml")


def misfit(name: str, head: bytes) -> str | None:
    """What is wrong with a file of that name that begins so; None if nothing is."""
    lower = name.lower()
    ending = f".{lower.rpartition('.')[2]}" if "." in lower else ""
    looks_right = _KINDS.get(ending)
    if looks_right is not None and not looks_right(head):
        return f"it is not what its name says{_instead(head)}"
    if looks_right is None and ending not in _PAGES and _HTML.match(head):
        return "it is a page for browsers, not a file"
    return None


def _instead(head: bytes) -> str:
    if not head:
        return ": it is empty"
    if _HTML.match(head):
        return ", but a page for browsers"
    words = head[:80].decode("ascii", "replace")
    return f"; it begins: {' '.join(words.split())}" if words.isprintable() else ""

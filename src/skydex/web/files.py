"""Files over HTTP: whole, in part, or not at all if the client has them already.

HTTP semantics (RFC 9110): validators (section 8.8), conditions (13.1), ranges (14); digests as RFC 9530 has them. One
range is given; a request for several is answered with the whole, as section 14.2 allows.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path

from skydex.errors import StoreError
from skydex.web.asgi import Call, FilePart, Reply

__all__ = ["file_reply"]

_RANGE = re.compile(rb"bytes=([0-9]{0,18})-([0-9]{0,18})")
Headers = tuple[tuple[bytes, bytes], ...]


async def file_reply(
    call: Call,
    path: Path,
    media_type: str,
    *,
    sha256: str = "",
    headers: Headers = (),
    span: tuple[int, int] | None = None,
    is_dated: bool = False,
) -> Reply:
    """A file, as much of it as the call asks for.

    Parameters
    ----------
    call : Call
        Who asks.
    path : Path
        The file.
    media_type : str
        What it holds.
    sha256 : str
        Hexadecimal digest of its content, if it is known; it becomes the validator.
    headers : tuple of pairs of bytes
        Further headers.
    span : pair of int, optional
        Where what is meant begins in the file, and how many bytes it has; by default it is the whole file.
    is_dated : bool, optional
        Whether size and date of the file are its validators, where no digest is known.

    Raises
    ------
    StoreError
        It is not there.
    """
    tag = b'"%s"' % sha256.encode() if sha256 else b""
    headers = (*headers, (b"accept-ranges", b"bytes"), *(_validators(tag, sha256) if sha256 else ()))
    if tag and _is_known(call.header(b"if-none-match"), tag):
        return Reply(b"", media_type, 304, headers)
    descriptor = await asyncio.to_thread(_opened, path)
    facts = os.fstat(descriptor)
    if is_dated:
        tag = b'"%x-%x"' % (facts.st_mtime_ns, facts.st_size)
        headers = (*headers, (b"etag", tag), (b"last-modified", formatdate(facts.st_mtime, usegmt=True).encode()))
        if _has_dated(call, tag, facts.st_mtime):
            os.close(descriptor)
            return Reply(b"", media_type, 304, headers)
    first, size = span or (0, facts.st_size)
    asked = _RANGE.fullmatch(call.header(b"range").strip()) if _may_have_part(call, tag) else None
    if asked is None or asked[0] == b"bytes=-":
        return Reply(FilePart(descriptor, first, size), media_type, headers=headers)
    start, end = _bounds(asked[1], asked[2], size)
    if start >= end:
        os.close(descriptor)
        return Reply(b"", media_type, 416, (*headers, (b"content-range", b"bytes */%d" % size)))
    told = (b"content-range", b"bytes %d-%d/%d" % (start, end - 1, size))
    return Reply(FilePart(descriptor, first + start, end - start), media_type, 206, (*headers, told))


def _validators(tag: bytes, sha256: str) -> Headers:
    digest = base64.b64encode(bytes.fromhex(sha256))
    return (b"etag", tag), (b"repr-digest", b"sha-256=:%s:" % digest)


def _is_known(condition: bytes, tag: bytes) -> bool:
    """Whether a client has the file already, compared weakly (RFC 9110, 13.1.2)."""
    known = [word.strip().removeprefix(b"W/") for word in condition.split(b",")]
    return condition.strip() == b"*" or tag in known


def _has_dated(call: Call, tag: bytes, modified_s: float) -> bool:
    """Whether a client has the file already: the date counts only where there is no tag (RFC 9110, 13.1.3)."""
    condition = call.header(b"if-none-match")
    if condition:
        return _is_known(condition, tag)
    try:
        known = parsedate_to_datetime(call.header(b"if-modified-since").decode("latin-1"))
        return int(modified_s) <= known.timestamp()
    except (TypeError, ValueError, OverflowError):
        return False


def _may_have_part(call: Call, tag: bytes) -> bool:
    """Whether the part that a client wants still belongs to what it has (RFC 9110, 13.1.5)."""
    condition = call.header(b"if-range").strip()
    return call.scope["method"] == "GET" and (not condition or (bool(tag) and condition == tag))


def _bounds(first: bytes, last: bytes, size: int) -> tuple[int, int]:
    """Where a range begins, and where it ends before."""
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1, size) if last else size


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError("The file is not there any more.") from error

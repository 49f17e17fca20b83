"""Files over HTTP: ranges of bytes (RFC 9110, 14), of one version of a file (13), from servers of any quality.

Every answer is measured before it is believed: the range that came must be the range that was asked for, of the length
that was promised, of the version that is expected. A server that ignores ranges and sends whole files is taken at its
word only where files are small. Redirects lead to http and https, and take no credentials along to another host.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

import httpcore

from skydex import __version__
from skydex.store.remote.faults import Altered, Fault, Fleeting, Unreached
from skydex.store.remote.source import Order, Reply, Span
from skydex.store.remote.stamp import Stamp, seconds_of
from skydex.store.remote.traffic import Traffic
from skydex.store.remote.wire import wire

__all__ = ["Denied", "HttpSource", "OtherRegion", "asked"]

_CONNECT_S = 10.0
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_BUSY = (408, 425, 429)
_ABSENT = (404, 410)
_NO_METHOD = (405, 501)
_DENIED = (401, 403)
_ELSEWHERE = (301, 307, 400)
"""With these S3 answers who asks in the wrong region."""
_REGION = re.compile(rb"<Region>([a-z0-9-]{1,40})</Region>")
_SIGNED = "X-Amz-Signature="
_LARGEST_EXCUSE = 64 << 10
_WHOLE_BYTES = 8 << 20
"""So large may a file be of which a server sends everything although a part was asked for."""
_SLOWEST = 20_000
"""Bytes a second; who is slower for longer than silence is borne has not answered."""
_TRUST = "If you trust it, name its certificate, or that of its authority, in SSL_CERT_FILE."
_LOGIN = "See to the user and the password in its address."
_ADDRESS = "Mount it by its right address."
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_LOCAL = re.compile(r"localhost|127\.|169\.254\.|\[?::1\]?$|0\.0\.0\.0")


@dataclass(frozen=True)
class HttpSource:
    """A directory behind an http or https address."""

    parts: SplitResult
    """The address, without user and password."""
    login: str
    """`user:password`, or an empty text."""
    time_s: float
    """How long the server may be silent."""
    has_listing: bool = False

    @classmethod
    def of(cls, url: str, *, time_s: float) -> Self:
        """Take an address apart."""
        parts = urlsplit(url)
        login, _, host = parts.netloc.rpartition("@")
        if parts.scheme not in ("http", "https") or not host:
            raise Fault("it is no http or https address", remedy=_ADDRESS)
        return cls(parts._replace(netloc=host, path=parts.path.rstrip("/"), fragment=""), unquote(login), time_s)

    def url(self, name: str) -> str:
        """Address of a file."""
        path = f"{self.parts.path}/{quote(name, safe='/=-._~')}" if name else self.parts.path
        return urlunsplit(self.parts._replace(path=path))

    async def get(self, order: Order, traffic: Traffic) -> Reply | None:
        headers = {"Authorization": f"Basic {_base64(self.login)}"} if self.login else {}
        return await asked(self.url(order.name), order, traffic, time_s=self.time_s, headers=headers)

    async def names(self, folder: str, traffic: Traffic) -> Sequence[str]:
        raise Fault(
            "its server lists no files, and neither partition_info.csv nor dataset/_metadata says which there are"
        )


async def asked(
    url: str, order: Order, traffic: Traffic, *, time_s: float, headers: Mapping[str, str] | None = None
) -> Reply | None:
    """Ask for a file, or a range of its bytes, once; None if there is no such file."""
    try:
        return await _asked(url, order, traffic, time_s=time_s, headers=headers or {})
    except _NoHead:
        first = replace(order, only_stamp=False, span=Span(0, 1))
        return await _asked(url, first, traffic, time_s=time_s, headers=headers or {})


async def _asked(
    url: str, order: Order, traffic: Traffic, *, time_s: float, headers: Mapping[str, str]
) -> Reply | None:
    n_bytes = order.span.length if order.span else 0
    try:
        async with asyncio.timeout(2 * time_s + max(n_bytes, order.most_bytes if order.span is None else 0) / _SLOWEST):
            return await _redirected(url, order, traffic, time_s=time_s, headers=dict(headers))
    except (TimeoutError, httpcore.TimeoutException) as error:
        raise Unreached("its server is silent") from error
    except httpcore.ConnectError as error:
        if "certificate" in str(error).lower():
            raise Fault("the certificate of its server is not trusted", remedy=_TRUST) from error
        raise Unreached("its server cannot be reached") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise Fleeting("its server broke off") from error


async def _redirected(
    url: str, order: Order, traffic: Traffic, *, time_s: float, headers: dict[str, str]
) -> Reply | None:
    for _ in range(_MOST_REDIRECTS + 1):
        place, reply = await _once(url, order, traffic, time_s=time_s, headers=headers)
        if place is None:
            return reply
        target = urljoin(url, place)
        if _origin(url) != _origin(target):
            headers = {key: value for key, value in headers.items() if key != "Authorization"}
        _check_redirect(url, target)
        url = target
    raise Fault("its server leads on without end", remedy=_ADDRESS)


def _check_redirect(url: str, target: str) -> None:
    old, new = urlsplit(url), urlsplit(target)
    allowed = ("https",) if old.scheme == "https" else ("http", "https")
    if new.scheme not in allowed:
        raise Fault("its server leads to what is no web address, or from https to http", remedy=_ADDRESS)
    if _LOCAL.match(new.hostname or "") and not _LOCAL.match(old.hostname or ""):
        raise Fault("its server leads to this machine", remedy=_ADDRESS)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


async def _once(
    url: str, order: Order, traffic: Traffic, *, time_s: float, headers: Mapping[str, str]
) -> tuple[str | None, Reply | None]:
    """One request: where it leads, or what came."""
    traffic.add(requests=1)
    timeouts = {"connect": min(_CONNECT_S, time_s), "read": time_s, "write": time_s, "pool": 10 * time_s}
    method = "HEAD" if order.only_stamp else "GET"
    request = wire().pool.stream(
        method, _target(url), headers=[*_headers(order).items(), *headers.items()], extensions={"timeout": timeouts}
    )
    async with request as answer:
        given = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in answer.headers}
        is_signed = _SIGNED in url  # for this host alone, so that it could not be followed
        if answer.status in _ELSEWHERE and (is_signed or not given.get("location")):
            await _check_region(answer, given)
        if answer.status in _REDIRECTS and given.get("location"):
            return given["location"], None
        _check_status(answer.status, given, order)
        is_page = answer.status == 200 and given.get("content-type", "").startswith("text/html")
        if answer.status in _ABSENT or (is_page and order.expected is None):  # some say in HTML that there is nothing
            return None, None
        return None, await _read(answer, given, order, traffic)


async def _check_region(answer: httpcore.Response, given: Mapping[str, str]) -> None:
    """Heed S3 where it names the right region, which it does in a header, in an XML document, or in both."""
    region, content = given.get("x-amz-bucket-region", ""), b""
    if not region and given.get("content-type", "").endswith("xml"):
        async for piece in answer.aiter_stream():
            content += piece
            if len(content) > _LARGEST_EXCUSE:
                break
        found = _REGION.search(content)
        region = found[1].decode() if found else ""
    if region:
        raise OtherRegion(region)


def _target(url: str) -> httpcore.URL:
    """The address in httpcore's form, which must not encode anything again: signatures depend on it."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise Fault("its address is none", remedy=_ADDRESS) from error
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=port, target=target)


def _headers(order: Order) -> dict[str, str]:
    wanted = {"User-Agent": f"skydex/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
    if order.span is not None and order.span.start < 0:
        wanted["Range"] = f"bytes={order.span.start}"
    elif order.span is not None:
        wanted["Range"] = f"bytes={order.span.start}-{order.span.stop - 1}"
    if order.expected is not None and order.expected.is_strong:
        wanted["If-Match"] = order.expected.etag
    elif order.expected is not None and order.expected.modified:
        wanted["If-Unmodified-Since"] = order.expected.modified
    if order.known is not None and order.known.etag:
        wanted["If-None-Match"] = order.known.etag
    elif order.known is not None and order.known.modified:
        wanted["If-Modified-Since"] = order.known.modified
    return wanted


def _check_status(status: int, given: Mapping[str, str], order: Order) -> None:
    if status in (200, 206) or (status in _ABSENT and order.expected is None) or (status == 304 and order.known):
        return
    if status in (412, 416, *_ABSENT) and order.expected is not None:
        raise Altered("a file is not the one that it was" if status in (412, 416) else "a file is gone")
    if status in _NO_METHOD and order.only_stamp:
        raise _NoHead
    if status in _BUSY or status >= 500:
        raise Fleeting(f"its server answers with status {status}", wait_s=_wait_s(given.get("retry-after", "")))
    if status in _DENIED:
        raise Denied(f"its server refuses access (status {status})", remedy=_LOGIN)
    raise Fault(f"its server answers with status {status}")


class OtherRegion(Fault):
    """A bucket of S3 lies in another region."""

    def __init__(self, region: str) -> None:
        super().__init__("its bucket lies in another region", remedy="Name that in AWS_REGION.")
        self.region = region


class Denied(Fault):
    """The server does not give the file; some say so of files that are not there."""


class _NoHead(Exception):
    """The server answers no HEAD."""


def _wait_s(text: str) -> float | None:
    """How long Retry-After asks to wait."""
    if text.strip().isdigit():
        return float(text)
    moment = seconds_of(text)
    return None if moment is None else max(0.0, moment - time.time())


async def _read(answer: httpcore.Response, given: Mapping[str, str], order: Order, traffic: Traffic) -> Reply:
    if answer.status == 304 and order.known is not None:
        return Reply(b"", order.known, given.get("date", ""), is_known=True)
    if given.get("content-encoding", "identity") != "identity":
        raise Fault("its server packs files on the way, so that no part of them can be asked for")
    reply = await (_part if answer.status == 206 else _whole)(answer, given, order, traffic)
    if order.expected is not None and not order.expected.agrees_with(reply.stamp):
        raise Altered("a file is not the one that it was")
    return replace(reply, date=given.get("date", ""))


async def _part(answer: httpcore.Response, given: Mapping[str, str], order: Order, traffic: Traffic) -> Reply:
    found = _CONTENT_RANGE.fullmatch(given.get("content-range", ""))
    if order.span is None or found is None:
        raise Fault("its server sends a part of a file and does not say which")
    start, stop, size = int(found[1]), int(found[2]) + 1, int(found[3])
    wanted_start = order.span.start if order.span.start >= 0 else max(0, size + order.span.start)
    wanted_stop = size if order.span.start < 0 else order.span.stop
    if order.expected is not None and order.expected.size != size:
        raise Altered("a file has another length than it had")
    if (start, stop) != (wanted_start, min(wanted_stop, size)):
        raise Fault("its server sends another part of a file than was asked for")
    content = await _content(answer, stop - start, traffic)
    return Reply(content, _stamp(given, size))


async def _whole(answer: httpcore.Response, given: Mapping[str, str], order: Order, traffic: Traffic) -> Reply:
    said = given.get("content-length", "")
    size = int(said) if said.isdigit() else None
    if order.only_stamp:
        return Reply(b"", _stamp(given, -1 if size is None else size))
    most = order.most_bytes if order.span is None else max(_WHOLE_BYTES, order.span.length)
    if size is not None and size > most:
        what = "sends whole files where a part was asked for" if order.span else "sends a file that is too large"
        raise Fault(f"its server {what}")
    content = await _content(answer, size, traffic, most=most)
    stamp = _stamp(given, len(content))
    if order.span is None:
        return Reply(content, stamp)
    start = order.span.start if order.span.start >= 0 else max(0, len(content) + order.span.start)
    return Reply(content[start : None if order.span.start < 0 else order.span.stop], stamp)


async def _content(
    answer: httpcore.Response, length: int | None, traffic: Traffic, *, most: int | None = None
) -> bytes:
    """The body, which must be as long as was said."""
    most, pieces, n_bytes = length if length is not None else most, [], 0
    async for piece in answer.aiter_stream():
        pieces.append(piece)
        n_bytes += len(piece)
        traffic.add(n_bytes=len(piece))
        if most is not None and n_bytes > most:
            raise Fault("its server sends more than was asked for")
    if length is not None and n_bytes != length:
        raise Fleeting("its server broke off")
    return b"".join(pieces)


def _stamp(given: Mapping[str, str], size: int) -> Stamp:
    return Stamp(given.get("etag", ""), given.get("last-modified", ""), size)


def _base64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()

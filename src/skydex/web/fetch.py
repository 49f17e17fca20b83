"""Fetching: a file from the web, because a request names its address (reliability R16).

The address is somebody else's choice, so everything on the way is checked: http and https only, no credentials, public
machines only, after each redirect again. A name is looked up once and the connection goes to the number that was
checked, with the name proven by TLS. Nothing of ours goes along: no cookies, no proxies, no credentials. The time is
limited here; the bytes are counted by whoever takes them.

HTTP/1.1 (RFC 9112) with one request to a connection; httptools reads the answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Self
from urllib.parse import urljoin, urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from skydex import __version__
from skydex.errors import FetchError
from skydex.web.addresses import addresses_of, is_public

__all__ = ["Fetched", "Fetcher"]

_PORTS = {"http": 80, "https": 443}
_FIRST_FREE_PORT = 1024
"""Below it are services that are not meant to be spoken to in HTTP."""
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_MOST_ADDRESSES = 4
_MOST_AT_ONCE = 32
"""Files on their way in together, so that nobody can make the server draw many times the traffic that they cost."""
_CONNECT_S = 10.0
_LONGEST_URL = 2000
_LONGEST_HEAD = 1 << 16
_PIECE_BYTES = 1 << 16


@dataclass(frozen=True)
class Fetched:
    """A file on its way in."""

    file_name: str
    """Last part of its address; nothing but a hint at what it holds."""
    content_type: str
    """Media type that its server gives, or an empty text."""
    pieces: AsyncIterator[bytes]
    """Its bytes."""


@dataclass(frozen=True)
class Fetcher:
    """Goes to public addresses and brings files."""

    time_s: float
    """How long one file may take, from the look-up of its server's name to the last byte."""
    may_visit: Callable[[str], bool] = is_public
    """Whether a numeric address is one to go to."""
    look_up: Callable[[str, int], Awaitable[Sequence[str]]] = addresses_of
    """The numeric addresses of a host; raises `OSError` if there are none."""
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    """Whom to believe about names."""
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_AT_ONCE), repr=False)

    @contextlib.asynccontextmanager
    async def open(self, url: str) -> AsyncIterator[Fetched]:
        """Begin to fetch a file; its bytes can be read inside the block.

        Raises
        ------
        FetchError
            Before the first byte or later: the address is none to go to, or nothing comes from there.
        """
        try:
            async with asyncio.timeout(self.time_s), self._slots, self._final_answer(url) as (target, answer):
                yield Fetched(target.file_name, answer.header(b"content-type"), answer.pieces())
        except _Fault as fault:
            raise FetchError(_shown(url), str(fault)) from fault
        except TimeoutError as error:
            raise FetchError(_shown(url), f"it takes longer than {self.time_s:g} s") from error

    @contextlib.asynccontextmanager
    async def _final_answer(self, url: str) -> AsyncIterator[tuple[_Target, _Answer]]:
        """The answer at the end of all redirects."""
        for _ in range(_MOST_REDIRECTS + 1):
            target = _Target.of(url)
            async with self._answer(target) as answer:
                place = answer.header(b"location") if answer.status in _REDIRECTS else ""
                if not place:
                    answer.check()
                    yield target, answer
                    return
                url = _joined(url, place)
        raise _Fault(f"it leads on to another address more than {_MOST_REDIRECTS} times")

    @contextlib.asynccontextmanager
    async def _answer(self, target: _Target) -> AsyncIterator[_Answer]:
        """Ask for a target; the answer with its head read."""
        reader, writer = await self._connected(target)
        try:
            writer.write(target.request())
            answer = _Answer(reader)
            await answer.read_head()
            yield answer
        finally:
            writer.transport.abort()

    async def _connected(self, target: _Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        tls = self.tls if target.scheme == "https" else None
        for address in await self._checked_addresses(target):
            with contextlib.suppress(OSError):  # ssl.SSLError and TimeoutError are such, too
                async with asyncio.timeout(_CONNECT_S):
                    return await asyncio.open_connection(
                        address, target.port, ssl=tls, server_hostname=target.host if tls else None
                    )
        raise _Fault("its server cannot be reached, or does not prove its name")

    async def _checked_addresses(self, target: _Target) -> Sequence[str]:
        """Numbers behind a name, none of which leads to a place that is not public; why not is not told."""
        try:
            addresses = await self.look_up(target.host, target.port)
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses or not all(map(self.may_visit, addresses)):
            raise _Fault("its server has no public address")
        return addresses[:_MOST_ADDRESSES]


class _Fault(Exception):
    """Why a file cannot be had."""


@dataclass(frozen=True)
class _Target:
    """An address, taken apart and found to be one that may be asked for."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Self:
        if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or set(url) & set(' <>"\\^`{|}'):
            raise _Fault(f"an address has at most {_LONGEST_URL:,} characters, and none that must be percent-encoded")
        try:
            parts = urlsplit(url)
            scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
        except ValueError as error:
            raise _Fault("it is no proper address") from error
        if scheme not in _PORTS or not host:
            raise _Fault("only http and https addresses can be fetched")
        if "@" in parts.netloc:
            raise _Fault("it holds a name and a password, which are not sent from here")
        if port is None:
            port = _PORTS[scheme]
        if port not in _PORTS.values() and port < _FIRST_FREE_PORT:
            raise _Fault(f"port {port} is none for files")
        return cls(scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))

    @property
    def file_name(self) -> str:
        return PurePosixPath(self.path.partition("?")[0]).name

    def request(self) -> bytes:
        host = f"[{self.host}]" if ":" in self.host else self.host
        place = host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: skydex/{__version__} (IVOA-copy)\r\n"
            "Accept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
        ).encode("ascii")


def _shown(url: str) -> str:
    """An address without a name and a password that may be in it."""
    return re.sub(r"(?<=//)[^/]*@", "", url)


def _joined(url: str, place: str) -> str:
    try:
        return urljoin(url, place)
    except ValueError as error:
        raise _Fault("it leads on to what is no proper address") from error


class _Answer:
    """What a server sends; the parser calls the methods `on_...` while it is fed."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._parser = HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._taken: list[bytes] = []
        self._has_head = self._is_whole = False

    @property
    def status(self) -> int:
        return int(self._parser.get_status_code())

    def header(self, name: bytes) -> str:
        return self._headers.get(name, b"").decode("latin-1")

    def check(self) -> None:
        if self.status != 200:
            raise _Fault(f"its server answers with status {self.status}")

    async def read_head(self) -> None:
        n_bytes = 0
        while not self._has_head:
            n_bytes += await self._read()
            if n_bytes > _LONGEST_HEAD + _PIECE_BYTES:
                raise _Fault("its server answers with too long a header")

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes of the body, as they come."""
        while True:
            taken, self._taken = self._taken, []
            for piece in taken:
                yield piece
            if self._is_whole:
                return
            await self._read()

    async def _read(self) -> int:
        try:
            data = await self._reader.read(_PIECE_BYTES)
            self._parser.feed_data(data)
        except OSError as error:
            raise _Fault("its server broke off") from error
        except (HttpParserError, HttpParserUpgrade) as error:
            if not self._is_whole:
                raise _Fault("its server does not answer in HTTP") from error
        if not data:
            self._end()
        return len(data)

    def _end(self) -> None:
        """The connection is closed, which ends a body that says nothing of its length, and breaks off any other."""
        if not self._has_head or b"content-length" in self._headers or b"transfer-encoding" in self._headers:
            raise _Fault("its server broke off")
        self._is_whole = True

    def on_message_begin(self) -> None:
        self._headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._has_head = self.status >= 200  # lower ones come before the answer

    def on_body(self, body: bytes) -> None:
        self._taken.append(body)

    def on_message_complete(self) -> None:
        self._is_whole = self._has_head

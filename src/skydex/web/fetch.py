"""Fetching: a file from the web, because a request names its address (reliability R16).

The address is somebody else's choice, so everything on the way is checked: http and https only, no credentials, public
machines only, after each redirect again. A name is looked up once and the connection goes to the number that was
checked, with the name proven by TLS. Nothing of ours goes along: no cookies, no proxies, no credentials. The time is
limited here; the bytes are counted by whoever takes them.

httpcore speaks HTTP, and leaves to us to whom it connects and whether a redirect is followed.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpcore

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
                yield Fetched(target.file_name, _header(answer, b"content-type"), answer.aiter_stream())
        except _Fault as fault:
            raise FetchError(_shown(url), str(fault)) from fault
        except TimeoutError as error:
            raise FetchError(_shown(url), f"it takes longer than {self.time_s:g} s") from error
        except httpcore.ConnectError as error:
            raise FetchError(_shown(url), "its server does not prove its name") from error
        except (httpcore.ProtocolError, httpcore.NetworkError) as error:
            raise FetchError(_shown(url), "its server broke off, or does not answer in HTTP") from error

    @contextlib.asynccontextmanager
    async def _final_answer(self, url: str) -> AsyncIterator[tuple[_Target, httpcore.Response]]:
        """The answer at the end of all redirects."""
        for _ in range(_MOST_REDIRECTS + 1):
            target = _Target.of(url)
            async with self._answer(target) as answer:
                place = _header(answer, b"location") if answer.status in _REDIRECTS else ""
                if not place:
                    if answer.status != 200:
                        raise _Fault(f"its server answers with status {answer.status}")
                    yield target, answer
                    return
                url = _joined(url, place)
        raise _Fault(f"it leads on to another address more than {_MOST_REDIRECTS} times")

    @contextlib.asynccontextmanager
    async def _answer(self, target: _Target) -> AsyncIterator[httpcore.Response]:
        """Ask for a target, over a connection of its own."""
        network = _PublicNetwork(self.may_visit, self.look_up)
        async with (
            httpcore.AsyncConnectionPool(self.tls, network_backend=network) as pool,
            pool.stream("GET", target.url, headers=target.headers) as answer,
        ):
            yield answer


class _PublicNetwork(httpcore.AsyncNetworkBackend):
    """Connects to numbers that were checked, and to nothing else."""

    def __init__(
        self, may_visit: Callable[[str], bool], look_up: Callable[[str, int], Awaitable[Sequence[str]]]
    ) -> None:
        self._may_visit, self._look_up = may_visit, look_up
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        for address in await self._checked(host, port):
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._sockets.connect_tcp(address, port, _CONNECT_S, local_address, socket_options)
        raise _Fault("its server cannot be reached")

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        """Numbers behind a name, none of which leads to a place that is not public; why not is not told."""
        try:
            addresses = await self._look_up(host, port)
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses or not all(map(self._may_visit, addresses)):
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

    @property
    def url(self) -> httpcore.URL:
        return httpcore.URL(scheme=self.scheme, host=self.host, port=self.port, target=self.path)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All that is told to the server; httpcore would leave out the brackets around an IPv6 host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return [
            ("Host", host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"),
            ("User-Agent", f"skydex/{__version__} (IVOA-copy)"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]


def _shown(url: str) -> str:
    """An address without a name and a password that may be in it."""
    return re.sub(r"(?<=//)[^/]*@", "", url)


def _joined(url: str, place: str) -> str:
    try:
        return urljoin(url, place)
    except ValueError as error:
        raise _Fault("it leads on to what is no proper address") from error


def _header(answer: httpcore.Response, name: bytes) -> str:
    """The last header of that name, or an empty text."""
    return {key.lower(): value for key, value in answer.headers}.get(name, b"").decode("latin-1")

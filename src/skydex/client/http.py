"""`Web`: requests to services far away, that come to an end and are repeated where that helps.

HTTP (RFC 9110). An answer is read as it arrives and never beyond a limit. What is asked again: 429 and 5xx, timeouts
and connections that break, at most five times, after pauses that grow (or as long as Retry-After says); never another
4xx, never an error that the service explains in a VOTable, and never a request that changes something if the service
may have read it. A refusal is raised in the service's own words. A login goes to the servers that it is for, and to
none to which they lead on; nor does what is posted, in which there may be a password. Nobody far away leads to what
runs on this machine.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import functools
import ipaddress
import random
import ssl
import time
import weakref
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote, urlencode, urlsplit

import httpx

from skydex import __version__
from skydex.client.refusals import words_of
from skydex.errors import BadAnswerError, LoginError, LoginNeededError, RefusedError, SkydexError, UnreachableError

__all__ = [
    "LOGIN_HINT",
    "Answer",
    "Web",
    "WholeAnswer",
    "check_coding",
    "check_pace",
    "check_port",
    "check_way",
    "host_of",
    "origin_of",
    "retry_after_s",
    "tls_context",
    "without_login",
]

Fields = Mapping[str, object] | Sequence[tuple[str, object]]
"""Parameters by name; those that are None are left out, and those that are lists are sent several times."""
Files = Mapping[str, tuple[str, bytes | Path, str]]
"""Parts of a form: by name, what the file is called, its bytes or where they are, its media type."""

LOGIN_HINT = "say who asks, as in skydex.connect(..., user=..., password=...)."
"""What one does who is asked for a login."""
N_TRIES = 6
_CONNECT_S = 20.0
_LONGEST_PAUSE_S = 120.0
_ERROR_BYTES = 1 << 18
"""How much of a refusal is read."""
MOST_IN_MEMORY = 2 << 30
"""Bytes of an answer that is read as a whole."""
_CODINGS = ("", "identity", "gzip", "x-gzip", "deflate")
"""Codings in which an answer may come, each by itself: one inside another grows a millionfold in one step."""
_SLOWEST = 10.0
"""Bytes in a second; what brings fewer, for as long as a service may stay silent, never ends."""
_MOST_CONNECTIONS = 16
_TOO_MANY = 429
_UNREAD = (429, 503)
"""With these a service has not begun."""
_LAST_PORT = 65535
_KEEPS_BODY = (307, 308)
"""With these what was posted is to be posted again elsewhere."""

T = TypeVar("T")


class Sink(Protocol):
    """A file that can be written anew."""

    def seek(self, offset: int, /) -> int: ...
    def truncate(self) -> Any: ...
    def write(self, data: bytes, /) -> int: ...


@dataclass(frozen=True)
class Answer:
    """An answer whose bytes are still to come."""

    status: int
    """Of HTTP."""
    headers: Mapping[str, str]
    """Found without regard to case."""
    chunks: Iterator[bytes]
    """The bytes as they arrive, decompressed; `UnreachableError` if they break off, `BadAnswerError` if too many."""
    url: str
    """Where it came from in the end."""


@dataclass(frozen=True)
class WholeAnswer:
    """An answer that has been read."""

    status: int
    """Of HTTP."""
    headers: Mapping[str, str]
    """Found without regard to case."""
    content: bytes
    """All of it."""
    url: str
    """Where it came from in the end."""

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


def host_of(url: str) -> str:
    """What messages call a service: its host, with the port if there is one, without anybody's password."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or url[:100]
    except ValueError:  # brackets that are no address of IPv6
        return url.rpartition("@")[2][:100]


def without_login(url: str) -> tuple[str, tuple[str, str] | None]:
    """An address as it can be shown, and the login that stands in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, None
    login = (unquote(parts.username), unquote(parts.password)) if parts.username and parts.password else None
    return parts._replace(netloc=host_of(url)).geturl() if "@" in parts.netloc else url, login


def origin_of(url: str) -> str:
    """Scheme, host and port: to whom a login may go."""
    return f"{url.partition(':')[0]}://{host_of(url)}".lower()


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Whom to trust; it takes 20 ms to make one."""
    return httpx.create_ssl_context()


class Web:
    """How services are asked: as whom, how long, how much, how often.

    Parameters
    ----------
    login : (str, str), optional
        User name and password, sent as HTTP Basic.
    origins : sequence of str, optional
        Addresses of the servers that the login is for.
    timeout_s : float, optional
        How long a service may stay silent.
    max_bytes : int, optional
        How large an answer may be; one that is read into memory has a smaller limit.
    retries : int, optional
        How often a request is repeated.
    pause_s : float, optional
        Before the first repetition; later ones wait twice as long each time.
    """

    def __init__(
        self,
        login: tuple[str, str] | None = None,
        *,
        origins: Iterable[str] = (),
        timeout_s: float = 600.0,
        max_bytes: int = 16 << 30,
        retries: int = N_TRIES - 1,
        pause_s: float = 0.5,
    ) -> None:
        self.login, self.origins = login, frozenset(map(origin_of, origins))
        self.timeout_s, self.max_bytes, self.retries, self.pause_s = timeout_s, max_bytes, retries, pause_s
        self._timeout = _timeout(timeout_s)
        self._client = httpx.Client(
            verify=tls_context(),
            follow_redirects=True,
            headers={"User-Agent": f"skydex/{__version__}"},
            limits=httpx.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=_MOST_CONNECTIONS),
            event_hooks={"response": [check_way]},
        )
        self.close = weakref.finalize(self, self._client.close)
        """Give up all connections; happens by itself when nobody holds it any more."""

    def get(self, url: str, params: Fields | None = None, **more: Any) -> bytes:
        """All bytes of an answer to GET."""
        return self.whole("GET", url, params=params, **more).content

    def post(self, url: str, form: Fields | None = None, **more: Any) -> bytes:
        """All bytes of an answer to a form."""
        return self.whole("POST", url, form=form, **more).content

    def whole(self, method: str, url: str, *, repeatable: bool = True, **asked: Any) -> WholeAnswer:
        """Ask and read to the end, again if need be; parameters are those of `opened`."""
        most = asked.pop("max_bytes", None) or min(self.max_bytes, MOST_IN_MEMORY)

        def read() -> WholeAnswer:
            with self._sent(method, url, max_bytes=most, **asked) as answer:
                return WholeAnswer(answer.status, answer.headers, b"".join(answer.chunks), answer.url)

        return self._tried(read, repeatable)

    def saved(self, method: str, url: str, file: Sink, *, repeatable: bool = True, **asked: Any) -> WholeAnswer:
        """Ask and write what comes into a file, from its beginning again if need be; what is given has no content."""

        def write() -> WholeAnswer:
            file.seek(0)
            file.truncate()
            with self._sent(method, url, **asked) as answer:
                for chunk in answer.chunks:
                    file.write(chunk)
                return WholeAnswer(answer.status, answer.headers, b"", answer.url)

        return self._tried(write, repeatable)

    @contextlib.contextmanager
    def opened(
        self,
        method: str,
        url: str,
        *,
        params: Fields | None = None,
        form: Fields | None = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        accepted: Container[int] = (),
        max_bytes: int | None = None,
        timeout_s: float | None = None,
        repeatable: bool = True,
    ) -> Iterator[Answer]:
        """Ask, and read the answer as it arrives; once it has begun, nothing is repeated.

        Parameters
        ----------
        method, url : str
            As in HTTP.
        params : mapping or sequence of pairs, optional
            For the query string.
        form : mapping or sequence of pairs, optional
            For the body.
        files : mapping, optional
            Further parts of the body, which then is `multipart/form-data`.
        headers : mapping, optional
            Beside the usual ones.
        accepted : container of int, optional
            Statuses from 400 on that are an answer and no refusal.
        max_bytes : int, optional
            How large the answer may be, if that is less than usual.
        timeout_s : float, optional
            How long the service may stay silent, if that is less than usual.
        repeatable : bool, optional
            Whether asking twice does no harm.

        Raises
        ------
        RefusedError
            The service says no.
        LoginError
            It wants a login, or another one.
        UnreachableError
            There was no answer, also not later.
        BadAnswerError
            It led from one address to the next without end.
        """
        with contextlib.ExitStack() as stack:
            body: dict[str, Any] = {"params": params, "form": form, "files": files, "headers": headers}
            asked: dict[str, Any] = {**body, "accepted": accepted, "max_bytes": max_bytes, "timeout_s": timeout_s}
            sent = self._tried(lambda: stack.enter_context(self._sent(method, url, **asked)), repeatable)
            yield replace(sent, chunks=_unrepeated(sent.chunks))

    @contextlib.contextmanager
    def _sent(
        self, method: str, url: str, *, accepted: Container[int] = (), max_bytes: int | None = None, **asked: Any
    ) -> Iterator[Answer]:
        """Ask once."""
        if self._client.is_closed:
            raise UnreachableError(host_of(url), "the connection was closed", hint="Open it again, by skydex.connect.")
        with contextlib.ExitStack() as stack:
            with _as_ours(host_of(url)):
                request = self._request(stack, method, url, **asked)
                check_port(request.url)
                response = self._client.send(request, auth=self._auth(url), stream=True)
            stack.callback(response.close)
            if response.status_code >= 400 and response.status_code not in accepted:
                raise self._refusal(response)
            chunks = _chunks(response, self.max_bytes if max_bytes is None else max_bytes, self.timeout_s)
            yield Answer(response.status_code, response.headers, chunks, str(response.url))

    def _request(
        self,
        stack: contextlib.ExitStack,
        method: str,
        url: str,
        *,
        params: Fields | None = None,
        form: Fields | None = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> httpx.Request:
        is_near = _is_of_this_machine(host_of(url).partition(":")[0])
        own = {"Accept-Encoding": "identity" if is_near else "gzip, deflate"}
        body: dict[str, Any] = {}
        if params is not None:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(_pairs(params))}"
        if files:
            body["files"] = {name: (called, _opened(stack, data), kind) for name, (called, data, kind) in files.items()}
            body["data"] = _listed(form or {})
        elif form is not None:
            own["Content-Type"] = "application/x-www-form-urlencoded"
            body["content"] = urlencode(_pairs(form)).encode()
        timeout = self._timeout if timeout_s is None else _timeout(min(timeout_s, self.timeout_s))
        return self._client.build_request(method, url, headers={**own, **(headers or {})}, timeout=timeout, **body)

    def _auth(self, url: str) -> httpx.BasicAuth | None:
        """The login, for those whom it is for: httpx drops it where a redirect leads to another origin."""
        return httpx.BasicAuth(*self.login) if self.login and origin_of(url) in self.origins else None

    def _refusal(self, response: httpx.Response) -> Exception:
        """What a status from 400 on means; to be asked again if it may become better."""
        host, status = host_of(str(response.url)), response.status_code
        content = _head(response)
        words = words_of(content, response.headers.get("content-type", ""))
        if status in (401, 407):
            if "authorization" not in response.request.headers:
                return LoginNeededError(host, hint=LOGIN_HINT)
            return LoginError(f"{host} does not take this login. {words}".rstrip())
        error = RefusedError(host, words or f"status {status} {response.reason_phrase}".rstrip(), status=status)
        is_explained = status == 500 and b"<VOTABLE" in content
        if status == _TOO_MANY or (status >= 500 and not is_explained):
            after_s = retry_after_s(response.headers.get("retry-after", ""))
            return _Again(error, after_s=after_s, is_unread=status in _UNREAD)
        return error

    def _tried(self, attempt: Callable[[], T], repeatable: bool) -> T:
        begun = time.monotonic()
        for n_failed in range(self.retries + 1):
            try:
                return attempt()
            except _Again as again:
                is_last = n_failed == self.retries or time.monotonic() - begun > self.timeout_s
                pause_s = again.after_s
                if pause_s is None:
                    pause_s = self.pause_s * 2**n_failed * random.uniform(0.5, 1.5)
                if is_last or pause_s > _LONGEST_PAUSE_S or not (repeatable or again.is_unread):
                    raise again.error from again.__cause__
                time.sleep(pause_s)
        raise AssertionError("unreachable")


class _Again(Exception):
    """Something that may go better when it is tried again."""

    def __init__(self, error: SkydexError, *, after_s: float | None = None, is_unread: bool = False) -> None:
        self.error, self.after_s, self.is_unread = error, after_s, is_unread
        super().__init__(str(error))


@contextlib.contextmanager
def _as_ours(host: str) -> Iterator[None]:
    """What goes wrong on the way, as an error of skydex."""
    try:
        yield
    except httpx.TooManyRedirects as error:
        raise BadAnswerError(host, "it leads from one address to the next without end.") from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:  # the last: labels of a host
        raise BadAnswerError(host, f"the address cannot be asked ({error}).") from error
    except httpx.ConnectError as error:
        raise UnreachableError(host, f"no connection ({error})", hint="Check the address and the network.") from error
    except httpx.TimeoutException as error:
        raise _Again(UnreachableError(host, "it stayed silent too long")) from error
    except httpx.DecodingError as error:
        raise BadAnswerError(host, f"it is not compressed as it says ({error}).") from error
    except httpx.HTTPError as error:
        raise _Again(UnreachableError(host, str(error) or "the connection broke")) from error


def check_way(response: httpx.Response) -> None:
    """Refuse to be led where an answer should not lead.

    Raises
    ------
    BadAnswerError
        From far away to this machine or its neighbours; or to another host with what was posted.
    """
    if not response.has_redirect_location:
        return
    here, there = response.url, response.url.join(response.headers["location"])
    check_port(there)
    if _is_of_this_machine(there.host) and not _is_of_this_machine(here.host):
        raise BadAnswerError(host_of(str(here)), f"it leads on to {there.host}, which is no place on the Web.")
    if response.status_code in _KEEPS_BODY and response.request.method == "POST" and not _is_same_server(here, there):
        reason = (
            f"it leads on to {there.host}, to which what was sent is not passed on. Ask that address if you trust it."
        )
        raise BadAnswerError(host_of(str(here)), reason)


def check_port(url: httpx.URL) -> None:
    """Refuse an address with a port that there is not, over which sockets stumble; `httpx.InvalidURL`."""
    if url.port is not None and url.port > _LAST_PORT:
        raise httpx.InvalidURL(f"there is no port {url.port}")


def _is_same_server(here: httpx.URL, there: httpx.URL) -> bool:
    """Whether both are one server, or its encrypted side."""
    is_upgrade = (here.scheme, there.scheme) == ("http", "https") and here.port is None and there.port is None
    return here.host == there.host and (is_upgrade or (here.scheme, here.port) == (there.scheme, there.port))


def _is_of_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    plain = getattr(address, "ipv4_mapped", None) or address
    return bool(plain.is_loopback or plain.is_link_local or plain.is_unspecified)


def check_coding(response: httpx.Response) -> None:
    """Refuse what is compressed more than once; `BadAnswerError`."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in _CODINGS:
        raise BadAnswerError(host_of(str(response.url)), f'it is compressed as "{coding}", which is not read.')


def check_pace(host: str, n_bytes: int, begun: float, patience_s: float) -> None:
    """Give up on what drips: `UnreachableError` if little has come since a moment of the monotonic clock."""
    passed_s = time.monotonic() - begun
    if passed_s > patience_s and n_bytes < _SLOWEST * passed_s:
        raise UnreachableError(host, f"it drips: {n_bytes:,} bytes in {passed_s:.0f} s")


def _chunks(response: httpx.Response, max_bytes: int, patience_s: float) -> Iterator[bytes]:
    host, n_bytes, begun = host_of(str(response.url)), 0, time.monotonic()
    check_coding(response)
    with _as_ours(host):
        for chunk in response.iter_bytes():
            n_bytes += len(chunk)
            if n_bytes > max_bytes:
                raise BadAnswerError(host, f"it is larger than {max_bytes:,} bytes, the most that is taken.")
            check_pace(host, n_bytes, begun, patience_s)
            yield chunk


def _unrepeated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except _Again as again:
        raise again.error from again.__cause__


def _head(response: httpx.Response) -> bytes:
    """The first part of a refusal; what of it does not come is not missed."""
    content = bytearray()
    with contextlib.suppress(httpx.HTTPError, BadAnswerError):
        check_coding(response)
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) >= _ERROR_BYTES:
                break
    return bytes(content[:_ERROR_BYTES])


def retry_after_s(value: str) -> float | None:
    """Seconds until a service wants to be asked again, by Retry-After (RFC 9110, 10.2.3), which may be a date."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        until = email.utils.parsedate_to_datetime(value)
        zoned = until if until.tzinfo else until.replace(tzinfo=dt.UTC)
        return max(0.0, (zoned - dt.datetime.now(dt.UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


def _pairs(fields: Fields) -> list[tuple[str, str]]:
    items = fields.items() if isinstance(fields, Mapping) else fields
    return [
        (name, str(one))
        for name, value in items
        if value is not None
        for one in (value if isinstance(value, list | tuple) else [value])
    ]


def _listed(fields: Fields) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in _pairs(fields):
        values.setdefault(name, []).append(value)
    return values


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(_CONNECT_S, seconds), pool=None)


def _opened(stack: contextlib.ExitStack, data: bytes | Path) -> Any:
    return stack.enter_context(data.open("rb")) if isinstance(data, Path) else data

"""`WebFile`: a file at an address, which can be fetched in parts.

HTTP semantics (RFC 9110): validators (section 8.8), If-Range (13.1.5), ranges (14); Retry-After (10.2.3); digests as
RFC 9530 and RFC 3230 have them. One request is one attempt; whether there is another is decided by `transfers`. The
bytes are asked for as they are, without a coding for the way, so that lengths and ranges are those of the file.
"""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from skydex import __version__
from skydex.client.door import OpenedFile
from skydex.client.http import (
    check_coding,
    check_pace,
    check_port,
    check_way,
    host_of,
    retry_after_s,
    tls_context,
    without_login,
)
from skydex.client.refusals import words_of
from skydex.errors import BadAnswerError, RefusedError, UnreachableError

__all__ = ["TIMEOUT", "USER_AGENT", "WebFile", "async_client"]

USER_AGENT = f"skydex/{__version__}"
_PATIENCE_S = 60.0
TIMEOUT = httpx.Timeout(_PATIENCE_S, connect=15.0, pool=None)
"""How long a service may be silent; for a free connection anything waits."""
_MOST_REDIRECTS = 10
_WORDS_OF_REFUSAL = 1 << 14
_TOO_BUSY = frozenset((408, 425, 429))
_DATED_S = 60.0
"""A date of change tells versions apart if it is older than this by the sender's clock (RFC 9110, 8.8.2.2)."""


def async_client(concurrency: int) -> httpx.AsyncClient:
    """A client for some files at once."""
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    return httpx.AsyncClient(**_ways(), limits=limits, event_hooks={"response": [_check_way]})


def _ways() -> dict[str, Any]:
    return {"verify": tls_context(), "timeout": TIMEOUT, "follow_redirects": True, "max_redirects": _MOST_REDIRECTS}


async def _check_way(answer: httpx.Response) -> None:
    check_way(answer)


@dataclass(frozen=True)
class WebFile:
    """A file at an address."""

    url: str
    """Where it is; a login in it is taken out, and sent to its host if there is no other."""
    name: str = ""
    """What a copy may be called; by default what the address says."""
    called: str = ""
    """What it was asked for by, if that was not its address."""
    form: tuple[tuple[str, str], ...] = ()
    """Fields to post, if it is had by POST."""
    login: tuple[str, str] | None = field(default=None, repr=False)
    """User name and password, which go to this host and to none to which it may lead on."""

    def __post_init__(self) -> None:
        url, login = without_login(self.url)
        object.__setattr__(self, "url", url)
        object.__setattr__(self, "login", self.login or login)

    @property
    def reference(self) -> str:
        return self.called or self.url

    @property
    def file_name(self) -> str:
        return self.name or name_in_address(self.url)

    @property
    def host(self) -> str:
        """Whom messages speak of."""
        return host_of(self.url)

    @contextmanager
    def open(self, offset: int = 0, validator: str = "") -> Iterator[OpenedFile]:
        """Open it from a byte on, if it is still what `validator` says; from its beginning otherwise."""
        with (
            self._troubles_told(),
            httpx.Client(**_ways(), event_hooks={"response": [check_way]}) as client,
            client.stream(**self._request(offset, validator)) as answer,
        ):
            check_coding(answer)
            if answer.status_code >= 400:
                raise self._refusal(answer, b"".join(_first(answer.iter_bytes())))
            yield self._opened(answer, offset, validator, answer.iter_bytes())

    @asynccontextmanager
    async def stream(
        self, client: httpx.AsyncClient, offset: int = 0, validator: str = ""
    ) -> AsyncIterator[tuple[OpenedFile, AsyncIterator[bytes]]]:
        """The same for a program that waits for many: what is known, and the bytes apart."""
        with self._troubles_told():
            async with client.stream(**self._request(offset, validator)) as answer:
                check_coding(answer)
                if answer.status_code >= 400:
                    raise self._refusal(answer, await _head(answer))
                yield self._opened(answer, offset, validator, iter(())), self._paced(answer)

    async def _paced(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        n_bytes, begun = 0, time.monotonic()
        async for chunk in answer.aiter_bytes():
            n_bytes += len(chunk)
            check_pace(self.host, n_bytes, begun, _PATIENCE_S)
            yield chunk

    def _request(self, offset: int, validator: str) -> dict[str, Any]:
        check_port(httpx.URL(self.url))
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        if offset and validator:
            headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
        given: dict[str, Any] = {"method": "POST" if self.form else "GET", "url": self.url, "headers": headers}
        if self.form:
            given["data"] = _repeated(self.form)
        if self.login is not None:
            given["auth"] = self.login
        return given

    def _opened(self, answer: httpx.Response, offset: int, validator: str, chunks: Iterator[bytes]) -> OpenedFile:
        """What an answer says of the file."""
        begin, n_bytes = 0, _length(answer)
        if answer.status_code == 206:
            begin, n_bytes = self._range(answer, offset)
        now = _validator(answer)
        if begin and now and now != validator:  # a part of another version, from one who does not heed If-Range
            raise UnreachableError(self.host, "the file has changed meanwhile")
        is_coded = answer.headers.get("content-encoding", "identity").lower() != "identity"
        return OpenedFile(
            chunks=chunks,
            offset=begin,
            n_bytes=None if is_coded else n_bytes,
            validator="" if is_coded else now or (validator if begin else ""),
            media_type=answer.headers.get("content-type", "").partition(";")[0].strip().lower(),
            file_name=_told_name(answer),
            sha256="" if is_coded else _told_sha256(answer),
        )

    def _range(self, answer: httpx.Response, offset: int) -> tuple[int, int | None]:
        """Where a partial answer begins, and how large the whole is."""
        span, _, total = answer.headers.get("content-range", "").removeprefix("bytes ").partition("/")
        if span.partition("-")[0].strip() != str(offset):
            raise BadAnswerError(self.host, "it is another part of the file than was asked for.")
        return offset, _size(total)

    def _refusal(self, answer: httpx.Response, words: bytes) -> RefusedError | UnreachableError:
        """Why there is no file; an error that may pass is told from one that will not."""
        status, said = answer.status_code, words_of(words, answer.headers.get("content-type", ""))
        reason = said or f"status {status} {answer.reason_phrase}".rstrip()
        is_explained = status == 500 and b"<VOTABLE" in words  # a mistake of the asker, as some services tell it
        if (status >= 500 and not is_explained) or status in _TOO_BUSY:
            return UnreachableError(self.host, reason, wait_s=retry_after_s(answer.headers.get("retry-after", "")))
        return RefusedError(self.host, reason, status=status)

    @contextmanager
    def _troubles_told(self) -> Iterator[None]:
        """The library's errors as ours."""
        try:
            yield
        except httpx.TooManyRedirects as error:
            raise BadAnswerError(self.host, f"it leads on more than {_MOST_REDIRECTS} times.") from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:  # the last: labels of a host
            raise BadAnswerError(self.host, f"the address cannot be asked ({error}).") from error
        except httpx.DecodingError as error:
            raise BadAnswerError(self.host, f"it is not compressed as it says ({error}).") from error
        except httpx.TimeoutException as error:
            raise UnreachableError(self.host, "it was silent for too long") from error
        except httpx.ConnectError as error:
            raise UnreachableError(self.host, f"{error}".rstrip("."), was_reached=False) from error
        except httpx.TransportError as error:
            raise UnreachableError(self.host, f"{error}".rstrip(".") or type(error).__name__) from error


def name_in_address(url: str) -> str:
    """What an address calls its file: its `imagename` or `filename`, or else the last part of its path."""
    parts = urlsplit(url)
    for key, values in parse_qs(parts.query).items():
        if key.lower() in ("imagename", "filename") and values[-1]:
            return values[-1]
    return unquote(parts.path.rstrip("/").rpartition("/")[2])


def _repeated(form: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for key, value in form:
        fields.setdefault(key, []).append(value)
    return fields


def _length(answer: httpx.Response) -> int | None:
    return _size(answer.headers.get("content-length", ""))


def _size(digits: str) -> int | None:
    """A number of bytes, if it can be one."""
    return int(digits) if digits.isdecimal() and len(digits) < 20 else None


def _validator(answer: httpx.Response) -> str:
    """A strong validator: an ETag that is not weak, or a date of change that is not of this very moment."""
    tag: str = answer.headers.get("etag", "").strip()
    if tag:
        return "" if tag.startswith("W/") else tag
    changed = answer.headers.get("last-modified", "")
    try:
        age_s = (_date(answer.headers["date"]) - _date(changed)) if changed else 0.0
    except (KeyError, ValueError, TypeError, OverflowError):
        return ""
    return changed if age_s > _DATED_S else ""


def _date(text: str) -> float:
    return parsedate_to_datetime(text).timestamp()


def _told_name(answer: httpx.Response) -> str:
    message = Message()
    message["content-disposition"] = answer.headers.get("content-disposition", "")
    try:
        return message.get_filename() or ""
    except (MessageError, ValueError, LookupError, TypeError):  # forms of RFC 2231 that make no sense
        return ""


def _told_sha256(answer: httpx.Response) -> str:
    """The digest of the whole file; that of an answer's content is the same where the answer is the whole."""
    told = answer.headers.get("repr-digest") or answer.headers.get("digest") or ""
    for item in told.split(","):
        name, _, value = item.strip().partition("=")
        if name.lower() == "sha-256":
            try:
                return base64.b64decode(value.partition(";")[0].strip(": "), validate=True).hex()
            except ValueError:
                return ""
    return ""


def _first(chunks: Iterator[bytes]) -> Iterator[bytes]:
    n_left = _WORDS_OF_REFUSAL
    for chunk in chunks:
        yield chunk[:n_left]
        n_left -= len(chunk)
        if n_left <= 0:
            return


async def _head(answer: httpx.Response) -> bytes:
    words = b""
    async for chunk in answer.aiter_bytes():
        words += chunk
        if len(words) >= _WORDS_OF_REFUSAL:
            break
    return words[:_WORDS_OF_REFUSAL]

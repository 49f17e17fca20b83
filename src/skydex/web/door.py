"""The door: who asks, by the credentials in a request.

HTTP Basic (RFC 7617), bearer tokens (RFC 6750) and the cookie of a session in a browser. Comparing a password takes
some hundredths of a second and 19 MiB, on purpose; so it is done beside the event loop, and half of the processors are
left to those who know their passwords.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
import hashlib
import hmac
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar
from urllib.parse import quote

from skydex.accounts import Accounts, User
from skydex.errors import BusyError, LoginError

__all__ = [
    "COOKIE",
    "LOGIN",
    "SAFE_METHODS",
    "Door",
    "comes_from_elsewhere",
    "csrf_token_of",
    "is_csrf_token",
    "session_in",
    "way_in",
    "way_up",
]

COOKIE = "skydex_session"
"""Name of the cookie that holds a session."""
LOGIN = "account/login"
"""Where browsers log in, below the address of the server."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

P = ParamSpec("P")
T = TypeVar("T")

_AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
_MOST_WAITING = 64
_RETRY_S = 5
_LONGEST = 8192
"""Bytes of an Authorization header."""


class Door:
    """Where passwords are compared."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="door")
        self._n_waiting = 0

    async def admit(self, accounts: Accounts, authorization: bytes, address: str) -> User:
        """Who has the credentials of an Authorization header.

        Raises
        ------
        LoginError, ThrottledError
            They are not right.
        BusyError
            Too many wait here.
        """
        scheme, _, rest = authorization[:_LONGEST].decode("latin-1").strip().partition(" ")
        if scheme.lower() == "bearer":
            return accounts.by_token(rest.strip())
        if scheme.lower() == "basic":
            return await self.compare(accounts, *_basic(rest.strip()), address)
        raise LoginError("Log in with a user name and password (HTTP Basic) or a token (Bearer).")

    async def compare(self, accounts: Accounts, who: str, password: str, address: str) -> User:
        """Who has a name, or a number, and a password.

        Raises
        ------
        LoginError, ThrottledError
            They are not right.
        BusyError
            Too many wait here.
        """
        known = accounts.find_quickly(who, password)
        if known is not None:
            return known
        return await self.work(accounts.login, who, password, address=address)

    async def work(self, deed: Callable[P, T], *values: P.args, **named: P.kwargs) -> T:
        """Do something that compares or makes passwords.

        Raises
        ------
        BusyError
            Too many wait here.
        """
        if self._n_waiting >= _MOST_WAITING:
            raise BusyError(_RETRY_S)
        self._n_waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, functools.partial(deed, *values, **named))
        finally:
            self._n_waiting -= 1


def way_in(path: str, query: bytes) -> str:
    """The way from a page that needs a login to the one where browsers log in, and which leads back."""
    here = quote(f"{path}?{query.decode('latin-1')}" if query else path, safe="/")
    return f"{way_up(path)}{LOGIN}?next={here}"


def way_up(path: str) -> str:
    """The way from a page to the first one, which holds by whatever name somebody has reached the server."""
    return "../" * (path.count("/") - 1)


def session_in(cookies: bytes) -> str | None:
    """The secret of the session in a Cookie header, if there is one."""
    for pair in cookies[:_LONGEST].decode("latin-1").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE and value:
            return value
    return None


def comes_from_elsewhere(origin: str, fetch_site: str, own: Iterable[str]) -> bool:
    """Whether a browser says that a request was made by a page of another site.

    Parameters
    ----------
    origin, fetch_site : str
        The headers Origin and Sec-Fetch-Site; programs send neither.
    own : iterable of str
        Addresses of this server, as far as their paths.
    """
    if origin in ("", "null"):  # a page that keeps its address to itself says "null" even to its own site
        return fetch_site not in ("", "same-origin", "none") or (origin == "null" and fetch_site == "")
    return origin.lower() not in own


def csrf_token_of(secret: str) -> str:
    """What the pages of a session put into their forms, and which nobody knows who does not see them."""
    return hmac.digest(secret.encode(), b"csrf", hashlib.sha256).hex()


def is_csrf_token(text: str, secret: str) -> bool:
    """Whether a text is the token of a session."""
    return hmac.compare_digest(text.encode(), csrf_token_of(secret).encode())


def _basic(text: str) -> tuple[str, str]:
    """User name and password, in UTF-8 as RFC 7617 advises, or in Latin-1 as some clients send them."""
    try:
        plain = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise LoginError("The Authorization header cannot be read.") from error
    try:
        words = plain.decode()
    except UnicodeDecodeError:
        words = plain.decode("latin-1")
    who, _, password = words.partition(":")
    return who, password

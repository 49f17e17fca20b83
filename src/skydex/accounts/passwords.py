"""Passwords: kept as argon2id (RFC 9106) with salt, and compared in the same time whether there is a user or not.

Cost as OWASP's Password Storage Cheat Sheet advises for argon2id: 19 MiB, two passes, one lane.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets
import threading
import time
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from skydex.errors import BadParameterError

__all__ = ["FEWEST_BYTES", "MOST_BYTES", "Remembered", "hash_password", "is_password"]

FEWEST_BYTES, MOST_BYTES = 8, 1024
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_REMEMBERED_S = 600.0
_MOST_REMEMBERED = 4096


def hash_password(password: str) -> str:
    """What is kept of a new password.

    Raises
    ------
    BadParameterError
        It is too short or too long.
    """
    text = _normal(password)
    if not FEWEST_BYTES <= len(text) <= MOST_BYTES:
        raise BadParameterError("password", f"must have from {FEWEST_BYTES} to {MOST_BYTES:,} bytes.")
    return _HASHER.hash(text)


def is_password(password: str, kept: str | None) -> bool:
    """Whether a password is the one of which `kept` is kept; takes as long where there is none."""
    text = _normal(password)
    if len(text) > MOST_BYTES:
        return False
    try:
        return _HASHER.verify(kept or _of_nobody(), text) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


class Remembered:
    """Passwords that were right a moment ago, so that a client which sends its own with each request pays once.

    What is kept here is a keyed hash that means nothing outside this process, of the password and of what the record
    keeps of it: a password that was changed meanwhile, by any process, is not known any more.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._known: dict[bytes, float] = {}

    def knows(self, password: str, kept: str) -> bool:
        """Whether this password was right for this record, not long ago."""
        mark, now = self._mark(password, kept), time.monotonic()
        with self._lock:
            is_known = self._known.pop(mark, 0.0) > now
            if is_known:
                self._known[mark] = now + _REMEMBERED_S
        return is_known

    def add(self, password: str, kept: str) -> None:
        """It is."""
        mark, now = self._mark(password, kept), time.monotonic()
        with self._lock:
            self._known.pop(mark, None)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.pop(next(iter(self._known)))  # the one that was longest unused
            self._known[mark] = now + _REMEMBERED_S

    def _mark(self, password: str, kept: str) -> bytes:
        return hmac.digest(self._key, kept.encode() + b"\0" + _normal(password), hashlib.sha256)


def _normal(password: str) -> bytes:
    """The bytes of a password, however a keyboard composes its letters (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


@functools.cache
def _of_nobody() -> str:
    return _HASHER.hash(secrets.token_bytes(16))

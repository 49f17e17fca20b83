"""`Token`: what stands for a password for a while, in a program or in a browser.

A token is 256 random bits. The record keeps its SHA-256, which is enough to know it again and useless to a thief; it
needs no salt, since nobody guesses 256 bits.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Token", "TokenKind", "digest_of", "new_secret"]

_PREFIX = {"token": "skydex_", "session": "skydexs_"}
"""So that a token that got into a public file is known for what it is."""


class TokenKind(StrEnum):
    """Where a token is used."""

    TOKEN = "token"
    """In a program, as `Authorization: Bearer`."""
    SESSION = "session"
    """In a browser, as a cookie."""


@dataclass(frozen=True)
class Token:
    """A token as its owner sees it afterwards."""

    id: str
    """By which it is revoked."""
    label: str
    """What the user wrote about it."""
    created: float
    """When it was made (Unix time)."""
    expires: float
    """Until when it is good."""


def new_secret(kind: TokenKind) -> str:
    """The text of a new token."""
    return _PREFIX[kind] + secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()

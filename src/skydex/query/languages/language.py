"""`Language`: the role of a query language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

__all__ = ["Language", "Parser"]


class Parser(Protocol):
    """Parse a text into a tree in which names and functions are still as the user wrote them."""

    def __call__(self, text: str, *, version: str) -> exp.Query: ...


@dataclass(frozen=True)
class Language:
    """A language that queries can be written in."""

    name: str
    """As in the parameter LANG of TAP, without a version."""
    versions: tuple[str, ...]
    """Versions that can be asked for, oldest first; the last one is meant if none is."""
    parse: Parser
    """How its text becomes a tree."""

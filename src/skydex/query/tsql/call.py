"""`Call`: a function whose arguments are more than values, such as the name of a part of a date."""

from __future__ import annotations

from dataclasses import dataclass

from skydex.query.rules import Method

__all__ = ["Call"]


@dataclass(frozen=True)
class Call:
    """A function of T-SQL that is bound by a method of its own."""

    bind: Method
    """Takes the binder and the call."""
    usage: str
    """How it is called."""
    description: str
    """What it gives, in a line."""

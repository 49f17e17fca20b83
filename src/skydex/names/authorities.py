"""Whose answer counts: one object has several positions, by SIMBAD, by NED, and in tables of an archive."""

from __future__ import annotations

from collections.abc import Sequence

from skydex.names.named import NamedObject

__all__ = ["best_of", "said_by"]


def said_by(objects: Sequence[NamedObject], authority: str) -> NamedObject | None:
    """The answer in the name of an authority: its own, else that of a source that names none."""
    own = (known for known in objects if known.authority.upper() == authority.upper())
    return next(own, None) or next((known for known in objects if not known.authority), None)


def best_of(objects: Sequence[NamedObject], authorities: Sequence[str]) -> NamedObject | None:
    """The answer in the name of the first authority that has one, else any."""
    found = (said_by(objects, authority) for authority in authorities)
    return next(filter(None, found), None) or next(iter(objects), None)

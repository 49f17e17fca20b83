"""`User`: somebody with a name, a number and a quota; and what may be a name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from skydex.errors import BadParameterError, NameTakenError

__all__ = ["User", "check_name"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}", re.ASCII)
_RESERVED = frozenset(
    {"mydb", "dbo", "sys", "tap_schema", "tap_upload", "information_schema", "ivoa", "public", "master", "tempdb"}
    | {"everybody", "anonymous", "nobody", "admin", "root", "skydex"}
)
"""Words that mean something else where the name of a user may stand, as in `alice.stars`, or that would mislead."""


@dataclass(frozen=True)
class User:
    """Somebody who may log in."""

    name: str
    """As it was given; compared without regard to case. Also the schema of the tables that the user shares."""
    wsid: int
    """Number under which CasJobs knows the user."""
    quota_mb: int
    """What the user's tables may take on the disk, in MB."""
    quota_tables: int
    """How many tables the user may have."""
    groups: frozenset[str]
    """Groups that the user is in."""
    created: float
    """When the account was made (Unix time)."""


def check_name(name: str, *, what: str) -> str:
    """A name for a user or a group, if it can be one.

    Raises
    ------
    BadParameterError
        It is no identifier.
    NameTakenError
        It means something else.
    """
    if not _NAME.fullmatch(name):
        raise BadParameterError(
            "name", f"the name of a {what} is a letter, then letters, digits and underscores, 63 characters at most."
        )
    if name.lower() in _RESERVED:
        raise NameTakenError(what, name)
    return name

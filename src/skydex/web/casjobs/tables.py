"""Names of users' own tables, where a request names one apart from any query."""

from __future__ import annotations

import re

from skydex.errors import BadParameterError

__all__ = ["every_row", "own_table"]

_BEFORE = re.compile(r"\s*(\[?mydb\]?\.)?(\[?dbo\]?\.|\.)?", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d]\w{0,127}", re.ASCII)


def own_table(name: str) -> str:
    """The bare name of a table that is named `t`, `[t]`, `MyDB.t` or `mydb.dbo.t`.

    Raises
    ------
    BadParameterError
        No table is called so.

    Examples
    --------
    >>> own_table("MyDB.HCV_demo")
    'HCV_demo'
    """
    bare = name[_BEFORE.match(name).end() :].strip()  # type: ignore[union-attr]
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    if not _NAME.fullmatch(bare):
        raise BadParameterError(
            "table", f'"{name[:80]}" is not a name that a table can have: use letters, digits and _.'
        )
    return bare


def every_row(name: str) -> str:
    """The query for a whole table."""
    return f"SELECT * FROM mydb.[{own_table(name)}]"

"""Names in T-SQL: of tables, temporary tables and variables, as trees have them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp

from skydex.errors import BadQueryError

__all__ = ["TableName", "find_name", "is_temporary", "table_name", "variable_name"]

_PART = re.compile(r'\[((?:[^\]]|\]\])+)\]|"((?:[^"]|"")+)"|([^.\[\]"]*)')


@dataclass(frozen=True)
class TableName:
    """A name of a table: itself, and before it a schema, and a database, where they are written."""

    parts: tuple[str, ...]
    """From the database to the table; temporary tables begin with `#`, table variables with `@`."""

    @property
    def bare(self) -> str:
        return self.parts[-1]

    @property
    def is_temporary(self) -> bool:
        """Whether the table lives no longer than its batch."""
        return self.bare.startswith(("#", "@"))

    def __str__(self) -> str:
        return ".".join(self.parts)


def table_name(node: exp.Expression) -> TableName:
    """The name of a table in a tree."""
    if not isinstance(node, exp.Table):
        raise BadQueryError("The name of a table is expected here.")
    *before, own = [part for part in node.parts if part is not None]
    return TableName((*(part.name for part in before if part.name), _own_name(own)))


def find_name(text: str) -> TableName | None:
    """The name of a table that stands in a text, as OBJECT_ID takes it; `None` if it is none.

    Examples
    --------
    >>> str(find_name("[MyDB].dbo.t")), str(find_name("mydb..t")), find_name("a.b.c.d")
    ('MyDB.dbo.t', 'mydb.t', None)
    """
    parts, place = [], 0
    while found := _PART.match(text, place):
        bracketed, quoted, plain = found.groups()
        parts.append((bracketed or "").replace("]]", "]") or (quoted or "").replace('""', '"') or plain.strip())
        place = found.end() + 1
        if place > len(text):
            break
        if text[place - 1] != ".":
            return None
    before, bare = [part for part in parts[:-1] if part], parts[-1] if parts else ""
    return TableName((*before, bare)) if bare and len(parts) <= 3 else None


def _own_name(part: exp.Expression) -> str:
    if isinstance(part, exp.Parameter):
        return variable_name(part)
    if isinstance(part, exp.Func):
        raise BadQueryError("A function cannot be changed: name a table.")
    return f"#{part.name}" if is_temporary(part) else part.name


def is_temporary(part: exp.Expression) -> bool:
    """Whether a name was written with `#` or `##` before it, which the parser takes away."""
    return bool(part.args.get("temporary") or part.args.get("global_") or part.args.get("global"))


def variable_name(node: exp.Expression) -> str:
    """The name of a variable in a tree, with its `@` or `@@`; variables are compared without case."""
    if isinstance(node.this, exp.Parameter):
        return f"@{variable_name(node.this)}"
    return f"@{node.name.lower()}"

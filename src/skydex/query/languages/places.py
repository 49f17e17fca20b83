"""Where in a query text something stands, for messages that point at it."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from skydex.errors import Located

__all__ = ["caret", "line_starts", "place_at", "place_of"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_WIDEST = 100
"""Characters of a line that a terminal shows around the place."""


def line_starts(text: str) -> list[int]:
    """Offsets at which the lines of a text begin."""
    return [0, *(end.end() for end in _LINE_END.finditer(text))]


def place_at(text: str, start: int, token: str) -> dict[str, Any]:
    """Line and column, both from 1, of an offset in a text, as the keywords of a located error."""
    starts = line_starts(text[:start])
    return {"line": len(starts), "column": start - starts[-1] + 1, "token": token}


def place_of(node: exp.Expression) -> dict[str, Any]:
    """Where a node of the tree stands in the text it was parsed from.

    Names, columns, tables, calls, literals and queries know their place; any other node is found by its first part.

    Returns
    -------
    place : dict
        `line`, `column` (from 1, of the first character) and `token`, ready for `UnknownColumnError(..., **place)`;
        all None for a tree that no text was parsed to.
    """
    part: exp.Expression | None = node
    while part is not None:
        meta = part.meta
        if "token" in meta:
            return {"line": meta["line"], "column": meta["column"], "token": meta["token"]}
        part = next(iter(part.iter_expressions()), None)
    return {"line": None, "column": None, "token": None}


def caret(text: str, error: Located) -> str:
    """The line of the text that an error speaks of, and below it a caret under the token.

    Empty if the error knows no place. Tabs are kept, so that the caret stands right in any terminal.
    """
    if error.line is None or error.column is None:
        return ""
    lines = _LINE_END.split(text)
    line = lines[error.line - 1] if error.line <= len(lines) else ""
    column = error.column - 1
    first = max(0, column - _WIDEST // 2) if len(line) > _WIDEST else 0
    shown = "".join(c if c.isprintable() or c == "\t" else "?" for c in line[first : first + _WIDEST])
    room = max(1, len(shown) - (column - first))
    under = "".join("\t" if character == "\t" else " " for character in line[first:column])
    return f"{shown}\n{under}{'^' * max(1, min(len(_LINE_END.split(error.token or ' ')[0]), room))}"

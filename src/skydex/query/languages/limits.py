"""How large a query may be before it is not read at all.

Everything here is decided on the text, its tokens and its tree, before any engine sees the query. The parser keeps
another promise with the tree's depth: whoever walks the tree by recursion (binder, generator) has room to do so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from skydex.errors import QueryTooLargeError
from skydex.query.languages.tokens import Token

__all__ = ["QueryLimits", "check_nesting", "check_text", "check_tree", "make_room_for_recursion", "too_long_a_chain"]

_UPLOAD = "Upload the values as a table and join with it."
_FRAMES_PER_NODE = 40
"""Python frames that one level of a tree may cost whoever walks it: sqlglot's generator takes five or six, and a
function may be several levels when it is bound."""


@dataclass(frozen=True)
class QueryLimits:
    """The size of query that is still read."""

    text_bytes: int = 1 << 20
    """Bytes of the text in UTF-8."""
    tokens: int = 250_000
    """Words, numbers, strings and signs in the text."""
    nesting: int = 200
    """Parentheses and CASEs inside one another."""
    list_items: int = 20_000
    """Members of an IN list, and arguments of a function."""
    conditions: int = 10_000
    """Conditions joined by AND, or by OR, at one level."""
    tables: int = 64
    """Tables named in all FROM clauses together."""
    columns: int = 2_000
    """Columns in one SELECT, GROUP BY, ORDER BY or USING list."""
    tree_depth: int = 600
    """Levels of the tree; it is long sums such as a + b + c + ... that reach it. Engines need minutes for 2,000."""


def check_text(text: str, limits: QueryLimits) -> None:
    """Refuse a text that is too long to be read."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size > limits.text_bytes:
        raise QueryTooLargeError("length in bytes", size=size, limit=limits.text_bytes, hint=_UPLOAD)


def check_nesting(tokens: Sequence[Token], limits: QueryLimits) -> None:
    """Refuse parentheses and CASEs that go too deep, before a parser follows them."""
    if len(tokens) <= limits.nesting:
        return
    depth = 0
    for token in tokens:
        if token.word in ("(", "CASE"):
            depth += 1
            if depth > limits.nesting:
                raise QueryTooLargeError("nesting", limit=limits.nesting, hint="Take some parentheses out.")
        elif token.word in (")", "END"):
            depth -= 1


def check_tree(tree: exp.Expression, n_tokens: int, limits: QueryLimits) -> None:
    """Refuse a tree too deep to be walked by recursion; a short query cannot have one."""
    if n_tokens <= limits.tree_depth // 2:
        return
    depth, level = 0, [tree]
    while level:
        depth += 1
        if depth > limits.tree_depth:
            raise too_long_a_chain(limits)
        level = [child for node in level for child in node.iter_expressions()]


def too_long_a_chain(limits: QueryLimits) -> QueryTooLargeError:
    """The error about a sum or concatenation that makes a tree too deep."""
    hint = "A long sum or concatenation must be shortened, or cut into parts by parentheses."
    return QueryTooLargeError("depth of expressions", limit=limits.tree_depth, hint=hint)


def make_room_for_recursion(limits: QueryLimits) -> None:
    """Let Python recurse as deep as the largest permitted tree needs.

    The limit is raised once and never lowered: another thread may be deep in a tree. From Python 3.11 on, calls
    between Python functions take no C stack, so the higher limit costs nothing.
    """
    needed = _FRAMES_PER_NODE * limits.tree_depth
    if sys.getrecursionlimit() < needed:
        sys.setrecursionlimit(needed)

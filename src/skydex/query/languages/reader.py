"""Going through the tokens of a query, and saying what is wrong where they do not fit.

Grammar lives above this (`values`, `queries`): here are the current token, what may be taken, and the sentences about
what was expected. A sentence is put together only once a query has failed, so a good query pays nothing for it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

from sqlglot import exp

from skydex.errors import QuerySyntaxError, QueryTooLargeError
from skydex.query.languages.limits import QueryLimits, check_nesting, check_text
from skydex.query.languages.places import line_starts, place_at
from skydex.query.languages.tokens import Token, read_tokens
from skydex.query.languages.words import CLAUSES, FOREIGN_WORDS, RESERVED

__all__ = ["Reader"]

Node = TypeVar("Node", bound=exp.Expression)
_LONGEST_SHOWN = 40
_OTHER_NAMES = (
    "A name that begins with a digit, or has other signs than letters, digits and underscores, "
    'is written in double quotes, as in "II/246/out".'
)
_ORDER_OF_CLAUSES = "The clauses of a query are SELECT, FROM, WHERE, GROUP BY, HAVING, ORDER BY, OFFSET, in this order."
_END = "the end of the query"
_TOO_NEW = "{} is not part of ADQL 2.0, for which this query asks: ask for ADQL 2.1."
_ONCE = frozenset({"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "OFFSET"})


class Reader:
    """A place in the tokens of one query, moving forward.

    Parameters
    ----------
    text : str
        The query.
    version : str
        "2.0" or "2.1".
    limits : QueryLimits
        What is too large to be read.
    """

    def __init__(self, text: str, version: str, limits: QueryLimits) -> None:
        check_text(text, limits)
        self.text, self.limits, self.version = text, limits, version
        self.reserved = RESERVED[version]
        self.tokens = read_tokens(text, most=limits.tokens)
        check_nesting(self.tokens, limits)
        self._line_starts = line_starts(text)
        self._at = 0
        self.token = self.tokens[0]

    def advance(self) -> Token:
        """Take the current token, whatever it is."""
        token = self.token
        self._at += 1
        self.token = self.tokens[self._at]
        return token

    def take(self, word: str) -> bool:
        """Take the current token if it is this word or sign."""
        if self.token.word != word:
            return False
        self.advance()
        return True

    def expect(self, word: str, wanted: str) -> Token:
        """Take a word or sign that must stand here."""
        if self.token.word != word:
            raise self.unexpected(wanted)
        return self.advance()

    def ahead(self, n: int = 1) -> Token:
        """The token `n` places after the current one, or the end."""
        return self.tokens[min(self._at + n, len(self.tokens) - 1)]

    @property
    def previous(self) -> Token:
        """The token taken last; before any was taken, the first one."""
        return self.tokens[max(self._at - 1, 0)]

    def placed(self, node: Node, first: Token, last: Token | None = None) -> Node:
        """Note on a node where it stands: from one token to another."""
        start, end = first.start, (last or first).end
        line = bisect_right(self._line_starts, start)
        node.meta.update(
            line=line,
            column=start - self._line_starts[line - 1] + 1,
            col=end - self._line_starts[line - 1] + 1,
            start=start,
            end=end,
            token=self.text[start : end + 1] if last else first.text,
        )
        return node

    def since_2_1(self, what: str, token: Token | None = None) -> None:
        """Refuse, in a query that asks for ADQL 2.0, what only 2.1 has."""
        if self.version == "2.0":
            raise self.failed(_TOO_NEW.format(what), token)

    def check_length(self, items: Sequence[object], what: str, limit: int) -> None:
        if len(items) > limit:
            hint = "Upload the values as a table and join with it."
            raise QueryTooLargeError(what, size=len(items), limit=limit, hint=hint)

    def failed(self, sentence: str, token: Token | None = None) -> QuerySyntaxError:
        """An error at a token, the current one unless told."""
        token = token or self.token
        return QuerySyntaxError(sentence, **place_at(self.text, token.start, token.text))

    def unexpected(self, wanted: str) -> QuerySyntaxError:
        """An error about the current token, where the grammar wants something else."""
        token, previous = self.token, self.previous
        for suspect in (token, previous) if self._follows_item() else (token,):
            if suspect.kind == "word" and suspect.word in FOREIGN_WORDS:
                return self.failed(FOREIGN_WORDS[suspect.word], suspect)
            if self.version == "2.0" and suspect.word == "OFFSET":
                return self.failed(_TOO_NEW.format("OFFSET"), suspect)
        if token.kind == "end":
            return self._ended(wanted)
        if token.word == ")" and self._open_parenthesis() is None:
            return self.failed("This closing parenthesis closes nothing: is an opening one missing before it?")
        if token.word == ";":
            return self.failed(f"The query ends where {wanted} is expected.")
        if _sticks(previous, token) or _sticks(token, self.ahead()) or self._breaks_name():
            return self.failed(_OTHER_NAMES)
        if previous.text == "''" and token.kind == "word":
            return self.failed("A text stands between one single quote on each side: 'like this'.", previous)
        if token.kind == "word" and token.word in CLAUSES:
            problem = (
                f"{token.text} cannot stand here." if wanted == _END else f"Expected {wanted} before {token.text}."
            )
            return self.failed(f"{token.text} {problem}.{self._about_order()}")
        if token.kind == "word" and token.word in self.reserved:
            return self.reserved_name()
        return self.failed(f"Expected {wanted}, not {_shown(token)}.{self._about_comma()}")

    def reserved_name(self) -> QuerySyntaxError:
        """An error about the current token, a reserved word where a name is expected."""
        text = self.token.text
        return self.failed(f'{text} is a reserved word of ADQL: as a name it is written in double quotes, "{text}".')

    def check_end(self) -> None:
        """Refuse whatever follows a complete query but for one semicolon."""
        if self.take(";") and self.token.kind != "end":
            raise self.failed("Only one query can be sent at a time: the first one ends at the semicolon.")
        if self.token.kind != "end":
            raise self.unexpected(_END)

    def _ended(self, wanted: str) -> QuerySyntaxError:
        opening = self._open_parenthesis()
        if opening is not None:
            return self.failed("This opening parenthesis is never closed.", opening)
        return self.failed(f"The query ends where {wanted} is expected.")

    def _open_parenthesis(self) -> Token | None:
        """The innermost parenthesis that is open at the current token."""
        stack = []
        for token in self.tokens[: self._at]:
            if token.word == "(":
                stack.append(token)
            elif token.word == ")" and stack:
                stack.pop()
        return stack[-1] if stack else None

    def _breaks_name(self) -> bool:
        """Whether here stands a sign that belongs to a name, such as the slash of `II/246/out`."""
        name = self.previous
        return self.token.word in ("/", "-", "+") and name.kind == "word" and name.word not in self.reserved

    def _follows_item(self) -> bool:
        """Whether the token taken last looked like an alias, or a table, but begins something that ADQL lacks."""
        before = self.tokens[max(self._at - 2, 0)]
        is_item = before.kind in ("quoted", "number", "string") or before.word == ")"
        return self.token.word == "(" or is_item or (before.kind == "word" and before.word not in CLAUSES)

    def _about_order(self) -> str:
        return f" {_ORDER_OF_CLAUSES}" if self.token.word in _ONCE else ""

    def _about_comma(self) -> str:
        begins_item = self.token.kind in ("word", "quoted", "number", "string")
        ends_item = self.previous.kind in ("quoted", "number", "string") or self.previous.word == ")"
        ends_item = ends_item or (self.previous.kind == "word" and self.previous.word not in CLAUSES)
        after_alias = self.token.word == "." and self.previous.kind in ("word", "quoted")
        if begins_item and ends_item:
            return f" Is a comma missing before {_shown(self.token)}?"
        return f" Is a comma missing before {_shown(self.previous)}?" if after_alias else ""


def _sticks(previous: Token, token: Token) -> bool:
    """Whether a number and a word stand side by side as in `2mass` or `t.2mass`."""
    if previous.end + 1 != token.start:
        return False
    kinds = (previous.kind, token.kind)
    return kinds == ("number", "word") or (kinds == ("word", "number") and token.text.startswith("."))


def _shown(token: Token) -> str:
    text = token.text if len(token.text) <= _LONGEST_SHOWN else f"{token.text[:_LONGEST_SHOWN]}..."
    return text if token.kind in ("quoted", "string") else f'"{text}"'

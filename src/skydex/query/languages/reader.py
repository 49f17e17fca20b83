"""Going through the tokens of a query: the current one, what may be taken, what must stand here.

Grammar lives above this (`values`, `queries`), the sentences about what went wrong beside it (`mistakes`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

from sqlglot import exp

from skydex.errors import QuerySyntaxError, QueryTooLargeError
from skydex.query.languages.limits import QueryLimits, check_nesting, check_text
from skydex.query.languages.mistakes import END, TOO_NEW, Mistake, about_reserved
from skydex.query.languages.places import line_starts, place_at
from skydex.query.languages.tokens import Token, read_tokens
from skydex.query.languages.words import RESERVED

__all__ = ["Reader"]

Node = TypeVar("Node", bound=exp.Expression)


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
            raise self.failed(TOO_NEW.format(what), token)

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
        return self.failed(*Mistake(self.tokens, self._at, wanted, self.version).explained())

    def reserved_name(self) -> QuerySyntaxError:
        """An error about the current token, a reserved word where a name is expected."""
        return self.failed(about_reserved(self.token))

    def check_end(self) -> None:
        """Refuse whatever follows a complete query but for one semicolon."""
        if self.take(";") and self.token.kind != "end":
            raise self.failed("Only one query can be sent at a time: the first one ends at the semicolon.")
        if self.token.kind != "end":
            raise self.unexpected(END)

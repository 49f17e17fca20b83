"""Blocks: how the statements of a T-SQL text lie in one another.

BEGIN ... END, IF ... ELSE and WHILE of Transact-SQL (SQL Server 2022, "Control-of-flow"). Only tokens are looked at
here; what a piece of them says is the parser's affair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokens import Token

from skydex.errors import QuerySyntaxError, QueryTooLargeError
from skydex.query.languages.limits import QueryLimits
from skydex.query.languages.places import place_at
from skydex.query.languages.tsql_rules import NOT_OFFERED, word_of

__all__ = ["BRANCHES", "Branch", "Part", "Piece", "iter_statements", "outline"]

BRANCHES = ("IF", "WHILE")
"""Words with a condition behind them, and then a statement or a block."""
_OTHER_BLOCKS = ("TRAN", "TRANSACTION", "DISTRIBUTED", "TRY", "CATCH", "ATOMIC", "CONVERSATION", "DIALOG")
"""What BEGIN begins besides a block."""
_OVER = "the end"
"""Stands behind the last token, and is no word."""


@dataclass(frozen=True)
class Piece:
    """One statement."""

    tokens: Sequence[Token]
    """At least one, and no semicolon."""


@dataclass(frozen=True)
class Branch:
    """Statements that a condition decides on."""

    word: Token
    """IF or WHILE."""
    condition: Sequence[Token]
    """What is asked."""
    then: Sequence[Part]
    """What is done if it holds."""
    otherwise: Sequence[Part] = ()
    """What is done if not."""


Part = Piece | Branch


def outline(text: str, tokens: Sequence[Token], limits: QueryLimits) -> list[Part]:
    """Tell statements apart.

    Parameters
    ----------
    text : str
        The whole text.
    tokens : sequence of Token
        Its tokens, with a semicolon behind every statement and condition that another statement follows.
    limits : QueryLimits
        How deep blocks may lie in one another.

    Raises
    ------
    QuerySyntaxError
        A block without its end, or a branch without its statement.
    QueryTooLargeError
        Blocks too deep in one another.
    """
    return _Outline(text, tokens, limits).whole()


def iter_statements(trees: Sequence[exp.Expression]) -> Iterator[exp.Expression]:
    """The trees of a batch, and those that lie in them, as they stand in the text; of a branch its condition."""
    for tree in trees:
        if isinstance(tree, exp.IfBlock | exp.WhileBlock):
            blocks = [tree.args.get(name) for name in ("true", "false", "body")]
            yield from iter_statements([tree.this, *(part for block in blocks if block for part in block.expressions)])
        else:
            yield tree


class _Outline:
    """Goes through the tokens once."""

    def __init__(self, text: str, tokens: Sequence[Token], limits: QueryLimits) -> None:
        self._text, self._tokens, self._limits = text, tokens, limits
        self._words = [*(word_of(token) for token in tokens), _OVER]
        self._place, self._depth = 0, 0

    def whole(self) -> list[Part]:
        found = self._parts()
        if self._word != _OVER:
            raise self._error(self._tokens[self._place], "This END ends no block that BEGIN began.")
        return found

    @property
    def _word(self) -> str:
        """The word that comes next."""
        return self._words[self._place]

    def _parts(self) -> list[Part]:
        """All statements up to an END, or the end."""
        found: list[Part] = []
        while self._skip() not in (_OVER, "END"):
            found += self._part()
        return found

    def _part(self) -> Sequence[Part]:
        """One statement, or those of one block."""
        token = self._tokens[self._place]
        if self._word == "ELSE":
            raise self._error(token, "This ELSE belongs to no IF: of several statements BEGIN ... END makes one.")
        if self._word in NOT_OFFERED and self._word != "BEGIN":
            raise self._error(token, NOT_OFFERED[self._word])
        if self._word != "BEGIN" and self._word not in BRANCHES:
            return [Piece(self._up_to_semicolon())]
        self._depth += 1
        if self._depth > self._limits.nesting:
            raise QueryTooLargeError("nesting", limit=self._limits.nesting, hint="Take some blocks out.")
        self._place += 1
        found = self._block(token) if word_of(token) == "BEGIN" else [self._branch(token)]
        self._depth -= 1
        return found

    def _block(self, begin: Token) -> Sequence[Part]:
        if self._word in _OTHER_BLOCKS:
            raise self._error(begin, NOT_OFFERED["BEGIN"])
        found = self._parts()
        if self._word != "END":
            raise self._error(begin, "This BEGIN has no END.")
        if not found:
            raise self._error(begin, "Between this BEGIN and its END is no statement.")
        self._place += 1
        return found

    def _branch(self, word: Token) -> Branch:
        condition = self._up_to_semicolon()
        if not condition:
            raise self._error(word, f"The condition is missing behind {word.text}.")
        then = self._decided(word)
        before = self._place
        if self._skip() == "ELSE" and word_of(word) == "IF":
            otherwise = self._tokens[self._place]
            self._place += 1
            return Branch(word, condition, then, self._decided(otherwise))
        self._place = before
        return Branch(word, condition, then)

    def _decided(self, word: Token) -> Sequence[Part]:
        """The statement behind a condition, or behind ELSE."""
        if self._skip() in (_OVER, "END", "ELSE"):
            raise self._error(word, f"A statement is missing behind {word.text}.")
        return self._part()

    def _up_to_semicolon(self) -> Sequence[Token]:
        start = self._place
        while self._word not in (_OVER, ";"):
            self._place += 1
        return self._tokens[start : self._place]

    def _skip(self) -> str:
        """Pass over semicolons; gives the word behind them."""
        while self._word == ";":
            self._place += 1
        return self._word

    def _error(self, token: Token, sentence: str) -> QuerySyntaxError:
        return QuerySyntaxError(sentence, **place_at(self._text, token.start, token.text))

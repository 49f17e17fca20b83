"""What a query most likely meant where its grammar breaks off.

The parser knows what it wanted and what it found; here the two, and the tokens around them, become a sentence that
helps. Nothing of this runs before a query has failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skydex.errors import near_names
from skydex.query.languages.tokens import Token
from skydex.query.languages.words import CLAUSES, FOREIGN_WORDS, RESERVED

__all__ = ["END", "TOO_NEW", "Mistake", "about_reserved"]

END = "the end of the query"
"""What is wanted where nothing more may follow."""
TOO_NEW = "{} is not part of ADQL 2.0, for which this query asks: ask for ADQL 2.1."

_LONGEST_SHOWN = 40
_ORDER_OF_CLAUSES = (
    " The clauses of a query are SELECT, FROM, WHERE, GROUP BY, HAVING, ORDER BY, OFFSET, in this order."
)
_ONCE = frozenset({"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "OFFSET"})
_MISTYPED = ("FROM", "WHERE", "GROUP", "HAVING", "ORDER", "UNION", "JOIN", "INNER", "LEFT", "RIGHT", "NATURAL", "CROSS")
_PARTS_OF_DEGREE = {"ARCMIN": "60.0", "ARCSEC": "3600.0", "MAS": "3600000.0"}
_ITEMS = ("quoted", "number", "string")
_OTHER_NAMES = (
    "A name that begins with a digit, or has other signs than letters, digits and underscores, "
    'is written in double quotes, as in "II/246/out".'
)

Guess = tuple[str, Token]
"""A sentence, and the token that it is about."""


def about_reserved(token: Token) -> str:
    """What to say about a reserved word where a name is expected."""
    return f'{token.text} is a reserved word of ADQL: as a name it is written in double quotes, "{token.text}".'


@dataclass(frozen=True)
class Mistake:
    """A token that the grammar does not want where it stands."""

    tokens: Sequence[Token]
    """All tokens of the query."""
    at: int
    """Number of the unwanted one."""
    wanted: str
    """What should stand there, in words."""
    version: str
    """The version of ADQL that the query asks for."""

    def explained(self) -> Guess:
        """The sentence that fits best."""
        guesses = (
            self._foreign_word,
            self._early_end,
            self._closes_nothing,
            self._name_wants_quotes,
            self._doubled_quote,
            self._unit,
            self._mistyped,
            self._clause,
            self._reserved,
        )
        for guess in guesses:
            found = guess()
            if found is not None:
                return found
        return f"Expected {self.wanted}, not {_shown(self.token)}.{self._missing_comma()}", self.token

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def previous(self) -> Token:
        return self.tokens[max(self.at - 1, 0)]

    @property
    def following(self) -> Token:
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def _foreign_word(self) -> Guess | None:
        suspects = (self.token, self.previous) if self._previous_was_swallowed() else (self.token,)
        for suspect in suspects:
            if suspect.word in FOREIGN_WORDS:
                return FOREIGN_WORDS[suspect.word], suspect
            if suspect.word == "OFFSET" and self.version == "2.0":
                return TOO_NEW.format("OFFSET"), suspect
        return None

    def _previous_was_swallowed(self) -> bool:
        """Whether the word before was taken as an alias or a table, but may begin what ADQL does not have."""
        before = self.tokens[max(self.at - 2, 0)]
        return self.token.word == "(" or _ends_item(before)

    def _early_end(self) -> Guess | None:
        if self.token.kind != "end" and self.token.word != ";":
            return None
        opening = self._open_parenthesis()
        if opening is not None:
            return "This opening parenthesis is never closed.", opening
        has_tables = any(token.word == "FROM" for token in self.tokens)
        hint = "" if has_tables else " Every query in ADQL reads a table: SELECT ... FROM name."
        return f"The query ends where {self.wanted} is expected.{hint}", self.token

    def _closes_nothing(self) -> Guess | None:
        if self.token.word != ")" or self._open_parenthesis() is not None:
            return None
        return "This closing parenthesis closes nothing: is an opening one missing before it?", self.token

    def _open_parenthesis(self) -> Token | None:
        """The innermost parenthesis that is open at the token."""
        stack = []
        for token in self.tokens[: self.at]:
            if token.word == "(":
                stack.append(token)
            elif token.word == ")" and stack:
                stack.pop()
        return stack[-1] if stack else None

    def _name_wants_quotes(self) -> Guess | None:
        """Find names such as `2mass`, `t.2mass` and `II/246/out`."""
        after_name = self.previous.kind == "word" and self.previous.word not in RESERVED[self.version]
        is_sign = after_name and self.token.word in ("/", "-", "+")
        if is_sign or _sticks(self.previous, self.token) or _sticks(self.token, self.following):
            return _OTHER_NAMES, self.token
        return None

    def _doubled_quote(self) -> Guess | None:
        if self.previous.text != "''" or self.token.kind != "word":
            return None
        return "A text stands between one single quote on each side: 'like this'.", self.previous

    def _unit(self) -> Guess | None:
        if self.token.word not in _PARTS_OF_DEGREE or self.previous.kind != "number":
            return None
        angle = f"{self.previous.text} / {_PARTS_OF_DEGREE[self.token.word]}"
        return f"Numbers have no units, and angles are in degrees: write {angle}.", self.token

    def _mistyped(self) -> Guess | None:
        """Find words such as `FORM`, which were taken for a name or an alias."""
        before = self.tokens[max(self.at - 2, 0)]
        suspects = [self.previous] if _ends_item(before) and self.token.kind in ("word", *_ITEMS) else []
        for suspect in (*suspects, self.token):
            meant = near_names(suspect.word, _MISTYPED, most=1)
            if self.wanted.startswith("BY ") and suspect is self.token:
                break
            if meant and suspect.word not in RESERVED[self.version] and suspect is not self.tokens[0]:
                return f"Is {meant[0]} meant, where {suspect.text} stands?", suspect
        return None

    def _clause(self) -> Guess | None:
        if self.token.word not in CLAUSES:
            return None
        problem = "cannot stand here" if self.wanted == END else f"stands where {self.wanted} is expected"
        order = _ORDER_OF_CLAUSES if self.token.word in _ONCE else ""
        return f"{self.token.text} {problem}.{order}", self.token

    def _reserved(self) -> Guess | None:
        return (about_reserved(self.token), self.token) if self.token.word in RESERVED[self.version] else None

    def _missing_comma(self) -> str:
        if self.token.word == "." and self.previous.kind in ("word", "quoted"):
            return f" Is a comma missing before {_shown(self.previous)}?"
        begins_item = self.token.kind in ("word", *_ITEMS)
        return f" Is a comma missing before {_shown(self.token)}?" if begins_item and _ends_item(self.previous) else ""


def _ends_item(token: Token) -> bool:
    """Whether a column, a value or a table may end with a token."""
    return token.kind in _ITEMS or token.word == ")" or (token.kind == "word" and token.word not in CLAUSES)


def _sticks(left: Token, right: Token) -> bool:
    """Whether a number and a word stand side by side as in `2mass` or `t.2mass`."""
    kinds = (left.kind, right.kind)
    in_name = kinds == ("number", "word") or (kinds == ("word", "number") and right.text.startswith("."))
    return in_name and left.end + 1 == right.start


def _shown(token: Token) -> str:
    text = token.text if len(token.text) <= _LONGEST_SHOWN else f"{token.text[:_LONGEST_SHOWN]}..."
    return text if token.kind in ("quoted", "string") else f'"{text}"'

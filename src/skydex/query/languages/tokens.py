"""Cutting a query text into tokens.

ADQL 2.1 (IVOA REC 2023-12-15), section 2.1: characters, key words, identifiers, literals, comments. Text between two
quotes is taken literally but for the doubled quote; there is no backslash escape. Whatever no ADQL query can contain is
refused here, with the ADQL way to say it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from skydex.errors import QuerySyntaxError, QueryTooLargeError
from skydex.query.languages.places import place_at
from skydex.query.languages.words import FOREIGN_SIGNS, SEXAGESIMAL

__all__ = ["Token", "read_tokens"]

_TOKEN = re.compile(
    r"""(?P<space>[\s\ufeff\u200b]+|--[^\r\n]*)
      | (?P<word>[A-Za-z][A-Za-z0-9_]*)
      | (?P<foreign>==|=>|=<|->|\*\*|//|<<|>>|/\*|::|:=)
      | (?P<number>0[xX][0-9A-Fa-f]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<sign><=|>=|<>|!=|\|\||[(),.;=<>+\-*/])
      | (?P<string>'[^']*(?:''[^']*)*'(?!'))
      | (?P<quoted>"[^"]*(?:""[^"]*)*"(?!"))
      | (?P<strange>.)""",
    re.VERBOSE | re.DOTALL,
)
_ANGLE = re.compile(r"(?<=[0-9]):[0-9]{1,2}:[0-9]")
_LONGEST_WORD = 60
_WORD = re.compile(rf"\w{{1,{_LONGEST_WORD}}}")
_WORD_BEFORE = re.compile(r"\w*$")


class Token(NamedTuple):
    """One word, name, literal or sign of a query."""

    kind: str
    """`word`, `quoted` (a delimited identifier), `string`, `number`, `sign` or `end`."""
    word: str
    """What grammar looks at: a word in capitals, a sign as it is; empty for names in quotes and for literals."""
    text: str
    """The text of the token as the user wrote it."""
    start: int
    """Offset of its first character."""

    @property
    def end(self) -> int:
        """Offset of its last character."""
        return self.start + max(len(self.text), 1) - 1


def read_tokens(text: str, *, most: int) -> list[Token]:
    """Cut a text into tokens, closed by one of kind `end`.

    Raises
    ------
    QuerySyntaxError
        At a character or sign that ADQL does not have, or a quote that is never closed.
    QueryTooLargeError
        Beyond `most` tokens.
    """
    tokens: list[Token] = []
    add = tokens.append
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "space":
            continue
        found = match.group()
        if kind == "word":
            add(Token("word", found.upper(), found, match.start()))
        elif kind == "sign":
            add(Token("sign", found, found, match.start()))
        elif kind in ("number", "string", "quoted"):
            add(Token(kind, "", found, match.start()))
        else:
            raise _foreign(text, found, match.start())
        if len(tokens) > most:
            raise QueryTooLargeError("number of words and signs", limit=most, hint="Upload long lists as a table.")
    add(Token("end", "", "", len(text)))
    return tokens


def _foreign(text: str, found: str, start: int) -> QuerySyntaxError:
    word = _WORD.match(text, start) if len(found) == 1 else None
    token = word.group() if word else found
    before = _WORD_BEFORE.search(text[max(0, start - _LONGEST_WORD) : start])
    sentence = SEXAGESIMAL if _ANGLE.match(text, start) else FOREIGN_SIGNS.get(found) or _strange(token, before)
    return QuerySyntaxError(sentence, **place_at(text, start, token))


def _strange(token: str, before: re.Match[str] | None) -> str:
    """What to say about something that no ADQL query contains, with the letters before it."""
    if token == "'":
        return "A text begins here and its closing quote (') is missing. A quote inside a text is written twice ('')."
    if token == '"':
        return 'A quoted name begins here and its closing double quote (") is missing.'
    if _WORD.match(token):
        whole = (before.group() if before else "") + token
        return (
            "Names consist of the letters a to z, digits and underscores, and begin with a letter. "
            f'Any other name stands in double quotes: "{whole}".'
        )
    if token.isprintable():
        return f"ADQL has no sign {token} outside of quotes."
    return f"The text contains a character that cannot be shown (U+{ord(token):04X})."

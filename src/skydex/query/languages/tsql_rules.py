"""What sqlglot reads as T-SQL and a SQL Server does not: constructs of other languages, and gaps.

Each rule looks at the tokens or at the tree and has one sentence, which says what T-SQL writes instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp
from sqlglot.tokens import Token, TokenType

from skydex.errors import QuerySyntaxError
from skydex.query.languages.places import place_at

__all__ = ["BEGINNINGS", "NOT_OFFERED", "check_tokens", "check_trees", "word_of"]

BEGINNINGS = frozenset({
    "SELECT", "WITH", "DECLARE", "SET", "EXEC", "EXECUTE", "CREATE", "DROP", "ALTER", "TRUNCATE", "INSERT", "UPDATE",
    "DELETE", "IF", "WHILE", "BEGIN",
})  # fmt: skip
"""Words that begin a statement."""
_STATEMENTS = (
    exp.Query, exp.Declare, exp.Set, exp.Execute, exp.Create, exp.Drop, exp.Alter, exp.TruncateTable, exp.Insert,
    exp.Update, exp.Delete,
)  # fmt: skip
_AFTER_ITEMS = (")", ";", "FROM", "INTO", "WHERE", "GROUP", "HAVING", "ORDER", "UNION", "EXCEPT", "INTERSECT")
"""What may follow the last item of a list, so that before it no comma stands and no item is missing."""
_NEW_SELECT = (";", "SELECT", "WHERE", "GROUP", "ORDER", "UNION", "EXCEPT", "INTERSECT")
"""Where the joins of a FROM clause are over."""
_PLAIN = (TokenType.STRING, TokenType.IDENTIFIER, TokenType.NUMBER)
_NO_STATEMENT = "{} begins no statement: write SELECT, or another verb of T-SQL such as DECLARE, SET, INSERT, DROP."
NOT_OFFERED = {
    "PRINT": "PRINT is not offered: SELECT shows values.",
    "USE": "USE is not offered: choose the context of the job, or write its name before that of a table.",
    "BEGIN": "BEGIN of transactions and the like is not offered: each statement happens wholly or not at all.",
}
"""Statements of T-SQL that some users write, and what to do instead."""
_QUOTES = "This typographic quotation mark came from a word processor: texts stand in '...'."
_DASH = "This dash is not a minus sign: write -."
_TYPOGRAPHIC = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2032\u2033\u00b4", _QUOTES),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", _DASH),
}
"""Signs that come with texts copied from documents."""

Finding = tuple[Token, str]
"""The token that is wrong, and what to say."""


def check_tokens(text: str, tokens: Sequence[Token]) -> None:
    """Refuse signs and words of other languages, and lists with a gap.

    Raises
    ------
    QuerySyntaxError
        At the first of them.
    """
    if word_of(tokens[0]) not in (*BEGINNINGS, "(", ";"):
        word = tokens[0].text.upper()
        raise _error(text, tokens[0], NOT_OFFERED.get(word) or _NO_STATEMENT.format(word[:40]))
    findings = [finding for rule in _RULES for finding in rule(tokens)]
    if findings:
        token, sentence = min(findings, key=lambda finding: finding[0].start)
        raise _error(text, token, sentence)


def check_trees(text: str, tokens: Sequence[Token], trees: Sequence[exp.Expression]) -> None:
    """Refuse what is no statement of T-SQL, and clauses with nothing in them.

    Raises
    ------
    QuerySyntaxError
        At the first word of its kind.
    """
    for tree in trees:
        if not isinstance(tree, _STATEMENTS):
            word = tree.name.upper()
            sentence = NOT_OFFERED.get(word, f"This form of {word[:40] or 'a statement'} is not offered.")
            raise _error(text, _token_at(tokens, word), sentence)
        for node in tree.walk():
            fault = _fault(node)
            if fault is not None:
                word, sentence = fault
                raise _error(text, _token_at(tokens, word), sentence)


def _fault(node: exp.Expression) -> tuple[str, str] | None:
    """What is wrong with a node, if anything: a word near it, and the sentence."""
    if isinstance(node, exp.Select) and not node.expressions:
        return "SELECT", "SELECT names no column; write * for all of them."
    if isinstance(node, exp.In) and not any(value for key, value in node.args.items() if key != "this"):
        return "IN", "The list of IN is empty."
    if isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Anonymous | exp.Dot | exp.Subquery):
        return "APPLY", "APPLY is followed by a table function with its arguments, or by a query in parentheses."
    if isinstance(node, exp.Star) and any(node.args.values()):
        return "*", "T-SQL has nothing behind * that leaves columns out: name those that you want."
    if isinstance(node, exp.Subquery) and isinstance(node.parent, exp.From | exp.Join) and _is_nameless(node):
        return "FROM", "A query in FROM needs a name, as in (SELECT ...) AS t."
    return None


def _is_nameless(node: exp.Subquery) -> bool:
    """Whether a query in FROM has no alias; a join in parentheses needs none."""
    return isinstance(node.this, exp.Query) and not isinstance(node.this, exp.Subquery) and not node.alias


def _error(text: str, token: Token, sentence: str) -> QuerySyntaxError:
    return QuerySyntaxError(sentence, **place_at(text, token.start, token.text))


def _token_at(tokens: Sequence[Token], word: str) -> Token:
    return next((token for token in tokens if word_of(token) == word), tokens[0])


def word_of(token: Token) -> str:
    """What grammar looks at: the first word of such as GROUP BY; empty for literals and names in brackets or quotes."""
    return "" if token.token_type in _PLAIN else token.text.upper().partition(" ")[0]


def _pairs(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token | None]]:
    """Each token with the one behind it."""
    return zip(tokens, [*tokens[1:], None], strict=True)


def _typographic(tokens: Sequence[Token]) -> Iterator[Finding]:
    for token in tokens:
        sign = next((sign for sign in token.text if sign in _TYPOGRAPHIC), None)
        if sign is not None and token.token_type not in _PLAIN:
            yield token, _TYPOGRAPHIC[sign]


def _foreign(tokens: Sequence[Token]) -> Iterator[Finding]:
    for token, following in _pairs(tokens):
        sentence = _FOREIGN.get(word_of(token))
        if sentence is not None:
            yield token, sentence
        elif word_of(token) == "LIMIT" and following is not None and following.token_type is TokenType.NUMBER:
            yield token, f"T-SQL has no LIMIT: write SELECT TOP {following.text}."
        elif word_of(token) == "NATURAL" and following is not None and word_of(following) in ("JOIN", "INNER", "LEFT"):
            yield token, "T-SQL has no NATURAL JOIN: write JOIN ... ON a.x = b.x."
        elif word_of(token) == "USING" and following is not None and word_of(following) == "(":
            yield token, "T-SQL has no JOIN ... USING: write ON a.x = b.x."


_FOREIGN = {
    ":": "T-SQL has no colon: a table is named as database.owner.table.",
    "==": "T-SQL compares with a single =.",
    "::": "T-SQL has no ::, it converts with CAST(x AS type).",
    "||": "T-SQL joins texts with +.",
    "`": "T-SQL has no backquotes: names stand in brackets, [x].",
    "ILIKE": "T-SQL has no ILIKE: LIKE does not look at the case of letters.",
    "QUALIFY": "T-SQL has no QUALIFY: put a query around this one, with WHERE.",
}
"""Signs and words of other languages, and what T-SQL writes instead."""


def _gaps(tokens: Sequence[Token]) -> Iterator[Finding]:
    """Commas with nothing behind them, and AS without a name."""
    for token, following in _pairs(tokens):
        ends = following is None or word_of(following) in _AFTER_ITEMS
        if token.token_type is TokenType.COMMA and (ends or (following and following.token_type is TokenType.COMMA)):
            yield token, "Behind this comma something is missing, or the comma is one too many."
        elif word_of(token) == "AS" and (ends or (following and word_of(following) == ",")):
            yield token, "The name is missing behind AS."


def _joins(tokens: Sequence[Token]) -> Iterator[Finding]:
    """Joins without ON: of those in one pair of parentheses, each has its own."""
    waiting: list[list[Token]] = [[]]
    for before, token in zip([None, *tokens], tokens, strict=False):
        word = word_of(token)
        if word == "(":
            waiting.append([])
        elif word == "JOIN" and (before is None or word_of(before) != "CROSS"):
            waiting[-1].append(token)
        elif word in ("ON", "USING") and waiting[-1]:
            waiting[-1].pop()
        elif word in _NEW_SELECT or word == ")":
            yield from ((join, "This JOIN has no ON that says which rows belong together.") for join in waiting[-1])
            waiting[-1].clear()
            if word == ")" and len(waiting) > 1:
                waiting.pop()
    yield from ((join, "This JOIN has no ON that says which rows belong together.") for join in waiting[0])


def _numbers(tokens: Sequence[Token]) -> Iterator[Finding]:
    for token in tokens:
        if token.token_type is TokenType.NUMBER and token.text[-1] in "eE+-":
            yield token, f"The number {token.text[:40]} has an exponent without digits."


_RULES: tuple[Callable[[Sequence[Token]], Iterator[Finding]], ...] = (_typographic, _foreign, _gaps, _joins, _numbers)

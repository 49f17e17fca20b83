"""T-SQL as CasJobs reads it: from text to trees.

What the statements of a batch ask is `tsql_batch`'s affair, how a query comes into the shape that `bind` takes is
`tsql_translate`'s; `skydex lint --lang tsql` stops here. sqlglot's dialect of T-SQL reads the grammar, whose words and
clauses are those of Transact-SQL (SQL Server 2022); what sqlglot forgives and a SQL Server does not is `tsql_rules`'
affair. A text is a batch: several statements, with or without semicolons between them.
"""

from __future__ import annotations

import bisect
import itertools
import logging
import re
from collections.abc import Iterator, Sequence

from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.tokens import Token, TokenType

from skydex.errors import QuerySyntaxError, QueryTooLargeError, near_names
from skydex.query.languages.limits import QueryLimits, check_text, make_room_for_recursion
from skydex.query.languages.places import line_starts, place_at
from skydex.query.languages.tsql_blocks import BRANCHES, Branch, Part, Piece, iter_statements, outline
from skydex.query.languages.tsql_dialect import DIALECT
from skydex.query.languages.tsql_rules import BEGINNINGS, NOT_OFFERED, check_tokens, check_trees, word_of

__all__ = ["LINE", "parse_tsql"]

LINE = "skydex_line"
"""What a tree has in its `meta`: the line, from 1, in which its statement begins."""

logging.getLogger("sqlglot").addHandler(logging.NullHandler())  # its remarks on what it cannot read are in our errors

_LEADING_ON = {
    "WITH": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "INSERT": ("SELECT", "WITH", "EXEC", "VALUES"),
    "UPDATE": ("SET",),
    "CREATE": ("INDEX", "CLUSTERED", "NONCLUSTERED", "TABLE"),
    "ALTER": ("ADD", "DROP", "ALTER", "COLUMN"),
}
"""Words that go on with the statement that another began."""
_WITHOUT_QUERY = (
    "DECLARE", "SET", "DROP", "TRUNCATE", "INDEX", "CLUSTERED", "NONCLUSTERED", "TABLE", "VALUES",
    "DELETE", "ADD", "COLUMN", "EXEC", "EXECUTE",
)  # fmt: skip
"""Statements in which no SELECT stands but in parentheses."""
_COMPOUND = ("+", "-", "*", "/", "%", "&", "|", "^")
"""What may stand before the = of an assignment that changes a value."""
_OPERATIONS = ("UNION", "ALL", "EXCEPT", "INTERSECT")
_MOST_TYPES = 10
"""Calls named like types inside one another."""
_AROUND = ("BEGIN", "END", "ELSE")
"""Words between statements."""
_PIECE = re.compile(r"--[^\r\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|\[[^\]]*\]|[^-/'\"\[]+|.", re.DOTALL)
_NEVER_CLOSED = {"'": "quote (')", '"': 'double quote (")', "[": "bracket (])", "/": "*/"}
_ITEMS = (TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER)
"""What a column or a value of a list may begin and end with."""
_NAMES = ("DEC", "DATE", "TIME", "INDEX", "FILTER", "NAME", "TYPE", "CLASS", "SOURCE")
"""Words of the language that are names of columns as well."""
_CLAUSES = ("FROM", "WHERE", "INTO", "GROUP", "ORDER", "HAVING", "JOIN", "INNER", "LEFT", "CROSS", "UNION")
_SENTENCES = (
    (r"Required keyword", "Something is missing behind {token}."),
    (r"Expected table name", "The name of a table is missing behind {token}."),
    (r"Expecting (\S+)", "{0} is missing at {token}."),
    (r"Expected TYPE after (\w+)", "{0} needs a type."),
    (r"Expected (\w+) after (\w+)", "{0} is missing behind {token}: {1} needs it."),
)
"""What sqlglot says, as a pattern, and how we say it."""


def parse_tsql(text: str, *, limits: QueryLimits | None = None) -> list[exp.Expression]:
    """Parse a batch of T-SQL.

    Parameters
    ----------
    text : str
        One statement or more.
    limits : QueryLimits, optional
        What is too large.

    Returns
    -------
    statements : list of sqlglot.exp.Expression
        SELECT with or without INTO, set operations, DECLARE, SET, EXEC, and statements that change tables; of IF and
        WHILE the condition is a query for 1 or 0. `meta[LINE]` tells where each begins.

    Raises
    ------
    QuerySyntaxError
        The text is no T-SQL; with line, column and token.
    QueryTooLargeError
        The text, its nesting or the number of its tokens is over its limit.

    Examples
    --------
    >>> [statement.key for statement in parse_tsql("DECLARE @r float SET @r = 2 SELECT TOP 5 ra INTO mydb.t FROM x")]
    ['declare', 'set', 'select']
    """
    limits = limits or QueryLimits()
    check_text(text, limits)
    make_room_for_recursion(limits)
    tokens = _tokens(text)
    if all(token.token_type is TokenType.SEMICOLON for token in tokens):
        raise QuerySyntaxError("There is no statement in the text.", line=1, column=1)
    _check_size(tokens, limits)
    check_tokens(text, tokens)
    trees = _trees(text, tokens, limits)
    check_trees(text, tokens, list(iter_statements(trees)))
    return trees


def _tokens(text: str) -> list[Token]:
    try:
        return list(DIALECT.tokenize(text))
    except TokenError as error:
        raise _never_closed(text) from error


def _check_size(tokens: Sequence[Token], limits: QueryLimits) -> None:
    if len(tokens) > limits.tokens:
        raise QueryTooLargeError("number of words and signs", limit=limits.tokens, hint="Upload long lists as a table.")
    depth = 0
    for token in tokens:
        depth += (token.token_type in (TokenType.L_PAREN, TokenType.CASE, TokenType.BEGIN)) - (
            token.token_type in (TokenType.R_PAREN, TokenType.END)
        )
        if depth > limits.nesting:
            raise _too_deep(limits)
    _check_types(tokens, limits)


def _check_types(tokens: Sequence[Token], limits: QueryLimits) -> None:
    """Refuse calls named like types, such as CHAR or STR, that are many times in one another.

    sqlglot reads their arguments twice, as sizes and as values, and so doubles its time at every level.
    """
    opened: list[bool] = []
    for before, token in itertools.pairwise(tokens):
        if token.token_type is TokenType.L_PAREN:
            opened.append(before.token_type in DIALECT.parser_class.TYPE_TOKENS)
            if sum(opened) > _MOST_TYPES:
                raise _too_deep(limits)
        elif token.token_type is TokenType.R_PAREN and opened:
            opened.pop()


def _too_deep(limits: QueryLimits) -> QueryTooLargeError:
    return QueryTooLargeError("nesting", limit=limits.nesting, hint="Take some parentheses out.")


def _trees(text: str, tokens: Sequence[Token], limits: QueryLimits) -> list[exp.Expression]:
    """The statements as sqlglot reads them."""
    parts = outline(text, list(_parted(_with_one_from(tokens))), limits)
    try:
        return list(_Trees(text).of(parts))
    except ParseError as error:
        raise _told(text, error) from error
    except RecursionError as error:
        raise _too_deep(limits) from error


class _Trees:
    """Has sqlglot read the parts of a text."""

    def __init__(self, text: str) -> None:
        self._text, self._starts = text, line_starts(text)
        self._parser = DIALECT.parser(error_level=ErrorLevel.IMMEDIATE)

    def of(self, parts: Sequence[Part]) -> Iterator[exp.Expression]:
        for part in parts:
            first = part.tokens[0] if isinstance(part, Piece) else part.word
            tree = self._read(part.tokens) if isinstance(part, Piece) else self._branch(part)
            if tree is not None:
                tree.meta[LINE] = bisect.bisect_right(self._starts, first.start)
                yield tree

    def _branch(self, branch: Branch) -> exp.Expression:
        condition = self._read(_asked(branch.condition))
        then, otherwise = (exp.Block(expressions=list(self.of(part))) for part in (branch.then, branch.otherwise))
        if word_of(branch.word) == "WHILE":
            return exp.WhileBlock(this=condition, body=then)
        return exp.IfBlock(this=condition, true=then, false=otherwise)

    def _read(self, tokens: Sequence[Token]) -> exp.Expression | None:
        (tree,) = self._parser.parse(_spelled_out(tokens), self._text)
        return tree


def _asked(condition: Sequence[Token]) -> list[Token]:
    """A condition as the query `SELECT CASE WHEN ... THEN 1 ELSE 0 END`."""
    start, end = condition[0], condition[-1]
    before = ((TokenType.SELECT, "SELECT"), (TokenType.CASE, "CASE"), (TokenType.WHEN, "WHEN"))
    behind = ((TokenType.THEN, "THEN"), (TokenType.NUMBER, "1"), (TokenType.ELSE, "ELSE"), (TokenType.NUMBER, "0"))
    return [
        *(_sign(kind, word, start) for kind, word in before),
        *condition,
        *(_sign(kind, word, end) for kind, word in (*behind, (TokenType.END, "END"))),
    ]


def _with_one_from(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without the first FROM of `DELETE FROM t FROM ...`, which T-SQL lets stand and sqlglot does not."""
    words = [word_of(token) for token in tokens]
    gone = set()
    for place in (place for place, word in enumerate(words[:-2]) if word == "DELETE" and words[place + 1] == "FROM"):
        end = place + 3
        while end + 1 < len(tokens) and words[end] == ".":
            end += 2
        if end < len(tokens) and words[end] == "FROM":
            gone.add(place + 1)
    return [token for place, token in enumerate(tokens) if place not in gone]


def _parted(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens with a semicolon between statements, where the text may do without."""
    depth, n_cases, leading, before = 0, 0, "", ";"
    for token in tokens:
        word = word_of(token)
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        is_in_case = n_cases > 0
        n_cases += (word == "CASE") - (word == "END" and is_in_case)
        if token.token_type is TokenType.SEMICOLON:
            leading = ""
        elif depth == 0 and not is_in_case and word in _AROUND:
            if leading:
                yield _sign(TokenType.SEMICOLON, ";", token)
            leading = ""
        elif not leading:
            leading = word
        elif depth == 0 and _may_begin(word, leading) and _begins(word, leading, before):
            yield _sign(TokenType.SEMICOLON, ";", token)
            leading = word
        elif depth == 0 and word in _LEADING_ON.get(leading, ()):
            leading = word
        before = word
        yield token


def _spelled_out(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with `@a += x` as `@a = @a + (x)`, which sqlglot knows."""
    spelled: list[Token] = []
    open_to: dict[int, Token] = {}
    for place, token in enumerate(tokens):
        if place in open_to:
            spelled.append(open_to.pop(place))
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if token.text in _COMPOUND and following and _is_assigned(tokens, place, following):
            open_to[_end_of_value(tokens, place + 2)] = _sign(TokenType.R_PAREN, ")", following)
            spelled += [following, *_name_before(tokens, place), token]
        elif place and token.text == "=" and tokens[place - 1].text in _COMPOUND and spelled[-1] is tokens[place - 1]:
            spelled.append(_sign(TokenType.L_PAREN, "(", token))
        else:
            spelled.append(token)
    return [*spelled, *open_to.values()]


def _is_assigned(tokens: Sequence[Token], place: int, following: Token) -> bool:
    """Whether a sign and the = right behind it stand behind the name of something that is set."""
    if following.text != "=" or following.start != tokens[place].end + 1 or place == 0:
        return False
    start = place - len(_name_before(tokens, place))
    return start > 0 and word_of(tokens[start - 1]) in ("SET", "SELECT", ",")


def _end_of_value(tokens: Sequence[Token], start: int) -> int:
    """Where an expression ends that begins at a place."""
    depth = 0
    for place in range(start, len(tokens)):
        token = tokens[place]
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth < 0 or (depth == 0 and (token.text in (",", ";") or word_of(token) in ("FROM", "WHERE"))):
            return place
    return len(tokens)


def _name_before(tokens: Sequence[Token], place: int) -> Sequence[Token]:
    """The name of a variable or a column that ends before a place."""
    start = place - 1
    while start >= 2 and tokens[start - 1].text == ".":
        start -= 2
    return tokens[start - 1 if start and tokens[start - 1].token_type is TokenType.PARAMETER else start : place]


def _sign(kind: TokenType, text: str, at: Token) -> Token:
    return Token(kind, text, at.line, at.col, at.start, at.start)


def _may_begin(word: str, leading: str) -> bool:
    return word in BEGINNINGS or (leading in BRANCHES and word in NOT_OFFERED)


def _begins(word: str, leading: str, before: str) -> bool:
    """Whether a word that may begin a statement does so, in the statement of the word `leading`, behind `before`."""
    if leading in BRANCHES:
        return True
    if word in _LEADING_ON.get(leading, ()) or (leading, word) == ("DROP", "IF"):
        return False
    if word == "SELECT" and leading == "SELECT":
        return before not in _OPERATIONS
    return word not in ("SELECT", "WITH") or leading in _WITHOUT_QUERY


def _told(text: str, error: ParseError) -> QuerySyntaxError:
    """What sqlglot complains of, in our words and at the first character of its token."""
    facts = error.errors[0]
    token = str(facts["highlight"])
    start = line_starts(text)[facts["line"] - 1] + facts["col"] - len(token)
    place = place_at(text, max(start, 0), token)
    for pattern, sentence in _SENTENCES:
        found = re.search(pattern, str(facts["description"]))
        if found:
            return QuerySyntaxError(sentence.format(*found.groups(), token=token), **place)
    return QuerySyntaxError(f"{token} cannot stand here.{_guess(text, start)}", **place)


def _guess(text: str, start: int) -> str:
    """What may be meant where a word stands that cannot: a comma before it, or a mistyped word of a clause."""
    before, token = None, None
    for token in _tokens(text):
        if token.start >= start:
            break
        before = token
    if before is None or token is None or token.start != start or not _is_item(token):
        return ""
    meant = near_names(before.text.upper(), _CLAUSES, most=1) if before.token_type is TokenType.VAR else []
    if meant and before.text.upper() not in _CLAUSES:
        return f" Is {meant[0]} meant, where {before.text} stands?"
    return " Is a comma missing before it?" if before.token_type is TokenType.R_PAREN or _is_item(before) else ""


def _is_item(token: Token) -> bool:
    """Whether a column or a value may be written so; DEC is one, and a type as well."""
    return token.token_type in _ITEMS or word_of(token) in _NAMES


def _never_closed(text: str) -> QuerySyntaxError:
    """The complaint about a text, name or comment without end: the first piece that is nothing but an opening."""
    for piece in _PIECE.finditer(text):
        opening, is_comment = piece.group()[0], text.startswith("/*", piece.start())
        if len(piece.group()) == 1 and opening in _NEVER_CLOSED and (opening != "/" or is_comment):
            sentence = f"What begins here never ends: its closing {_NEVER_CLOSED[opening]} is missing."
            return QuerySyntaxError(sentence, **place_at(text, piece.start(), opening))
    return QuerySyntaxError("The text cannot be cut into words and signs.")

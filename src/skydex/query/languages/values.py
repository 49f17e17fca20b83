"""Values and conditions: the productions of ADQL from `search_condition` down.

ADQL 2.1 (IVOA REC 2023-12-15), appendix A. ADQL keeps conditions (`x = 1`) and values (`x`) apart: a condition is no
value, and a value alone, `CONTAINS(...)` too, is no condition. Beyond the standard this accepts CASE, a query in
parentheses that gives a single value, and any value before IS NULL.

Every function call becomes `exp.Anonymous`, with the name as written: `this="COUNT"`, or `this="dbo.fGet"` for a name
with a schema. What a function means is the binder's affair.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from sqlglot import exp

from skydex.query.languages.limits import too_long_a_chain
from skydex.query.languages.reader import Reader
from skydex.query.languages.signatures import AGGREGATES, GEOMETRIES, misuse
from skydex.query.languages.tokens import Token
from skydex.query.languages.words import CLAUSES, FOREIGN_CALLS, FOREIGN_LITERALS, FOREIGN_WORDS

__all__ = ["ValueReader"]

_OR, _AND, _TEST, _JOINED, _SUM, _PRODUCT, _PRIMARY = range(7)
"""How tightly operators bind, loosest first; NOT stands between AND and the tests."""

_STRENGTH = {
    "OR": _OR,
    "AND": _AND,
    **dict.fromkeys(("=", "<>", "!=", "<", ">", "<=", ">=", "NOT", "IS", "IN", "LIKE", "ILIKE", "BETWEEN"), _TEST),
    "||": _JOINED,
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
}
_COMPARISONS = {"=": exp.EQ, "<>": exp.NEQ, "!=": exp.NEQ, "<": exp.LT, ">": exp.GT, "<=": exp.LTE, ">=": exp.GTE}
_ARITHMETIC = {"||": exp.DPipe, "+": exp.Add, "-": exp.Sub, "*": exp.Mul, "/": exp.Div}
_CONDITIONS = frozenset({
    *_COMPARISONS.values(), exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Like, exp.ILike, exp.Between, exp.Exists,
})  # fmt: skip
_TYPES = {
    "SMALLINT": exp.DataType.Type.SMALLINT,
    "INTEGER": exp.DataType.Type.INT,
    "INT": exp.DataType.Type.INT,
    "BIGINT": exp.DataType.Type.BIGINT,
    "REAL": exp.DataType.Type.FLOAT,
    "DOUBLE": exp.DataType.Type.DOUBLE,
    "CHAR": exp.DataType.Type.CHAR,
    "VARCHAR": exp.DataType.Type.VARCHAR,
    "TIMESTAMP": exp.DataType.Type.TIMESTAMP,
    "POINT": exp.DataType.Type.POINT,
    "CIRCLE": exp.DataType.Type.USERDEFINED,
    "POLYGON": exp.DataType.Type.POLYGON,
}
_TYPES_SPOKEN = (
    "SMALLINT, INTEGER, BIGINT, REAL, DOUBLE PRECISION, CHAR(n), VARCHAR(n), TIMESTAMP, POINT, CIRCLE or POLYGON"
)
_SET_WORDS = ("UNION", "EXCEPT", "INTERSECT")
_MOST_NAME_PARTS = 4
_MOST_HEXADECIMAL = len("0x") + 16


class ValueReader(Reader, ABC):
    """Reads values and conditions; what a query is, the class above knows."""

    @abstractmethod
    def subquery(self, first: exp.Subquery | None = None) -> exp.Subquery:
        """Read a query in parentheses, or go on with a set operation whose first operand has been read."""

    def value(self) -> exp.Expression:
        """Read a `value_expression`."""
        first = self.token
        return self._as_value(self._expression(_OR), first)

    def condition(self) -> exp.Expression:
        """Read a `search_condition`."""
        first = self.token
        return self._as_condition(self._expression(_OR), first)

    def identifier(self, wanted: str) -> exp.Identifier:
        """Read one name, regular or delimited."""
        token = self.token
        if token.kind == "quoted":
            return self._delimited()
        if token.kind != "word":
            raise self.unexpected(wanted)
        if token.word in self.reserved:
            raise self.unexpected(wanted) if token.word in CLAUSES else self.reserved_name()
        return self.placed(exp.Identifier(this=token.text, quoted=False), self.advance())

    def name_parts(self, wanted: str, most: int) -> list[exp.Identifier]:
        """Read names joined by periods, such as `catalog.schema.table`; a star ends them unread."""
        parts = [self.identifier(wanted)]
        while self.token.word == "." and self.ahead().word != "*":
            self.advance()
            if len(parts) == most:
                raise self.failed(f"A name has at most {most} parts here.", self.token)
            parts.append(self.identifier("a name after the period"))
        return parts

    def alias(self, wanted: str) -> exp.Identifier | None:
        """Read `[AS] name`, if there is one."""
        if self.take("AS"):
            return self.identifier(wanted)
        token = self.token
        if token.kind == "quoted" or (token.kind == "word" and token.word not in self.reserved):
            self._check_gap(token)
            return self.identifier(wanted)
        return None

    def _check_gap(self, token: Token) -> None:
        """ADQL 2.0 wants a space between a number and the name after it."""
        before = self.previous
        if self.version == "2.0" and before.kind == "number" and before.end + 1 == token.start:
            raise self.unexpected("a space")

    def _delimited(self) -> exp.Identifier:
        token = self.token
        name = token.text[1:-1].replace('""', '"')
        if not name:
            raise self.failed("There is no name between these double quotes.")
        return self.placed(exp.Identifier(this=name, quoted=True), self.advance())

    def _as_value(self, node: exp.Expression, first: Token) -> exp.Expression:
        if _is_condition(node):
            hint = "CASE WHEN condition THEN 1 ELSE 0 END makes a value of it."
            raise self.failed(f"A condition begins here, where a value is expected: {hint}", first)
        return node

    def _as_condition(self, node: exp.Expression, first: Token) -> exp.Expression:
        if _is_condition(node):
            return node
        if self.token.kind in ("word", "number", "string", "quoted") and self.token.word not in CLAUSES:
            raise self.unexpected("a comparison, such as = or <")
        if isinstance(node, exp.Anonymous) and node.name.upper() in ("CONTAINS", "INTERSECTS"):
            raise self.failed(f"{node.name} gives 1 or 0, it is no condition: write 1 = {node.name}(...).", first)
        raise self.failed("A value alone is no condition: compare it with something, as in x = 1.", first)

    def _expression(self, floor: int) -> exp.Expression:
        """Read operands and the operators between them that bind at least as tightly as `floor`."""
        first, n_operations = self.token, 0
        left = self._prefixed(floor)
        while True:
            strength = _STRENGTH.get(self.token.word, -1)
            if strength < floor:
                return left
            if strength <= _AND:
                left = self._chain(left, first, strength)
            elif strength == _TEST:
                left = self._test(self._as_value(left, first))
            else:
                left = self._operation(self._as_operand(left, first), strength)
                n_operations += 1
                if n_operations > self.limits.tree_depth:
                    raise too_long_a_chain(self.limits)

    def _prefixed(self, floor: int) -> exp.Expression:
        """Read an operand with the NOT or the sign before it."""
        word = self.token.word
        if word == "NOT" and floor <= _TEST:
            self.advance()
            if self.token.word == "NOT":
                raise self.failed("NOT stands only once before a condition.")
            first = self.token
            return exp.Not(this=self._as_condition(self._expression(_TEST), first))
        if word in ("+", "-"):
            return self._signed(self.advance())
        return self._primary()

    def _signed(self, sign: Token) -> exp.Expression:
        first = self.token
        if first.word in ("+", "-"):
            raise self.failed("Two signs follow one another: put the second into parentheses.")
        operand = self._as_operand(self._primary(), first)
        return operand if sign.word == "+" else self.placed(exp.Neg(this=operand), sign)

    def _chain(self, left: exp.Expression, first: Token, strength: int) -> exp.Expression:
        """Read conditions joined by AND, or by OR, into a balanced tree: a long chain makes no deep one."""
        word, kind = self.token.word, exp.And if strength == _AND else exp.Or
        operands = [self._as_condition(left, first)]
        while self.take(word):
            first = self.token
            operands.append(self._as_condition(self._expression(strength + 1), first))
        self.check_length(operands, f"number of conditions joined by {word}", self.limits.conditions)
        return _balanced(operands, kind)

    def _operation(self, left: exp.Expression, strength: int) -> exp.Expression:
        kind = _ARITHMETIC[self.advance().word]
        first = self.token
        right = self._as_operand(self._expression(strength + 1), first)
        return kind(this=left, expression=right)

    def _as_operand(self, node: exp.Expression, first: Token) -> exp.Expression:
        """A value to which arithmetic or `||` can apply: no condition and no shape."""
        if isinstance(node, exp.Anonymous) and node.name.upper() in GEOMETRIES:
            raise self.failed(f"{node.name} makes a shape, with which one cannot calculate.", first)
        return self._as_value(node, first)

    def _test(self, left: exp.Expression) -> exp.Expression:
        """Read what follows the value in a `predicate`."""
        operator = self.advance()
        kind = _COMPARISONS.get(operator.word)
        if kind is not None:
            return kind(this=left, expression=self._right_side(operator))
        if operator.word == "IS":
            return self._null_test(left)
        if operator.word != "NOT":
            return _TESTS[operator.word](self, left)
        test = _TESTS.get(self.token.word)
        if test is None:
            raise self.unexpected("IN, BETWEEN or LIKE after NOT")
        self.advance()
        return exp.Not(this=test(self, left))

    def _right_side(self, operator: Token) -> exp.Expression:
        if self.token.word == "NULL":
            wording = "IS NULL" if operator.word == "=" else "IS NOT NULL"
            raise self.failed(f"Nothing equals NULL, not even NULL: write {wording}.", operator)
        return self._plain_value()

    def _plain_value(self) -> exp.Expression:
        """A value that a test can hold: AND, OR and further tests are left for later."""
        first = self.token
        return self._as_value(self._expression(_JOINED), first)

    def _null_test(self, left: exp.Expression) -> exp.Expression:
        negated = self.take("NOT")
        null = self.expect("NULL", "NULL or NOT NULL after IS")
        test = exp.Is(this=left, expression=self.placed(exp.Null(), null))
        return exp.Not(this=test) if negated else test

    def _between(self, left: exp.Expression) -> exp.Expression:
        low = self._plain_value()
        self.expect("AND", "AND and the upper bound of BETWEEN")
        return exp.Between(this=left, low=low, high=self._plain_value())

    def _like(self, left: exp.Expression) -> exp.Expression:
        return self._matched(left, exp.Like)

    def _ilike(self, left: exp.Expression) -> exp.Expression:
        self.since_2_1("ILIKE", self.previous)
        return self._matched(left, exp.ILike)

    def _matched(self, left: exp.Expression, kind: type[exp.Expression]) -> exp.Expression:
        pattern = self.token
        if pattern.kind == "quoted" and "%" in pattern.text:
            text = pattern.text[1:-1]
            raise self.failed(f"Double quotes make a name of it: a pattern stands in single quotes, '{text}'.")
        return kind(this=left, expression=self._plain_value())

    def _in(self, left: exp.Expression) -> exp.Expression:
        if self.token.word != "(":
            raise self.unexpected("a list or a query in parentheses after IN")
        if self.ahead().word == "SELECT":
            return exp.In(this=left, query=self.subquery())
        self.advance()
        items = self._items(self._plain_value)
        if len(items) == 1 and isinstance(items[0], exp.Subquery):
            return exp.In(this=left, query=self.subquery(items[0]))
        self.expect(")", "a comma, or the parenthesis that closes the list")
        self.check_length(items, "IN list", self.limits.list_items)
        return exp.In(this=left, expressions=items)

    def _items(self, read: Callable[[], exp.Expression]) -> list[exp.Expression]:
        items = [read()]
        while self.take(","):
            items.append(read())
        return items

    def _primary(self) -> exp.Expression:
        """Read a literal, a column, a call, or an expression in parentheses."""
        token = self.token
        if token.kind == "number":
            return self._number()
        if token.kind == "string":
            return self._text()
        if token.kind == "quoted":
            return self._column()
        if token.word == "(":
            return self._parenthesis()
        if token.kind != "word":
            raise self.unexpected("a column or a value")
        special = _SPECIAL.get(token.word)
        if special is not None:
            return special(self)
        if self.ahead().word == "(" and token.word not in CLAUSES:
            return self._call(token.text, self.advance(), token)
        return self._column()

    def _number(self) -> exp.Literal:
        token = self.advance()
        if token.text[:2] not in ("0x", "0X"):
            return self.placed(exp.Literal(this=token.text, is_string=False), token)
        self.since_2_1("A hexadecimal number", token)
        if len(token.text) > _MOST_HEXADECIMAL:
            raise self.failed("A hexadecimal number has at most 16 digits.", token)
        return self.placed(exp.Literal(this=str(int(token.text, 16)), is_string=False), token)

    def _timestamp(self) -> exp.Expression:
        """Read TIMESTAMP 'text', which is short for a CAST (SQL-92, section 5.3)."""
        if self.ahead().kind != "string":
            return self._column()
        self.since_2_1("TIMESTAMP '...'")
        first = self.advance()
        return self.placed(exp.Cast(this=self._text(), to=exp.DataType.build("timestamp")), first)

    def _text(self) -> exp.Literal:
        """Read a text; texts that follow one another are one text."""
        first = last = self.advance()
        parts = [first.text[1:-1]]
        while self.token.kind == "string":
            last = self.advance()
            parts.append(last.text[1:-1])
        literal = exp.Literal(this="".join(parts).replace("''", "'"), is_string=True)
        return self.placed(literal, first, None if first is last else last)

    def _column(self) -> exp.Expression:
        first = self.token
        if first.word in FOREIGN_WORDS and first.word in self.reserved:
            raise self.failed(FOREIGN_WORDS[first.word])
        if first.word in FOREIGN_LITERALS and self.ahead().kind in ("string", "number"):
            raise self.failed(FOREIGN_LITERALS[first.word])
        parts = self.name_parts("a column or a value", _MOST_NAME_PARTS)
        if self.token.word == "(":
            return self._qualified_call(parts, first)
        names = dict(zip(("this", "table", "db", "catalog"), reversed(parts), strict=False))
        if self.token.word != ".":
            return self.placed(exp.Column(**names), first, self.previous)
        self.advance()
        raise self.failed("A star with a table's name stands only in the list after SELECT.")

    def _qualified_call(self, parts: Sequence[exp.Identifier], first: Token) -> exp.Expression:
        if any(part.args["quoted"] for part in parts):
            raise self.failed("The name of a function is not written in double quotes.", first)
        return self._call(".".join(part.name for part in parts), first, self.previous)

    def _call(self, name: str, first: Token, last: Token) -> exp.Expression:
        """Read the arguments of a function whose name has been read."""
        word = name.upper()
        if word in FOREIGN_CALLS:
            raise self.failed(FOREIGN_WORDS[word], first)
        self.expect("(", "the arguments of the function")
        arguments = [] if self.token.word == ")" else self._arguments(word)
        self.expect(")", f"a comma, or the parenthesis that closes {name}(")
        self.check_length(arguments, f"number of arguments of {name}", self.limits.list_items)
        self._check_call(word, arguments, first)
        return self.placed(exp.Anonymous(this=name, expressions=arguments), first, last)

    def _check_call(self, word: str, arguments: Sequence[exp.Expression], first: Token) -> None:
        if word in ("LOWER", "UPPER"):
            self.since_2_1(word, first)
        problem = misuse(word, arguments)
        if problem:
            raise self.failed(problem, first)

    def _arguments(self, word: str) -> list[exp.Expression]:
        if self.token.word == "*" and word == "COUNT":
            return [self.placed(exp.Star(), self.advance())]
        if self.token.word in ("DISTINCT", "ALL"):
            return [self._quantified(word)]
        return self._items(self.value)

    def _quantified(self, word: str) -> exp.Expression:
        """Read the argument of an aggregate with DISTINCT or ALL before it."""
        quantifier = self.token
        if word not in AGGREGATES:
            raise self.failed(f"{quantifier.word} stands only in COUNT, SUM, AVG, MIN and MAX.")
        self.advance()
        argument = self.value()
        if quantifier.word == "ALL":
            return argument
        return self.placed(exp.Distinct(expressions=[argument]), quantifier)

    def _parenthesis(self) -> exp.Expression:
        """Read an expression, or a query that gives one value, in parentheses; doubled ones become single."""
        opening = self.token
        if self.ahead().word in ("SELECT", "WITH"):
            return self.subquery()
        self.advance()
        inner = self._expression(_OR)
        if isinstance(inner, exp.Subquery) and self.token.word in (*_SET_WORDS, "ORDER", "OFFSET"):
            return self.subquery(inner)
        self._expect_closing(opening)
        if isinstance(inner, exp.Paren | exp.Subquery):
            return inner
        return self.placed(exp.Paren(this=inner), opening)

    def _expect_closing(self, opening: Token) -> None:
        if self.token.word == "," and self.previous.word != ",":
            raise self.failed("A list in parentheses stands only after IN, or as the arguments of a function.", opening)
        self.expect(")", "an operator, or a closing parenthesis")

    def _null(self) -> exp.Expression:
        return self.placed(exp.Null(), self.advance())

    def _exists(self) -> exp.Expression:
        self.advance()
        if self.token.word != "(" or self.ahead().word not in ("SELECT", "("):
            raise self.unexpected("a query in parentheses after EXISTS")
        return exp.Exists(this=self.subquery().this)

    def _case(self) -> exp.Expression:
        self.since_2_1("CASE")
        first = self.advance()
        subject = None if self.token.word == "WHEN" else self.value()
        branches = [self._branch(subject)]
        while self.token.word == "WHEN":
            branches.append(self._branch(subject))
        default = self.value() if self.take("ELSE") else None
        self.expect("END", "WHEN, ELSE or END")
        return self.placed(exp.Case(this=subject, ifs=branches, default=default), first)

    def _branch(self, subject: exp.Expression | None) -> exp.If:
        self.expect("WHEN", "WHEN after CASE")
        test = self.condition() if subject is None else self.value()
        self.expect("THEN", "THEN")
        return exp.If(this=test, true=self.value())

    def _cast(self) -> exp.Expression:
        if self.ahead().word != "(":
            return self._column()
        self.since_2_1("CAST")
        first = self.advance()
        self.advance()
        operand = self.value()
        self.expect("AS", "AS and a type")
        target = self._type()
        self.expect(")", "the parenthesis that closes CAST(")
        return self.placed(exp.Cast(this=operand, to=target), first)

    def _type(self) -> exp.DataType:
        token = self.token
        kind = _TYPES.get(token.word)
        if token.kind != "word":
            raise self.unexpected(f"one of the types {_TYPES_SPOKEN}")
        if kind is None:
            raise self.failed(f"ADQL has no type {token.text}: CAST makes {_TYPES_SPOKEN}.")
        self.advance()
        if token.word == "DOUBLE":
            self.take("PRECISION")
        size = self._size() if token.word in ("CHAR", "VARCHAR") and self.take("(") else []
        named = {"kind": token.word} if kind is exp.DataType.Type.USERDEFINED else {}
        return self.placed(exp.DataType(this=kind, expressions=size, nested=False, **named), token)

    def _size(self) -> list[exp.Expression]:
        length = self.unsigned_integer("the length of the text")
        self.expect(")", "the parenthesis that closes the length")
        return [exp.DataTypeParam(this=length)]

    def unsigned_integer(self, wanted: str) -> exp.Literal:
        """Read digits and nothing else."""
        token = self.token
        if token.kind != "number" or not token.text.isdigit():
            raise self.unexpected(f"{wanted}, an integer without sign")
        return self.placed(exp.Literal(this=token.text, is_string=False), self.advance())


_TESTS: dict[str, Callable[[ValueReader, exp.Expression], exp.Expression]] = {
    "IN": ValueReader._in,
    "BETWEEN": ValueReader._between,
    "LIKE": ValueReader._like,
    "ILIKE": ValueReader._ilike,
}
_SPECIAL: dict[str, Callable[[ValueReader], exp.Expression]] = {
    "NULL": ValueReader._null,
    "CASE": ValueReader._case,
    "CAST": ValueReader._cast,
    "EXISTS": ValueReader._exists,
    "TIMESTAMP": ValueReader._timestamp,
}


def _is_condition(node: exp.Expression) -> bool:
    return type(node.this if type(node) is exp.Paren else node) in _CONDITIONS


def _balanced(operands: Sequence[exp.Expression], kind: type[exp.Expression]) -> exp.Expression:
    """Operands of an associative operator, in their order, as a tree of the least depth."""
    if len(operands) == 1:
        return operands[0]
    middle = (len(operands) + 1) // 2
    return kind(this=_balanced(operands[:middle], kind), expression=_balanced(operands[middle:], kind))

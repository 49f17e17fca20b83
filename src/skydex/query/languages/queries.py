"""Queries: the productions of ADQL from `query_specification` down to FROM.

ADQL 2.1 (IVOA REC 2023-12-15), appendix A. WITH stands at the beginning of the whole query only; set operations and
OFFSET may stand in parentheses. Set operations are read in ADQL 2.0 too, whose grammar leaves them out but whose
services have them; CROSS JOIN is read beyond both grammars.

The tree: TOP is the `limit` of a SELECT (marked `meta["top"]`); a SELECT with TOP inside a set operation is wrapped in
a `Subquery`, since its limit is its own; a join in parentheses is a `Subquery` of the first table, whose `joins` hold
the others; a comma in FROM is a `Join` without kind.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from skydex.errors import QueryTooLargeError, near_names
from skydex.query.languages.tokens import Token
from skydex.query.languages.values import ValueReader
from skydex.query.languages.words import FOREIGN_WORDS, STATEMENTS

__all__ = ["QueryReader"]

_SET_OPERATIONS = {"UNION": exp.Union, "EXCEPT": exp.Except, "INTERSECT": exp.Intersect}
_SIDES = ("LEFT", "RIGHT", "FULL")
_JOIN_WORDS = frozenset({"JOIN", "NATURAL", "INNER", "CROSS", *_SIDES})
_FOREIGN_JOINS = frozenset({"ANTI", "ASOF", "POSITIONAL", "SEMI"})
_MOST_TABLE_PARTS = 3


class QueryReader(ValueReader):
    """Reads a whole query.

    Examples
    --------
    >>> from skydex.query.languages.limits import QueryLimits
    >>> QueryReader("SELECT TOP 5 ra FROM stars", "2.1", QueryLimits()).query().sql()
    'SELECT ra FROM stars LIMIT 5'
    """

    _n_tables = 0

    def query(self) -> exp.Query:
        """Read the text, which must be one query.

        Raises
        ------
        QuerySyntaxError
            Where the text leaves the grammar.
        QueryTooLargeError
            Where it is beyond the limits.
        """
        if self.token.word not in ("SELECT", "WITH", "("):
            raise self._not_a_query()
        common = self._with() if self.token.word == "WITH" else None
        tree = self._select_expression()
        self.check_end()
        if common is not None:
            tree.set("with_", common)
        return tree.this if _only_parentheses(tree) else tree

    def subquery(self, first: exp.Subquery | None = None) -> exp.Subquery:
        opening = self.token
        if first is None:
            self.expect("(", "a query in parentheses")
        if self.token.word == "WITH":
            raise self.failed("WITH stands only at the very beginning of a query, not in parentheses.")
        inner = self._select_expression(first)
        self.expect(")", "the parenthesis that closes the query")
        if _only_parentheses(inner):
            inner = inner.this
        return self.placed(exp.Subquery(this=inner), opening)

    def _not_a_query(self) -> Exception:
        word = self.token.word
        if self.token.kind == "end":
            return self.failed("There is no query: it begins with SELECT.")
        if word in STATEMENTS:
            return self.failed(f"Only queries can be sent, which begin with SELECT: {word} is none.")
        meant = " Is SELECT meant?" if near_names(word, ["SELECT"]) else ""
        return self.failed(f"A query begins with SELECT, not with {self.token.text[:40]}.{meant}")

    def _with(self) -> exp.With:
        self.since_2_1("WITH")
        self.advance()
        tables = [self._common_table()]
        while self.take(","):
            tables.append(self._common_table())
        return exp.With(expressions=tables)

    def _common_table(self) -> exp.CTE:
        if self.token.word == "RECURSIVE":
            raise self.failed(FOREIGN_WORDS["RECURSIVE"])
        name = self.identifier("the name of a table after WITH")
        if self.token.word == "(":
            raise self.failed("Columns are named inside the query in WITH, as in SELECT a AS b.")
        self.expect("AS", "AS and a query in parentheses")
        if self.token.word != "(":
            raise self.unexpected("a query in parentheses")
        return exp.CTE(this=self.subquery().this, alias=exp.TableAlias(this=name))

    def _select_expression(self, first: exp.Query | None = None) -> exp.Query:
        """Read a set of queries with the ORDER BY and OFFSET of the whole."""
        tree = self._set_expression(first)
        if self.token.word == "ORDER":
            tree.set("order", self._order())
        if self.token.word == "OFFSET" and self.version != "2.0":
            self.advance()
            tree.set("offset", exp.Offset(expression=self.unsigned_integer("the number of rows to leave out")))
        return tree

    def _set_expression(self, first: exp.Query | None = None) -> exp.Query:
        left = self._set_term(first)
        while self.token.word in ("UNION", "EXCEPT"):
            left = self._set_operation(left, self._set_term)
        return left

    def _set_term(self, first: exp.Query | None = None) -> exp.Query:
        left = first if first is not None else self._set_primary()
        while self.token.word == "INTERSECT":
            left = self._set_operation(left, self._set_primary)
        return left

    def _set_operation(self, left: exp.Query, read: Callable[[], exp.Query]) -> exp.Query:
        word = self.advance()
        distinct = not self.take("ALL")
        operands = {"this": _own(left), "expression": _own(read())}
        return self.placed(_SET_OPERATIONS[word.word](distinct=distinct, **operands), word)

    def _set_primary(self) -> exp.Query:
        if self.token.word == "(":
            return self.subquery()
        if self.token.word == "WITH":
            raise self.failed("WITH stands only at the very beginning of a query.")
        return self._select()

    def _select(self) -> exp.Select:
        """Read one SELECT up to HAVING."""
        if self.token.kind != "end" and self.token.word != "SELECT":
            raise self._not_a_query()
        first = self.expect("SELECT", "a query, which begins with SELECT,")
        tree = self.placed(exp.Select(), first)
        if self.token.word in ("DISTINCT", "ALL") and self.advance().word == "DISTINCT":
            tree.set("distinct", exp.Distinct())
        if self.take("TOP"):
            tree.set("limit", self._top())
        tree.set("expressions", self._select_list())
        self._from(tree)
        if self.take("WHERE"):
            tree.set("where", exp.Where(this=self.condition()))
        if self.token.word == "GROUP":
            tree.set("group", self._group())
        if self.take("HAVING"):
            tree.set("having", exp.Having(this=self.condition()))
        return tree

    def _top(self) -> exp.Limit:
        limit = exp.Limit(expression=self.unsigned_integer("the number of rows after TOP"))
        limit.meta["top"] = True
        if self.token.word in ("DISTINCT", "ALL"):
            raise self.failed(f"{self.token.word} stands before TOP: SELECT {self.token.word} TOP n ...")
        return limit

    def _select_list(self) -> list[exp.Expression]:
        columns = self._items(self._select_item)
        if len(columns) > self.limits.columns:
            raise QueryTooLargeError("SELECT list", size=len(columns), limit=self.limits.columns)
        return columns

    def _select_item(self) -> exp.Expression:
        if self.token.word == "*":
            return self.placed(exp.Star(), self.advance())
        if self._star_follows():
            return self._qualified_star()
        value = self.value()
        alias = self.alias("a name for the column after AS")
        return value if alias is None else exp.Alias(this=value, alias=alias)

    def _star_follows(self) -> bool:
        """Whether here stands a table's name and a star, such as `s.t.*`."""
        at = 0
        while (
            at <= 2 * _MOST_TABLE_PARTS and self.ahead(at).kind in ("word", "quoted") and self.ahead(at + 1).word == "."
        ):
            at += 2
        return at > 0 and self.ahead(at).word == "*"

    def _qualified_star(self) -> exp.Column:
        first = self.token
        parts = self.name_parts("the name of a table", _MOST_TABLE_PARTS)
        self.advance()
        star = self.placed(exp.Star(), self.advance())
        names = dict(zip(("table", "db", "catalog"), reversed(parts), strict=False))
        return self.placed(exp.Column(this=star, **names), first, self.previous)

    def _from(self, tree: exp.Select) -> None:
        self.expect("FROM", "a comma or FROM")
        tree.set("from_", exp.From(this=self._table()))
        joins = self._joins()
        while self.take(","):
            joins.append(exp.Join(this=self._table()))
            joins += self._joins()
        if joins:
            tree.set("joins", joins)

    def _table(self) -> exp.Expression:
        """Read a table, a query or a join in parentheses, with its alias."""
        if self.token.word == "(":
            return self._table_in_parentheses()
        first = self.token
        if first.kind == "string":
            raise self.failed(
                "FROM names tables of this archive; a name stands in double quotes, never in single ones."
            )
        parts = self.name_parts("the name of a table", _MOST_TABLE_PARTS)
        if self.token.word == "(":
            raise self._table_function(first)
        self._count_table()
        names = dict(zip(("this", "db", "catalog"), reversed(parts), strict=False))
        table = self.placed(exp.Table(**names), first, self.previous)
        return self._with_alias(table)

    def _table_function(self, name: Token) -> Exception:
        if name.word in FOREIGN_WORDS:
            return self.failed(FOREIGN_WORDS[name.word], name)
        return self.failed("FROM names tables, or queries in parentheses: a function cannot stand here.", name)

    def _table_in_parentheses(self) -> exp.Subquery:
        opening = self.token
        if self.ahead().word in ("SELECT", "WITH"):
            return self._derived(self.subquery(), opening)
        self.advance()
        first = self._table_or_query()
        if isinstance(first, exp.Subquery) and self.token.word in (*_SET_OPERATIONS, "ORDER", "OFFSET", ")"):
            return self._set_in_parentheses(first, opening)
        joins = self._joins()
        if not joins:
            raise self.unexpected("a JOIN: parentheses in FROM hold a join or a query")
        self.expect(")", "the parenthesis that closes the join")
        first.set("joins", joins)
        return self.placed(exp.Subquery(this=first), opening)

    def _table_or_query(self) -> exp.Expression:
        """Read what stands first in parentheses; a query that a set operation continues needs no alias."""
        if self.token.word == "(" and self.ahead().word == "SELECT":
            inner = self.subquery()
            goes_on = self.token.word in (*_SET_OPERATIONS, "ORDER", "OFFSET", ")")
            return inner if goes_on else self._derived(inner, self.token)
        return self._table()

    def _set_in_parentheses(self, first: exp.Subquery, opening: Token) -> exp.Subquery:
        if isinstance(first.this, exp.Query) and not first.alias:
            return self._derived(self.subquery(first), opening)
        if first.alias or not first.this.args.get("joins"):
            raise self.unexpected("a JOIN")
        self.expect(")", "the parenthesis that closes the join")
        return first

    def _derived(self, query: exp.Subquery, opening: Token) -> exp.Subquery:
        if self.token.kind not in ("word", "quoted") or (self.token.word in self.reserved and self.token.word != "AS"):
            raise self.failed("A query in FROM needs a name behind its parentheses, as in (SELECT ...) AS q.", opening)
        return self._with_alias(query)

    def _with_alias(self, table: exp.Expression) -> exp.Expression:
        if self.token.word in _FOREIGN_JOINS and self.ahead().word == "JOIN":
            raise self.failed(FOREIGN_WORDS[self.token.word])
        alias = self.alias("a name for the table after AS")
        if alias is None:
            return table
        if self.token.word == "(":
            if self.previous.word in FOREIGN_WORDS:
                raise self.unexpected("a table")
            raise self.failed("Columns are renamed inside the query, as in SELECT a AS b, not behind a table's name.")
        table.set("alias", exp.TableAlias(this=alias))
        return table

    def _joins(self) -> list[exp.Join]:
        joins = []
        while self.token.word in _JOIN_WORDS:
            joins.append(self._join())
        return joins

    def _join(self) -> exp.Join:
        """Read `[NATURAL] [type] JOIN table [ON condition | USING (columns)]`."""
        natural = self.take("NATURAL")
        side = self.advance().word if self.token.word in _SIDES else None
        kind = self._join_kind(side)
        self.expect("JOIN", "JOIN")
        join = exp.Join(this=self._table(), method="NATURAL" if natural else None, side=side, kind=kind)
        if self.token.word not in ("ON", "USING"):
            return join
        if natural or kind == "CROSS":
            raise self.failed(f"{'NATURAL' if natural else 'CROSS'} JOIN takes neither ON nor USING.")
        if self.take("ON"):
            join.set("on", self.condition())
        else:
            join.set("using", self._using())
        return join

    def _join_kind(self, side: str | None) -> str | None:
        allowed = ("OUTER",) if side else ("INNER", "CROSS")
        return self.advance().word if self.token.word in allowed else None

    def _using(self) -> list[exp.Expression]:
        self.advance()
        self.expect("(", "columns in parentheses after USING")
        names = self._items(lambda: self.identifier("the name of a column"))
        self.expect(")", "a comma, or the parenthesis that closes USING(")
        self.check_length(names, "USING list", self.limits.columns)
        return names

    def _group(self) -> exp.Group:
        self.advance()
        self.expect("BY", "BY after GROUP")
        self._refuse_all("GROUP BY")
        keys = self._items(self._plain_column if self.version == "2.0" else self.value)
        self.check_length(keys, "GROUP BY list", self.limits.columns)
        return exp.Group(expressions=keys)

    def _order(self) -> exp.Order:
        self.advance()
        self.expect("BY", "BY after ORDER")
        self._refuse_all("ORDER BY")
        keys = self._items(self._ordered)
        self.check_length(keys, "ORDER BY list", self.limits.columns)
        return exp.Order(expressions=keys)

    def _refuse_all(self, clause: str) -> None:
        if self.token.word == "ALL":
            raise self.failed(f"ADQL has no {clause} ALL: name the columns.")

    def _ordered(self) -> exp.Ordered:
        key = self._order_key_of_2_0() if self.version == "2.0" else self.value()
        descending = self.token.word in ("ASC", "DESC") and self.advance().word == "DESC"
        return exp.Ordered(this=key, desc=descending, nulls_first=False)

    def _plain_column(self) -> exp.Expression:
        """GROUP BY of ADQL 2.0 takes columns only."""
        first = self.token
        key = self.value()
        if not isinstance(key, exp.Column):
            raise self.failed("In ADQL 2.0, for which this query asks, GROUP BY takes columns only.", first)
        return key

    def _order_key_of_2_0(self) -> exp.Expression:
        """ORDER BY of ADQL 2.0 takes columns of the result, by name or number."""
        first = self.token
        key = self.value()
        plain = isinstance(key, exp.Column) and not key.table
        if not plain and not (isinstance(key, exp.Literal) and key.this.isdigit()):
            hint = "names of columns of the result, or their numbers"
            raise self.failed(f"In ADQL 2.0, for which this query asks, ORDER BY takes {hint}.", first)
        return key

    def _count_table(self) -> None:
        self._n_tables += 1
        if self._n_tables > self.limits.tables:
            raise QueryTooLargeError("number of tables", size=None, limit=self.limits.tables)


def _only_parentheses(tree: exp.Query) -> bool:
    """Whether a tree is a query in parentheses and nothing more."""
    return type(tree) is exp.Subquery and not any(value for key, value in tree.args.items() if key != "this")


def _own(operand: exp.Query) -> exp.Query:
    """An operand of a set operation, wrapped if it has a limit of its own."""
    return exp.Subquery(this=operand) if isinstance(operand, exp.Select) and operand.args.get("limit") else operand

"""From T-SQL's trees to those that ADQL's parser makes, which `bind` takes.

Only the shape changes: every call is `exp.Anonymous` with its name as written, CONVERT names its type, `x = value` in a
SELECT list is an alias, a chain of AND or OR is balanced, every name knows its place. What the parts mean is the
binder's affair, under its rules of T-SQL. Of the statements of a batch only queries come here; INTO is left out.

Beyond ADQL's shapes there stand `exp.Window`, `exp.TryCast`, operators of bits, `exp.All` and `exp.Any`; a LIKE with
ESCAPE is an `exp.Escape` around it; a table function is a table named by a call, APPLY a join with an `exp.Lateral`;
`Limit.meta` says `percent` or `ties` of a TOP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp

from skydex.errors import BadQueryError, QueryTooLargeError
from skydex.query.languages.limits import QueryLimits
from skydex.query.languages.tsql_places import noted_place, placed
from skydex.query.languages.tsql_shape import CHAINS, SET_OPERATIONS, check_shape
from skydex.query.tree import conjunction, flattened

__all__ = ["translate"]

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_OPERATORS = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor,
)  # fmt: skip
_MOST_HEXADECIMAL = 16
_SPOKEN = {
    exp.Parameter: "The variable {} is not declared.",
    exp.SessionParameter: "The server's own variable {} is not offered.",
    exp.Collate: "COLLATE is not offered: texts compare without regard to case.",
    exp.AtTimeZone: "AT TIME ZONE is not offered: times are UTC.",
    exp.Boolean: "T-SQL has no {}: a flag is 1 or 0.",
    exp.Pivot: "PIVOT is not offered: CASE inside of SUM does the same.",
}


def translate(query: exp.Expression, *, limits: QueryLimits | None = None) -> exp.Query:
    """A query of T-SQL as `parse_tsql` gives it, in the shape that `bind` takes.

    Raises
    ------
    BadQueryError
        A construct that is not offered.
    QueryTooLargeError
        An expression that is too deep.

    Examples
    --------
    >>> from skydex.query.languages.tsql import parse_tsql
    >>> translate(parse_tsql("select top 3 x = a.ra, [b c] from [t] a")[0]).sql()
    'SELECT a.ra AS x, "b c" FROM "t" AS a LIMIT 3'
    """
    check_shape(query, limits or QueryLimits())
    return _query(query)


def _query(node: exp.Expression) -> exp.Query:
    if isinstance(node, exp.Subquery):
        return _only(_subquery(node))
    if isinstance(node, SET_OPERATIONS):
        return _set_operation(node)
    if isinstance(node, exp.Select):
        return _select(node)
    raise BadQueryError("A query begins with SELECT or WITH.", **noted_place(node))


def _only(node: exp.Subquery) -> exp.Query:
    """What stands in parentheses that do nothing."""
    tailed = any(node.args.get(clause) for clause in ("order", "limit", "offset", "with_"))
    return node if tailed or node.alias or not isinstance(node.this, exp.Query) else node.this


def _subquery(node: exp.Subquery) -> exp.Subquery:
    inner = _query(node.this)
    return placed(exp.Subquery(this=inner, **_tail(node)), node)


def _set_operation(node: exp.SetOperation) -> exp.Query:
    kind, distinct = type(node), bool(node.args.get("distinct"))
    if not distinct and not isinstance(node, exp.Union):
        raise BadQueryError(f"T-SQL has no {type(node).__name__.upper()} ALL.", **noted_place(node))
    left, right = _query(node.this), _query(node.expression)
    return placed(kind(this=left, expression=right, distinct=distinct, **_tail(node)), node)


def _tail(node: exp.Expression) -> dict[str, Any]:
    """WITH, ORDER BY, OFFSET and the number of rows."""
    parts: dict[str, Any] = {}
    if node.args.get("with_") is not None:
        parts["with_"] = _with(node.args["with_"])
    if node.args.get("order") is not None:
        parts["order"] = _order(node.args["order"])
    limit = node.args.get("limit")
    if isinstance(limit, exp.Limit | exp.Fetch):
        parts["limit"] = _limit(limit)
    if node.args.get("offset") is not None:
        parts["offset"] = exp.Offset(expression=_rows(node.args["offset"].expression, "OFFSET"))
    return parts


def _with(node: exp.With) -> exp.With:
    tables = []
    for table in node.expressions:
        query = _renamed(_query(table.this), table.args["alias"])
        tables.append(exp.CTE(this=query, alias=exp.TableAlias(this=_identifier(table.args["alias"].this))))
    return exp.With(expressions=tables)


def _limit(node: exp.Limit | exp.Fetch) -> exp.Limit:
    options = node.args.get("limit_options")
    word, rows = ("TOP", node.expression) if isinstance(node, exp.Limit) else ("FETCH", node.args.get("count"))
    is_percent = options is not None and bool(options.args.get("percent"))
    limit = exp.Limit(expression=_percent(rows) if is_percent else _rows(rows, word))
    limit.meta["percent"] = is_percent
    limit.meta["ties"] = options is not None and bool(options.args.get("with_ties"))
    return limit


def _rows(node: exp.Expression | None, word: str) -> exp.Literal:
    inner = _value(node).unnest() if node is not None else exp.Literal.number(1)
    if not isinstance(inner, exp.Literal) or not inner.this.isdigit():
        raise BadQueryError(f"{word} needs a whole number of rows.", **(noted_place(node) if node is not None else {}))
    return exp.Literal(this=inner.this, is_string=False)


def _percent(node: exp.Expression) -> exp.Literal:
    inner = _value(node).unnest()
    if not isinstance(inner, exp.Literal) or inner.is_string or not 0.0 <= float(inner.this) <= 100.0:
        raise BadQueryError("TOP ... PERCENT needs a number from 0 to 100.", **noted_place(node))
    return exp.Literal(this=inner.this, is_string=False)


def _order(node: exp.Order) -> exp.Order:
    keys = [exp.Ordered(this=_value(key.this), desc=bool(key.args.get("desc"))) for key in node.expressions]
    return exp.Order(expressions=keys)


def _select(node: exp.Select) -> exp.Select:
    select = placed(exp.Select(expressions=[_item(item) for item in node.expressions], **_tail(node)), node)
    distinct, from_, where = (node.args.get(clause) for clause in ("distinct", "from_", "where"))
    group, having = node.args.get("group"), node.args.get("having")
    if distinct is not None:
        select.set("distinct", exp.Distinct())
    if from_ is not None:
        select.set("from_", exp.From(this=_source(from_.this)))
        select.set("joins", [_join(join) for join in node.args.get("joins") or ()])
    if where is not None:
        select.set("where", exp.Where(this=_condition(where.this)))
    if group is not None:
        select.set("group", _group(group))
    if having is not None:
        select.set("having", exp.Having(this=_condition(having.this)))
    return select


def _item(node: exp.Expression) -> exp.Expression:
    """An item of a SELECT list."""
    if isinstance(node, exp.Star):
        return placed(exp.Star(), node)
    if isinstance(node, exp.Alias):
        return exp.Alias(this=_value(node.this), alias=_identifier(node.args["alias"]))
    if isinstance(node, exp.EQ) and isinstance(node.this, exp.Literal) and node.this.is_string:
        return exp.Alias(this=_value(node.expression), alias=exp.Identifier(this=node.this.this, quoted=True))
    return _value(node)


def _group(node: exp.Group) -> exp.Group:
    for word in ("rollup", "cube", "grouping_sets", "totals", "all"):
        if node.args.get(word):
            raise BadQueryError(f"GROUP BY with {word.replace('_', ' ').upper()} is not offered.", **noted_place(node))
    for key in node.expressions:
        if isinstance(key, exp.Literal):
            raise BadQueryError("GROUP BY names columns or expressions, no positions.", **noted_place(key))
    return exp.Group(expressions=[_value(key) for key in node.expressions])


def _source(node: exp.Expression) -> exp.Expression:
    """An entry of FROM."""
    joins = node.args.get("joins") or ()
    if joins and not isinstance(node, exp.Subquery):
        first = node.copy()
        first.set("joins", None)
        inner = _source(first)
        inner.set("joins", [_join(join) for join in joins])
        return placed(exp.Subquery(this=inner), node)
    if node.args.get("pivots"):
        raise BadQueryError(_SPOKEN[exp.Pivot], **noted_place(node))
    if isinstance(node, exp.Table):
        return _table(node)
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Subquery) and not node.alias:
        return _joined(node)
    if isinstance(node, exp.Subquery):
        inner = _renamed(_query(node.this), node.args["alias"])
        alias = exp.TableAlias(this=_identifier(node.args["alias"].this))
        return placed(exp.Subquery(this=inner, alias=alias), node)
    if isinstance(node, exp.Values):
        return _values(node)
    raise BadQueryError("FROM names tables, or queries in parentheses with an alias.", **noted_place(node))


def _joined(node: exp.Subquery) -> exp.Expression:
    """A join in parentheses, or one table there."""
    inner = _source(node.this)
    joins = node.args.get("joins") or ()
    if not joins:
        return inner
    inner.set("joins", [_join(join) for join in joins])
    return placed(exp.Subquery(this=inner), node)


def _table(node: exp.Table) -> exp.Table:
    if node.args.get("sample"):
        raise BadQueryError("TABLESAMPLE is not offered: ORDER BY NEWID() gives a random order.", **noted_place(node))
    name = node.this
    parts: dict[str, Any] = {"this": _call(name) if isinstance(name, exp.Anonymous) else _identifier(name)}
    for part in ("db", "catalog"):
        given = node.args.get(part)
        if given is not None:
            parts[part] = _identifier(given) if given else exp.Identifier(this="dbo", quoted=False)
    if node.args.get("alias") is not None:
        parts["alias"] = exp.TableAlias(this=_identifier(node.args["alias"].this))
    return placed(exp.Table(**parts), node)


def _values(node: exp.Values) -> exp.Expression:
    """Rows that are written out, as the queries that give them."""
    alias = node.args.get("alias")
    if alias is None or not alias.columns:
        raise BadQueryError("VALUES in FROM needs names: (VALUES (1, 2)) AS t(a, b).", **noted_place(node))
    rows = [exp.Select(expressions=[_value(item) for item in row.expressions]) for row in node.expressions]
    query = _stacked(rows)
    return exp.Subquery(this=_renamed(query, alias), alias=exp.TableAlias(this=_identifier(alias.this)))


def _stacked(queries: Sequence[exp.Query]) -> exp.Query:
    """The rows of all queries, as a tree of the least depth."""
    if len(queries) == 1:
        return queries[0]
    middle = len(queries) // 2
    return exp.Union(this=_stacked(queries[:middle]), expression=_stacked(queries[middle:]), distinct=False)


def _renamed(query: exp.Query, alias: exp.TableAlias) -> exp.Query:
    """A query whose columns have the names that stand behind its own."""
    names = alias.columns
    if not names:
        return query
    first: exp.Expression = query
    while not isinstance(first, exp.Select):
        first = first.this
    items = first.expressions
    if len(items) != len(names) or any(item.is_star for item in items):
        raise BadQueryError(
            f'"{alias.this.name}" names {len(names)} columns; its query must list them.', **noted_place(alias)
        )
    bare = [item.this if isinstance(item, exp.Alias) else item for item in items]
    first.set("expressions", [exp.Alias(this=i, alias=_identifier(n)) for i, n in zip(bare, names, strict=True)])
    return query


def _join(node: exp.Join) -> exp.Join:
    words = {key: value for key in ("side", "kind") if (value := node.args.get(key))}
    if words.get("kind") == "OUTER":
        del words["kind"]
    if isinstance(node.this, exp.Lateral):
        return exp.Join(this=_applied(node.this), kind="CROSS")
    on = node.args.get("on")
    return exp.Join(this=_source(node.this), on=_condition(on) if on is not None else None, **words)


def _applied(node: exp.Lateral) -> exp.Lateral:
    inner = node.this
    if isinstance(inner, exp.Anonymous | exp.Dot):
        applied: exp.Expression = _call(inner)
    else:
        applied = _subquery(inner)
    alias = exp.TableAlias(this=_identifier(node.args["alias"].this)) if node.args.get("alias") else None
    return placed(exp.Lateral(this=applied, alias=alias, cross_apply=node.args.get("cross_apply")), node)


def _condition(node: exp.Expression) -> exp.Expression:
    """A condition: in T-SQL no value is one."""
    if isinstance(node, CHAINS):
        return _chain(node)
    if isinstance(node, exp.Paren | exp.Not):
        return type(node)(this=_condition(node.this))
    if isinstance(node, _COMPARISONS):
        return type(node)(this=_value(node.this), expression=_right_side(node.expression))
    if isinstance(node, exp.Between):
        return exp.Between(this=_value(node.this), low=_value(node.args["low"]), high=_value(node.args["high"]))
    if isinstance(node, exp.In):
        return _in(node)
    if isinstance(node, exp.Like | exp.Is):
        return _negated(type(node)(this=_value(node.this), expression=_value(node.expression)), node)
    if isinstance(node, exp.Escape) and isinstance(node.this, exp.Like):
        like = exp.Like(this=_value(node.this.this), expression=_value(node.this.expression))
        return _negated(exp.Escape(this=like, expression=_value(node.expression)), node.this)
    if isinstance(node, exp.Exists):
        return exp.Exists(this=_query(node.this))
    _value(node)  # its own complaint first
    raise BadQueryError("A value alone is no condition: compare it with something, as in x = 1.", **noted_place(node))


def _chain(node: exp.Expression) -> exp.Expression:
    parts, most = list(flattened(node, type(node))), QueryLimits().conditions
    if len(parts) > most:
        what = f"number of conditions joined by {type(node).__name__.upper()}"
        raise QueryTooLargeError(
            what, size=len(parts), limit=most, hint="Upload the values as a table and join with it."
        )
    return conjunction([_condition(part) for part in parts], type(node))


def _negated(test: exp.Expression, node: exp.Expression) -> exp.Expression:
    return exp.Not(this=test) if node.args.get("negate") else test


def _right_side(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.All | exp.Any):
        return type(node)(this=_query(node.this))
    return _value(node)


def _in(node: exp.In) -> exp.In:
    query = node.args.get("query")
    if query is None:
        return exp.In(this=_value(node.this), expressions=[_value(item) for item in node.expressions])
    return exp.In(this=_value(node.this), query=exp.Subquery(this=_query(query)))


def _value(node: exp.Expression) -> exp.Expression:
    method = _VALUES.get(type(node))
    if method is not None:
        return method(node)
    if isinstance(node, (*CHAINS, *_COMPARISONS, exp.Not, exp.Between, exp.In, exp.Like, exp.Is, exp.Exists)):
        hint = "CASE WHEN condition THEN 1 ELSE 0 END makes a value of it."
        raise BadQueryError(f"A condition begins here, where a value is expected: {hint}", **noted_place(node))
    sentence = _SPOKEN.get(type(node), "{} is not offered here.")
    raise BadQueryError(sentence.format(node.sql("tsql")[:60]), **noted_place(node))


def _column(node: exp.Column) -> exp.Expression:
    parts = {part: _identifier(node.args[part]) for part in ("table", "db", "catalog") if node.args.get(part)}
    this = placed(exp.Star(), node.this) if isinstance(node.this, exp.Star) else _identifier(node.this)
    return placed(exp.Column(this=this, **parts), node)


def _literal(node: exp.Expression) -> exp.Expression:
    return placed(exp.Literal(this=node.name, is_string=bool(node.is_string)), node)


def _hexadecimal(node: exp.HexString) -> exp.Expression:
    if len(node.name.lstrip("0")) > _MOST_HEXADECIMAL:
        raise BadQueryError(f"A hexadecimal number has at most {_MOST_HEXADECIMAL} digits.", **noted_place(node))
    return placed(exp.Literal(this=str(int(node.name or "0", 16)), is_string=False), node)


def _paren(node: exp.Expression) -> exp.Expression:
    return placed(type(node)(this=_value(node.this)), node)


def _operation(node: exp.Expression) -> exp.Expression:
    return type(node)(this=_value(node.this), expression=_value(node.expression))


def _case(node: exp.Case) -> exp.Expression:
    test = _condition if node.this is None else _value
    branches = [exp.If(this=test(branch.this), true=_value(branch.args["true"])) for branch in node.args["ifs"]]
    default = node.args.get("default")
    return placed(
        exp.Case(
            this=_value(node.this) if node.this is not None else None,
            ifs=branches,
            default=_value(default) if default is not None else None,
        ),
        node,
    )


def _cast(node: exp.Expression) -> exp.Expression:
    return placed(type(node)(this=_value(node.this), to=_type(node.args["to"])), node)


def _type(node: exp.DataType) -> exp.DataType:
    """A type under its name in T-SQL, in capitals, with its sizes."""
    name = str(node.args.get("kind") or _TYPE_NAMES.get(node.this.value, node.this.value)).upper()
    return _named_type(name, [size.name for size in node.expressions])


def _named_type(name: str, sizes: Sequence[str]) -> exp.DataType:
    parameters = [exp.DataTypeParam(this=exp.Var(this=size.upper())) for size in sizes]
    name = _SYNONYMS.get(name.upper(), name.upper())
    return exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=name, expressions=parameters)


def _call(node: exp.Expression) -> exp.Expression:
    """A call; one of a schema's functions has the schema in its name."""
    if isinstance(node, exp.Dot):
        schema, inner = node.this.sql("tsql"), _value(node.expression)
        if not isinstance(inner, exp.Anonymous):
            raise BadQueryError(f"{schema}. is followed by the name of a column or function.", **noted_place(node))
        return placed(exp.Anonymous(this=f"{schema}.{inner.name}", expressions=inner.expressions), node)
    name = node.name.upper()
    if name in ("CONVERT", "TRY_CONVERT"):
        return _conversion(node, exp.Cast if name == "CONVERT" else exp.TryCast)
    arguments = [_condition_or_value(item) if name == "IIF" else _argument(item) for item in node.expressions]
    return placed(exp.Anonymous(this=node.name, expressions=arguments), node)


def _condition_or_value(node: exp.Expression) -> exp.Expression:
    is_first = node.parent is not None and node.parent.expressions[0] is node
    return _condition(node) if is_first else _value(node)


def _argument(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Star):
        return placed(exp.Star(), node)
    if isinstance(node, exp.Distinct):
        return exp.Distinct(expressions=[_value(item) for item in node.expressions])
    return _value(node)


def _conversion(node: exp.Expression, kind: type[exp.Expression]) -> exp.Expression:
    """CONVERT(type, value[, style]) as a cast that knows its style."""
    arguments = node.expressions
    if len(arguments) not in (2, 3) or not isinstance(arguments[0], exp.Column | exp.Anonymous):
        raise BadQueryError(f"{node.name} takes a type, a value and perhaps a style.", **noted_place(node))
    sizes = [size.name for size in arguments[0].expressions] if isinstance(arguments[0], exp.Anonymous) else []
    cast = placed(kind(this=_value(arguments[1]), to=_named_type(arguments[0].name, sizes)), node)
    if len(arguments) == 3:
        cast.set("format", _value(arguments[2]))
    return cast


def _trim(node: exp.Trim) -> exp.Expression:
    characters = node.args.get("expression")
    position = str(node.args.get("position") or "").upper()
    name = {"LEADING": "LTRIM", "TRAILING": "RTRIM"}.get(position, "TRIM")
    arguments = [_value(node.this), *([_value(characters)] if characters is not None else [])]
    return placed(exp.Anonymous(this=name, expressions=arguments), node)


def _now(node: exp.Expression) -> exp.Expression:
    return placed(exp.Anonymous(this="GETDATE", expressions=[]), node)


def _window(node: exp.Window) -> exp.Expression:
    order, frame = node.args.get("order"), node.args.get("spec")
    if node.args.get("alias") is not None:
        raise BadQueryError("A window is written out behind OVER.", **noted_place(node))
    call = node.this.this if isinstance(node.this, exp.IgnoreNulls | exp.RespectNulls) else node.this
    return exp.Window(
        this=_call(call),
        partition_by=[_value(key) for key in node.args.get("partition_by") or ()],
        order=_order(order) if order is not None else None,
        spec=frame.copy() if frame is not None else None,
    )


def _within_group(node: exp.WithinGroup) -> exp.Expression:
    return exp.WithinGroup(this=_call(node.this), expression=_order(node.expression))


_SYNONYMS = {"DOUBLE PRECISION": "FLOAT", "INTEGER": "INT", "DEC": "DECIMAL", "CHARACTER": "CHAR"}
_TYPE_NAMES = {"DOUBLE": "FLOAT", "FLOAT": "REAL", "UTINYINT": "TINYINT", "TIMESTAMP": "DATETIME2"}
"""What T-SQL calls types that sqlglot calls otherwise."""
_VALUES: dict[type[exp.Expression], Callable[[Any], exp.Expression]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.National: lambda node: placed(exp.Literal(this=node.name, is_string=True), node),
    exp.HexString: _hexadecimal,
    exp.Null: lambda node: placed(exp.Null(), node),
    **dict.fromkeys((exp.Paren, exp.Neg, exp.BitwiseNot), _paren),
    **dict.fromkeys(_OPERATORS, _operation),
    exp.Case: _case,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Anonymous: _call,
    exp.Dot: _call,
    exp.Trim: _trim,
    exp.CurrentTimestamp: _now,
    exp.Window: _window,
    exp.WithinGroup: _within_group,
    exp.Subquery: lambda node: exp.Subquery(this=_query(node)),
}


def _identifier(node: exp.Expression) -> exp.Identifier:
    return placed(exp.Identifier(this=node.name, quoted=bool(node.args.get("quoted"))), node)

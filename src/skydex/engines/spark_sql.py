"""A plan in Spark's own SQL.

The bound tree is neutral; what is Spark's alone is here. Spark's LIKE escapes with a backslash and its texts in the
query do too, its FLOOR and CEIL give integers, its TRUNC takes dates, its regular expressions are Java's, a row limit
is an INT, and a subquery of the rows around may not stand in ON: each is spelled so that it means what the tree does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.spark import Spark

from skydex.engines.spark_kernels import (
    COUNTED,
    REPLACED,
    TEXT_OF_DOUBLE,
    TEXT_OF_FLOAT,
    extracted,
    matching,
)
from skydex.engines.spark_times import TIMES
from skydex.errors import BadQueryError
from skydex.query import Plan, Scan
from skydex.query.geometry import expanded
from skydex.query.kernels import Kernel, computed, kernel_of
from skydex.query.tree import Compute, Gathered, Histogram, InRegion, Near, column, conjunction, integer, string
from skydex.sky import close_gaps
from skydex.tables import Column, Datatype, arrow_type

__all__ = ["function_name", "spelled", "within_ranges"]

_MOST_RANGES = 16
"""If there are more index ranges than this, the narrowest gaps between them are read as well."""
_MOST_COUNTS = 256
"""Histograms of more bins are counted by a kernel, from a list of all values of a group."""
_MOST_ROWS = 2**31 - 1
"""Spark counts rows of LIMIT and OFFSET in 32 bits."""
_SMALL = 12
"""Expressions of more nodes are not written out more than once."""


def spelled(plan: Plan, views: Mapping[str, str]) -> tuple[str, set[Kernel]]:
    """Spell a plan, and say which kernels it calls.

    Parameters
    ----------
    plan : Plan
        What to run.
    views : mapping of str to str
        What the session calls the rows of each source: those of files as they are stored, others as they are.
    """
    query = plan.bound.tree.copy()
    for test in list(query.find_all(InRegion, Near)):
        test.replace(exp.Paren(this=expanded(test)))
    _adapt(query)
    calls = list(query.find_all(Compute))
    kernels = {kernel_of(call) for call in calls}
    for call in calls:
        call.replace(exp.Anonymous(this=function_name(kernel_of(call)), expressions=call.expressions))
    if plan.limit is not None and plan.limit <= _MOST_ROWS:
        query = exp.select("*").from_(query.subquery("answer", copy=False), copy=False).limit(plan.limit, copy=False)
    for name, view in views.items():
        query = query.with_(exp.to_identifier(name), as_=_rows_of(plan.scans[name], view), copy=False)
    return str(query.sql(dialect=_Dialect, copy=False, identify=True)), kernels


def function_name(kernel: Kernel) -> str:
    """What Spark calls a kernel."""
    return f"skydex_{kernel.name}"


def _rows_of(scan: Scan, view: str) -> exp.Select:
    """The needed columns of a view, in their logical types."""
    is_stored = scan.selection is not None and bool(scan.selection.pieces) and not scan.is_distant
    outputs = [
        exp.alias_(_logical(item, scan) if is_stored else _named(item.name), item.name, quoted=True)
        for item in scan.column_list()
    ]
    query = exp.Select(expressions=outputs)
    query.set("from_", exp.From(this=exp.Table(this=exp.to_identifier(view))))
    within = within_ranges(scan) if is_stored else None
    if within is not None:
        query.set("where", exp.Where(this=within))
    return query


def _logical(item: Column, scan: Scan) -> exp.Expression:
    """A stored column in the type that it is published in; foreign NaN as null."""
    dataset, _ = scan.stored
    name = scan.stored_name(item)
    stored, physical = _named(name), dataset.arrow_schema.field(name).type
    if item.datatype.is_floating and not item.is_array and dataset.nan_is_null:
        usable = exp.Not(this=exp.Anonymous(this="isnan", expressions=[stored.copy()]))
        return exp.Case(ifs=[exp.If(this=usable, true=stored)])
    if item.is_timestamp and physical != arrow_type(item):
        return exp.Cast(this=stored, to=exp.DataType.build("timestamp"))
    if item.datatype.is_integer and not item.is_array and physical != arrow_type(item):
        return exp.Cast(this=stored, to=exp.DataType.build("bigint"))
    return stored


def _named(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def within_ranges(scan: Scan) -> exp.Expression | None:
    """Condition on the index column, so that Spark skips row groups; the region itself is tested elsewhere."""
    dataset, ranges, selection = scan.relation.dataset, scan.ranges, scan.selection
    if (
        dataset is None
        or ranges is None
        or selection is None
        or selection.whole
        or not len(ranges)
        or dataset.index_column is None
        or dataset.index_order != 29
    ):
        return None
    ranges = close_gaps(ranges, _MOST_RANGES)
    index = _named(dataset.index_column)
    spans = [exp.Between(this=index.copy(), low=integer(int(low)), high=integer(int(high) - 1)) for low, high in ranges]
    return conjunction(spans, exp.Or)


def _adapt(query: exp.Expression) -> None:
    """Change, in a tree, what Spark means differently or does not take; the innermost first."""
    for node in reversed(list(query.walk(bfs=False))):
        change = _CHANGES.get(type(node))
        if change is not None:
            change(node)


def _large_numbers(node: exp.Expression) -> None:
    """Arithmetic of written integers is done in 64 bits."""
    for part in (node.this, node.args.get("expression")):
        bare = part.unnest() if part is not None else None
        bare = bare.this if isinstance(bare, exp.Neg) else bare
        if isinstance(bare, exp.Literal) and not bare.is_string and not bare.meta.get("double") and bare.this.isdigit():
            bare.meta["long"] = True


def _no_escape(node: exp.Expression) -> None:
    """A backslash in a pattern of LIKE is a backslash, unless ESCAPE says otherwise."""
    pattern = node.expression
    if isinstance(node.parent, exp.Escape):
        sign = node.parent.expression
        if not isinstance(pattern, exp.Literal) or not isinstance(sign, exp.Literal):
            raise BadQueryError("With ESCAPE the pattern of LIKE is a text that is written out.")
        pattern.replace(string(_escaped(pattern.this, sign.this)))
        node.parent.replace(node)
    elif isinstance(pattern, exp.Literal):
        pattern.replace(string(pattern.this.replace("\\", "\\\\")))
    else:
        twice = exp.Replace(this=pattern.copy(), expression=string("\\"), replacement=string("\\\\"))
        pattern.replace(twice)


def _escaped(pattern: str, sign: str) -> str:
    """A pattern of which a sign takes wildcards their meaning, with a backslash in its place."""
    made, signs = "", iter(pattern)
    for letter in signs:
        following = next(signs, "") if letter == sign else letter
        made += f"\\{following}" if following == "\\" or (letter == sign and following in ("%", "_")) else following
    return made


def _matched(node: exp.Expression) -> None:
    _replace_by_kernel(node, matching(_written(node.expression)), node.this)


def _extracted(node: exp.Expression) -> None:
    group = node.args.get("group")
    _replace_by_kernel(node, extracted(_written(node.expression), int(group.name) if group else 0), node.this)


def _replaced(node: exp.Expression) -> None:
    flags = node.args.get("modifiers")
    letters = flags.this.replace("g", "") if flags is not None else ""
    pattern: exp.Expression = node.expression
    if letters:
        pattern = exp.DPipe(this=string(f"(?{letters})"), expression=exp.Paren(this=pattern.copy()))
    _replace_by_kernel(node, REPLACED, node.this, pattern, node.args["replacement"])


def _written(pattern: exp.Expression) -> str:
    bare = pattern.unnest()
    if not isinstance(bare, exp.Literal):
        raise BadQueryError("On Spark a pattern is a text that is written out.")
    return str(bare.this)


def _replace_by_kernel(node: exp.Expression, kernel: Kernel, *arguments: exp.Expression) -> None:
    node.replace(computed(kernel, *arguments))


def _cast(node: exp.Expression) -> None:
    """Numbers become the text that reads back as them; a fraction is cut off by the cast itself."""
    target, origin = node.args["to"], node.meta.get("from")
    if isinstance(node.this, exp.Trunc) and target.this in _INTEGERS:
        node.set("this", node.this.this)
    elif target.this in exp.DataType.TEXT_TYPES and origin in (Datatype.FLOAT, Datatype.DOUBLE):
        kernel = TEXT_OF_FLOAT if origin is Datatype.FLOAT else TEXT_OF_DOUBLE
        kind = "float" if origin is Datatype.FLOAT else "double"
        _replace_by_kernel(node, kernel, exp.Cast(this=node.this, to=exp.DataType.build(kind)))


_INTEGERS = (exp.DataType.Type.SMALLINT, exp.DataType.Type.INT, exp.DataType.Type.BIGINT)


def _histogram(node: Histogram) -> None:
    """Counts of each number: one by one if there are few, else of a list."""
    n_bins = int(node.expression.this)
    if n_bins <= _MOST_COUNTS:
        same = [exp.EQ(this=node.this.copy(), expression=integer(i)) for i in range(n_bins)]
        node.replace(exp.Array(expressions=[exp.CountIf(this=test) for test in same]))
    else:
        listed = exp.Anonymous(this="collect_list", expressions=[node.this.copy()])
        _replace_by_kernel(node, COUNTED, listed, node.expression)


def _gathered_sql(generator: Any, node: Gathered) -> str:
    fields = [f"'{name}', {generator.sql(part)}" for name, part in node.fields.items()]
    rows = generator.sql(node.expressions[0]) if len(fields) == 1 else f"NAMED_STRUCT({', '.join(fields)})"
    return f"COLLECT_LIST({rows})"


def _condition_below(join: exp.Expression) -> None:
    """What an inner join asks in a subquery is asked after it: Spark takes no subquery of the rows around in ON."""
    on, select = join.args.get("on"), join.parent
    if on is None or join.side or not isinstance(select, exp.Select) or on.find(exp.Query) is None:
        return
    later = select.args["joins"][select.args["joins"].index(join) + 1 :]
    if any((other.side or "").upper() in ("RIGHT", "FULL") for other in later):
        return
    join.set("on", None)
    join.set("kind", "CROSS")
    select.where(exp.Paren(this=on), copy=False)


def _quantified(node: exp.Expression) -> None:
    """A comparison with ANY or ALL rows: whether there is a row that decides it, or one of which it is not known."""
    rows = node.expression
    if not isinstance(rows, exp.Any | exp.All) or rows.find(exp.Query) is None:
        return
    is_any = isinstance(rows, exp.Any)
    query = rows.find(exp.Query)
    inner = query.this if isinstance(query, exp.Subquery) else query
    test = type(node)(this=node.this.copy(), expression=column("quantified", "c0"))
    decisive = test if is_any else exp.Not(this=exp.Paren(this=test))
    unknown = exp.Is(this=exp.Paren(this=test.copy()), expression=exp.Null())
    ifs = [
        exp.If(this=_there_is(inner, decisive), true=exp.Boolean(this=is_any)),
        exp.If(this=_there_is(inner, unknown), true=exp.Cast(this=exp.Null(), to=exp.DataType.build("boolean"))),
    ]
    node.replace(exp.Paren(this=exp.Case(ifs=ifs, default=exp.Boolean(this=not is_any))))


def _there_is(query: exp.Expression, condition: exp.Expression) -> exp.Expression:
    alias = exp.TableAlias(this=exp.to_identifier("quantified"))
    found = exp.Select(expressions=[integer(1)])
    found.set("from_", exp.From(this=exp.Subquery(this=query.copy(), alias=alias)))
    found.set("where", exp.Where(this=condition))
    return exp.Exists(this=found)


def _few_rows(clause: exp.Expression) -> None:
    """A limit and an offset are at most as large together as Spark counts; a limit beyond that limits nothing."""
    offset = clause if isinstance(clause, exp.Offset) else clause.parent.args.get("offset")
    skipped = min(int(offset.expression.this), _MOST_ROWS) if offset is not None else 0
    if isinstance(clause, exp.Offset):
        clause.set("expression", integer(skipped))
    elif int(clause.expression.this) + skipped > _MOST_ROWS:
        clause.parent.set("limit", None)


def _sorted_outputs(order: exp.Expression) -> None:
    """What is ordered by is an output: Spark does not look behind DISTINCT, and takes no subquery in ORDER BY."""
    select = order.parent
    if not isinstance(select, exp.Select):
        return
    outputs = {item.this: position for position, item in enumerate(select.expressions, start=1)}
    keys = [key for key in order.expressions if not isinstance(key.this, exp.Literal)]
    for key in keys:
        if key.this in outputs:
            key.set("this", integer(outputs[key.this]))
    if any(key.find(exp.Query) is not None for key in order.expressions):
        _sort_outside(select, order)


def _sort_outside(select: exp.Select, order: exp.Expression) -> None:
    """Order a SELECT in one around it, by outputs of which some are shown to nobody."""
    n, hidden = len(select.expressions), list(select.expressions)
    for key in order.expressions:
        if isinstance(key.this, exp.Literal):
            key.set("this", column("sorted", f"c{int(key.this.this) - 1}"))
        else:
            name = f"c{len(hidden)}"
            hidden.append(exp.Alias(this=key.this.copy(), alias=exp.to_identifier(name, quoted=True)))
            key.set("this", column("sorted", name))
    inner = exp.Select(**{**select.args, "expressions": hidden, "order": None, "limit": None, "offset": None})
    inner = inner.copy()
    shown = [exp.Alias(this=column("sorted", f"c{i}"), alias=exp.to_identifier(f"c{i}", quoted=True)) for i in range(n)]
    alias = exp.TableAlias(this=exp.to_identifier("sorted"))
    kept = {clause: select.args.get(clause) for clause in ("order", "limit", "offset")}
    for clause in list(select.args):
        select.set(clause, None)
    select.set("expressions", shown)
    select.set("from_", exp.From(this=exp.Subquery(this=inner, alias=alias)))
    for clause, part in kept.items():
        select.set(clause, part)


def _one_of_group(select: exp.Expression) -> None:
    """A subquery of what a group has in common is the same for all its rows: that of the first one stands for it."""
    group = select.args.get("group")
    if group is None:
        return
    own = {item.alias for item in select.find_all(exp.Table, exp.Subquery) if item.alias}
    for output in select.expressions:
        for query in list(output.find_all(exp.Subquery)):
            is_inside = query.find_ancestor(exp.AggFunc, exp.Select) is not select
            inner = {item.alias for item in query.this.find_all(exp.Table, exp.Subquery)}
            outer = {part.table for part in query.this.find_all(exp.Column)} - inner
            if not is_inside and outer & own and query not in group.expressions:
                query.replace(exp.Anonymous(this="any_value", expressions=[query.copy()]))


_CHANGES: dict[type[exp.Expression], Callable[[Any], None]] = {
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.IntDiv, exp.Mod, exp.Neg, exp.Abs), _large_numbers),
    **dict.fromkeys((exp.Like, exp.ILike), _no_escape),
    exp.RegexpLike: _matched,
    exp.RegexpExtract: _extracted,
    exp.RegexpReplace: _replaced,
    **dict.fromkeys((exp.Cast, exp.TryCast), _cast),
    Histogram: _histogram,
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _quantified),
    exp.Join: _condition_below,
    exp.Select: _one_of_group,
    exp.Order: _sorted_outputs,
    **dict.fromkeys((exp.Limit, exp.Offset), _few_rows),
}


def _rounding(form: str) -> Callable[[Any, exp.Expression], str]:
    """A rounding that gives a double: of `v`, which is written once if it is long."""

    def sql(generator: Any, node: exp.Expression) -> str:
        value = generator.sql(exp.Cast(this=node.this, to=exp.DataType.build("double")))
        if sum(1 for _ in node.this.walk()) <= _SMALL and node.this.find(exp.Rand, exp.Anonymous, exp.Query) is None:
            return f"({form.replace('v', value)})"
        return f"TRANSFORM(ARRAY({value}), v -> {form})[0]"

    return sql


_FLOOR = "RINT(v) - IF(RINT(v) > v, 1e0, 0e0)"
_CEIL = "RINT(v) + IF(RINT(v) < v, 1e0, 0e0)"
_TRUNC = "SIGNUM(v) * (RINT(ABS(v)) - IF(RINT(ABS(v)) > ABS(v), 1e0, 0e0))"


def _log_sql(generator: Any, node: exp.Log) -> str:
    if node.expression is None:
        return str(generator.func("LN", node.this))
    if isinstance(node.this, exp.Literal) and node.this.name == "10":
        return str(generator.func("LOG10", node.expression))
    return str(generator.func("LOG", node.this, node.expression))


def _cast_sql(generator: Any, node: exp.Cast) -> str:
    word = "TRY_CAST" if isinstance(node, exp.TryCast) else "CAST"
    kind, value = node.args["to"], generator.sql(node.this)
    if kind.this in (exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ):
        return f"CAST({word}({value} AS TIMESTAMP_LTZ) AS TIMESTAMP_NTZ)"  # a zone in a text counts, and all is UTC
    return f"{word}({value} AS {_type_name(kind)})"


def _type_name(kind: exp.DataType) -> str:
    if kind.this is exp.DataType.Type.ARRAY:
        return f"ARRAY<{_type_name(kind.expressions[0])}>"
    return _TYPES[kind.this]


_TYPES = {
    exp.DataType.Type.BOOLEAN: "BOOLEAN",
    exp.DataType.Type.UTINYINT: "SMALLINT",
    exp.DataType.Type.SMALLINT: "SMALLINT",
    exp.DataType.Type.INT: "INT",
    exp.DataType.Type.BIGINT: "BIGINT",
    exp.DataType.Type.FLOAT: "FLOAT",
    exp.DataType.Type.DOUBLE: "DOUBLE",
    exp.DataType.Type.DATE: "DATE",
    **dict.fromkeys((exp.DataType.Type.VARCHAR, exp.DataType.Type.CHAR, exp.DataType.Type.TEXT), "STRING"),
}


def _substring_sql(generator: Any, node: exp.Substring) -> str:
    """From a character that may lie before the first, as far as a length counted from there (SQL-92, 6.7)."""
    text, start, length = node.this, node.args["start"], node.args.get("length")
    whole = exp.DataType.build("int")
    if isinstance(start, exp.Literal) and start.this.isdigit() and int(start.this) > 0:
        return str(generator.func("SUBSTRING", text, start, *([exp.Cast(this=length, to=whole)] if length else [])))
    begins = generator.sql(exp.Cast(this=start, to=whole))
    before = f"IF({begins} < 0, GREATEST({begins}, -LENGTH({generator.sql(text)})), {begins})"
    if length is None:
        return f"SUBSTRING({generator.sql(text)}, {before})"
    count = generator.sql(exp.Cast(this=length, to=whole))
    return f"SUBSTRING({generator.sql(text)}, {before}, IF({begins} = 0, {count} - 1, {count}))"


def _group_concat_sql(generator: Any, node: exp.GroupConcat) -> str:
    order, subject = "", node.this
    if isinstance(subject, exp.Order):
        keys = ", ".join(generator.sql(key) for key in subject.expressions)
        order, subject = f" WITHIN GROUP (ORDER BY {keys})", subject.this
    return f"LISTAGG({generator.sql(subject)}, {generator.sql(node.args['separator'])}){order}"


def _shift_sql(generator: Any, node: exp.BitwiseRightShift) -> str:
    bits = exp.Cast(this=node.expression, to=exp.DataType.build("int"))
    return str(generator.func("SHIFTRIGHT", node.this, bits))


class _Dialect(Spark):  # type: ignore[misc]  # sqlglot ships no types
    class Generator(Spark.Generator):  # type: ignore[misc]
        TRANSFORMS: ClassVar[dict[type[exp.Expression], Any]] = {
            **{
                kind: make
                for kind, make in Spark.Generator.TRANSFORMS.items()
                if kind not in (exp.Select, exp.Trim, exp.Create)
            },
            exp.Floor: _rounding(_FLOOR),
            exp.Ceil: _rounding(_CEIL),
            exp.Trunc: _rounding(_TRUNC),
            exp.Round: lambda g, e: f"ROUND(CAST({g.sql(e.this)} AS DOUBLE), 0)",
            exp.Log: _log_sql,
            exp.Ln: lambda g, e: g.func("LN", e.this),
            exp.Cast: _cast_sql,
            exp.TryCast: _cast_sql,
            exp.Substring: _substring_sql,
            exp.GroupConcat: _group_concat_sql,
            Gathered: _gathered_sql,
            exp.BitwiseRightShift: _shift_sql,
            exp.StrPosition: lambda g, e: g.func("LOCATE", e.args["substr"], e.this),
            exp.Div: lambda g, e: g.binary(e, "/"),
            exp.IntDiv: lambda g, e: g.binary(e, "DIV"),
            exp.Mod: lambda g, e: g.binary(e, "%"),
            exp.DPipe: lambda g, e: g.binary(e, "||"),
            exp.NullSafeEQ: lambda g, e: g.binary(e, "<=>"),
            exp.Length: lambda g, e: g.func("CHAR_LENGTH", e.this),
            exp.CountIf: lambda g, e: g.func("COUNT_IF", e.this),
            exp.ArgMin: lambda g, e: g.func("MIN_BY", e.this, e.expression),
            exp.ArgMax: lambda g, e: g.func("MAX_BY", e.this, e.expression),
            **TIMES,
            exp.Exists: lambda g, e: f"EXISTS({g.sql(e.this)})",
        }

        def literal_sql(self, expression: exp.Literal) -> str:
            if expression.is_string:
                return f"'{''.join(map(_letter, expression.this))}'"
            text: str = expression.this
            if text.isdigit() and not expression.meta.get("double"):
                return f"{text}L" if expression.meta.get("long") and int(text) < 2**63 else text
            return f"{text}D"


def _letter(letter: str) -> str:
    """A character inside a text: only what means nothing to Spark's parser stands for itself."""
    if letter.isascii() and (letter.isalnum() or letter in " _.,:;+-*/=<>()[]%#@!?&|^~"):
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) < 2**16 else f"\\U{ord(letter):08x}"

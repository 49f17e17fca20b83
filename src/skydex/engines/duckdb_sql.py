"""A plan in DuckDB's own SQL.

The bound tree is neutral; what is DuckDB's alone is here: files as `read_parquet`, region tests spelled out, and
numbers in a form that DuckDB takes for doubles rather than decimals.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

from skydex.query import Plan, Scan
from skydex.query.geometry import expanded
from skydex.query.kernels import Kernel, kernel_of
from skydex.query.tree import Compute, Gathered, Histogram, InRegion, Near, conjunction, integer
from skydex.sky import close_gaps
from skydex.tables import Column, arrow_type

__all__ = ["function_name", "spelled", "sql_of"]

_MOST_RANGES = 16
"""If there are more index ranges than this, the narrowest gaps between them are read as well."""


def _histogram_sql(generator: DuckDB.Generator, node: Histogram) -> str:
    counts, numbers = generator.func("HISTOGRAM", node.this), generator.func("RANGE", node.expression)
    return f"LIST_TRANSFORM({numbers}, LAMBDA i : COALESCE({counts}[i], 0))"


def _gathered_sql(generator: DuckDB.Generator, node: Gathered) -> str:
    fields = [f"{name} := {generator.sql(part)}" for name, part in node.fields.items()]
    rows = generator.sql(node.expressions[0]) if len(fields) == 1 else f"STRUCT_PACK({', '.join(fields)})"
    return f"LIST({rows})"


class _Dialect(DuckDB):  # type: ignore[misc]  # sqlglot ships no types
    class Generator(DuckDB.Generator):  # type: ignore[misc]
        TRANSFORMS: ClassVar[dict[type[exp.Expression], Any]] = {
            **DuckDB.Generator.TRANSFORMS,
            Gathered: _gathered_sql,
            Histogram: _histogram_sql,
        }

        def literal_sql(self, expression: exp.Literal) -> str:
            text: str = super().literal_sql(expression)
            if expression.is_string or (text.isdigit() and not expression.meta.get("double")):
                return text
            return text if "e" in text.lower() else f"{text}e0"


def sql_of(plan: Plan, from_files: Iterable[str]) -> str:
    """Spell a plan, as `spelled` does."""
    return spelled(plan, from_files)[0]


def spelled(plan: Plan, from_files: Iterable[str]) -> tuple[str, set[Kernel]]:
    """Spell a plan, and say which kernels it calls.

    Parameters
    ----------
    plan : Plan
        What to run.
    from_files : iterable of str
        The sources that DuckDB reads from their files; all others are registered under their names.
    """
    query = plan.bound.tree.copy()
    for test in list(query.find_all(InRegion, Near)):
        test.replace(exp.Paren(this=expanded(test)))
    calls = list(query.find_all(Compute))
    kernels = {kernel_of(call) for call in calls}
    for call in calls:
        call.replace(exp.Anonymous(this=function_name(kernel_of(call)), expressions=call.expressions))
    if plan.limit is not None:
        answer = query.subquery("answer", copy=False)
        query = exp.select("*").from_(answer, copy=False).limit(plan.limit, copy=False)
    for name in from_files:
        query = query.with_(name, as_=_from_files(plan.scans[name]), materialized=False, copy=False)
    return str(query.sql(dialect=_Dialect, copy=False)), kernels


def function_name(kernel: Kernel) -> str:
    """What DuckDB calls a kernel."""
    return f"skydex_{kernel.name}"


def _from_files(scan: Scan) -> exp.Select:
    """SELECT of the needed columns from the files of a scan, in their logical types."""
    _, selection = scan.stored
    columns = scan.column_list()
    outputs = [exp.alias_(_logical(item, scan), item.name, quoted=True) for item in columns]
    query = exp.Select(expressions=outputs)
    query.set("from_", exp.From(this=_read_parquet([piece.file for piece in selection.pieces])))
    within = _within_ranges(scan)
    if within is not None:
        query.set("where", exp.Where(this=within))
    if not selection.pieces:
        query = _empty(columns)
    return query


def _logical(item: Column, scan: Scan) -> exp.Expression:
    """A stored column in the type that it is published in; foreign NaN as null."""
    dataset, _ = scan.stored
    name = scan.stored_name(item)
    stored = exp.column(exp.to_identifier(name, quoted=True))
    if item.datatype.is_floating and not item.is_array and dataset.nan_is_null:
        usable = exp.Not(this=exp.Anonymous(this="isnan", expressions=[stored.copy()]))
        return exp.Case(ifs=[exp.If(this=usable, true=stored)])
    physical = dataset.arrow_schema.field(name).type
    if item.datatype.is_integer and not item.is_array and physical != arrow_type(item):
        return exp.Cast(this=stored, to=exp.DataType.build("bigint"))
    return stored


def _read_parquet(files: Iterable[str]) -> exp.Expression:
    paths = exp.Array(expressions=[exp.Literal.string(file) for file in files])
    plain = exp.EQ(this=exp.to_identifier("hive_partitioning"), expression=exp.Boolean(this=False))
    return exp.Table(this=exp.Anonymous(this="read_parquet", expressions=[paths, plain]))


def _within_ranges(scan: Scan) -> exp.Expression | None:
    """Condition on the index column, so that DuckDB skips row groups; the region itself is tested elsewhere."""
    dataset, ranges, selection = scan.relation.dataset, scan.ranges, scan.selection
    if (
        dataset is None
        or ranges is None
        or selection is None
        or not selection.is_narrow
        or not len(ranges)
        or dataset.index_column is None
        or dataset.index_order != 29
    ):
        return None
    ranges = close_gaps(ranges, _MOST_RANGES)
    index = exp.column(exp.to_identifier(dataset.index_column, quoted=True))
    spans = [exp.Between(this=index.copy(), low=integer(int(low)), high=integer(int(high) - 1)) for low, high in ranges]
    return conjunction(spans, exp.Or)


def _empty(columns: Iterable[Column]) -> exp.Select:
    """No rows, in the right types."""
    nothing = [
        exp.alias_(
            exp.Cast(this=exp.Null(), to=exp.DataType.build(_type_name(item), dialect="duckdb")), item.name, quoted=True
        )
        for item in columns
    ]
    return exp.Select(expressions=nothing, where=exp.Where(this=exp.Boolean(this=False)))


def _type_name(item: Column) -> str:
    names = {
        "boolean": "boolean",
        "unsignedByte": "utinyint",
        "short": "smallint",
        "int": "integer",
        "long": "bigint",
        "float": "float",
        "double": "double",
    }
    if item.is_timestamp:
        return "timestamp"
    name = names.get(item.datatype.value, "varchar")
    return f"{name}[]" if item.is_array else name

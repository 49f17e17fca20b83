"""`Subject`: the rows of one table that are looked at, and the values of them that a look is made of.

Rows are chosen as a catalogue search chooses them: by constraints on columns and by a cone. A value is a column, or an
expression of columns in ADQL; what asks other rows or tables, or chance, is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from skydex.archive.constraints import Constraint, condition_of
from skydex.errors import BadParameterError, QuerySyntaxError, QueryTooLargeError
from skydex.query import BoundQuery, Namespace, Plan, bind, build, make_plan
from skydex.query.functions import AGGREGATES
from skydex.query.kernels import kernel_of
from skydex.query.languages import QueryLimits, parse_adql_value
from skydex.query.tree import Compute, walk
from skydex.sky import Cone
from skydex.tables import Column, Table

__all__ = ["Subject", "in_quotes"]

_ROWS = "t"
"""What the table is called in the query."""
_LIMITS = QueryLimits(text_bytes=4_000, tokens=1_000, nesting=50, list_items=200, tree_depth=200)
_MANY_ROWS = (exp.Query, exp.Subquery, exp.Exists, exp.AggFunc, exp.Window)


@dataclass(frozen=True)
class Subject:
    """Rows of a table."""

    table: str
    """Qualified name."""
    constraints: tuple[Constraint, ...] = ()
    """All of them hold."""
    cone: Cone | None = None
    """Region, if there is one."""

    @property
    def is_whole(self) -> bool:
        """Whether all rows of the table are looked at."""
        return self.cone is None and not self.constraints

    def plan(self, namespace: Namespace, values: Mapping[str, str]) -> Plan:
        """The query that gives some values of each row.

        Parameters
        ----------
        namespace : Namespace
            What there is.
        values : mapping of str to str
            Expressions by the parameter that each stands in; all are numbers.

        Raises
        ------
        UnknownTableError, UnknownColumnError
            There is no such table or column.
        BadParameterError
            A value is not a number made of columns of the table; or a constraint cannot be.
        QueryTooLargeError
            A value is too long.
        """
        table = namespace.get(self.table).table
        outputs = [build.named(_parsed(name, text), name) for name, text in values.items()]
        bound = self._bound(outputs, table, namespace)
        for parameter, output, column in zip(values, bound.tree.expressions, bound.columns, strict=True):
            _check(parameter, output.this, column)
        return make_plan(bound)

    def plan_of_columns(self, namespace: Namespace, names: Iterable[str]) -> Plan:
        """The query that gives some columns of each row, of whatever type."""
        table = namespace.get(self.table).table
        outputs = [build.column_node(table.get_column(name).name, _ROWS) for name in names]
        return make_plan(self._bound(outputs, table, namespace))

    def _bound(self, outputs: list[exp.Expression], table: Table, namespace: Namespace) -> BoundQuery:
        conditions = list(self._conditions(table))
        return bind(build.select_query(outputs, table, alias=_ROWS, conditions=conditions), namespace)

    def _conditions(self, table: Table) -> Iterator[exp.Expression]:
        if self.cone is not None:
            if table.position is None:
                raise BadParameterError("ra", f"{table.name} has no positions to search by.")
            position = [build.column_node(name, _ROWS) for name in (table.position.ra, table.position.dec)]
            yield build.in_cone(position, self.cone)
        for constraint in self.constraints:
            yield condition_of(constraint, table.get_column(constraint.name), _ROWS, missing=None)


def in_quotes(name: str) -> str:
    """A column as an expression, whatever it is called."""
    return '"' + name.replace('"', '""') + '"'


def _parsed(parameter: str, text: str) -> exp.Expression:
    try:
        node = parse_adql_value(text, limits=_LIMITS)
    except QuerySyntaxError as error:
        raise BadParameterError(parameter, f"cannot be read as an expression of columns: {error}") from error
    except QueryTooLargeError as error:
        raise BadParameterError(parameter, f"is too long: {error}") from error
    if any(isinstance(part, _MANY_ROWS) or _is_aggregate(part) for part in node.walk()):
        raise _not_of_columns(parameter)
    return node


def _is_aggregate(node: exp.Expression) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.this).upper() in AGGREGATES


def _check(parameter: str, node: exp.Expression, column: Column) -> None:
    """See whether a bound value is a number that follows from its row alone."""
    if any(isinstance(part, _MANY_ROWS) or _is_chance(part) for part in walk(node)):
        raise _not_of_columns(parameter)
    if column.is_array or not column.datatype.is_numeric or isinstance(node.unnest(), exp.Null):
        raise BadParameterError(parameter, "must be a number: a column of numbers, or an expression that gives one.")


def _is_chance(node: exp.Expression) -> bool:
    return isinstance(node, exp.Rand) or (isinstance(node, Compute) and not kernel_of(node).is_repeatable)


def _not_of_columns(parameter: str) -> BadParameterError:
    what = "may ask columns of its own row only: no subquery, no aggregate, no random number"
    return BadParameterError(parameter, f"{what}. An example is g_mag - r_mag.")

"""Reach: how far a circle can possibly extend from its centre, whatever the row.

The radius of a cross-match may be any expression. Its bound here is the expression with every column replaced by the
greatest absolute value that it has anywhere in its table, and every operation by one that grows with its operands.
Columns held in memory become numbers, stored ones subqueries.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from skydex.query import tree
from skydex.query.pairs import Side, has_query

__all__ = ["Reach"]

_SLACK = 1.0 + 1e-6
"""Bounds are rounded up by this factor: arithmetic in single precision is a tenth as far off."""
_LARGEST_DEG = 180.0
"""No two positions are further apart."""
_UNSIGNED = (exp.Paren, exp.Neg, exp.Abs)
"""Operations that do not change the absolute value."""
_GROWING: dict[type[exp.Expression], type[exp.Binary]] = {exp.Add: exp.Add, exp.Sub: exp.Add, exp.Mul: exp.Mul}
"""What takes the bounds of two operands to one of the result."""


class Reach:
    """Finds bounds of the radii in a query.

    Parameters
    ----------
    query : exp.Query
        The bound tree.
    sides : mapping of str to Side
        Its tables, by source.
    """

    def __init__(self, query: exp.Query, sides: Mapping[str, Side]) -> None:
        self._items = {node.alias: node for node in tree.walk(query) if isinstance(node, exp.Table | exp.Subquery)}
        self._sides = sides

    def in_degrees(self, radius: exp.Expression) -> float | None:
        """The bound as a number, if it is known before the query runs."""
        bound = self.of(radius)
        return tree.constant(bound) if bound is not None else None

    def of(self, radius: exp.Expression) -> exp.Expression | None:
        """What no radius is larger than, degrees, as an expression that reads no row; `None` if there is no telling."""
        constant = tree.constant(radius)
        if constant is not None:
            return tree.number(constant)
        bound = None if has_query([radius]) else self._bound(radius)
        if bound is None:
            return None
        wide = exp.Mul(this=exp.Paren(this=bound), expression=tree.number(_SLACK))
        value = tree.constant(wide)
        if value is not None:
            return tree.number(min(value, _LARGEST_DEG))
        return exp.Least(this=wide, expressions=[tree.number(_LARGEST_DEG)])

    def _bound(self, node: exp.Expression) -> exp.Expression | None:
        """What no absolute value of an expression is larger than."""
        constant = tree.constant(node)
        if constant is not None:
            return _number(abs(constant))
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, _UNSIGNED) or (isinstance(node, exp.Cast) and node.to.this in exp.DataType.FLOAT_TYPES):
            return self._bound(node.this)
        if type(node) in _GROWING:
            return _combined(_GROWING[type(node)], self._bound(node.this), self._bound(node.expression))
        if isinstance(node, exp.Div | exp.Pow):
            return _combined(type(node), self._bound(node.this), _positive(node.expression))
        if isinstance(node, exp.Sqrt):
            bound = self._bound(node.this)
            return tree.call(exp.Sqrt, bound) if bound is not None else None
        if isinstance(node, exp.Case):
            default = [node.args["default"]] if node.args.get("default") is not None else []
            return self._greatest([*(branch.args["true"] for branch in node.args["ifs"]), *default])
        if isinstance(node, exp.Coalesce):
            return self._greatest([node.this, *node.expressions])
        return None

    def _column(self, node: exp.Column) -> exp.Expression | None:
        item = self._items.get(node.table)
        if isinstance(item, exp.Subquery):
            return self._output(item.this, node.name)
        if item is None:
            return None
        rows = self._sides[node.table].rows if node.table in self._sides else None
        return _greatest_of_all(node, item) if rows is None else _greatest_held(rows[node.name])

    def _output(self, query: exp.Expression, name: str) -> exp.Expression | None:
        """The same for a column of a derived table."""
        while isinstance(query, exp.Subquery):
            query = query.this
        if isinstance(query, exp.SetOperation):
            return _most([self._output(side, name) for side in (query.this, query.expression)])
        outputs = [item.this for item in query.expressions if item.alias == name]
        return self._bound(outputs[0]) if outputs else None

    def _greatest(self, nodes: Sequence[exp.Expression]) -> exp.Expression | None:
        return _most([self._bound(node) for node in nodes if not isinstance(node, exp.Null)])


def _combined(
    kind: type[exp.Expression], left: exp.Expression | None, right: exp.Expression | None
) -> exp.Expression | None:
    if left is None or right is None:
        return None
    return kind(this=exp.Paren(this=left), expression=exp.Paren(this=right))


def _most(bounds: Sequence[exp.Expression | None]) -> exp.Expression | None:
    known = [bound for bound in bounds if bound is not None]
    if not known or len(known) < len(bounds):
        return None
    return exp.Greatest(this=known[0], expressions=known[1:]) if len(known) > 1 else known[0]


def _number(value: float) -> exp.Expression:
    return tree.number(min(value, sys.float_info.max))


def _positive(node: exp.Expression) -> exp.Expression | None:
    """A divisor or an exponent, if it is a number above 0 that is written out."""
    value = tree.constant(node)
    return tree.number(value) if value is not None and value > 0.0 else None


def _greatest_held(values: pa.ChunkedArray) -> exp.Expression:
    """The greatest absolute value of a column in memory, 0 if it has none."""
    greatest = pc.max(pc.abs(pc.cast(values, pa.float64()))).as_py()
    return _number(greatest or 0.0)


def _greatest_of_all(column: exp.Column, item: exp.Table) -> exp.Expression:
    """The same of a stored column, as a subquery."""
    value = exp.Abs(this=exp.Cast(this=column.copy(), to=exp.DataType.build("double")))
    query = exp.Select(expressions=[tree.call(exp.Max, value)])
    query.set("from_", exp.From(this=item.copy()))
    return exp.Subquery(this=query)

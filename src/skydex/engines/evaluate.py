"""Evaluate bound expressions on record batches with Arrow's compute functions.

Covers the nodes that `query.plan` lets through to the scan engine. Logic is three-valued as in SQL: a comparison with
null is null, and only true selects a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from skydex.query.kernels import kernel_of
from skydex.query.tree import Compute, InRegion

__all__ = ["Operand", "evaluate"]

Operand: TypeAlias = "pa.Array | pa.Scalar"
"""A column of values, or one value for every row."""


def evaluate(node: exp.Expression, batch: pa.RecordBatch) -> Operand:
    """Value of an expression for each row of a batch; a scalar if it has no column."""
    return _METHODS[type(node)](node, batch)


def _column(node: exp.Column, batch: pa.RecordBatch) -> Operand:
    return batch.column(batch.schema.get_field_index(node.name))


def _literal(node: exp.Literal, _: pa.RecordBatch) -> Operand:
    if node.is_string:
        return pa.scalar(node.this)
    if node.this.isdigit() and not node.meta.get("double"):
        return pa.scalar(int(node.this), pa.int64())
    return pa.scalar(float(node.this), pa.float64())


def _inner(node: exp.Expression, batch: pa.RecordBatch) -> Operand:
    return evaluate(node.this, batch)


def _unary(function: Callable[..., Any]) -> Callable[[exp.Expression, pa.RecordBatch], Operand]:
    return lambda node, batch: function(evaluate(node.this, batch))


def _binary(function: Callable[..., Any]) -> Callable[[exp.Expression, pa.RecordBatch], Operand]:
    return lambda node, batch: function(*_alike(evaluate(node.this, batch), evaluate(node.expression, batch)))


def _exact(function: Callable[..., Any], checked: Callable[..., Any]) -> Callable[..., Any]:
    """Arithmetic that fails where a whole number is out of range; floating ones never are, and need no look at each."""

    def calculate(*operands: Operand) -> Operand:
        is_floating = all(pa.types.is_floating(operand.type) for operand in operands)
        return (function if is_floating else checked)(*operands)

    return calculate


def _alike(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """Two operands; a whole number beside a floating one becomes the nearest of its kind, as in every database.

    Arrow does the same by itself, but fails on numbers beyond 2^53.
    """
    if pa.types.is_floating(left.type) and pa.types.is_integer(right.type):
        return left, pc.cast(right, left.type, safe=False)
    if pa.types.is_integer(left.type) and pa.types.is_floating(right.type):
        return pc.cast(left, right.type, safe=False), right
    return left, right


def _between(node: exp.Between, batch: pa.RecordBatch) -> Operand:
    subject = evaluate(node.this, batch)
    low = pc.greater_equal(*_alike(subject, evaluate(node.args["low"], batch)))
    return pc.and_kleene(low, pc.less_equal(*_alike(subject, evaluate(node.args["high"], batch))))


def _in(node: exp.In, batch: pa.RecordBatch) -> Operand:
    subject = evaluate(node.this, batch)
    values = [evaluate(item, batch).as_py() for item in node.expressions]
    kind = pa.float64() if any(isinstance(value, float) for value in values) else subject.type
    kind = pa.int64() if pa.types.is_integer(kind) else kind
    if pa.types.is_floating(kind):
        values = [float(value) for value in values]
    found = pc.is_in(pc.cast(subject, kind, safe=False), pa.array(values, kind))
    return pc.if_else(pc.is_null(subject), pa.scalar(None, pa.bool_()), found)


def _like(*, ignore_case: bool) -> Callable[[exp.Binary, pa.RecordBatch], Operand]:
    def match(node: exp.Binary, batch: pa.RecordBatch) -> Operand:
        pattern = evaluate(node.expression, batch).as_py().replace("\\", "\\\\")
        return pc.match_like(evaluate(node.this, batch), pattern, ignore_case=ignore_case)

    return match


def _quotient(node: exp.Div, batch: pa.RecordBatch) -> Operand:
    divisor = evaluate(node.expression, batch)
    return pc.divide(_double(evaluate(node.this, batch)), _double(divisor))


def _nullif(node: exp.Nullif, batch: pa.RecordBatch) -> Operand:
    subject = evaluate(node.this, batch)
    equal = pc.fill_null(pc.equal(*_alike(subject, evaluate(node.expression, batch))), False)
    return pc.if_else(equal, pa.scalar(None, subject.type), subject)


def _modulo(node: exp.Mod, batch: pa.RecordBatch) -> Operand:
    """Remainder with the sign of the dividend."""
    left, right = _alike(evaluate(node.this, batch), evaluate(node.expression, batch))
    unknown = pc.or_(pc.is_null(left), pc.is_null(right))
    one = pa.scalar(1, left.type)
    upper, lower = (_repeated(pc.if_else(unknown, one, part), batch.num_rows) for part in (left, right))
    with np.errstate(invalid="ignore"):
        rest = np.fmod(upper.to_numpy(zero_copy_only=False), lower.to_numpy(zero_copy_only=False))
    return pc.if_else(unknown, pa.scalar(None, left.type), pa.array(rest))


def _case(node: exp.Case, batch: pa.RecordBatch) -> Operand:
    """A value where a condition holds, null elsewhere."""
    (branch,) = node.args["ifs"]
    value = evaluate(branch.args["true"], batch)
    return pc.if_else(pc.fill_null(evaluate(branch.this, batch), False), value, pa.scalar(None, value.type))


def _joined(node: exp.DPipe, batch: pa.RecordBatch) -> Operand:
    """Two texts one behind the other; null if one of them is."""
    return pc.binary_join_element_wise(evaluate(node.this, batch), evaluate(node.expression, batch), "")


def _in_region(node: InRegion, batch: pa.RecordBatch) -> Operand:
    ra, dec = (_repeated(evaluate(part, batch), batch.num_rows) for part in (node.this, node.expression))
    inside = node.meta["region"].contains(_numbers(ra), _numbers(dec))
    unknown = pc.or_(pc.is_null(ra), pc.is_null(dec)) if ra.null_count or dec.null_count else None
    answer = pa.array(inside)
    return answer if unknown is None else pc.if_else(unknown, pa.scalar(None, pa.bool_()), answer)


def _array(node: exp.Array, batch: pa.RecordBatch) -> Operand:
    """Lists of as many doubles as there are operands; a null among them is NaN."""
    operands = [evaluate(part, batch) for part in node.expressions]
    if all(isinstance(operand, pa.Scalar) for operand in operands):
        return pa.scalar([operand.as_py() for operand in operands], pa.list_(pa.float64()))
    numbers = np.stack([_numbers(_repeated(operand, batch.num_rows)) for operand in operands], axis=1)
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * len(operands)
    return pa.ListArray.from_arrays(offsets, numbers.ravel())


def _compute(node: Compute, batch: pa.RecordBatch) -> Operand:
    kernel = kernel_of(node)
    operands = [_repeated(evaluate(part, batch), batch.num_rows) for part in node.expressions]
    return kernel.compute(*(_as(operand, kind) for operand, kind in zip(operands, kernel.takes, strict=True)))


def _repeated(operand: Operand, n_rows: int) -> pa.Array:
    return pa.repeat(operand, n_rows) if isinstance(operand, pa.Scalar) else operand


def _numbers(array: pa.Array) -> np.ndarray[Any, np.dtype[np.float64]]:
    numbers: np.ndarray[Any, np.dtype[np.float64]] = _double(array).to_numpy(zero_copy_only=False)
    return numbers


def _double(operand: Operand) -> Operand:
    return operand if operand.type == pa.float64() else pc.cast(operand, pa.float64(), safe=False)


def _cast(node: exp.Cast, batch: pa.RecordBatch) -> Operand:
    return _as(evaluate(node.this, batch), _CASTS[node.args["to"].this])


def _as(operand: Operand, kind: pa.DataType) -> Operand:
    return _double(operand) if kind == pa.float64() else pc.cast(operand, kind)


_CASTS = {
    exp.DataType.Type.DOUBLE: pa.float64(),
    exp.DataType.Type.BIGINT: pa.int64(),
    exp.DataType.Type.TIMESTAMP: pa.timestamp("us"),
}


_METHODS: dict[type[exp.Expression], Callable[[Any, pa.RecordBatch], Operand]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: lambda node, _: pa.scalar(bool(node.this)),
    exp.Paren: _inner,
    exp.Alias: _inner,
    exp.Neg: _unary(_exact(pc.negate, pc.negate_checked)),
    exp.Cast: _cast,
    exp.Abs: _unary(_exact(pc.abs, pc.abs_checked)),
    exp.Lower: _unary(pc.utf8_lower),
    exp.Upper: _unary(pc.utf8_upper),
    exp.DPipe: _joined,
    exp.Not: _unary(pc.invert),
    exp.EQ: _binary(pc.equal),
    exp.NEQ: _binary(pc.not_equal),
    exp.LT: _binary(pc.less),
    exp.LTE: _binary(pc.less_equal),
    exp.GT: _binary(pc.greater),
    exp.GTE: _binary(pc.greater_equal),
    exp.And: _binary(pc.and_kleene),
    exp.Or: _binary(pc.or_kleene),
    exp.Add: _binary(_exact(pc.add, pc.add_checked)),
    exp.Sub: _binary(_exact(pc.subtract, pc.subtract_checked)),
    exp.Mul: _binary(_exact(pc.multiply, pc.multiply_checked)),
    exp.Div: _quotient,
    exp.IntDiv: _binary(pc.divide),
    exp.BitwiseAnd: _binary(pc.bit_wise_and),
    exp.BitwiseOr: _binary(pc.bit_wise_or),
    exp.BitwiseXor: _binary(pc.bit_wise_xor),
    exp.BitwiseRightShift: _binary(pc.shift_right),
    exp.BitwiseNot: _unary(pc.bit_wise_not),
    exp.Mod: _modulo,
    exp.Log: lambda node, batch: pc.log10(evaluate(node.expression, batch)),
    exp.Case: _case,
    exp.Nullif: _nullif,
    exp.Between: _between,
    exp.In: _in,
    exp.Is: _unary(pc.is_null),
    exp.Like: _like(ignore_case=False),
    exp.ILike: _like(ignore_case=True),
    exp.Array: _array,
    InRegion: _in_region,
    Compute: _compute,
}

"""Functions of the bits of integers, as drafts of ADQL 2.1 (WD 2017-11-14, section 4.5) and several services have them.

The recommendation left them out; flags in catalogues want them. Integers count as 64 bits in two's complement.
"""

from __future__ import annotations

from sqlglot import exp

from skydex.query.functions.function import Function, Nodes
from skydex.query.functions.meanings import is_long

__all__ = ["BITS"]


def _long(node: exp.Expression) -> exp.Expression:
    return exp.Cast(this=node.copy(), to=exp.DataType.build("bigint"))


def _of_two(name: str, kind: type[exp.Expression], description: str) -> Function:
    def build(nodes: Nodes) -> exp.Expression:
        return exp.Paren(this=kind(this=_long(nodes[0]), expression=_long(nodes[1])))

    signature = f"{name}(a BIGINT, b BIGINT) -> BIGINT"
    return Function(name, "ii", 2, build, is_long, f"{name}(a, b)", description, signature)


def _inverted(nodes: Nodes) -> exp.Expression:
    return exp.Paren(this=exp.BitwiseNot(this=_long(nodes[0])))


BITS = (
    _of_two("BIT_AND", exp.BitwiseAnd, "The bits that are set in both: BIT_AND(flags, 0x10) = 0 asks for one not set."),
    _of_two("BIT_OR", exp.BitwiseOr, "The bits that are set in either."),
    _of_two("BIT_XOR", exp.BitwiseXor, "The bits that are set in just one of the two."),
    Function(
        "BIT_NOT",
        "i",
        1,
        _inverted,
        is_long,
        "BIT_NOT(a)",
        "All bits the other way round: -1 - a.",
        "BIT_NOT(a BIGINT) -> BIGINT",
    ),
)

"""Functions of texts, and those that choose between values: ADQL 2.1 (IVOA REC 2023-12-15), sections 2.3 and 4.5."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import types
from skydex.query.functions.function import Function, Nodes
from skydex.query.functions.meanings import is_long, like_first
from skydex.query.tree import call
from skydex.query.values import Value
from skydex.tables import Column

__all__ = ["CHOICES", "TEXTS"]


def _substring(nodes: Nodes) -> exp.Expression:
    length = {"length": nodes[2].copy()} if len(nodes) == 3 else {}
    return exp.Substring(this=nodes[0].copy(), start=nodes[1].copy(), **length)


def _length(nodes: Nodes) -> exp.Expression:
    return call(exp.Length, nodes[0].copy())


def _coalesce(nodes: Nodes) -> exp.Expression:
    return exp.Coalesce(this=nodes[0].copy(), expressions=[node.copy() for node in nodes[1:]])


def _nullif(nodes: Nodes) -> exp.Expression:
    return call(exp.Nullif, nodes[0].copy(), nodes[1].copy())


def _common(arguments: Sequence[Value]) -> Column:
    merged = types.common_of(value.column for value in arguments if not value.is_null)
    if merged is None:
        raise BadQueryError("The arguments of COALESCE must be all numbers, or all text.")
    return merged


TEXTS = (
    Function("CHAR_LENGTH", "s", 1, _length, is_long, "CHAR_LENGTH(text)", "Number of characters."),
    Function("LENGTH", "s", 1, _length, is_long, "LENGTH(text)", "Number of characters."),
    Function("LOWER", "s", 1, lambda n: call(exp.Lower, n[0].copy()), like_first, "LOWER(text)", "In small letters."),
    Function(
        "SUBSTRING",
        "sii",
        2,
        _substring,
        like_first,
        "SUBSTRING(text, start[, length])",
        "The part of a text from a character, the first being 1.",
    ),
    Function("TRIM", "s", 1, lambda n: call(exp.Trim, n[0].copy()), like_first, "TRIM(text)", "Without outer blanks."),
    Function("UPPER", "s", 1, lambda n: call(exp.Upper, n[0].copy()), like_first, "UPPER(text)", "In capitals."),
)

CHOICES = (
    Function("COALESCE", "x*", 1, _coalesce, _common, "COALESCE(x, y, ...)", "The first value that is not null."),
    Function("NULLIF", "xx", 2, _nullif, like_first, "NULLIF(x, y)", "x, or null where it equals y."),
)

"""Functions of texts, and those that choose between values: ADQL 2.1 (IVOA REC 2023-12-15), sections 4.4 and 4.8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import types
from skydex.query.comparisons import of_one_kind
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
        raise BadQueryError("The arguments of COALESCE must be of one kind, such as all numbers or all text.")
    return merged


_CHAR_LENGTH = Function("CHAR_LENGTH", "s", 1, _length, is_long, "CHAR_LENGTH(text)", "Number of characters.")

TEXTS = (
    _CHAR_LENGTH,
    replace(_CHAR_LENGTH, name="CHARACTER_LENGTH", usage="CHARACTER_LENGTH(text)"),
    replace(_CHAR_LENGTH, name="LENGTH", usage="LENGTH(text)"),
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
    Function(
        "COALESCE",
        "a*",
        1,
        _coalesce,
        _common,
        "COALESCE(x, y, ...)",
        "The first value that is not null.",
        prepare=of_one_kind,
    ),
    Function("NULLIF", "xx", 2, _nullif, like_first, "NULLIF(x, y)", "x, or null where it equals y."),
)

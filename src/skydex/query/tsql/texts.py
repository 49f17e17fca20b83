"""Functions of texts in Transact-SQL (SQL Server 2022).

They take numbers too, as text; searching does not look at the case of letters; positions count from 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query import tree, types
from skydex.query.comparisons import written_text
from skydex.query.functions.function import Function, Meaning, Nodes
from skydex.query.functions.meanings import is_integer, like_first
from skydex.query.kernels import Kernel, computed, numbers
from skydex.query.tsql.collation import regular
from skydex.query.tsql.kinds import as_bigint, as_double, number, text
from skydex.query.values import Value
from skydex.tables import Column, Datatype

__all__ = ["TEXTS"]

_LONGEST = 8_000
"""Characters that REPLICATE, SPACE and STR make at the most."""
_PLACES = 16
"""Decimals of STR at the most."""


def _prepared(takes: str) -> Callable[[Sequence[Value]], list[Value]]:
    """Arguments as what a pattern of letters says: `s` text, `i` integer, `f` float."""

    def prepare(arguments: Sequence[Value]) -> list[Value]:
        return [_AS[takes[min(i, len(takes) - 1)]](value) for i, value in enumerate(arguments)]

    return prepare


def _integer(value: Value) -> Value:
    given = number(value)
    return Value(as_bigint(given), types.LONG)


def _float(value: Value) -> Value:
    return Value(as_double(number(value)), types.DOUBLE)


_AS: dict[str, Callable[[Value], Value]] = {"s": text, "i": _integer, "f": _float}


def _function(
    name: str,
    takes: str,
    build: Callable[[Nodes], exp.Expression],
    meaning: Meaning,
    usage: str,
    description: str,
    *,
    least: int | None = None,
) -> Function:
    kinds = "x" * len(takes.rstrip("*")) + ("*" if takes.endswith("*") else "")
    n = len(takes) if least is None else least
    return Function(name, kinds, n, build, meaning, usage, description, prepare=_prepared(takes.rstrip("*")))


def _like_first(arguments: Sequence[Value]) -> Column:
    first = arguments[0].column
    return like_first(arguments) if first.datatype.is_text else types.text(None)


def _unbounded(arguments: Sequence[Value]) -> Column:
    unicode = any(value.column.datatype is Datatype.UNICODE_CHAR for value in arguments)
    return types.text(None, datatype=Datatype.UNICODE_CHAR if unicode else Datatype.CHAR)


def _short(length: int, datatype: Datatype = Datatype.CHAR) -> Meaning:
    return lambda _: types.text(length, datatype=datatype)


def _length(nodes: Nodes) -> exp.Expression:
    return exp.Length(this=exp.Trim(this=nodes[0].copy(), position="TRAILING"))


def _n_bytes(nodes: Nodes) -> exp.Expression:
    return exp.Length(this=nodes[0].copy())


def _at_least(node: exp.Expression, least: int) -> exp.Expression:
    constant = tree.constant(node)
    if constant is not None and constant >= least:
        return node.copy()
    return exp.Greatest(this=node.copy(), expressions=[tree.integer(least)], ignore_nulls=False)


def _left(nodes: Nodes) -> exp.Expression:
    return exp.Substring(this=nodes[0].copy(), start=tree.integer(1), length=_at_least(nodes[1], 0))


def _right(nodes: Nodes) -> exp.Expression:
    return exp.Right(this=nodes[0].copy(), expression=_at_least(nodes[1], 0))


def _substring(nodes: Nodes) -> exp.Expression:
    """A part of a text; what lies before its first character counts in the length but gives nothing."""
    subject, start, length = (node.copy() for node in nodes)
    constant = tree.constant(start)
    if constant is not None and constant >= 1:
        return exp.Substring(this=subject, start=start, length=_at_least(length, 0))
    before = exp.Least(
        this=exp.Sub(this=exp.Paren(this=start), expression=tree.integer(1)), expressions=[tree.integer(0)]
    )
    left = exp.Add(this=exp.Paren(this=length), expression=before)
    return exp.Substring(this=subject, start=_at_least(start, 1), length=_at_least(left, 0))


def _trimmed(position: str | None) -> Callable[[Nodes], exp.Expression]:
    def build(nodes: Nodes) -> exp.Expression:
        more = {"expression": nodes[1].copy()} if len(nodes) > 1 else {}
        words = {"position": position} if position else {}
        return exp.Trim(this=nodes[0].copy(), **more, **words)

    return build


def _position(nodes: Nodes) -> exp.Expression:
    """Where a text stands in another, from a position on; 0 if it does not."""
    wanted, searched = (exp.Lower(this=node.copy()) for node in nodes[:2])
    if len(nodes) == 2:
        found: exp.Expression = exp.StrPosition(this=searched, substr=wanted)
    else:
        start = _at_least(nodes[2], 1)
        rest = exp.StrPosition(this=exp.Substring(this=searched, start=start), substr=wanted)
        behind = exp.Sub(this=exp.Add(this=rest, expression=start.copy()), expression=tree.integer(1))
        none = exp.EQ(this=rest.copy(), expression=tree.integer(0))
        found = exp.Case(ifs=[exp.If(this=none, true=tree.integer(0))], default=behind)
    empty = exp.EQ(this=nodes[0].copy(), expression=tree.string(""))
    return exp.Case(ifs=[exp.If(this=empty, true=tree.integer(0))], default=found)


def _pattern_position(nodes: Nodes) -> exp.Expression:
    """Where the first match of a pattern begins; 0 if there is none."""
    pattern = nodes[0].unnest()
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        raise BadQueryError("The pattern of PATINDEX is a text that is written out.")
    begins, ends = not pattern.this.startswith("%"), not pattern.this.endswith("%")
    core = regular(pattern.this.strip("%"))
    before = "()" if begins else "(.*?)"
    expression = tree.string(f"(?is)^{before}(?:{core}){'$' if ends else ''}")
    matches = exp.RegexpLike(this=exp.Paren(this=nodes[1].copy()), expression=expression)
    head = exp.RegexpExtract(this=nodes[1].copy(), expression=expression.copy(), group=tree.integer(1))
    place = exp.Add(this=exp.Length(this=head), expression=tree.integer(1))
    unknown = exp.Is(this=exp.Paren(this=nodes[1].copy()), expression=exp.Null())
    return exp.Case(
        ifs=[exp.If(this=unknown, true=exp.Null()), exp.If(this=matches, true=place)], default=tree.integer(0)
    )


def _replaced(nodes: Nodes) -> exp.Expression:
    """With every occurrence of a text replaced, in whatever case it stands."""
    subject, wanted, new = (node.copy() for node in nodes)
    literal = wanted.unnest()
    if not isinstance(literal, exp.Literal):
        return exp.Replace(this=subject, expression=wanted, replacement=new)
    if not literal.this or literal.this.lower() == literal.this.upper():
        return exp.Replace(this=subject, expression=literal, replacement=new)
    plain = exp.Replace(this=new, expression=tree.string("\\"), replacement=tree.string("\\\\"))
    pattern = tree.string(re.escape(literal.this))
    return exp.RegexpReplace(this=subject, expression=pattern, replacement=plain, modifiers=tree.string("gi"))


def _stuffed(nodes: Nodes) -> exp.Expression:
    """With so many characters from a position on replaced by a text; null where the position is none."""
    subject, start, n, new = (node.copy() for node in nodes)
    head = exp.Substring(this=subject, start=tree.integer(1), length=exp.Sub(this=start, expression=tree.integer(1)))
    behind = exp.Add(this=exp.Paren(this=start.copy()), expression=exp.Paren(this=n))
    tail = exp.Substring(this=subject.copy(), start=behind)
    new = exp.Coalesce(this=new, expressions=[tree.string("")])
    joined = tree.conjunction([head, new, tail], exp.DPipe)
    length = exp.Length(this=subject.copy())
    inside = exp.Between(this=start.copy(), low=tree.integer(1), high=length)
    positive = exp.GTE(this=exp.Paren(this=n.copy()), expression=tree.integer(0))
    return exp.Case(ifs=[exp.If(this=exp.And(this=inside, expression=positive), true=joined)])


def _repeated(nodes: Nodes) -> exp.Expression:
    """A text so many times, of which there are 8000 characters at the most."""
    length = exp.Greatest(this=exp.Length(this=nodes[0].copy()), expressions=[tree.integer(1)], ignore_nulls=False)
    enough = exp.Add(this=exp.IntDiv(this=tree.integer(_LONGEST), expression=length), expression=tree.integer(1))
    times = exp.Least(this=_at_least(nodes[1], 0), expressions=[enough], ignore_nulls=False)
    repeated = exp.Repeat(this=nodes[0].copy(), times=times)
    return exp.Substring(this=repeated, start=tree.integer(1), length=tree.integer(_LONGEST))


def _blanks(nodes: Nodes) -> exp.Expression:
    return _repeated([tree.string(" "), nodes[0]])


def _character(nodes: Nodes) -> exp.Expression:
    inside = exp.Between(this=nodes[0].copy(), low=tree.integer(1), high=tree.integer(0x10FFFF))
    code = exp.Cast(this=nodes[0].copy(), to=exp.DataType.build("int"))
    return exp.Case(ifs=[exp.If(this=inside, true=exp.Chr(expressions=[code]))])


def _code(nodes: Nodes) -> exp.Expression:
    return exp.Nullif(this=exp.Unicode(this=nodes[0].copy()), expression=tree.integer(-1))


def _joined(nodes: Nodes) -> exp.Expression:
    """Texts one behind the other; a null is an empty one."""
    return tree.conjunction([exp.Coalesce(this=n.copy(), expressions=[tree.string("")]) for n in nodes], exp.DPipe)


def _joined_with(nodes: Nodes) -> exp.Expression:
    """Texts with a separator between; nulls are left out."""
    separator = exp.Coalesce(this=nodes[0].copy(), expressions=[tree.string("")])
    parts = [
        exp.Coalesce(this=exp.DPipe(this=separator.copy(), expression=node.copy()), expressions=[tree.string("")])
        for node in nodes[1:]
    ]
    behind = exp.Add(this=exp.Length(this=separator), expression=tree.integer(1))
    return exp.Substring(this=tree.conjunction(parts, exp.DPipe), start=behind)


def _quoted(nodes: Nodes) -> exp.Expression:
    inner = exp.Replace(this=nodes[0].copy(), expression=tree.string("]"), replacement=tree.string("]]"))
    return tree.conjunction([tree.string("["), inner, tree.string("]")], exp.DPipe)


def _written_number(values: pa.Array, lengths: pa.Array, decimals: pa.Array) -> pa.Array:
    given, length, places = numbers(values), numbers(lengths), numbers(decimals)
    is_known = ~(np.isnan(given) | np.isnan(length) | np.isnan(places)) & (length > 0) & (places >= 0)
    is_known &= length <= _LONGEST
    shown = np.full(len(given), "", dtype=object)
    for width, n in np.unique(np.stack([length[is_known], places[is_known]], axis=-1), axis=0).astype(int):
        rows = is_known & (length == width) & (places == n)
        shown[rows] = _written_alike(given[rows], width, min(n, _PLACES))
    return pa.array(shown, pa.string(), mask=~is_known)


def _written_alike(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], width: int, n: int
) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Numbers in so many characters with so many decimals; decimals that find no room are left out."""
    whole = np.char.str_len(np.char.mod("%.0f", np.trunc(values)))
    room = np.clip(width - whole - 1, 0, n)
    shown = np.full(len(values), "", dtype="U400")
    for places in np.unique(room):
        rows = room == places
        shown[rows] = np.char.mod(f"%.{places}f", values[rows])
    return np.where(np.char.str_len(shown) > width, "*" * width, np.char.rjust(shown, width))


STR = Kernel("tsql_str", (pa.float64(), pa.int64(), pa.int64()), pa.string(), _written_number)


def _str(nodes: Nodes) -> exp.Expression:
    length, decimals = (*nodes[1:], *(tree.integer(10), tree.integer(0))[len(nodes) - 1 :])
    return computed(STR, nodes[0], length, decimals)


def _str_length(arguments: Sequence[Value]) -> Column:
    length = arguments[1].constant if len(arguments) > 1 else 10.0
    return types.text(int(length) if length is not None else None)


def _is_number(nodes: Nodes) -> exp.Expression:
    read = exp.TryCast(this=exp.Trim(this=nodes[0].copy()), to=exp.DataType.build("double"))
    unknown = exp.Is(this=read, expression=exp.Null())
    return exp.Case(ifs=[exp.If(this=unknown, true=tree.integer(0))], default=tree.integer(1))


def _of_one(kind: type[exp.Expression]) -> Callable[[Nodes], exp.Expression]:
    return lambda nodes: kind(this=nodes[0].copy())


def _identifier(_: Nodes) -> exp.Expression:
    return exp.Cast(this=exp.Uuid(), to=exp.DataType.build("varchar"))


def _written_position(arguments: Sequence[Value]) -> Column:
    if written_text(arguments[0]) is None:
        raise BadQueryError("The pattern of PATINDEX is a text that is written out.")
    return Column("", Datatype.INT)


TEXTS = (
    Function("NEWID", "", 0, _identifier, _short(36), "NEWID()", "A random identifier: ORDER BY NEWID() mixes rows."),
    _function("ASCII", "s", _code, is_integer, "ASCII(text)", "The code of the first character."),
    _function("CHAR", "i", _character, _short(1), "CHAR(code)", "The character of a code."),
    _function(
        "CHARINDEX",
        "ssi",
        _position,
        is_integer,
        "CHARINDEX(wanted, text[, start])",
        "Where a text stands in another, or 0.",
        least=2,
    ),
    _function(
        "CONCAT",
        "s*",
        _joined,
        _unbounded,
        "CONCAT(x, y, ...)",
        "Texts one behind the other, a null as an empty one.",
        least=2,
    ),
    _function(
        "CONCAT_WS",
        "s*",
        _joined_with,
        _unbounded,
        "CONCAT_WS(separator, x, ...)",
        "Texts with a separator between.",
        least=3,
    ),
    _function(
        "DATALENGTH", "s", _n_bytes, is_integer, "DATALENGTH(text)", "Number of characters with blanks at the end."
    ),
    _function("ISNUMERIC", "s", _is_number, is_integer, "ISNUMERIC(x)", "1 if a text says a number, else 0."),
    _function("LEFT", "si", _left, _like_first, "LEFT(text, n)", "The first n characters."),
    _function("LEN", "s", _length, is_integer, "LEN(text)", "Number of characters without blanks at the end."),
    _function("LOWER", "s", _of_one(exp.Lower), _like_first, "LOWER(text)", "In small letters."),
    _function(
        "LTRIM",
        "ss",
        _trimmed("LEADING"),
        _like_first,
        "LTRIM(text[, characters])",
        "Without blanks at the beginning.",
        least=1,
    ),
    _function(
        "NCHAR", "i", _character, _short(1, Datatype.UNICODE_CHAR), "NCHAR(code)", "The character of a Unicode code."
    ),
    _function(
        "PATINDEX",
        "ss",
        _pattern_position,
        _written_position,
        "PATINDEX('%pattern%', text)",
        "Where a pattern of LIKE first matches, or 0.",
    ),
    _function("QUOTENAME", "s", _quoted, _unbounded, "QUOTENAME(text)", "In brackets."),
    _function("REPLACE", "sss", _replaced, _unbounded, "REPLACE(text, wanted, new)", "With every occurrence replaced."),
    _function("REPLICATE", "si", _repeated, _unbounded, "REPLICATE(text, n)", "So many times."),
    _function("REVERSE", "s", _of_one(exp.Reverse), _like_first, "REVERSE(text)", "From the end to the beginning."),
    _function("RIGHT", "si", _right, _like_first, "RIGHT(text, n)", "The last n characters."),
    _function(
        "RTRIM",
        "ss",
        _trimmed("TRAILING"),
        _like_first,
        "RTRIM(text[, characters])",
        "Without blanks at the end.",
        least=1,
    ),
    _function("SPACE", "i", _blanks, _unbounded, "SPACE(n)", "So many blanks."),
    _function(
        "STR",
        "fii",
        _str,
        _str_length,
        "STR(x[, length[, decimals]])",
        "A number as text, at the right of 10 characters.",
        least=1,
    ),
    _function(
        "STUFF", "siis", _stuffed, _unbounded, "STUFF(text, start, n, new)", "With n characters replaced by a text."
    ),
    _function(
        "SUBSTRING", "sii", _substring, _like_first, "SUBSTRING(text, start, n)", "n characters from a position on."
    ),
    _function(
        "TRIM",
        "ss",
        _trimmed(None),
        _like_first,
        "TRIM(text) or TRIM(characters FROM text)",
        "Without blanks at both ends.",
        least=1,
    ),
    _function("UNICODE", "s", _code, is_integer, "UNICODE(text)", "The Unicode code of the first character."),
    _function("UPPER", "s", _of_one(exp.Upper), _like_first, "UPPER(text)", "In capitals."),
)

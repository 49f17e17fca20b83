"""`Function`: what the namespace of queries knows of a function, and how a call of it is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from skydex.errors import BadQueryError
from skydex.query.values import Value
from skydex.tables import Column

__all__ = ["Function", "Meaning", "Nodes"]

Nodes = Sequence[exp.Expression]
Meaning = Callable[[Sequence[Value]], Column]


@dataclass(frozen=True)
class Function:
    """A function as the namespace of queries knows it."""

    name: str
    """In capitals."""
    takes: str
    """What each argument is, a letter of `KINDS` each; trailing `*` repeats."""
    least: int
    """Smallest number of arguments."""
    build: Callable[[Nodes], exp.Expression]
    """Neutral expansion of the bound arguments."""
    meaning: Meaning
    """What the result is."""
    usage: str
    """How it is called, for messages and documentation."""
    description: str = ""
    """What it gives, in a line."""
    signature: str | None = None
    """As TAPRegExt 1.0 (section 2.3) declares a function beyond ADQL's own: `f(a DOUBLE, b VARCHAR) -> INTEGER`."""
    otherwise: Function | None = None
    """Another form of the call, with another number of arguments."""
    prepare: Callable[[Sequence[Value]], Sequence[Value]] = list
    """What the arguments become before `build` and `meaning` see them, where that hangs on units or types."""

    @property
    def forms(self) -> Iterator[Function]:
        """The forms of the call: this one and the others of its name."""
        form: Function | None = self
        while form is not None:
            yield form
            form = form.otherwise

    def called(self, name: str) -> Function:
        """The same function under another name, in small letters."""
        own = self.name.lower()
        return replace(
            self,
            name=name.upper(),
            usage=self.usage.replace(own, name),
            signature=self.signature and self.signature.replace(own, name),
            otherwise=self.otherwise and self.otherwise.called(name),
        )

    def apply(self, arguments: Sequence[Value]) -> Value:
        """Check the arguments and expand the call.

        Raises
        ------
        BadQueryError
            Too few or too many arguments, or one of the wrong type.
        """
        if self.otherwise is not None and not self._takes_number(len(arguments)):
            return self.otherwise.apply(arguments)
        kinds = self._kinds(len(arguments))
        for position, (value, letter) in enumerate(zip(arguments, kinds, strict=True), start=1):
            kind = KINDS[letter]
            if (value.is_null and not kind.takes_null) or not (value.is_null or kind.fits(value)):
                raise BadQueryError(f"Argument {position} of {self.name} must be {kind.spoken}: {self.usage}.")
        prepared = self.prepare(arguments)
        column = replace(self.meaning(prepared), name=self.name.lower())
        return Value(self.build([value.node for value in prepared]), column)

    def _takes_number(self, n: int) -> bool:
        return n >= self.least and (n <= len(self.takes) or self.takes.endswith("*"))

    def _kinds(self, n: int) -> str:
        if not self._takes_number(n):
            raise BadQueryError(f"{self.name} does not take {n} argument{'s' if n != 1 else ''}: {self.usage}.")
        letters = self.takes.rstrip("*")
        return letters[:n] + letters[-1:] * (n - len(letters))


@dataclass(frozen=True)
class Kind:
    """What an argument may be."""

    spoken: str
    """As a message says it."""
    fits: Callable[[Value], bool]
    """Whether a value that is not written out as NULL is one."""
    takes_null: bool = True
    """Whether NULL may be written out."""


def _is_number(value: Value) -> bool:
    return value.column.datatype.is_numeric and not value.column.is_array


def _is_integer(value: Value) -> bool:
    return value.column.datatype.is_integer and not value.column.is_array


def _is_text(value: Value) -> bool:
    return value.column.datatype.is_text and not value.column.is_timestamp


def _is_written_text(value: Value) -> bool:
    return isinstance(value.node, exp.Literal) and bool(value.node.is_string)


def _is_written_number(value: Value) -> bool:
    return _is_number(value) and value.constant is not None


def _is_pair(value: Value) -> bool:
    return value.column.is_array and value.column.datatype.is_floating and value.column.arraysize == "2"


def _is_geometry(value: Value) -> bool:
    return value.column.is_array and value.column.xtype in ("point", "circle", "polygon")


KINDS = {
    "n": Kind("a number", _is_number),
    "i": Kind("an integer", _is_integer),
    "s": Kind("text", _is_text),
    "x": Kind("a number, a text, a time or a flag, not an array", lambda value: not value.column.is_array),
    "a": Kind("a value", lambda _: True),
    "t": Kind("a timestamp", lambda value: value.column.datatype.is_text),
    "v": Kind("an array of two numbers", _is_pair),
    "p": Kind("a point", lambda value: _is_pair(value) and value.column.xtype == "point"),
    "g": Kind("a POINT, CIRCLE or POLYGON", _is_geometry),
    "N": Kind("a number other than NULL", _is_number, takes_null=False),
    "K": Kind("a number that is written out", _is_written_number, takes_null=False),
    "I": Kind("an integer that is written out", lambda v: _is_integer(v) and v.constant is not None, takes_null=False),
    "S": Kind("a text in single quotes", _is_written_text, takes_null=False),
}
"""Kinds of arguments, by their letter in `Function.takes`; those in capitals must not be NULL."""

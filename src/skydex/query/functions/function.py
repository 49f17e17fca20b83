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
    """What each argument is, a letter each (`KINDS`); trailing `*` repeats."""
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
    """As TAPRegExt 1.0 (section 2.3) declares a function beyond ADQL's own: `f(a DOUBLE, b TEXT) -> INTEGER`."""
    otherwise: Function | None = None
    """Another form of the call, for other arguments."""

    @property
    def forms(self) -> Iterator[Function]:
        """The forms of the call: this one and the others of its name."""
        form: Function | None = self
        while form is not None:
            yield form
            form = form.otherwise

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
        for position, (value, kind) in enumerate(zip(arguments, kinds, strict=True), start=1):
            if not value.is_null and not _fits(value.column, kind):
                raise BadQueryError(f"Argument {position} of {self.name} must be {_WORDS[kind]}: {self.usage}.")
        column = replace(self.meaning(arguments), name=self.name.lower())
        return Value(self.build([value.node for value in arguments]), column)

    def _takes_number(self, n: int) -> bool:
        return n >= self.least and (n <= len(self.takes) or self.takes.endswith("*"))

    def _kinds(self, n: int) -> str:
        if not self._takes_number(n):
            raise BadQueryError(f"{self.name} does not take {n} argument{'s' if n != 1 else ''}: {self.usage}.")
        letters = self.takes.rstrip("*")
        return letters[:n] + letters[-1:] * (n - len(letters))


_WORDS = {"n": "a number", "i": "an integer", "s": "text", "x": "a value"}


def _fits(column: Column, kind: str) -> bool:
    if column.is_array:
        return False
    if kind == "n":
        return column.datatype.is_numeric
    if kind == "i":
        return column.datatype.is_integer
    if kind == "s":
        return column.datatype.is_text and not column.is_timestamp
    return True

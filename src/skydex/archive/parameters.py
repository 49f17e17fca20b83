"""`Parameters`: what words a request is made of, before anybody knows what they mean.

Names without regard to case, each with one value or several (DALI 1.1, IVOA REC 2017-05-17, sections 2 and 3.1), as
they stand in a query string, in a form, or in the data URI of a cutout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl

from skydex.errors import BadParameterError

__all__ = ["MOST_FIELDS", "NUMBER", "Parameters", "parse_pairs"]

MOST_FIELDS = 1000
"""Parameters of one request."""
NUMBER = re.compile(r"[+-]?([0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300})([eE][+-]?[0-9]{1,4})?", re.ASCII)
"""A number as parameters have it; of the largest ones the value is infinite."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,300}", re.ASCII)


class Parameters:
    """What a request asks, by name without regard to case; a name may have several values."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.upper(), []).append(value)

    def pairs(self) -> Iterable[tuple[str, str]]:
        """Every name, in upper case, with each of its values."""
        return ((name, value) for name, values in self._values.items() for value in values)

    def values(self, name: str) -> Sequence[str]:
        """Every value of a parameter, in the order given."""
        return self._values.get(name.upper(), [])

    def find(self, name: str, *aliases: str) -> str | None:
        """The one value of a parameter, under its name or else under an alias; an empty value counts as none.

        Raises
        ------
        BadParameterError
            It is given several times with different values.
        """
        for key in (name, *aliases):
            given = set(self.values(key)) - {""}
            if len(given) > 1:
                raise BadParameterError(key, "is given more than once.")
            if given:
                return given.pop()
        return None

    def find_integer(self, name: str) -> int | None:
        """The one value of a parameter, as an integer."""
        text = self.find(name)
        if text is None:
            return None
        if not _INTEGER.fullmatch(text.strip()):
            raise BadParameterError(name, f'must be a whole number, not "{_short(text)}".')
        return int(text)

    def choose(self, name: str, words: Sequence[str]) -> str:
        """One of several words, in small letters; the first of them if none is given.

        Raises
        ------
        BadParameterError
            What is given is none of them.
        """
        word = (self.find(name) or words[0]).lower()
        if word not in words:
            raise BadParameterError(name, f'must be one of {", ".join(words)}, not "{_short(word)}".')
        return word

    def get_number(self, name: str, *, least: float, most: float) -> float:
        """The one value of a parameter that must be there, as a number between two bounds.

        Raises
        ------
        BadParameterError
            It is missing, or not a number, or out of bounds.
        """
        text = self.find(name)
        if text is None:
            raise BadParameterError(name, f"is missing: it is a number from {least:g} to {most:g}.")
        value = float(text) if NUMBER.fullmatch(text.strip()) else None
        if value is None or not least <= value <= most:
            raise BadParameterError(name, f'must be a number from {least:g} to {most:g}, not "{_short(text)}".')
        return value


def parse_pairs(text: bytes, *, most: int = MOST_FIELDS) -> list[tuple[str, str]]:
    """Names and values in a query string or an urlencoded form.

    Raises
    ------
    BadParameterError
        There are too many.
    """
    try:
        return parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=most)
    except ValueError as error:
        raise BadParameterError("request", f"has more than {most} parameters.") from error


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}..."

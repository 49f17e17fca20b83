"""The `arraysize` of a FIELD: how many elements one value has (VOTable 1.4, section 2.2).

`"3"` and `"2x4"` are fixed, `"*"`, `"22*"` and `"2x*"` are variable in their last dimension; none means one element.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

__all__ = ["Arraysize"]

_SHAPE = re.compile(r"^(?:\d+x)*(?:\d+|\d*\*)$")


@dataclass(frozen=True)
class Arraysize:
    """How many elements a value has."""

    shape: tuple[int, ...] = ()
    """Lengths of the fixed dimensions, the fastest first; empty for a scalar and for `"*"`."""
    is_variable: bool = False
    """Whether the last dimension differs from row to row."""

    @property
    def n_fixed(self) -> int:
        """Elements of a value with no variable dimension."""
        return math.prod(self.shape)

    @classmethod
    def parse(cls, text: str | None) -> Arraysize:
        """Read an attribute value.

        Raises
        ------
        ValueError
            It is not of the form that VOTable lays down.
        """
        if text is None:
            return cls()
        words = text.replace(" ", "").lower()
        if not _SHAPE.match(words):
            raise ValueError(f'"{text}" is not an arraysize')
        is_variable = words.endswith("*")
        # the bound of a variable dimension ("22*") promises nothing about the bytes
        dimensions = words.split("x")[:-1] if is_variable else words.split("x")
        return cls(tuple(int(dimension) for dimension in dimensions), is_variable)

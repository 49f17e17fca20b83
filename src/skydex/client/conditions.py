"""Conditions on columns, as values: made by comparing columns in Python, or from the suffixes of a REST search.

A condition knows no table. It is written as a condition of ADQL 2.1 (IVOA REC 2023-12-15, section 4.5), or as the
parameters of MAST's catalogue API where that can say it: there, every constraint must hold.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["All", "Any", "Comparison", "Condition", "Not"]

Scalar = bool | int | float | str


@dataclass(frozen=True)
class Comparison:
    """What one column keeps."""

    column: str
    """Its name."""
    operator: str
    """`=`, `<>`, `<`, `<=`, `>`, `>=`, `like`, `in`, `between`, `is null` or `is not null`."""
    values: tuple[Scalar, ...] = ()
    """What it is compared with: one value, two for `between`, any number for `in`, none for nulls."""


@dataclass(frozen=True)
class All:
    """Every one of some conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Any:
    """At least one of some conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """A condition does not hold."""

    condition: Condition


Condition = Comparison | All | Any | Not

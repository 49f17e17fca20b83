"""`Curve`: how a cost grows with the number of rows, for us and for others, and the exponent of its growth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.sample import Sample, Unit

__all__ = ["Curve", "exponent"]

Line = Mapping[int, Sample]
"""A figure for each number of rows."""


@dataclass(frozen=True)
class Curve:
    """A figure of one piece of work at several numbers of rows."""

    work: str
    """What is done."""
    ours: Line
    """What skydex needs."""
    others: Mapping[str, Line] = field(default_factory=dict)
    """What others need, by who they are and how they do it."""

    @property
    def unit(self) -> Unit:
        """What the figures count."""
        return next(iter(self.ours.values())).unit

    @property
    def lines(self) -> dict[str, Line]:
        """All of them, ours first."""
        return {"skydex": self.ours, **self.others}

    def to_json(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {
            "work": self.work,
            "unit": self.unit.value,
            "lines": {
                name: {str(n): [float(f"{value:.4g}") for value in sample.values] for n, sample in line.items()}
                for name, line in self.lines.items()
            },
        }

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Curve:
        """The same again."""
        unit = Unit(facts["unit"])
        lines = {
            name: {int(n): Sample(tuple(values), unit) for n, values in line.items()}
            for name, line in facts["lines"].items()
        }
        return cls(facts["work"], lines.pop("skydex"), lines)


def exponent(line: Line) -> float | None:
    """The power of the number of rows with which a figure grows: least squares of the logarithms of the medians.

    `None` for fewer than three numbers of rows.
    """
    if len(line) < 3:
        return None
    n_rows = np.log(np.array(sorted(line), dtype=float))
    figures = np.log([line[n].median for n in sorted(line)])
    return float(np.polyfit(n_rows, figures, 1)[0])

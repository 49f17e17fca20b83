"""`Finding`: one line of the results, and `Budget`: what it should come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.sample import Sample, Unit

__all__ = ["Budget", "Finding"]


@dataclass(frozen=True)
class Budget:
    """A bound that the design sets for a figure, or for its ratio to the reference."""

    text: str
    """As the design puts it."""
    bound: float
    """Most, or least for rates: in the unit of the figure."""
    of_ratio: bool = False
    """Whether the bound is on ours divided by the reference."""

    def is_kept(self, ours: Sample, reference: Sample | None) -> bool | None:
        """Whether the median keeps it; `None` where there is nothing to compare with."""
        if not self.of_ratio:
            return ours.median >= self.bound if ours.unit.more_is_better else ours.median <= self.bound
        return None if reference is None else ours.median / reference.median <= self.bound


@dataclass(frozen=True)
class Finding:
    """What one piece of work costs us, and what it costs others."""

    work: str
    """What is done."""
    ours: Sample
    """What skydex needs."""
    reference_name: str = ""
    """Who does the same beside us, and how."""
    reference: Sample | None = None
    """What they need."""
    budget: Budget | None = None
    """What the design asks for."""
    dachs: str = ""
    """What the design says that DaCHS needs; not measured here."""

    @property
    def ratio(self) -> float | None:
        """How many times better than the reference; below 1 is worse."""
        return None if self.reference is None else self.ours.times_better_than(self.reference)

    @property
    def is_within(self) -> bool | None:
        """Whether the budget is kept; `None` without one."""
        return None if self.budget is None else self.budget.is_kept(self.ours, self.reference)

    def to_json(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {
            "work": self.work,
            "ours": _sample_to_json(self.ours),
            "reference_name": self.reference_name,
            "reference": self.reference and _sample_to_json(self.reference),
            "budget": self.budget and vars(self.budget),
            "dachs": self.dachs,
        }

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Finding:
        """The same again."""
        return cls(
            facts["work"],
            _sample_from_json(facts["ours"]),
            facts["reference_name"],
            facts["reference"] and _sample_from_json(facts["reference"]),
            facts["budget"] and Budget(**facts["budget"]),
            facts["dachs"],
        )


def _sample_to_json(sample: Sample) -> dict[str, Any]:
    return {"values": [float(f"{value:.4g}") for value in sample.values], "unit": sample.unit.value}


def _sample_from_json(facts: dict[str, Any]) -> Sample:
    return Sample(tuple(facts["values"]), Unit(facts["unit"]))

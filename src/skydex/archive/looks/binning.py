"""Binning: which of equal bins a number is in, as numpy counts them.

Bins are half-open but for the last one, which is closed, between the edges of `numpy.linspace`: the counts are those
of `numpy.histogram` and `numpy.histogram2d` to the last row. What is outside of the range, and what is missing, is
counted apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skydex.errors import BadParameterError

__all__ = ["Bins", "logarithms"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_WIDEST = 1e300
_NARROWEST = 16.0
"""A bin is at least so many times as wide as the distance of neighbouring doubles at the ends of the range."""


@dataclass(frozen=True)
class Bins:
    """Bins of equal width."""

    low: float
    """Where the first one begins."""
    high: float
    """Where the last one ends; greater than `low`."""
    n: int
    """How many there are."""
    is_log: bool = False
    """Whether they are bins of decimal logarithms, as are their limits and edges."""

    def scaled(self, values: Floats) -> Floats:
        """Values as they are binned; of what has no logarithm it is minus infinity."""
        return logarithms(values) if self.is_log else values

    def check(self, parameter: str) -> None:
        """See whether doubles can tell the bins apart.

        Raises
        ------
        BadParameterError
            They cannot; it names a parameter.
        """
        if max(abs(self.low), abs(self.high)) > _WIDEST:
            raise BadParameterError(parameter, f"must stay between -{_WIDEST:g} and {_WIDEST:g}.")
        if not self.is_resolved:
            raise BadParameterError(
                parameter, f"is too narrow for {self.n} bins: {self.low!r} to {self.high!r}. Take fewer of them."
            )

    @cached_property
    def edges(self) -> Floats:
        """The n + 1 edges."""
        return np.linspace(self.low, self.high, self.n + 1)

    def has_all(self, values: Floats) -> bool:
        """Whether no value is outside or NaN."""
        return not len(values) or bool(values.min() >= self.low and values.max() <= self.high)

    def contain(self, values: Floats) -> NDArray[np.bool_]:
        """Whether each value is in one of the bins; NaN is not."""
        return np.asarray((values >= self.low) & (values <= self.high))

    def numbers(self, values: Floats) -> Ints:
        """The number of the bin of each value that is in one; any number of a bin for the others.

        A guess that may be one too low and is never too high is compared with one edge: that takes half the time of
        `numpy.searchsorted` on few bins, and a fifth on many.
        """
        origin, scale = self._guess
        with np.errstate(invalid="ignore", over="ignore"):
            place = values - origin
            place *= scale
            guess = place.astype(np.intp)
        guess += values >= self._ends.take(guess, mode="clip")
        return guess

    @cached_property
    def _ends(self) -> Floats:
        """Where each bin ends; the last one nowhere."""
        ends = self.edges[1:].copy()
        ends[-1] = np.inf
        return ends

    @cached_property
    def _guess(self) -> tuple[float, float]:
        """What makes places out of values that are too low by less than half a bin, and by more than their errors."""
        step = (self.high - self.low) / self.n
        return self.low + 4.0 * self._spacing, (1.0 - 1e-12) / step

    @property
    def is_resolved(self) -> bool:
        """Whether doubles can tell the bins apart."""
        return (self.high - self.low) / self.n > _NARROWEST * self._spacing

    @property
    def _spacing(self) -> float:
        return math.ulp(max(abs(self.low), abs(self.high)))


def logarithms(values: Floats) -> Floats:
    """Decimal logarithms; minus infinity where there is none, NaN for NaN."""
    with np.errstate(divide="ignore"):
        return np.log10(np.maximum(values, 0.0))

"""How variable stars vary: RR Lyrae stars and eclipsing binaries, as a difference to the mean magnitude in each band.

Periods and epochs of the three named stars are those of the document that skydex follows; epochs given as BJD - 2400000
are half a day later than the same numbers in MJD, as Kepler's are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLASSES", "NAMED", "Variability", "constant", "differences_mag", "drawn", "named"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLASSES = ("constant", "RRab", "EB")

_HALF_DAY = 0.5
_RR_PHASE = np.array((0.0, 0.05, 0.15, 0.35, 0.55, 0.75, 0.9, 0.95, 1.0))
_RR_SHAPE = np.array((-0.60, -0.58, -0.42, -0.10, 0.15, 0.30, 0.36, 0.20, -0.60))
_RR_OF_BAND = np.array((1.0, 0.80, 0.66, 0.60, 0.58))
"""Amplitudes relative to that in g."""
_SECONDARY = 0.35
"""Depth of the secondary eclipse relative to the primary one."""


@dataclass(frozen=True)
class Variability:
    """What varies, and how; arrays of shape (n,)."""

    kind: Ints
    """Index in `CLASSES`."""
    period_d: Floats
    """NaN for what is constant."""
    epoch_mjd: Floats
    """Of maximum light, or of the primary eclipse."""
    amplitude_mag: Floats
    """In g; depth of the primary eclipse."""
    duty: Floats
    """Part of the period that an eclipse takes; NaN for others."""

    def __getitem__(self, chosen: Ints) -> Variability:
        return Variability(
            self.kind[chosen],
            self.period_d[chosen],
            self.epoch_mjd[chosen],
            self.amplitude_mag[chosen],
            self.duty[chosen],
        )

    def __add__(self, other: Variability) -> Variability:
        mine, theirs = vars(self).values(), vars(other).values()
        return Variability(*(np.concatenate(pair) for pair in zip(mine, theirs, strict=True)))


NAMED = {
    "KQ UMa": (1, 0.48636, 0.45 * 0.48636, 1.05, np.nan),
    "KIC 2161623": (2, 2.2834698, 54_999.599837 - _HALF_DAY, 0.12, 0.24),
    "KIC 8153568": (2, 3.6071431, 54_999.289794 - _HALF_DAY, 1.6, 0.12),
}
"""Class, period, epoch, amplitude and duty."""


def named(name: str) -> Variability:
    """One of the named stars."""
    kind, *numbers = NAMED[name]
    period, epoch, amplitude, duty = (np.array([number]) for number in numbers)
    return Variability(np.array([kind]), period, epoch, amplitude, duty)


def constant(n: int) -> Variability:
    """Stars that do not vary."""
    nothing = np.full(n, np.nan)
    return Variability(np.zeros(n, dtype=np.int64), nothing, nothing, nothing, nothing)


def drawn(n: int, chance: np.random.Generator) -> Variability:
    """Stars of which 2 per cent vary."""
    kind = chance.choice(3, n, p=(0.98, 0.012, 0.008))
    is_rr, varies = kind == 1, kind > 0
    period = np.where(is_rr, chance.normal(0.57, 0.07, n).clip(0.4, 0.9), chance.lognormal(0.7, 0.6, n).clip(0.3, 30.0))
    amplitude = np.where(is_rr, (1.7 - 1.6 * (period - 0.3)).clip(0.3, 1.3), chance.uniform(0.1, 0.8, n))
    epoch = 55_000.0 + period * chance.random(n)
    duty = np.where(kind == 2, chance.uniform(0.05, 0.15, n), np.nan)
    period, epoch, amplitude = (np.where(varies, one, np.nan) for one in (period, epoch, amplitude))
    return Variability(kind, period, epoch, amplitude, duty)


def differences_mag(stars: Variability, mjd: Floats, band: Ints) -> Floats:
    """Magnitude minus mean magnitude of one star for each moment, (n,)."""
    with np.errstate(invalid="ignore"):
        phase = (mjd - stars.epoch_mjd) / stars.period_d % 1.0
    rr_lyrae = stars.amplitude_mag * _RR_OF_BAND[band] * 1.4 * np.interp(phase, _RR_PHASE, _RR_SHAPE)
    eclipse = _dip(phase, stars.duty) + _SECONDARY * _dip((phase + 0.5) % 1.0, stars.duty)
    return np.select((stars.kind == 1, stars.kind == 2), (rr_lyrae, stars.amplitude_mag * eclipse), 0.0)


def _dip(phase: Floats, duty: Floats) -> Floats:
    """A trapezoid about phase 0, half of which is flat."""
    apart = np.abs((phase + 0.5) % 1.0 - 0.5)
    with np.errstate(invalid="ignore"):
        return np.clip((duty / 2.0 - apart) / (duty / 4.0), 0.0, 1.0)

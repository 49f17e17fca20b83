"""`shape_of`: what a folded light curve looks like, in two numbers, and whether these are an eclipse's.

Two sinusoids are fitted, m = A1 cos(x + p1) + A2 cos(2x + p2). The ratio R21 = A2 / A1 and phi21 = p2 - 2 p1 do not
hang on where the phase begins (the Fourier parameters of Ngeow et al. 2003, ApJ 586, 959, and others, for Cepheids). A
light curve that is symmetric about a minimum narrower than its maximum, as those of binaries are (of contact binaries
Rucinski 1993, PASP 105, 1433, describes them by cosines alone), has phi21 = 0 in magnitudes; pulsating stars rise
faster than they fade, and have it elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skydex.lightcurve.harmonics import Series

__all__ = ["Shape", "shape_of"]

_LEAST_RATIO, _MOST_RATIO = 0.2, 0.9
"""Of a light curve with two eclipses in the period the second sinusoid is the larger one."""
_MOST_PHASE = 0.5
_LEAST_SIGMA = 5.0


@dataclass(frozen=True)
class Shape:
    """The first two sinusoids of a light curve over a period."""

    r21: float
    """Amplitude of the second one, as a part of that of the first."""
    r21_err: float
    """Its error, one sigma, by the scatter about the fit."""
    phi21: float
    """Phase of the second one less twice that of the first, of cosines in magnitudes; radians, from -pi to pi."""

    @property
    def is_eclipse(self) -> bool:
        """Whether it has one minimum, narrower than its maximum and symmetric: R21 from 0.2 to 0.9, phi21 near 0."""
        is_sure = max(_LEAST_RATIO, _LEAST_SIGMA * self.r21_err) < self.r21 < _MOST_RATIO
        return is_sure and abs(self.phi21) < _MOST_PHASE


def shape_of(series: Series, frequency: float, *, is_magnitude: bool) -> Shape:
    """The shape of a light curve over a period.

    Parameters
    ----------
    series : Series
        Its points.
    frequency : float
        One over the period, per day.
    is_magnitude : bool
        Whether larger values are fainter.
    """
    value = series.value if is_magnitude else -series.value
    angle = 2.0 * np.pi * frequency * series.time
    waves = [wave(k * angle) for k in (1, 2) for wave in (np.cos, np.sin)]
    model, root = np.stack([np.ones_like(angle), *waves], axis=1), np.sqrt(series.weight)
    found = np.linalg.lstsq(model * root[:, np.newaxis], value * root, rcond=None)[0]
    scatter = np.sum(series.weight * (value - model @ found) ** 2) / max(len(series) - model.shape[1], 1)
    spread = np.linalg.pinv((model * series.weight[:, np.newaxis]).T @ model) * scatter
    first, second = complex(found[1], -found[2]), complex(found[3], -found[4])
    if not abs(first) > 0.0:
        return Shape(np.inf, np.inf, np.nan)
    error = float(np.sqrt((spread[3, 3] + spread[4, 4]) / 2.0)) / abs(first)
    return Shape(abs(second) / abs(first), error, float(np.angle(second * np.conj(first) ** 2)))

"""Bands of an eclipsing binary put together: differences from the light outside of the eclipses.

A mean of all points depends on how many of them happen to fall into an eclipse, which differs from band to band; the
median outside of the eclipses does not. What differs between the bands in spite of it is a difference of colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skydex.lightcurve.folding import FoldedLightCurve
from skydex.lightcurve.segments import Floats, Mask

if TYPE_CHECKING:
    from skydex.lightcurve.curve import LightCurve

__all__ = ["CombinedLightCurve", "combine", "near_phases"]


@dataclass(frozen=True, eq=False)
class CombinedLightCurve:
    """All bands of a light curve as one series."""

    curve: LightCurve
    """Differences from `centers`, in all bands."""
    folded: FoldedLightCurve
    """The same over the phase."""
    is_eclipsed: Mask
    """(n,) which points were taken to lie in an eclipse."""
    centers: Mapping[str, float]
    """Median magnitude of each band outside of the eclipses; of all its points, if none is outside."""
    offsets: Mapping[str, float]
    """By how much each band is fainter in the primary eclipse than the others are there, mag; NaN if none tells."""


def combine(folded: FoldedLightCurve, *, eclipses: Sequence[float], half_width: float) -> CombinedLightCurve:
    """Combine the bands of a folded light curve.

    Parameters
    ----------
    folded : FoldedLightCurve
        With the eclipses at known phases.
    eclipses : sequence of float
        Phases of their middles; that of the primary eclipse first.
    half_width : float
        Within this of a middle, in phase, a point is taken to be in the eclipse.
    """
    curve = folded.curve
    is_eclipsed = near_phases(folded.phase, eclipses, half_width)
    outside = curve.chosen(~is_eclipsed).centers("median")
    centers = {band: outside.get(band, center) for band, center in curve.centers("median").items()}
    together = curve.minus_mean(centers)
    again = FoldedLightCurve(folded.phase, folded.cycle, together, folded.period_d, folded.t0)
    return CombinedLightCurve(
        together, again, is_eclipsed, centers, _offsets(again, near_phases(folded.phase, eclipses[:1], half_width))
    )


def near_phases(phase: Floats, middles: Sequence[float], half_width: float) -> Mask:
    """Which phases lie within some distance of others, over the end of the period too."""
    away = np.abs(np.mod(phase[:, None] - np.asarray(middles, dtype=np.float64) + 0.5, 1.0) - 0.5)
    return np.asarray((away <= half_width).any(axis=1))


def _offsets(folded: FoldedLightCurve, is_eclipsed: Mask) -> dict[str, float]:
    """Medians, over the eclipsed points of a band, of what they are fainter by than the other bands there."""
    curve, found = folded.curve, {}
    is_known = np.isfinite(curve.mag)
    for band in curve.bands:
        here = is_known & is_eclipsed & (curve.band == band)
        others = is_known & (curve.band != band)
        found[band] = np.nan
        if here.any() and (others & is_eclipsed).any():
            expected = np.interp(folded.phase[here], *_by_phase(folded.phase[others], curve.mag[others]), period=1.0)
            found[band] = float(np.median(curve.mag[here] - expected))
    return found


def _by_phase(phase: Floats, mag: Floats) -> tuple[Floats, Floats]:
    """Magnitudes over different phases, ascending; those at one phase as their mean."""
    different, code, counts = np.unique(phase, return_inverse=True, return_counts=True)
    return different, np.bincount(code, mag) / counts

"""The indices of Welch & Stetson: whether points that lie close together in time deviate together.

Points are paired with the next one within `pair_days`, none twice. References: Welch & Stetson 1993, AJ 105, 1813 (I);
Stetson 1996, PASP 108, 851 (J, K, L).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from skydex.lightcurve.curves import LightCurves
from skydex.lightcurve.segments import Floats, Ints, Mask, Segments

__all__ = [
    "PAIR_DAYS",
    "deviations",
    "robust_mean",
    "stetson_j",
    "stetson_j_time",
    "stetson_k",
    "stetson_l",
    "welch_stetson_i",
]

PAIR_DAYS = 0.1
"""Points are a pair within this time unless said otherwise: orbits of one visit."""
_GAUSSIAN_K = 0.798
"""K of Gaussian noise, sqrt(2 / pi), rounded as Stetson rounds it."""
_ROBUST_SCALE = 2.0
"""Deviations of so many sigma weigh half (Stetson 1996, section 2)."""
_TOLERANCE = 1e-9
"""Steps of the robust mean end below so many errors of the weighted one, whatever the unit."""
_MOST_STEPS = 200


@dataclass(frozen=True)
class _Pairs:
    """Points that stand with the next one, and points that stand alone."""

    first: Ints
    single: Ints


def welch_stetson_i(curves: LightCurves, *, pair_days: float = PAIR_DAYS) -> Floats:
    """Correlation of paired deviations from the weighted mean; needs two pairs."""
    deviation = curves.about(curves.weighted_mean) / curves.mag_err
    first = _pairs(curves, pair_days).first
    owner = curves.segments.owner[first]
    n_pairs = np.bincount(owner, minlength=len(curves))
    total = np.bincount(owner, deviation[first] * deviation[first + 1], minlength=len(curves))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n_pairs >= 2, total / np.sqrt(n_pairs * (n_pairs - 1.0)), np.nan)


def stetson_j(curves: LightCurves, *, pair_days: float = PAIR_DAYS) -> Floats:
    """Stetson's J about the robust mean: pairs and single points, each with weight 1; about 0 for noise."""
    deviation = deviations(curves, robust_mean(curves))
    pairs = _pairs(curves, pair_days)
    product = np.concatenate([deviation[pairs.first] * deviation[pairs.first + 1], deviation[pairs.single] ** 2 - 1.0])
    return _mean_root(curves, product, np.concatenate([pairs.first, pairs.single]), np.ones(len(product)))


def stetson_j_time(curves: LightCurves) -> Floats:
    """Stetson's J of every point with the next one, weighted by exp(-dt / median dt)."""
    deviation = deviations(curves, robust_mean(curves))
    first = np.flatnonzero(_has_next(curves))
    gap = curves.time[first + 1] - curves.time[first]
    weight = np.exp(-gap / _positive(_median_gap(curves, first, gap)[curves.segments.owner[first]]))
    return _mean_root(curves, deviation[first] * deviation[first + 1], first, weight)


def stetson_k(curves: LightCurves, *, center: Literal["weighted", "robust"] = "weighted") -> Floats:
    """Mean over root mean square of the deviations from the weighted mean: 0.798 for noise, 0.900 for a sinusoid."""
    centre = curves.weighted_mean if center == "weighted" else robust_mean(curves)
    deviation = np.abs(curves.about(centre)) / curves.mag_err
    with np.errstate(invalid="ignore", divide="ignore"):
        found = curves.segments.mean(deviation) / np.sqrt(curves.segments.mean(deviation**2))
    return np.where(curves.segments.counts >= 2, found, np.nan)


def stetson_l(curves: LightCurves, *, pair_days: float = PAIR_DAYS) -> Floats:
    """Stetson's L: J times K, over the K of noise."""
    return stetson_j(curves, pair_days=pair_days) * stetson_k(curves) / _GAUSSIAN_K


def robust_mean(curves: LightCurves) -> Floats:
    """Weighted means in which points weigh less the more they deviate, iterated until they stand still, (n,)."""
    centre = curves.weighted_mean
    with np.errstate(divide="ignore"):
        least = _TOLERANCE / np.sqrt(curves.segments.sum(curves.weight))
    is_moving = np.isfinite(centre)
    for _ in range(_MOST_STEPS):
        weight = curves.weight / (1.0 + (deviations(curves, centre) / _ROBUST_SCALE) ** 2)
        step = np.where(is_moving, curves.mean_by(weight) - centre, 0.0)
        centre = centre + step
        is_moving = np.abs(step) > least
        if not is_moving.any():
            break
    return centre


def deviations(curves: LightCurves, centre: Floats) -> Floats:
    """Deviations in units of the errors, with Stetson's factor for having taken the mean of n points."""
    counts = curves.segments.counts
    bias = np.sqrt(counts / np.maximum(counts - 1.0, 1.0))
    return curves.segments.spread(bias) * curves.about(centre) / curves.mag_err


def _pairs(curves: LightCurves, pair_days: float) -> _Pairs:
    """Each point with the next one within the time, and the first of three with the second: no point twice."""
    n = len(curves.time)
    close = _has_next(curves)
    close[:-1] &= np.diff(curves.time) <= pair_days
    begins = close & ~np.append(False, close[:-1])[:n]
    place = np.arange(n)
    in_run = place - np.maximum.accumulate(np.where(begins, place, 0)) if n else place
    is_first = close & (in_run % 2 == 0)
    is_second = np.append(False, is_first[:-1])[:n]
    return _Pairs(np.flatnonzero(is_first), np.flatnonzero(~is_first & ~is_second))


def _has_next(curves: LightCurves) -> Mask:
    """Whether a point is followed by one of the same curve."""
    owner = curves.segments.owner
    return np.append(owner[1:] == owner[:-1], False)[: len(owner)]


def _median_gap(curves: LightCurves, first: Ints, gap: Floats) -> Floats:
    return Segments.of_owners(curves.segments.owner[first], len(curves)).median(gap)


def _positive(gap: Floats) -> Floats:
    return np.where(gap > 0.0, gap, 1.0)


def _mean_root(curves: LightCurves, product: Floats, point: Ints, weight: Floats) -> Floats:
    """Weighted mean of the signed roots of products, each of which belongs to the curve of a point."""
    owner = curves.segments.owner[point]
    root = np.sign(product) * np.sqrt(np.abs(product))
    total = np.bincount(owner, weight * root, minlength=len(curves))
    norm = np.bincount(owner, weight, minlength=len(curves))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(curves.segments.counts >= 2, total / norm, np.nan)

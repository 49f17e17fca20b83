"""`features`: all variability indices of many light curves at once, and why one is missing."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from skydex.lightcurve import indices, stetson
from skydex.lightcurve.curves import LightCurves
from skydex.lightcurve.segments import Floats

__all__ = ["STATISTICS", "Features", "Reason", "Statistic", "features"]


class Reason(enum.IntEnum):
    """Why a number is there, or is not."""

    DEFINED = 0
    TOO_FEW_POINTS = 1
    UNDEFINED = 2


@dataclass(frozen=True)
class Statistic:
    """A number that describes a light curve."""

    name: str
    """By which `features` gives it."""
    compute: Callable[[LightCurves], Floats]
    """Gives one for each light curve."""
    least: int
    """Fewest points that it needs."""
    unit: str = ""
    """Its unit, if it has one."""

    @property
    def description(self) -> str:
        """What it is, in a line."""
        return (self.compute.__doc__ or "").partition("\n")[0]


def mad_sigma(curves: LightCurves) -> Floats:
    """Median absolute deviation times 1.4826, which is the standard deviation of Gaussian noise."""
    return indices.mad(curves, scale=indices.SIGMA_PER_MAD)


STATISTICS: Mapping[str, Statistic] = MappingProxyType(
    {
        one.name: one
        for one in (
            Statistic("mad", indices.mad, 1, "mag"),
            Statistic("mad_sigma", mad_sigma, 1, "mag"),
            Statistic("chi2_red", indices.chi2_reduced, 2),
            Statistic("wstd", indices.weighted_std, 2, "mag"),
            Statistic("iqr", indices.interquartile_range, 4, "mag"),
            Statistic("roms", indices.roms, 2),
            Statistic("nxs", indices.normalized_excess_variance, 2),
            Statistic("nxs_flux", indices.flux_excess_variance, 2),
            Statistic("excess_var", indices.excess_variance, 2, "mag2"),
            Statistic("v_p2p", indices.peak_to_peak, 2),
            Statistic("p2p_amp", indices.amplitude, 2, "mag"),
            Statistic("amp_robust", indices.robust_amplitude, 2, "mag"),
            Statistic("l1", indices.lag_one, 3),
            Statistic("eta", indices.von_neumann, 3),
            Statistic("inv_eta", indices.inverse_von_neumann, 3),
            Statistic("welch_stetson_I", stetson.welch_stetson_i, 4),
            Statistic("stetson_J", stetson.stetson_j, 2),
            Statistic("stetson_J_time", stetson.stetson_j_time, 2),
            Statistic("stetson_K", stetson.stetson_k, 2),
            Statistic("stetson_L", stetson.stetson_l, 2),
            Statistic("SB", indices.runs, 2),
        )
    }
)
"""The indices by name."""


@dataclass(frozen=True)
class Features:
    """Indices of light curves."""

    values: Mapping[str, Floats]
    """(n,) numbers by the index's name; NaN where there is none."""
    n_points: NDArray[np.int64]
    """Points of each light curve that were used, (n,)."""

    def __getitem__(self, name: str) -> Floats:
        return self.values[name]

    def reason(self, name: str) -> NDArray[np.uint8]:
        """Why each number of an index is there or not, as a `Reason`, (n,)."""
        too_few = self.n_points < STATISTICS[name].least
        missing = np.where(too_few, Reason.TOO_FEW_POINTS, Reason.UNDEFINED)
        return np.where(np.isnan(self.values[name]), missing, Reason.DEFINED).astype(np.uint8)


def features(curves: LightCurves) -> Features:
    """Every index of every light curve.

    Parameters
    ----------
    curves : LightCurves
        One or many.

    Returns
    -------
    features : Features
        Numbers by the names of `STATISTICS`.

    Examples
    --------
    >>> found = features(LightCurves.single([0.0, 1.0, 2.0, 3.0, 4.0], [20.0, 20.1, 20.0, 20.2, 20.4], [0.1] * 5))
    >>> round(float(found["mad"][0]), 6)
    0.1
    """
    return Features({name: one.compute(curves) for name, one in STATISTICS.items()}, curves.segments.counts)

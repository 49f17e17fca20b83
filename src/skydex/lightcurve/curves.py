"""`LightCurves`: any number of light curves as one value, each sorted by time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from skydex.lightcurve.segments import Floats, Segments

__all__ = ["LightCurves"]


@dataclass(frozen=True, eq=False)
class LightCurves:
    """Light curves of one or many objects, all points in one array."""

    segments: Segments
    """Which points belong to which curve."""
    time: Floats
    """(n_points,) days, ascending within a curve."""
    mag: Floats
    """(n_points,) magnitudes."""
    mag_err: Floats
    """(n_points,) their errors, one sigma, above 0."""

    @classmethod
    def of_points(
        cls, curve: ArrayLike, time: ArrayLike, mag: ArrayLike, mag_err: ArrayLike, *, n_curves: int | None = None
    ) -> LightCurves:
        """Light curves of points in any order.

        Points of which a number is not finite, or whose error is not positive, are left out.

        Parameters
        ----------
        curve : (n,) array_like of int
            The curve of each point, from 0.
        time, mag, mag_err : (n,) array_like of float
            Days, magnitudes, and their errors (one sigma).
        n_curves : int, optional
            How many there are, if the last ones may have no points.

        Examples
        --------
        >>> curves = LightCurves.of_points([1, 0, 1], [5.0, 1.0, 2.0], [20.1, 18.0, 20.2], [0.1, 0.1, 0.1])
        >>> len(curves), curves.time.tolist()
        (2, [1.0, 2.0, 5.0])
        """
        owner = np.asarray(curve, dtype=np.int64)
        t, m, e = (np.asarray(values, dtype=np.float64) for values in (time, mag, mag_err))
        n = n_curves if n_curves is not None else int(owner.max(initial=-1)) + 1
        usable = np.flatnonzero(np.isfinite(t) & np.isfinite(m) & np.isfinite(e) & (e > 0.0))
        order = usable[np.lexsort((e[usable], m[usable], t[usable], owner[usable]))]
        return cls(Segments.of_owners(owner[order], n), t[order], m[order], e[order])

    @classmethod
    def single(cls, time: ArrayLike, mag: ArrayLike, mag_err: ArrayLike) -> LightCurves:
        """One light curve."""
        return cls.of_points(np.zeros(np.size(time), dtype=np.int64), time, mag, mag_err, n_curves=1)

    def __len__(self) -> int:
        return len(self.segments)

    @cached_property
    def weight(self) -> Floats:
        """Inverse variances, (n_points,)."""
        return self.mag_err**-2.0

    @cached_property
    def weighted_mean(self) -> Floats:
        """Means weighted by inverse variance, (n,)."""
        return self.mean_by(self.weight)

    @cached_property
    def median(self) -> Floats:
        """Medians, (n,)."""
        return self.segments.quantile_of_sorted(self.sorted_mag, 0.5)

    @cached_property
    def mean(self) -> Floats:
        """Plain means, (n,)."""
        return self.mean_by(np.ones_like(self.mag))

    @cached_property
    def sorted_mag(self) -> Floats:
        """Magnitudes, ascending within each curve, (n_points,)."""
        return self.segments.sorted(self.mag)

    def mean_by(self, weight: Floats) -> Floats:
        """Weighted means, (n,); summed about the median, so that nothing is lost to a large constant."""
        with np.errstate(invalid="ignore", divide="ignore"):
            offset = self.segments.sum(weight * self.about(self.median)) / self.segments.sum(weight)
        return np.asarray(self.median + offset)

    def about(self, centre: Floats) -> Floats:
        """Magnitudes less a value of their curve, (n_points,)."""
        return self.mag - self.segments.spread(centre)

"""`StarField`: the stars of one field in one filter, and what is done to their points before any of them is judged.

HCV-style (Bonanos et al. 2019, A&A 630, A92, as its abstracts and catalogue pages tell it): bad images are dropped,
outliers that other measures of the same point call suspect are removed, magnitudes are brought to a local zero point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skydex.lightcurve.curves import LightCurves
from skydex.lightcurve.indices import SIGMA_PER_MAD
from skydex.lightcurve.measurements import Measurements
from skydex.lightcurve.segments import Floats, Ints, Mask, Segments
from skydex.lightcurve.settings import SearchSettings
from skydex.lightcurve.trends import Windows, running_median
from skydex.lightcurve.zero_points import Epochs, local_zero_points
from skydex.sky import directions_deg, unit_vectors

__all__ = ["StarField", "cleaned"]

_WIDE = Windows(half_width_mag=0.5)
"""Windows for what is usual at a magnitude."""


@dataclass(frozen=True, eq=False)
class StarField:
    """Light curves of the stars of a field in one filter: points sorted by star and time."""

    points: Measurements
    """The measurements."""
    corr_mag: Floats
    """(n_points,) magnitudes, corrected as far as the work has come."""

    @classmethod
    def of(cls, points: Measurements) -> StarField:
        """Light curves of measurements that are sorted by star and time."""
        return cls(points, points.mag)

    @property
    def filter(self) -> str:
        """Camera and filter."""
        return str(self.points.filter.values[self.points.filter.code[0]])

    @cached_property
    def match_id(self) -> Ints:
        """(n_stars,) the objects."""
        return self.points.match_id[self.segments.offsets[:-1]]

    @cached_property
    def segments(self) -> Segments:
        """The points of each star."""
        changes = np.flatnonzero(np.diff(self.points.match_id)) + 1
        ends = [len(self.points)] if len(self.points) else []
        return Segments(np.concatenate([[0], changes, ends]).astype(np.int64))

    @cached_property
    def curves(self) -> LightCurves:
        """Corrected magnitudes as light curves."""
        return LightCurves(self.segments, self.points.mjd, self.corr_mag, self.points.mag_err)

    @cached_property
    def mean_mag(self) -> Floats:
        """(n_stars,) mean magnitudes as measured."""
        return self.segments.mean(self.points.mag)

    @cached_property
    def mean_corr_mag(self) -> Floats:
        """(n_stars,) mean corrected magnitudes."""
        return self.segments.mean(self.corr_mag)

    @cached_property
    def residual(self) -> Floats:
        """(n_points,) corrected magnitude less the median of the star."""
        return self.curves.about(self.curves.median)

    @cached_property
    def scatter(self) -> Floats:
        """(n_stars,) standard deviations, from the MAD."""
        return SIGMA_PER_MAD * self.segments.median(np.abs(self.residual))

    @cached_property
    def measures(self) -> tuple[Floats, ...]:
        """What else is known of each point: CI, distance from the object, error, and what a larger aperture adds."""
        points = self.points
        return (points.ci, points.d_mas, points.mag_err, points.mag - points.mag_auto)

    @cached_property
    def directions(self) -> tuple[Floats, Floats]:
        """(n_stars,) right ascensions and declinations, degrees."""
        vectors = unit_vectors(self.points.ra_deg, self.points.dec_deg)
        return directions_deg(np.stack([self.segments.mean(axis) for axis in vectors]))

    def chosen(self, is_kept: Mask) -> StarField:
        """Some of the points."""
        return StarField(self.points.chosen(is_kept), self.corr_mag[is_kept])

    def with_enough(self, least: int) -> StarField:
        """The stars that have so many points."""
        return self.chosen(self.segments.spread(self.segments.counts >= least))

    def outliers(self, settings: SearchSettings) -> Mask:
        """Which points lie far from the median of their star."""
        typical_error = self.segments.median(self.points.mag_err)
        floor = np.maximum(settings.least_sigma_mag, typical_error / 2.0)
        limit = settings.outlier_sigma * np.maximum(self.scatter, floor)
        return np.asarray(np.abs(self.residual) > self.segments.spread(limit))

    def suspects(self, settings: SearchSettings) -> Mask:
        """Which points differ from the others of their star in CI, distance, error or aperture.

        Differences are in units of the star's scatter in that measure, or of what is usual at its magnitude if that is
        more; the root of their mean square is compared with the limit.
        """
        total, n_measures = np.zeros(len(self.points)), np.zeros(len(self.points))
        for values in self.measures:
            square = self._differences(values) ** 2
            is_known = np.isfinite(square)
            total += np.where(is_known, square, 0.0)
            n_measures += is_known
        return total > settings.synthetic_sigma**2 * np.maximum(n_measures, 1.0)

    def scatter_of(self, values: Floats) -> Floats:
        """(n_stars,) standard deviations of another measure, from its MAD; NaN where a point lacks it."""
        return SIGMA_PER_MAD * self.segments.mad(values)

    def _differences(self, values: Floats) -> Floats:
        scatter = self.scatter_of(values)
        usual = running_median(self.mean_mag, scatter, _WIDE)
        unit = self.segments.spread(np.fmax(scatter, usual))
        with np.errstate(invalid="ignore", divide="ignore"):
            differences = (values - self.segments.spread(self.segments.median(values))) / unit
        return np.where(unit > 0.0, differences, np.nan)


def cleaned(stars: StarField, settings: SearchSettings) -> StarField:
    """Drop bad images, bring magnitudes to local zero points, and remove points that are confirmed to be bad."""
    usable = without_bad_images(stars.with_enough(settings.min_epochs), settings).with_enough(settings.min_epochs)
    is_suspect = usable.suspects(settings)
    corrected = at_local_zero_points(usable, is_suspect, settings)
    return corrected.chosen(~(corrected.outliers(settings) & is_suspect)).with_enough(settings.min_epochs)


def without_bad_images(stars: StarField, settings: SearchSettings) -> StarField:
    """Leave out images in which too many of the points are outliers."""
    image = stars.points.image.code
    n_images = len(stars.points.image.values)
    n_points = np.bincount(image, minlength=n_images)
    n_outliers = np.bincount(image, stars.outliers(settings), minlength=n_images)
    is_bad = (n_points >= settings.bad_image_points) & (n_outliers > settings.bad_image_share * n_points)
    return stars.chosen(~is_bad[image]) if is_bad.any() else stars


def at_local_zero_points(stars: StarField, is_suspect: Mask, settings: SearchSettings) -> StarField:
    """Subtract from each point what its neighbours have in common in its image."""
    ra_deg, dec_deg = stars.directions
    for _ in range(settings.n_iterations if len(stars.points) else 0):
        weight = _weights(stars, is_suspect, settings)
        epochs = Epochs(stars.segments.owner, stars.points.image.code, stars.residual, weight)
        correction = local_zero_points(epochs, ra_deg, dec_deg, settings.neighbours)
        stars = replace(stars, corr_mag=stars.corr_mag - correction)
        if np.abs(correction).max(initial=0.0) < settings.converged_mag:
            break
    return stars


def _weights(stars: StarField, is_suspect: Mask, settings: SearchSettings) -> Floats:
    """What each point says about the zero point of its image: nothing, if it is an outlier or its star may vary."""
    usual = running_median(stars.mean_corr_mag, stars.scatter, _WIDE)
    is_steady = stars.scatter <= settings.reference_scatter * usual
    is_bright = usual <= settings.reference_limit_mag
    weight = 1.0 / (stars.points.mag_err**2 + settings.error_floor_mag**2)
    weight = np.where(is_suspect, settings.suspect_weight * weight, weight)
    is_reference = stars.segments.spread(is_steady & is_bright)
    return np.where(is_reference & ~stars.outliers(settings), weight, 0.0)

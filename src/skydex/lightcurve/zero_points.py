"""Local zero points: what all stars around a star have in common in one image is the image's doing, not the star's.

For each star and image the correction is the weighted median of the residuals of its neighbours in that image.
HCV-style: that it is local, and that a star without neighbours keeps its magnitude, is how the Hubble Catalog of
Variables describes its column CorrMag; radius, numbers and weights are choices of this module, and settings.

The neighbours of all stars are found once, by one KD-tree, and kept as a sparse matrix. Weighted medians then need no
sort for each star: the rows of that matrix are put into the order of the image's residuals, and its transpose holds the
neighbours of every star in that order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skydex.lightcurve.segments import Floats, Ints
from skydex.sky import unit_vectors

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Epochs", "Neighbours", "local_zero_points"]


@dataclass(frozen=True)
class Neighbours:
    """Which stars speak for the zero point near a star."""

    radius_arcsec: float = 20.0
    """Those within this distance, if there are enough in the image."""
    most: int = 100
    """The nearest so many of them, where there are more."""
    least: int = 5
    """Fewest that are asked."""
    far_arcsec: float = 60.0
    """Else the nearest ones within this distance."""


@dataclass(frozen=True, eq=False)
class Epochs:
    """Points of many stars in the images of one filter; no star twice in one image."""

    star: Ints
    """(n_points,) the star, from 0."""
    image: Ints
    """(n_points,) the image, from 0."""
    residual: Floats
    """(n_points,) magnitude less the median of the star."""
    weight: Floats
    """(n_points,) what the point says about its image's zero point; 0 for nothing."""


def local_zero_points(epochs: Epochs, ra_deg: Floats, dec_deg: Floats, rule: Neighbours | None = None) -> Floats:
    """Find by how much each point is too faint because of where it lies in its image.

    Parameters
    ----------
    epochs : Epochs
        Residuals; a star whose weight is above 0 is a reference for its neighbours, never for itself.
    ra_deg, dec_deg : (n_stars,) float64 arrays
        Positions of the stars, ICRS.
    rule : Neighbours, optional
        Which neighbours are asked.

    Returns
    -------
    correction : (n_points,) float64 array
        Magnitudes, to be subtracted; 0 where there are too few neighbours.
    """
    chosen = rule or Neighbours()
    is_reference = epochs.weight > 0.0
    places = np.ascontiguousarray(unit_vectors(ra_deg, dec_deg).T)
    references = np.unique(epochs.star[is_reference])
    correction = np.zeros(len(epochs.star))
    if not len(references):
        return correction
    around = _neighbours(places, references, chosen)
    by_image = np.argsort(epochs.image, kind="stable")
    for points in np.split(by_image, np.flatnonzero(np.diff(epochs.image[by_image])) + 1):
        correction[points] = _of_image(epochs, points, places, around, chosen)
    return correction


@dataclass(frozen=True, eq=False)
class _References:
    """Stars that speak for the zero point of an image, in the order of their residuals."""

    star: Ints
    residual: Floats
    weight: Floats

    @classmethod
    def among(cls, epochs: Epochs, points: Ints) -> _References:
        chosen = points[epochs.weight[points] > 0.0]
        chosen = chosen[np.argsort(epochs.residual[chosen], kind="stable")]
        return cls(epochs.star[chosen], epochs.residual[chosen], epochs.weight[chosen])

    def medians(self, rank: Ints, first: Ints, last: Ints) -> Floats:
        """Weighted medians of stretches of ranks, each ascending; the mean of two where the weights stand even."""
        running = np.append(0.0, np.cumsum(self.weight[rank]))
        half = (running[first] + running[last]) / 2.0
        slack = 1e-12 * running[-1]
        top = np.maximum(last - 1, first)
        low = np.clip(np.searchsorted(running, half - slack) - 1, first, top)
        high = np.clip(np.searchsorted(running, half + slack, side="right") - 1, first, top)
        residual = np.append(self.residual[rank], 0.0)
        return np.asarray((residual[low] + residual[high]) / 2.0)


def _of_image(epochs: Epochs, points: Ints, places: Floats, around: csr_matrix, rule: Neighbours) -> Floats:
    """Corrections of the points of one image."""
    references = _References.among(epochs, points)
    star = epochs.star[points]
    near = around[references.star].tocsc()
    first, last = near.indptr[star], near.indptr[star + 1]
    is_lonely = last - first < rule.least
    correction = np.where(is_lonely, 0.0, references.medians(near.indices, first, last))
    if is_lonely.any() and len(references.star) >= rule.least:
        correction[is_lonely] = _of_lonely(star[is_lonely], places, references, rule)
    return correction


def _of_lonely(star: Ints, places: Floats, references: _References, rule: Neighbours) -> Floats:
    """Corrections of stars that have few neighbours, from the nearest not too far away; 0 where there are none."""
    from scipy.spatial import KDTree

    n, far = len(references.star), _chord(rule.far_arcsec)
    distance, rank = KDTree(places[references.star]).query(places[star], k=rule.least + 1, distance_upper_bound=far)
    is_other = np.isfinite(distance) & (np.append(references.star, -1)[rank] != star[:, None])
    is_other &= np.cumsum(is_other, axis=1) <= rule.least
    counts = is_other.sum(axis=1)
    ranks = np.sort(np.where(is_other, rank, n), axis=1)
    ranks[counts < rule.least] = 0
    first = np.arange(len(star)) * (rule.least + 1)
    found = references.medians(np.minimum(ranks, n - 1).ravel(), first, first + counts)
    return np.where(counts >= rule.least, found, 0.0)


def _neighbours(places: Floats, references: Ints, rule: Neighbours) -> csr_matrix:
    """Sparse matrix (n_stars, n_stars): row of a reference, column of a star near it, the star itself left out."""
    from scipy.sparse import csr_matrix
    from scipy.spatial import KDTree

    n, near = len(places), _chord(rule.radius_arcsec)
    _, nearest = KDTree(places[references]).query(places, k=np.arange(rule.most + 1) + 1, distance_upper_bound=near)
    reference = np.append(references, -1)[nearest]
    is_other = (reference >= 0) & (reference != np.arange(n)[:, None])
    is_other &= np.cumsum(is_other, axis=1) <= rule.most
    row, column = reference[is_other], np.nonzero(is_other)[0]
    return csr_matrix((np.ones(len(row), np.int8), (row, column)), shape=(n, n))


def _chord(arcsec: float) -> float:
    return float(2.0 * np.sin(np.radians(arcsec / 3600.0) / 2.0))

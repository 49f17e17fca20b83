"""`SearchSettings`: every number on which a search for variables depends."""

from __future__ import annotations

from dataclasses import dataclass, field

from skydex.lightcurve.trends import Windows
from skydex.lightcurve.zero_points import Neighbours

__all__ = ["QualityCuts", "SearchSettings"]


@dataclass(frozen=True)
class QualityCuts:
    """Where the letters of a quality flag change, in sigma above stars of that magnitude."""

    a_b: float = 3.0
    """Between A and B for scatter; between C and B for amplitude."""
    b_c: float = 5.0
    """Between B and C for scatter; between B and A for amplitude."""


@dataclass(frozen=True)
class SearchSettings:
    """Cuts and widths of a search for variables.

    The steps and the factor 5 are those that the Hubble Catalog of Variables describes; the values of the others are
    not published in a form that could be read here, and are this package's own.
    """

    max_mag_err: float = 0.2
    """Points with a larger error are not used."""
    max_flags: int = 4
    """Points with a larger SExtractor flag are not used."""
    min_epochs: int = 5
    """Fewest points of a light curve."""
    min_sources: int = 300
    """Fewest light curves of a field and filter from which a threshold is drawn."""
    outlier_sigma: float = 3.0
    """Points farther than this from the median of their curve are outliers."""
    synthetic_sigma: float = 4.0
    """Points are suspect whose error, CI, distance and aperture differ from those of the curve by more than this."""
    least_sigma_mag: float = 0.003
    """The scatter of a curve is not taken to be less."""
    bad_image_share: float = 0.2
    """An image in which more of the points are outliers is not used."""
    bad_image_points: int = 50
    """An image is judged by no fewer points."""
    error_floor_mag: float = 0.01
    """Added to the errors of the points that make a zero point."""
    suspect_weight: float = 0.1
    """Weight of suspect points in a zero point, relative to others."""
    reference_scatter: float = 3.0
    """Stars that scatter more than this times what is usual at their magnitude make no zero point."""
    reference_limit_mag: float = 0.1
    """Nor do stars of magnitudes at which more scatter is usual."""
    neighbours: Neighbours = field(default_factory=Neighbours)
    """Which stars make the zero point near a star."""
    n_iterations: int = 2
    """How often zero points are found."""
    converged_mag: float = 0.001
    """Fewer times, if none changes by more than this."""
    windows: Windows = field(default_factory=Windows)
    """Which stars are compared for thresholds and letters."""
    n_sigma: float = 5.0
    """A candidate's MAD lies farther than this above stars of its magnitude."""
    min_chi2: float = 3.0
    """And its reduced chi square is larger."""
    epoch_steps: tuple[int, ...] = (8, 16)
    """Curves with fewer and with more points are compared among themselves, if there are enough of each."""
    quality: QualityCuts = field(default_factory=QualityCuts)
    """Where the letters of the quality flag change."""

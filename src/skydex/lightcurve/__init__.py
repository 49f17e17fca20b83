"""Light curves: variability indices, and a search for variables in the style of the Hubble Catalog of Variables."""

from skydex.lightcurve.combining import CombinedLightCurve
from skydex.lightcurve.correlation import BandCorrelation, band_correlation
from skydex.lightcurve.curve import LightCurve
from skydex.lightcurve.curves import LightCurves
from skydex.lightcurve.features import STATISTICS, Features, Reason, Statistic, features
from skydex.lightcurve.folding import FoldedLightCurve, phases
from skydex.lightcurve.indices import SIGMA_PER_MAD, chi2_reduced, mad
from skydex.lightcurve.means import MeanMagnitudes, mean_magnitudes
from skydex.lightcurve.measurements import HCV_COLUMNS, Labels, Measurements
from skydex.lightcurve.periods import METHODS, DoublePeriod, Peak, Periodogram, frequency_grid, periodogram
from skydex.lightcurve.photometry import ab_mag, ab_mag_err, flux_jy, flux_jy_err
from skydex.lightcurve.roles import KNOWN_ROLES, Good, Roles, roles_of
from skydex.lightcurve.segments import Segments
from skydex.lightcurve.sets import LightCurveSet
from skydex.lightcurve.settings import QualityCuts, SearchSettings
from skydex.lightcurve.trends import Trend, Windows, running_trend
from skydex.lightcurve.variables import VariabilityTables, classify
from skydex.lightcurve.zero_points import Epochs, Neighbours, local_zero_points

__all__ = [
    "HCV_COLUMNS",
    "KNOWN_ROLES",
    "METHODS",
    "SIGMA_PER_MAD",
    "STATISTICS",
    "BandCorrelation",
    "CombinedLightCurve",
    "DoublePeriod",
    "Epochs",
    "Features",
    "FoldedLightCurve",
    "Good",
    "Labels",
    "LightCurve",
    "LightCurveSet",
    "LightCurves",
    "MeanMagnitudes",
    "Measurements",
    "Neighbours",
    "Peak",
    "Periodogram",
    "QualityCuts",
    "Reason",
    "Roles",
    "SearchSettings",
    "Segments",
    "Statistic",
    "Trend",
    "VariabilityTables",
    "Windows",
    "ab_mag",
    "ab_mag_err",
    "band_correlation",
    "chi2_reduced",
    "classify",
    "features",
    "flux_jy",
    "flux_jy_err",
    "frequency_grid",
    "local_zero_points",
    "mad",
    "mean_magnitudes",
    "periodogram",
    "phases",
    "roles_of",
    "running_trend",
]

"""Figures as astronomers publish them, one call each, drawn on axes that the caller may bring.

Every function takes data first and `ax`, gives the axes back, and leaves the defaults of matplotlib alone: magnitudes
run downwards, right ascension to the left. matplotlib is loaded when something is drawn.
"""

from skydex.plots.canvas import note
from skydex.plots.classes import artifact_fraction, histograms, stacked_histograms
from skydex.plots.diagrams import colour_magnitude, hexbin, scatter, variability
from skydex.plots.fractions import Fractions, fractions_by_bin
from skydex.plots.light_curves import by_band, difference, folded, light_curve
from skydex.plots.periodograms import periodogram
from skydex.plots.pictures import cutout_pairs, cutouts, stamp
from skydex.plots.sky import all_sky, sky
from skydex.plots.style import style

__all__ = [
    "Fractions",
    "all_sky",
    "artifact_fraction",
    "by_band",
    "colour_magnitude",
    "cutout_pairs",
    "cutouts",
    "difference",
    "folded",
    "fractions_by_bin",
    "hexbin",
    "histograms",
    "light_curve",
    "note",
    "periodogram",
    "scatter",
    "sky",
    "stacked_histograms",
    "stamp",
    "style",
    "variability",
]

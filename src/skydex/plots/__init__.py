"""Figures as astronomers publish them, one call each, drawn on axes that the caller may bring.

Every function takes data first and `ax`, gives the axes back, and leaves the defaults of matplotlib alone: magnitudes
run downwards, right ascension to the left. matplotlib is loaded when something is drawn.
"""

from skydex.plots.canvas import note
from skydex.plots.diagrams import colour_magnitude, hexbin, scatter, variability
from skydex.plots.light_curves import by_band, difference, folded, light_curve
from skydex.plots.sky import all_sky, sky
from skydex.plots.style import style

__all__ = [
    "all_sky",
    "by_band",
    "colour_magnitude",
    "difference",
    "folded",
    "hexbin",
    "light_curve",
    "note",
    "scatter",
    "sky",
    "style",
    "variability",
]

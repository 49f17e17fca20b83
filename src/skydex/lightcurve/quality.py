"""The quality flag of a light curve: five letters, for CI, distance, error, aperture and amplitude; A is best.

The letters and their order are those of the Hubble Catalog of Variables (column VarQualFlag); where A ends and B begins
is not published in a form that could be read here, so the cuts are settings. The first four letters say whether the
point-to-point scatter of a measure is usual at that magnitude, the last one whether the amplitude is large.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skydex.lightcurve.indices import amplitude
from skydex.lightcurve.segments import Floats
from skydex.lightcurve.settings import QualityCuts, SearchSettings
from skydex.lightcurve.stars import StarField
from skydex.lightcurve.trends import Windows, running_trend

__all__ = ["NOT_ASSESSED", "quality_flags"]

NOT_ASSESSED = "-----"
"""The flag of a light curve that could not be compared with others."""


def quality_flags(stars: StarField, settings: SearchSettings) -> NDArray[np.str_]:
    """Five letters for each star, (n_stars,) text of 5 characters."""
    mag = stars.mean_corr_mag
    scatters = [stars.scatter_of(values) for values in stars.measures]
    letters = [_letters(_significance(mag, scatter, settings.windows), settings.quality) for scatter in scatters]
    height = _significance(mag, amplitude(stars.curves), settings.windows)
    letters.append(_reversed(_letters(height, settings.quality)))
    return np.stack(letters, axis=1).astype("U1").view("U5")[:, 0]


def _significance(mag: Floats, values: Floats, windows: Windows) -> Floats:
    return running_trend(mag, values, windows).significance(mag, values)


def _letters(significance: Floats, cuts: QualityCuts) -> NDArray[np.str_]:
    """A, B, C for little, more, and much; C for what is not known."""
    return np.where(significance < cuts.a_b, "A", np.where(significance < cuts.b_c, "B", "C"))


def _reversed(letters: NDArray[np.str_]) -> NDArray[np.str_]:
    return np.where(letters == "A", "C", np.where(letters == "C", "A", "B"))

"""Epochs: where a star that moves uniformly through space is at another time.

The model is the one of ESA SP-1200 (The Hipparcos and Tycho Catalogues, 1997), volume 1, section 1.5.5: star and Sun
move on straight lines, light arrives at once. Proper motion, parallax and radial velocity change along with the
direction. Only rotations of the frame leave the formulae as they are, so any fixed frame will do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skydex.sky.angles import Floats, normal_ra

__all__ = ["Astrometry"]

KM_YEARS_PER_SECOND_AU = 149_597_870.7 / (365.25 * 86_400.0)
"""One au per Julian year in km/s, 4.740470464 (IAU 2012 Resolution B2)."""
_MAS = np.pi / 180.0 / 3_600_000.0
"""A milliarcsecond in radians."""


@dataclass(frozen=True)
class Astrometry:
    """Six parameters of stars at one epoch, as arrays of one shape.

    What is not known is NaN, and counts as zero where something else depends on it: the star then has no such motion,
    or is infinitely far away. A parallax of zero or less tells no distance, and counts as that too.
    """

    ra_deg: Floats
    """Right ascension, or the longitude of another frame."""
    dec_deg: Floats
    """Declination, or the latitude of that frame."""
    parallax_mas: Floats
    """Annual parallax."""
    pm_ra_masyr: Floats
    """Proper motion in right ascension, with cos(dec) in it, a Julian year."""
    pm_dec_masyr: Floats
    """Proper motion in declination, a Julian year."""
    rv_kms: Floats
    """Radial velocity, positive for what recedes."""

    @classmethod
    def of(
        cls,
        ra_deg: ArrayLike,
        dec_deg: ArrayLike,
        *,
        parallax_mas: ArrayLike = np.nan,
        pm_ra_masyr: ArrayLike = np.nan,
        pm_dec_masyr: ArrayLike = np.nan,
        rv_kms: ArrayLike = np.nan,
    ) -> Astrometry:
        """Of anything that broadcasts; what is left out is not known."""
        given = (ra_deg, dec_deg, parallax_mas, pm_ra_masyr, pm_dec_masyr, rv_kms)
        return cls(*np.broadcast_arrays(*(np.asarray(item, dtype=np.float64) for item in given)))

    def after(self, years: ArrayLike) -> Astrometry:
        """The parameters as they are some Julian years later, or earlier.

        Parameters
        ----------
        years : array_like of float
            Julian years; NaN gives NaN throughout.

        Returns
        -------
        astrometry : Astrometry
            Right ascensions in [0, 360). What was not known stays NaN, and both proper motions do where one was not
            known. Without a distance the radial velocity stays what it was.

        Examples
        --------
        >>> moved = Astrometry.of(269.4520825, 4.6933650, pm_ra_masyr=-802.803, pm_dec_masyr=10362.542).after(-16.0)
        >>> round(float(moved.dec_deg), 4)
        4.6473
        """
        years = np.asarray(years, dtype=np.float64)
        ra, dec = np.radians(self.ra_deg), np.radians(self.dec_deg)
        east, north, outwards = _triad(ra, dec)
        pm_ra, pm_dec = (np.nan_to_num(pm) * _MAS for pm in (self.pm_ra_masyr, self.pm_dec_masyr))
        parallax = np.where(self.parallax_mas > 0.0, self.parallax_mas, 0.0)
        receding = np.nan_to_num(self.rv_kms) * parallax * _MAS / KM_YEARS_PER_SECOND_AU
        motion = east * pm_ra + north * pm_dec
        pm_squared = pm_ra**2 + pm_dec**2
        nearer = 1.0 / np.sqrt(1.0 + 2.0 * receding * years + (pm_squared + receding**2) * years**2)
        place = (outwards * (1.0 + receding * years) + motion * years) * nearer
        proper = (motion * (1.0 + receding * years) - outwards * pm_squared * years) * nearer**3
        receding_then = (receding + (pm_squared + receding**2) * years) * nearer**2
        ra_then, dec_then = np.arctan2(place[1], place[0]), np.arctan2(place[2], np.hypot(place[0], place[1]))
        east, north, _ = _triad(ra_then, dec_then)
        parallax_then = self.parallax_mas * nearer
        is_known = np.isfinite(self.pm_ra_masyr) & np.isfinite(self.pm_dec_masyr)
        has_distance = np.isfinite(self.rv_kms) & (parallax > 0.0)
        au_per_year = receding_then / (np.where(has_distance, parallax_then, 1.0) * _MAS)
        return Astrometry(
            normal_ra(np.degrees(ra_then)),
            np.degrees(dec_then),
            parallax_then,
            np.where(is_known, np.sum(east * proper, axis=0) / _MAS, np.nan),
            np.where(is_known, np.sum(north * proper, axis=0) / _MAS, np.nan),
            np.where(has_distance, au_per_year * KM_YEARS_PER_SECOND_AU, self.rv_kms),
        )


def _triad(ra: Floats, dec: Floats) -> tuple[Floats, Floats, Floats]:
    """Unit vectors to the east, to the north and outwards at positions in radians; each of shape (3, ...)."""
    sin_ra, cos_ra, sin_dec, cos_dec = np.sin(ra), np.cos(ra), np.sin(dec), np.cos(dec)
    return (
        np.stack([-sin_ra, cos_ra, np.zeros_like(ra)]),
        np.stack([-sin_dec * cos_ra, -sin_dec * sin_ra, cos_dec]),
        np.stack([cos_dec * cos_ra, cos_dec * sin_ra, sin_dec]),
    )

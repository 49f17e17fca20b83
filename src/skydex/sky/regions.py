"""`Cone`, `Polygon` and `Range`: regions of the sky that a query may name.

The circle and polygon of DALI 1.1 (IVOA REC 2017-05-17, section 3.3), the range of DALI 1.2, and the BOX of ADQL 2.1
(IVOA REC 2023-12-15, section 4.2). ICRS, degrees. A region says exactly which positions it contains, gives the
constants of that test for engines to repeat (`insides`), and tells `pixels` what it may touch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from skydex.errors import BadRegionError
from skydex.sky.angles import Floats, Mask, directions_deg, normal_ra, possible_dec, unit_vectors
from skydex.sky.borders import Border
from skydex.sky.insides import Cap, Crossings, HalfSpaces, inside_test

__all__ = ["ONE_PLACE", "Cone", "Polygon", "Range", "Region"]

ONE_PLACE = 4e-32
"""Haversine of 2e-14 deg. The same place written as RA 0 and 360, or at the pole with any RA, differs by 1.5e-32."""
BAND_MARGIN = 1e-9
"""Degrees by which the declination band that is looked at first exceeds the region."""


class Region(Protocol):
    """A closed part of the sky."""

    def contains(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> Mask:
        """Which positions are inside; not finite or impossible ones (|dec| > 90) are not."""

    def may_touch(self, points: Floats, radius: float) -> Mask:
        """Which unit vectors (3, n) may have a part of the region within a radius (radians, below pi / 2)."""

    def holds(self, points: Floats, radius: float) -> Mask:
        """Which unit vectors (3, n) certainly have nothing but the region within a radius (radians, below pi / 2)."""

    @property
    def bounding_cone(self) -> Cone:
        """A cone that holds the region."""

    @property
    def rim_deg(self) -> float:
        """About how long the border is."""


@dataclass(frozen=True)
class Cone:
    """All positions within a radius of a centre, the rim included (DALI circle).

    Radius 0 finds a source at exactly that position, 180 the whole sky. Whether a source within some 1e-14 deg of the
    rim is inside is a matter of rounding, but the same every time.
    """

    ra_deg: float
    """Centre, brought to [0, 360)."""
    dec_deg: float
    radius_deg: float
    """0 to 180."""

    def __post_init__(self) -> None:
        _set(self, ra_deg=_checked_ra(self.ra_deg, "cone"), dec_deg=_checked_dec(self.dec_deg, "cone"))
        _set(self, radius_deg=_number(self.radius_deg, "radius", "cone"))
        if not 0.0 <= self.radius_deg <= 180.0:
            raise BadRegionError(f"A cone's radius is 0 to 180 degrees; {self.radius_deg:g} is not.")

    @cached_property
    def cap(self) -> Cap:
        """The test as constants; beyond 90 degrees it asks for the distance from the antipode, to stay exact."""
        if self.radius_deg <= 90.0:
            return Cap(self.ra_deg, self.dec_deg, max(_haversine_of(self.radius_deg), ONE_PLACE))
        opposite = float(normal_ra(self.ra_deg + 180.0))
        return Cap(opposite, -self.dec_deg, _haversine_of(180.0 - self.radius_deg), beyond=True)

    def contains(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> Mask:
        return _inside_band(ra_deg, dec_deg, self, self.cap.contains)

    def may_touch(self, points: Floats, radius: float) -> Mask:
        reach = min(math.radians(self.radius_deg) + radius, math.pi)
        centre = unit_vectors(self.ra_deg, self.dec_deg)
        return np.asarray(np.square(points - centre[:, None]).sum(axis=0) <= (2.0 * math.sin(reach / 2.0)) ** 2 + 1e-15)

    def holds(self, points: Floats, radius: float) -> Mask:
        room = math.radians(self.radius_deg) - radius
        if room <= 0.0:
            return np.zeros(points.shape[1:], np.bool_)
        centre = unit_vectors(self.ra_deg, self.dec_deg)
        return np.asarray(np.square(points - centre[:, None]).sum(axis=0) <= (2.0 * math.sin(room / 2.0)) ** 2 - 1e-15)

    @property
    def bounding_cone(self) -> Cone:
        return self

    @property
    def rim_deg(self) -> float:
        return 360.0 * math.sin(math.radians(self.radius_deg))


@dataclass(frozen=True)
class Polygon:
    """The inside of a closed chain of great-circle arcs (DALI polygon).

    Inside is the side that does not hold the antipode of the vertices' mean direction, whichever way round they are
    given; for a polygon that fits in a hemisphere, the small side. Border points of a convex polygon are inside; of a
    concave one each belongs to one side, always the same (`Crossings`).
    """

    ra_deg: tuple[float, ...]
    """Vertices, brought to [0, 360); repeating the first at the end is allowed."""
    dec_deg: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.ra_deg) != len(self.dec_deg):
            raise BadRegionError(
                f"A polygon needs pairs of numbers; here are {len(self.ra_deg)} RA and {len(self.dec_deg)} Dec."
            )
        if len(self.ra_deg) < 3:
            raise BadRegionError(f"A polygon needs at least three distinct vertices; this one has {len(self.ra_deg)}.")
        _set(self, ra_deg=tuple(_checked_ra(ra, "polygon") for ra in self.ra_deg))
        _set(self, dec_deg=tuple(_checked_dec(dec, "polygon") for dec in self.dec_deg))
        _ = self.test

    @classmethod
    def from_box(cls, ra_deg: float, dec_deg: float, width_deg: float, height_deg: float) -> Polygon:
        """The polygon of ADQL's BOX: corners half the extents, in coordinates, from the centre; great-circle edges.

        The width is in degrees of right ascension, not of arc.
        """
        if not 0.0 < width_deg < 180.0:
            raise BadRegionError(f"A box is wider than 0 and narrower than 180 degrees; {width_deg:g} is not.")
        if not height_deg > 0.0 or abs(dec_deg) + height_deg / 2.0 > 90.0:
            raise BadRegionError(
                f"A box of height {height_deg:g} at declination {dec_deg:g} does not lie between the poles. "
                "Around a pole use a circle or a polygon."
            )
        west, east = ra_deg - width_deg / 2.0, ra_deg + width_deg / 2.0
        south, north = dec_deg - height_deg / 2.0, dec_deg + height_deg / 2.0
        return cls((west, west, east, east), (south, north, north, south))

    @cached_property
    def border(self) -> Border:
        """The arcs."""
        return Border.from_vertices(self.ra_deg, self.dec_deg)

    @cached_property
    def test(self) -> HalfSpaces | Crossings:
        """The test as constants: half-spaces for a convex polygon, crossings for any other."""
        return inside_test(self.border)

    @property
    def is_convex(self) -> bool:
        return isinstance(self.test, HalfSpaces)

    def contains(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> Mask:
        return _inside_band(
            ra_deg, dec_deg, self.bounding_cone, lambda ra, dec: self.test.contains(unit_vectors(ra, dec))
        )

    def may_touch(self, points: Floats, radius: float) -> Mask:
        return np.asarray(self.test.contains(points) | self.border.near(points, radius))

    def holds(self, points: Floats, radius: float) -> Mask:
        return np.asarray(self.test.contains(points) & ~self.border.near(points, radius))

    @cached_property
    def bounding_cone(self) -> Cone:
        x, y, z = self.border.centre
        reach = math.degrees(self.border.reach)
        centre = math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y)))
        return Cone(*centre, reach + BAND_MARGIN if reach < 89.0 else 180.0)

    @property
    def rim_deg(self) -> float:
        return math.degrees(self.border.length)


@dataclass(frozen=True)
class Range:
    """All positions between two meridians and two parallels, both included (DALI range).

    Runs eastwards from `ra_min` to `ra_max`, through RA 0 where `ra_max` is the smaller; a difference of 360 or more is
    the full circle. Limits may be infinite, which leaves that side open, as in DALI's intervals. At a pole RA counts as
    it is written.
    """

    ra_min: float
    """Degrees, brought to [0, 360)."""
    ra_max: float
    """Degrees, brought to [0, 360]."""
    dec_min: float
    """Degrees."""
    dec_max: float
    """Degrees."""

    def __post_init__(self) -> None:
        low, high = _opened(self.ra_min, 0.0, "RA"), _opened(self.ra_max, 360.0, "RA")
        is_round = high - low >= 360.0
        _set(self, ra_min=0.0 if is_round else _checked_ra(low, "range"))
        _set(self, ra_max=360.0 if is_round else _checked_ra(high, "range"))
        _set(self, dec_min=_checked_dec(_opened(self.dec_min, -90.0, "Dec"), "range"))
        _set(self, dec_max=_checked_dec(_opened(self.dec_max, 90.0, "Dec"), "range"))
        if self.dec_min > self.dec_max:
            raise BadRegionError(f"The range's declinations run backwards, from {self.dec_min:g} to {self.dec_max:g}.")

    @property
    def wraps(self) -> bool:
        """Whether it runs through RA 0; then it is `ra >= ra_min or ra <= ra_max`, else both."""
        return self.ra_min > self.ra_max

    @property
    def width_deg(self) -> float:
        """From meridian to meridian, degrees of right ascension."""
        return self.ra_max - self.ra_min + (360.0 if self.wraps else 0.0)

    def contains(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> Mask:
        dec = np.asarray(dec_deg, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            ra = normal_ra(ra_deg)
        above, below = ra >= self.ra_min, ra <= self.ra_max
        between = above | below if self.wraps else above & below
        return np.asarray(between & (dec >= self.dec_min) & (dec <= self.dec_max))

    def may_touch(self, points: Floats, radius: float) -> Mask:
        ra, dec = directions_deg(points)
        reach = math.degrees(radius) + BAND_MARGIN
        in_band = (dec >= self.dec_min - reach) & (dec <= self.dec_max + reach)
        spread = _ra_spread(dec, reach)
        eastward = np.mod(ra - self.ra_min, 360.0)
        return np.asarray(in_band & ((eastward <= self.width_deg + spread) | (eastward >= 360.0 - spread)))

    def holds(self, points: Floats, radius: float) -> Mask:
        ra, dec = directions_deg(points)
        reach = math.degrees(radius) + BAND_MARGIN
        in_band = (np.maximum(dec - reach, -90.0) >= self.dec_min) & (np.minimum(dec + reach, 90.0) <= self.dec_max)
        if self.width_deg >= 360.0:
            return np.asarray(in_band)
        spread = _ra_spread(dec, reach) + BAND_MARGIN
        eastward = np.mod(ra - self.ra_min, 360.0)
        return np.asarray(in_band & (eastward >= spread) & (eastward <= self.width_deg - spread))

    @cached_property
    def bounding_cone(self) -> Cone:
        """Centred on the range; its corners are reached by going along a meridian, then along the widest parallel."""
        half_width, half_height = self.width_deg / 2.0, (self.dec_max - self.dec_min) / 2.0
        reach = half_height + half_width * self._widest + BAND_MARGIN
        return Cone(self.ra_min + half_width, self.dec_min + half_height, min(reach, 180.0))

    @property
    def rim_deg(self) -> float:
        return 2.0 * (self.dec_max - self.dec_min) + 2.0 * self.width_deg * self._widest

    @property
    def _widest(self) -> float:
        """Cosine of the declination nearest to the equator."""
        nearest = 0.0 if self.dec_min <= 0.0 <= self.dec_max else min(abs(self.dec_min), abs(self.dec_max))
        return math.cos(math.radians(nearest))


def _inside_band(ra_deg: ArrayLike, dec_deg: ArrayLike, bounds: Cone, test: Callable[[Floats, Floats], Mask]) -> Mask:
    """Apply an exact test to the positions in the declination band of a bounding cone; the others are outside."""
    ra, dec = np.broadcast_arrays(np.asarray(ra_deg, dtype=np.float64), np.asarray(dec_deg, dtype=np.float64))
    mask = np.asarray(possible_dec(dec) & np.isfinite(ra))
    mask &= np.abs(dec - bounds.dec_deg) <= bounds.radius_deg + BAND_MARGIN
    mask[mask] = test(ra[mask], dec[mask])
    return mask


def _ra_spread(dec_deg: Floats, radius_deg: float) -> Floats:
    """How far in right ascension, degrees, a circle of a radius reaches; 180 where it holds a pole."""
    ratio = np.sin(np.radians(radius_deg)) / np.cos(np.radians(dec_deg))
    is_polar = np.abs(dec_deg) + radius_deg >= 90.0
    return np.asarray(np.where(is_polar, 180.0, np.degrees(np.arcsin(np.clip(ratio, 0.0, 1.0)))))


def _haversine_of(angle_deg: float) -> float:
    return math.sin(math.radians(angle_deg) / 2.0) ** 2


def _number(value: float, what: str, region: str) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise BadRegionError(f"The {what} of a {region} must be a finite number; {number} is not.")
    return number


def _checked_ra(value: float, region: str) -> float:
    return float(normal_ra(_number(value, "RA", region)))


def _checked_dec(value: float, region: str) -> float:
    dec = _number(value, "declination", region)
    if abs(dec) > 90.0:
        raise BadRegionError(
            f"Declinations are -90 to +90 degrees; {dec:g} in this {region} is not. Are RA and Dec swapped?"
        )
    return dec


def _opened(value: float, limit: float, what: str) -> float:
    """The number, or the outermost one where the range is left open by the infinity on that side."""
    number = float(value)
    if math.isnan(number) or number == math.copysign(math.inf, 1.0 if limit <= 0.0 else -1.0):
        raise BadRegionError(f"A limit of {number} in {what} leaves nothing of the range.")
    return limit if math.isinf(number) else number


def _set(region: object, **fields: object) -> None:
    """Store checked values while a frozen dataclass is being made."""
    for name, value in fields.items():
        object.__setattr__(region, name, value)

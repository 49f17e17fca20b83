"""`LightCurveSet`: the light curves of many objects, by what the catalogue calls them.

All measurements lie in one `LightCurve`, sorted by object and time, so that what is done to all of them is done once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skydex.lightcurve.curve import LightCurve
from skydex.lightcurve.curves import LightCurves
from skydex.lightcurve.segments import Floats, Ints, Mask, Segments

__all__ = ["LightCurveSet"]

Key = int | str


class LightCurveSet(Mapping[Key, LightCurve]):
    """Light curves by object.

    Parameters
    ----------
    keys : sequence of int or str
        The objects.
    owner : (n_points,) int64 array
        Of each point the number of its object in `keys`.
    points : LightCurve
        All points, in any order.
    ra_deg, dec_deg : (n,) float64 array
        Where the objects are, ICRS; NaN where that is not known.
    unknown : sequence, optional
        What was asked for and has no measurements.
    nearest : sequence, optional
        Of each place that was asked for the object, or None.

    Examples
    --------
    >>> points = LightCurve.in_given_order([5.0, 1.0, 2.0], [20.1, 18.0, 20.2], band=["g", "r", "g"])
    >>> curves = LightCurveSet([101, 102, 103], np.array([1, 0, 1]), points, np.zeros(3), np.zeros(3))
    >>> curves
    LightCurveSet: 3 objects, 3 points in g (2), r (1)
    >>> curves[102].time.tolist(), len(curves[103])
    ([2.0, 5.0], 0)
    """

    def __init__(
        self,
        keys: Sequence[Key],
        owner: Ints,
        points: LightCurve,
        ra_deg: Floats,
        dec_deg: Floats,
        unknown: Sequence[Any] = (),
        nearest: Sequence[Key | None] = (),
    ) -> None:
        kept = np.flatnonzero(points.is_measured)
        order = kept[np.lexsort((points.time[kept], owner[kept]))]
        self.points = points.chosen(order)
        self.segments = Segments.of_owners(owner[order], len(keys))
        self.ra_deg, self.dec_deg, self.unknown = ra_deg, dec_deg, tuple(unknown)
        self.nearest = tuple(nearest)
        self._places = {key: place for place, key in enumerate(keys)}

    def __getitem__(self, key: Key) -> LightCurve:
        place = self._places[key]
        start, end = self.segments.offsets[place : place + 2]
        curve = self.points.chosen(np.arange(start, end))
        return replace(curve, name=str(key), ra_deg=float(self.ra_deg[place]), dec_deg=float(self.dec_deg[place]))

    def __iter__(self) -> Iterator[Key]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        counts = ", ".join(f"{band or 'no band'} ({np.sum(self.points.band == band)})" for band in self.points.bands)
        more = f"; {len(self.unknown):,} unknown" if self.unknown else ""
        return f"LightCurveSet: {len(self):,} objects, {len(self.points):,} points in {counts or 'no band'}{more}"

    def cut(self, is_kept: Mask) -> LightCurveSet:
        """The points of `points` for which something holds; objects that lose all of theirs stay."""
        owner = self.segments.owner[np.asarray(is_kept, dtype=bool)]
        points = self.points.cut(is_kept)
        return LightCurveSet(list(self), owner, points, self.ra_deg, self.dec_deg, self.unknown, self.nearest)

    def in_band(self, *bands: str) -> LightCurveSet:
        """The points in some bands, as `LightCurve.in_band` names them."""
        return self.cut(np.isin(self.points.band, self.points.in_band(*bands).bands))

    def good_points(self) -> LightCurveSet:
        """The points that the makers of the catalogue recommend to keep; all, if they recommend nothing."""
        good = self.points.good
        return self if good is None else self.cut(good.holds(self.points.quality))

    def curves(self, *, mag_err: float = np.nan) -> LightCurves:
        """One curve for each object, as `features` takes them: choose a band before.

        Points without a magnitude are left out, and so are points without an error, unless one is given for them.
        """
        error = np.where(np.isfinite(self.points.mag_err), self.points.mag_err, mag_err)
        owner = self.segments.owner
        return LightCurves.of_points(owner, self.points.time, self.points.mag, error, n_curves=len(self))

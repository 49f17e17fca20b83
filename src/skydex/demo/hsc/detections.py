"""`Detections`: measurements matched into objects, as the Hubble Source Catalog's `detailed` table has them.

Objects of printed rows keep their published MatchIDs; sources of the simulated sky are grouped by
`skydex.objects.match_groups`, whose identifiers are moved beyond 9e12, where no published one is. The hcv collection
begins with the same `Detections`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from skydex.demo.hsc.fields import FIELDS, Field
from skydex.demo.hsc.images import Image, images_of
from skydex.demo.hsc.measurements import Measurements, joined, measure
from skydex.demo.hsc.planted import planted
from skydex.demo.size import Size
from skydex.objects import match_groups
from skydex.sky import unit_vectors

__all__ = ["SIMULATED_IDS", "Detections", "detect"]

SIMULATED_IDS = 9_000_000_000_000
"""Identifiers of simulated objects are at least this."""
_WELL = 10
_SMALL_SHARE = 0.2
_SOURCES_PER_IMAGE = 1_000_000
_N_SEED = 18_666
"""Objects of IC 1613 with at least ten measurements in each of F475W and F814W, at size `seed`."""
_ERROR_MAS = 12.0
_CLEAR_ARCSEC = 0.5


@dataclass(frozen=True)
class Detections:
    """What was found in a field, and which object each source belongs to."""

    field: Field
    """Where."""
    images: tuple[Image, ...]
    """What was taken of it."""
    rows: Measurements
    """Sources with their `match_id` and `source_id`, ordered by the former and by time."""

    def parts(self, n_matches: int) -> Iterator[Detections]:
        """The same, so many objects at a time."""
        starts = np.flatnonzero(np.diff(self.rows.match_id, prepend=-1))[::n_matches]
        for start, stop in pairwise([*starts.tolist(), len(self.rows)]):
            yield replace(self, rows=self.rows.take(np.arange(start, stop)))


def detect(field: Field, size: Size, seed: int) -> Detections:
    """Measure a field and match its sources: a pure function.

    Two collections ask for each field. Small skies are remembered from one to the other; of a large one, whose arrays
    would fill the memory, only the last field is.

    Parameters
    ----------
    field : Field
        One of `fields_of(size)`.
    size : Size
        How many stars there are.
    seed : int
        The same seed gives the same detections.
    """
    remembered = _of_small_sky if size.share <= _SMALL_SHARE else _of_large_sky
    return remembered(field, size, seed)


def _detected(field: Field, size: Size, seed: int) -> Detections:
    images = images_of(field, seed)
    simulated, printed = measure(field, size, seed), planted(field, images, seed)
    if printed is not None:
        simulated = simulated.take(_is_clear_of(printed, simulated))
    rows = _matched(field, images, simulated)
    if printed is not None:
        if field.name == "ic1613":
            rows = rows.take(_is_kept(rows, printed, images, size))
        rows = joined([rows, printed])
    starts = np.array([image.start_mjd for image in images])
    rows = rows.take(np.lexsort((rows.image, starts[rows.image], rows.match_id)))
    return Detections(field, images, _numbered(rows, images))


_of_small_sky = lru_cache(maxsize=len(FIELDS))(_detected)
_of_large_sky = lru_cache(maxsize=1)(_detected)


def _numbered(rows: Measurements, images: tuple[Image, ...]) -> Measurements:
    """With an identifier of each source that has no printed one: its image and its place among the image's sources."""
    by_image = np.argsort(rows.image, kind="stable")
    place = np.empty(len(rows), dtype=np.int64)
    place[by_image] = np.arange(len(rows)) - np.searchsorted(rows.image[by_image], rows.image[by_image])
    numbers = np.array([image.image_id for image in images])[rows.image]
    own = SIMULATED_IDS + numbers * _SOURCES_PER_IMAGE + place
    return replace(rows, source_id=np.where(rows.source_id > 0, rows.source_id, own))


def _matched(field: Field, images: tuple[Image, ...], rows: Measurements) -> Measurements:
    """With identifiers of objects; moving stars get larger errors, so that they stay together through the years."""
    if not len(rows):
        return rows
    years = (images[-1].start_mjd - images[0].start_mjd) / 365.25
    error = float(np.hypot(_ERROR_MAS, field.pm * abs(years) / 2))
    groups = match_groups(rows.ra, rows.dec, rows.image, error_mas=error)
    return replace(rows, match_id=SIMULATED_IDS + groups)


def _is_clear_of(printed: Measurements, rows: Measurements) -> NDArray[np.bool_]:
    """Which simulated sources are not where a printed object is."""
    _, first = np.unique(printed.match_id, return_index=True)
    taken = cKDTree(unit_vectors(printed.ra[first], printed.dec[first]).T)
    apart, _ = taken.query(unit_vectors(rows.ra, rows.dec).T, distance_upper_bound=np.radians(_CLEAR_ARCSEC / 3600))
    return np.asarray(np.isinf(apart))


def _is_kept(rows: Measurements, printed: Measurements, images: tuple[Image, ...], size: Size) -> NDArray[np.bool_]:
    """Leave out the last of the well-measured objects, so that their number is that of the document."""
    wanted = size.count(_N_SEED) - len(_well_measured(printed, images))
    return ~np.isin(rows.match_id, _well_measured(rows, images)[max(0, wanted) :])


def _well_measured(rows: Measurements, images: tuple[Image, ...]) -> NDArray[np.int64]:
    """Objects with at least ten measurements in each of F475W and F814W, ascending."""
    matches, number = np.unique(rows.match_id, return_inverse=True)
    is_well = np.ones(len(matches), dtype=np.bool_)
    for name in ("ACS_F475W", "ACS_F814W"):
        is_here = np.array([image.filter_name == name for image in images])[rows.image]
        is_well &= np.bincount(number[is_here], minlength=len(matches)) >= _WELL
    return np.asarray(matches[is_well])

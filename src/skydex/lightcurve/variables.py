"""`classify`: from detections of many objects to a catalogue of variable candidates, HCV-style.

The tables are those of the Hubble Catalog of Variables (Bonanos et al. 2019, A&A 630, A92): one row per object, per
object and filter, and per point. This is not its pipeline: the steps follow what its abstracts, figures and catalogue
pages say, and numbers that they do not give are settings of this package (`SearchSettings`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.lightcurve.indices import chi2_reduced, mad
from skydex.lightcurve.measurements import HCV_COLUMNS, Measurements
from skydex.lightcurve.quality import NOT_ASSESSED, quality_flags
from skydex.lightcurve.segments import Floats, Mask, Segments
from skydex.lightcurve.settings import SearchSettings
from skydex.lightcurve.stars import StarField, cleaned
from skydex.lightcurve.trends import running_trend
from skydex.sky import directions_deg, unit_vectors

__all__ = ["VariabilityTables", "classify"]

Arrays = Mapping[str, NDArray[Any]]
_NO_MAG = 90.0
"""Magnitudes from here on stand for none: 99, -999."""


@dataclass(frozen=True, eq=False)
class VariabilityTables:
    """A catalogue of variable candidates; each table is a mapping of column names to arrays of one length."""

    match: Arrays
    """A row per object: MatchID, GroupID, RA, Dec, AutoClass (0 constant, 1 variable in one filter, 2 in two or more),
    NumFilters."""
    filter: Arrays
    """A row per object and filter: MatchID, Filter, FilterDetFlag, VarQualFlag, NumLC, MeanMag, MeanCorrMag, MAD,
    Chi2; and Threshold, which MAD has to exceed."""
    detailed: Arrays
    """A row per point that was used: MatchID, Filter, MJD, ImageName, Mag, CorrMag, MagErr, CI, D."""
    notes: tuple[str, ...] = ()
    """What is odd about it: fields that were too small for a threshold, or in which unlike light curves were mixed."""


def classify(
    measurements: Any, settings: SearchSettings | None = None, *, names: Mapping[str, str] = HCV_COLUMNS
) -> VariabilityTables:
    """Search detections for variable objects.

    Parameters
    ----------
    measurements : Measurements or table
        Detections that are matched already; a table (astropy, pandas, Arrow, mapping of arrays) is read by `names`.
    settings : SearchSettings, optional
        Cuts and widths.
    names : mapping, optional
        Columns of the table by what they hold, see `Measurements.of_table`.

    Returns
    -------
    tables : VariabilityTables
        Objects with a light curve in at least one filter. A field with too few objects gets no threshold: its objects
        have AutoClass 0, VarQualFlag `-----`, and a note says so.
    """
    chosen = settings or SearchSettings()
    points = measurements if isinstance(measurements, Measurements) else Measurements.of_table(measurements, names)
    fields = [cleaned(StarField.of(field), chosen) for field in _fields(_usable(points, chosen))]
    return _gathered([_judged(stars, chosen) for stars in fields if len(stars.points)])


@dataclass(frozen=True, eq=False)
class _Judged:
    """Stars of one field and filter with what was found."""

    stars: StarField
    threshold: Floats
    mad: Floats
    chi2: Floats
    is_detected: Mask
    flags: NDArray[np.str_]
    notes: tuple[str, ...]


def _usable(points: Measurements, settings: SearchSettings) -> Measurements:
    """Points good enough for a light curve: of an image that has an object twice, the one nearer to it."""
    is_good = (np.abs(points.mag) < _NO_MAG) & np.isfinite(points.mjd) & (points.mag_err > 0.0)
    is_good &= (points.mag_err <= settings.max_mag_err) & (points.flags <= settings.max_flags)
    good = points.chosen(np.flatnonzero(is_good))
    order = np.lexsort((good.mjd, good.d_mas, good.image.code, good.match_id))
    match_id, image = good.match_id[order], good.image.code[order]
    is_first = np.append(True, (match_id[1:] != match_id[:-1]) | (image[1:] != image[:-1]))[: len(order)]
    return good.chosen(order[is_first])


def _fields(points: Measurements) -> Iterator[Measurements]:
    """Measurements of each field and filter, sorted by object and time."""
    order = np.lexsort((points.mjd, points.match_id, points.filter.code, points.group))
    group, band = points.group[order], points.filter.code[order]
    changes = np.flatnonzero((np.diff(group) != 0) | (np.diff(band) != 0)) + 1
    for rows in np.split(order, changes):
        if len(rows):
            yield points.chosen(rows)


def _judged(stars: StarField, settings: SearchSettings) -> _Judged:
    n_stars = len(stars.match_id)
    scatter, chi2 = mad(stars.curves), chi2_reduced(stars.curves)
    if n_stars < settings.min_sources:
        said = f"{_name(stars)}: {n_stars} light curves are too few for a threshold"
        nothing, flags = np.zeros(n_stars, dtype=np.bool_), np.full(n_stars, NOT_ASSESSED)
        return _Judged(stars, np.full(n_stars, np.nan), scatter, chi2, nothing, flags, (said,))
    threshold, notes = _thresholds(stars, scatter, settings)
    is_detected = (scatter > threshold) & (chi2 > settings.min_chi2)
    return _Judged(stars, threshold, scatter, chi2, is_detected, quality_flags(stars, settings), notes)


def _name(stars: StarField) -> str:
    return f"group {stars.points.group[0]}, {stars.filter}"


def _thresholds(stars: StarField, scatter: Floats, settings: SearchSettings) -> tuple[Floats, tuple[str, ...]]:
    """What MAD has to exceed, (n_stars,): the median and so many sigma of stars as bright and as often observed."""
    layer = np.digitize(stars.segments.counts, settings.epoch_steps)
    sizes = np.bincount(layer)
    notes: tuple[str, ...] = ()
    if (sizes[sizes > 0] < settings.min_sources).any():
        layer = np.zeros_like(layer)
        notes = (f"{_name(stars)}: one threshold for light curves of all lengths",)
    threshold = np.empty(len(scatter))
    for one in np.unique(layer):
        among = layer == one
        mag = stars.mean_corr_mag[among]
        trend = running_trend(mag, scatter[among], settings.windows).never_falling()
        threshold[among] = trend.above(settings.n_sigma, mag)
    return threshold, notes


def _gathered(judged: list[_Judged]) -> VariabilityTables:
    by_filter = _filter_table(judged)
    detailed = _detailed_table(judged)
    notes = tuple(note for one in judged for note in one.notes)
    return VariabilityTables(_match_table(judged), by_filter, detailed, notes)


def _filter_table(judged: list[_Judged]) -> Arrays:
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _FILTER_COLUMNS}
    for one in judged:
        stars = one.stars
        found = (
            stars.match_id,
            np.full(len(stars.match_id), one.stars.filter),
            one.is_detected,
            one.flags,
            stars.segments.counts,
            stars.segments.mean(stars.points.mag),
            stars.mean_corr_mag,
            one.mad,
            one.chi2,
            one.threshold,
        )
        for name, values in zip(_FILTER_COLUMNS, found, strict=True):
            columns[name].append(values)
    return _ordered(columns, ("MatchID", "Filter"))


def _detailed_table(judged: list[_Judged]) -> Arrays:
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _DETAILED_COLUMNS}
    for one in judged:
        points = one.stars.points
        images = points.image.values[points.image.code]
        band = np.full(len(points), one.stars.filter)
        found = (
            points.match_id,
            band,
            points.mjd,
            images,
            points.mag,
            one.stars.corr_mag,
            points.mag_err,
            points.ci,
            points.d_mas,
        )
        for name, values in zip(_DETAILED_COLUMNS, found, strict=True):
            columns[name].append(values)
    return _ordered(columns, ("MatchID", "Filter", "MJD"))


def _match_table(judged: list[_Judged]) -> Arrays:
    """Objects, from all the filters in which they have a light curve."""
    match_id = _joined([one.stars.match_id for one in judged], np.int64)
    group = _joined([one.stars.points.group[one.stars.segments.offsets[:-1]] for one in judged], np.int64)
    n_detected = _joined([one.is_detected for one in judged], np.int64)
    ra_deg = _joined([one.stars.directions[0] for one in judged], np.float64)
    dec_deg = _joined([one.stars.directions[1] for one in judged], np.float64)
    weight = _joined([one.stars.segments.counts for one in judged], np.float64)
    order = np.argsort(match_id, kind="stable")
    ids, first, n_filters = np.unique(match_id[order], return_index=True, return_counts=True)
    of_object = Segments(np.append(first, len(order)).astype(np.int64))
    vectors = (weight * unit_vectors(ra_deg, dec_deg))[:, order]
    ra, dec = directions_deg(np.stack([of_object.sum(axis) for axis in vectors]))
    n_variable = of_object.sum(n_detected[order]).astype(np.int64)
    return {
        "MatchID": ids,
        "GroupID": group[order][first],
        "RA": ra,
        "Dec": dec,
        "AutoClass": np.minimum(n_variable, 2),
        "NumFilters": n_filters,
    }


_FILTER_COLUMNS = (
    "MatchID",
    "Filter",
    "FilterDetFlag",
    "VarQualFlag",
    "NumLC",
    "MeanMag",
    "MeanCorrMag",
    "MAD",
    "Chi2",
    "Threshold",
)
_DETAILED_COLUMNS = ("MatchID", "Filter", "MJD", "ImageName", "Mag", "CorrMag", "MagErr", "CI", "D")


def _ordered(columns: Mapping[str, list[NDArray[Any]]], keys: tuple[str, ...]) -> Arrays:
    """Parts of a table put together and sorted, first key first."""
    whole = {name: np.concatenate(parts) if parts else np.empty(0) for name, parts in columns.items()}
    order = np.lexsort([whole[key] for key in reversed(keys)])
    return {name: values[order] for name, values in whole.items()}


def _joined(parts: list[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate(parts).astype(kind) if parts else np.empty(0, dtype=kind)

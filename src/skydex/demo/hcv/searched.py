"""The objects of a simulated field, searched for variables as anybody's detections would be (`skydex.lightcurve`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skydex.demo.hcv.part import Arrays, Part
from skydex.demo.hsc.detections import Detections
from skydex.demo.size import Size
from skydex.lightcurve import Labels, Measurements, SearchSettings, Segments, classify
from skydex.sky import unit_vectors

__all__ = ["IC_1613", "measurements_of", "searched", "trimmed"]

IC_1613 = "ic1613"
"""The field of which a document counts the rows."""
_N_ROWS, _N_PAIRS = 40_196, 17_090
"""Its rows, and objects with light curves in both F475W and F814W, at size `seed`."""
_N_VARIABLE_ROWS, _N_VARIABLE_PAIRS = 522, 258
"""The same of candidates for variables."""
_SETTINGS = SearchSettings(min_sources=100)
"""Small archives have fields with few stars: a third of the usual number must do."""
_MAS = np.degrees(1.0) * 3.6e6


def searched(found: Detections, printed: NDArray[np.int64]) -> Part | None:
    """Light curves and classes of what was detected in a field, but for printed objects; None if there are none."""
    points = measurements_of(found)
    tables = classify(points.chosen(~np.isin(points.match_id, printed)), _SETTINGS)
    n_objects = len(tables.match["MatchID"])
    if not n_objects:
        return None
    match = {
        **tables.match,
        "SubGroupID": np.full(n_objects, found.field.subgroup_id),
        "ExpertClass": np.zeros(n_objects, dtype=np.int64),
    }
    return Part(match, tables.filter, tables.detailed)


def measurements_of(found: Detections) -> Measurements:
    """Detections of a field as a search for variables takes them; they are ordered by object."""
    rows, images = found.rows, found.images
    filters = np.array([image.filter_name for image in images])
    names, code = np.unique(filters, return_inverse=True)
    return Measurements(
        match_id=rows.match_id,
        filter=Labels(names, code[rows.image]),
        image=Labels(np.array([image.name for image in images]), rows.image),
        mjd=np.array([image.start_mjd for image in images])[rows.image],
        ra_deg=rows.ra,
        dec_deg=rows.dec,
        mag=rows.mag_aper2,
        mag_err=rows.mag_err,
        mag_auto=rows.mag_auto,
        ci=rows.ci,
        d_mas=_distances_mas(found),
        flags=rows.flags,
        group=np.full(len(rows), found.field.group_id),
    )


def _distances_mas(found: Detections) -> NDArray[np.float64]:
    """How far each source is from the mean of its object."""
    rows = found.rows
    changes = np.flatnonzero(np.diff(rows.match_id)) + 1
    objects = Segments(np.concatenate([[0], changes, [len(rows)]]).astype(np.int64))
    apart = [axis - objects.spread(objects.mean(axis)) for axis in unit_vectors(rows.ra, rows.dec)]
    return np.asarray(np.sqrt(sum(axis**2 for axis in apart)) * _MAS)


def trimmed(part: Part, printed: Part, size: Size) -> Part:
    """Leave out the last objects of IC 1613, so that rows and pairs have the numbers of the document.

    So have the candidates among them. Where there are too few objects with one light curve, constant ones lose their
    second one.
    """
    n_pairs, n_rows = size.count(_N_PAIRS), size.count(_N_ROWS)
    wanted_pairs = max(0, n_pairs - int((printed.n_rows() == 2).sum()))
    wanted_singles = max(0, n_rows - 2 * n_pairs - int((printed.n_rows() == 1).sum()))
    n_variable_pairs = size.count(_N_VARIABLE_PAIRS)
    n_variable_singles = size.count(_N_VARIABLE_ROWS) - 2 * n_variable_pairs
    pairs = _with_few_candidates(part, printed, n_curves=2, most=n_variable_pairs)
    singles = _with_few_candidates(part, printed, n_curves=1, most=n_variable_singles)[:wanted_singles]
    surplus = pairs[wanted_pairs:]
    halved = surplus[part.match["AutoClass"][surplus] == 0][: max(0, wanted_singles - len(singles))]
    kept = part.chosen(np.concatenate([pairs[:wanted_pairs], singles, halved]))
    return _without_red(kept, part.match["MatchID"][halved])


def _with_few_candidates(part: Part, printed: Part, *, n_curves: int, most: int) -> NDArray[np.intp]:
    """Objects with so many light curves, by their place, without candidates beyond a number that printed ones share.

    Archives so small that printed ones are more than that keep all.
    """
    place = np.flatnonzero(part.n_rows() == n_curves)
    left = most - int(((printed.n_rows() == n_curves) & (printed.match["AutoClass"] > 0)).sum())
    is_candidate = part.match["AutoClass"][place] > 0
    return place if left < 0 else place[~is_candidate | (np.cumsum(is_candidate) <= left)]


def _without_red(part: Part, halved: NDArray[np.int64]) -> Part:
    """The same, but that some objects have no light curve in F814W."""
    is_halved = np.isin(part.match["MatchID"], halved)
    n_filters = np.where(is_halved, 1, part.match["NumFilters"])
    by_filter, detailed = (_but_red(table, halved) for table in (part.filter, part.detailed))
    return Part({**part.match, "NumFilters": n_filters}, by_filter, detailed)


def _but_red(table: Arrays, halved: NDArray[np.int64]) -> Arrays:
    kept = ~(np.isin(table["MatchID"], halved) & (table["Filter"] == "ACS_F814W"))
    return {name: values[kept] for name, values in table.items()}

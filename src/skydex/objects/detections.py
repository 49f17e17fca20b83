"""Tables of detections that learn which object each row is of."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from skydex.objects.grouping import Rows, is_first_of_each
from skydex.objects.matching import LINKING_LENGTH_ARCSEC, POSITION_ERROR_MAS, match_groups
from skydex.objects.positions import locate_matches, sources_of
from skydex.objects.reading import codes_of, demand, errors_of, floats_of, is_detected, with_column

__all__ = ["match_detections"]


def match_detections(
    detections: pa.Table,
    *,
    error_mas: ArrayLike = POSITION_ERROR_MAS,
    linking_length_arcsec: float = LINKING_LENGTH_ARCSEC,
) -> pa.Table:
    """Find the objects of a table of detections.

    Parameters
    ----------
    detections : pyarrow.Table
        SourceRA and SourceDec (ICRS, degrees), and what tells images apart. If rows have a SourceID, those of one
        source are its measurements in several filters, and ImageID says in which field of view it was found; else each
        row is a source, found in ImageName, or ImageID if there are no names. Rows whose `Det` is not Y are no
        detections.
    error_mas : float or (n_rows,) array_like of float
        Errors of the positions: one sigma in each coordinate, milliarcseconds.
    linking_length_arcsec : float
        Farther apart, two sources are of one object only if others link them.

    Returns
    -------
    detections : pyarrow.Table
        The same rows with MatchID (see `match_groups`), MemID (counts the rows of a match from 1, in the order of time,
        image and place), and what `locate_matches` fills in. Null for rows that are no detections.

    Raises
    ------
    UnknownColumnError
        A column that is needed is not there.
    BadParameterError
        Errors or the linking length are impossible, or a column is of the wrong type.
    """
    has_sources = "SourceID" in detections.column_names
    image = "ImageID" if has_sources or "ImageName" not in detections.column_names else "ImageName"
    demand(detections, ("SourceRA", "SourceDec", image))
    places = np.stack([floats_of(detections, "SourceRA"), floats_of(detections, "SourceDec")])
    rows = np.flatnonzero(is_detected(detections))
    sources = sources_of(detections)[rows]
    images = codes_of(detections, image)[0][rows]
    errors = errors_of(error_mas, detections.num_rows)[rows]
    first, of_source = _sources(sources, images)
    ra, dec = places[:, rows[first]]
    found = match_groups(
        ra,
        dec,
        images[first],
        error_mas=errors[first],
        linking_length_arcsec=linking_length_arcsec,
    )[of_source]
    matches = np.full(detections.num_rows, -1, dtype=np.int64)
    matches[rows] = found
    times = floats_of(detections, "StartMJD")
    names = codes_of(detections, "ImageName")[0]
    members = _members(matches, np.lexsort((*places, names, times, matches)))
    is_none = matches < 0
    detections = with_column(detections, "MatchID", pa.array(matches, mask=is_none))
    detections = with_column(detections, "MemID", pa.array(members, pa.int32(), mask=is_none))
    return locate_matches(detections)


def _sources(sources: Rows, images: Rows) -> tuple[Rows, Rows]:
    """A row of each source, and the source of each row; a negative number makes a row a source of its own."""
    order = np.lexsort((images, sources))
    is_new = is_first_of_each(sources[order], images[order]) | (sources[order] < 0) if len(order) else order > 0
    of_source = np.empty(len(order), dtype=np.int64)
    of_source[order] = np.cumsum(is_new) - 1
    return order[is_new], of_source


def _members(matches: Rows, order: Rows) -> Rows:
    """The number of each row in its match, from 1, along an order in which matches stay together."""
    starts = np.flatnonzero(is_first_of_each(matches[order])) if len(order) else order
    members = np.empty(len(order), dtype=np.int64)
    members[order] = 1 + np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    return members

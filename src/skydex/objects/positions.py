"""Where an object is, and how far from there each of its sources.

A detection table has a row for each filter of a source, and all rows of a source have its one position. Recorded rows
of the Hubble Source Catalog show that sources count, not rows: in match 82371983, nine rows of four sources, MatchRA,
MatchDec and DSigma come out to the last digit as the mean of the four and sqrt(sum D² / 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from skydex.objects.grouping import Floats, Grouped, Rows, is_first_of_each, order_by
from skydex.objects.reading import codes_of, demand, floats_of, integers_of, is_matched, with_column
from skydex.sky import directions_deg, separation_deg, unit_vectors

__all__ = ["Places", "locate_matches", "places_of", "sources_of"]

_MAS_PER_DEG = 3_600_000.0


@dataclass(frozen=True)
class Places:
    """Positions of objects and the scatter of their sources."""

    ra_deg: Floats
    """Right ascension of the direction of the mean unit vector, (n_objects,)."""
    dec_deg: Floats
    """Its declination."""
    dsigma_mas: Floats
    """sqrt(sum D² / (n - 1)) over the n sources of each object; 0 for one source."""
    d_mas: Floats
    """Distance of each row's position from its object's, (n_rows,)."""


def places_of(ra_deg: Floats, dec_deg: Floats, *, sources: Rows, objects: Rows, n_objects: int) -> Places:
    """Place objects by the mean of their sources.

    Parameters
    ----------
    ra_deg, dec_deg : (n_rows,) float64 arrays
        Positions of the rows' sources, ICRS, degrees; finite.
    sources : (n_rows,) int64 array
        What is the same for rows of the same source of an object; a negative number makes the row a source of its own.
    objects : (n_rows,) int64 array
        The object, from 0, of each row; each object has a row.
    n_objects : int
        How many objects there are.
    """
    order = order_by(objects, sources)
    owners, source = objects[order], sources[order]
    first = np.flatnonzero(is_first_of_each(owners, source) | (source < 0))
    owners = owners[first]
    source_ra, source_dec = (np.minimum.reduceat(angles[order], first) for angles in (ra_deg, dec_deg))
    vectors = [Grouped.of(part, owners, n_objects).sums() for part in unit_vectors(source_ra, source_dec)]
    ra, dec = directions_deg(vectors)
    d_mas = separation_deg(ra_deg, dec_deg, ra[objects], dec[objects]) * _MAS_PER_DEG
    n_sources = np.bincount(owners, minlength=n_objects)
    squares = Grouped.of(np.minimum.reduceat(d_mas[order], first) ** 2, owners, n_objects).sums()
    dsigma = np.where(n_sources > 1, np.sqrt(squares / np.maximum(n_sources - 1, 1)), 0.0)
    return Places(ra, dec, dsigma, d_mas)


def sources_of(detections: pa.Table) -> Rows:
    """What the rows of one source have in common: their SourceID; -1 where that is not known."""
    if "SourceID" in detections.column_names and pa.types.is_integer(detections.schema.field("SourceID").type):
        return np.asarray(detections["SourceID"].cast(pa.int64()).fill_null(-1).to_numpy())
    return codes_of(detections, "SourceID")[0]


def locate_matches(detections: pa.Table) -> pa.Table:
    """Fill in what a match does to the rows of its detections: MatchRA, MatchDec, D and DSigma.

    Parameters
    ----------
    detections : pyarrow.Table
        Rows with MatchID, SourceRA and SourceDec (ICRS, degrees), and SourceID if a source has several rows. Rows with
        `Det` N take the match's position and have no D, as they have no position of their own.

    Returns
    -------
    detections : pyarrow.Table
        The same rows; the four columns take the places of those of their name, or follow at the end. Degrees and
        milliarcseconds; null for rows of no match, or of one without detections.

    Raises
    ------
    UnknownColumnError
        A column that is needed is not there.
    """
    demand(detections, ("MatchID", "SourceRA", "SourceDec"))
    is_row = is_matched(detections)
    rows = detections.filter(pa.array(is_row))
    matches, objects = np.unique(integers_of(rows, "MatchID"), return_inverse=True)
    filled = {name: np.full(detections.num_rows, np.nan) for name in ("MatchRA", "MatchDec", "D", "DSigma")}
    if len(matches):
        places = places_of(
            floats_of(rows, "SourceRA"),
            floats_of(rows, "SourceDec"),
            sources=sources_of(rows),
            objects=objects,
            n_objects=len(matches),
        )
        wanted = detections["MatchID"].cast(pa.int64()).fill_null(0).to_numpy()
        number = np.minimum(np.searchsorted(matches, wanted), len(matches) - 1)
        is_of = (matches[number] == wanted) & detections["MatchID"].is_valid().to_numpy()
        by_object = {"MatchRA": places.ra_deg, "MatchDec": places.dec_deg, "DSigma": places.dsigma_mas}
        for name, values in by_object.items():
            filled[name][is_of] = values[number[is_of]]
        filled["D"][is_row] = places.d_mas
    for name, values in filled.items():
        detections = with_column(detections, name, pa.array(values, from_pandas=True))
    return detections

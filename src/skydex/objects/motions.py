"""Proper motions of objects: straight lines through the positions that their sources have at different times.

What the Hubble Source Catalog calls ProperMotionsView (a row for each object) and SourcePositionsView (a row for each
source, as it lies about the mean). An object's positions are seen on the plane that touches the sky at their weighted
mean, where whatever moves along a great circle goes straight. A weighted least-squares line through them is fitted in
right ascension and declination, and another in Galactic coordinates. Errors come from the scatter about the line:

    s² = sum w r² / (n - 2),  pmErr = s / sqrt(sum w dt²),  meanErr = s / sqrt(sum w),  Dev = median |r|

so that only the ratios of the given position errors matter. Two sources make a motion, but no errors. Motions and
errors of longitudes have the cosine of the latitude in them.

How the catalogue made its errors is not published, but seen in the 40 rows that are printed of its field SWEEPS: all
objects of the same visits have one ratio of meanErr to pmErr, to six digits, so that sources weigh alike and both
errors come from one scatter; Dev is 0.70 of that scatter, where a median of normal residuals, not scaled, is expected
at 0.67, with the spread from row to row that a median of so many has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from skydex.objects.grouping import Floats, Grouped, Rows, is_first_of_each
from skydex.objects.matching import POSITION_ERROR_MAS
from skydex.objects.motion_columns import motion_columns, position_columns
from skydex.objects.positions import places_of, sources_of
from skydex.objects.reading import demand, errors_of, floats_of, integers_of, is_matched
from skydex.objects.summary import Magnitude, summarize
from skydex.sky import directions_deg, rotated, unit_vectors
from skydex.tables import Column, arrow_schema, metadata_of_columns

__all__ = ["proper_motions", "source_positions"]

_MAS_PER_RAD = np.degrees(1.0) * 3_600_000.0
_DAYS_PER_YEAR = 365.25
_SUMMARY_NEEDS = ("Detector", "Filter")
_FROM_SUMMARY = ("NumFilters", "NumVisits", "NumImages", "CI", "CI_Sigma", "KronRadius", "KronRadius_Sigma")


def proper_motions(
    detections: pa.Table, *, error_mas: ArrayLike = POSITION_ERROR_MAS, magnitude: Magnitude = "MagAper2"
) -> pa.Table:
    """Proper motions of the matches that were seen at more than one time.

    Parameters
    ----------
    detections : pyarrow.Table
        Rows with MatchID, SourceRA and SourceDec (ICRS, degrees) and StartMJD; used where they are: StopMJD (a source's
        time is the middle of its exposures), SourceID (the rows of one source count once), Det, and for the counts and
        shapes what `summarize` needs.
    error_mas : float or (n_rows,) array_like of float
        Errors of the positions: one sigma in each coordinate, milliarcseconds.
    magnitude : {"MagAper2", "MagAuto"}
        Which magnitude must be known for a detection to count in NumFilters and the like.

    Returns
    -------
    motions : pyarrow.Table
        The 37 columns of `motion_columns()`, ascending by objID, which is the match. HTMID is null.

    Raises
    ------
    UnknownColumnError
        A column that is needed is not there.
    """
    moving = _Moving.of(detections, error_mas)
    equatorial, galactic = _fit(moving, moving.vectors), _fit(moving, _galactic(moving.vectors))
    x, y, z = unit_vectors(equatorial.longitude_deg, equatorial.latitude_deg)
    columns: dict[str, Floats | Rows | pa.Array] = {
        "objID": moving.matches,
        "numSources": moving.counts,
        "raMean": equatorial.longitude_deg,
        "decMean": equatorial.latitude_deg,
        "lonMean": galactic.longitude_deg,
        "latMean": galactic.latitude_deg,
        "epochStart": np.minimum.reduceat(moving.mjd, moving.starts) if len(moving.mjd) else moving.mjd,
        "epochEnd": np.maximum.reduceat(moving.mjd, moving.starts) if len(moving.mjd) else moving.mjd,
        "epochMean": moving.mean_mjd,
        "DSigma": moving.dsigma_mas,
        "X": x,
        "Y": y,
        "Z": z,
    }
    for line, names in ((equatorial, (("ra", "RA"), ("dec", "Dec"))), (galactic, (("lon", "Lon"), ("lat", "Lat")))):
        for axis, (mean, motion) in enumerate(names):
            columns[f"{mean}MeanErr"] = line.mean_errors_mas[axis]
            columns[f"pm{motion}"] = line.motions_masyr[axis]
            columns[f"pm{motion}Err"] = line.motion_errors_masyr[axis]
            columns[f"pm{motion}Dev"] = line.deviations_mas[axis]
    return _table({**columns, **_of_summary(detections, moving.matches, magnitude)}, motion_columns())


def source_positions(detections: pa.Table, *, error_mas: ArrayLike = POSITION_ERROR_MAS) -> pa.Table:
    """Where each source of a moving match lies, as seen from the match's mean position and time.

    Parameters
    ----------
    detections, error_mas
        As for `proper_motions`.

    Returns
    -------
    positions : pyarrow.Table
        The columns of `position_columns()`: a row for each source, ascending by objID and time. Along a star's line
        dLon is dT times its pmLon, and so on.
    """
    moving = _Moving.of(detections, error_mas)
    equatorial, galactic = _fit(moving, moving.vectors), _fit(moving, _galactic(moving.vectors))
    ra, dec = directions_deg(moving.vectors)
    columns = {
        "objID": moving.matches[moving.owners],
        "SourceID": pa.array(moving.sources, mask=moving.sources < 0),
        "SourceRA": ra,
        "SourceDec": dec,
        "MJD": moving.mjd,
        "dT": moving.years,
        "dRA": equatorial.offsets_mas[0],
        "dDec": equatorial.offsets_mas[1],
        "dLon": galactic.offsets_mas[0],
        "dLat": galactic.offsets_mas[1],
    }
    return _table(columns, position_columns())


@dataclass(frozen=True)
class _Moving:
    """Sources of the matches that were seen at several times, by match and time."""

    matches: Rows
    """Identifiers of the matches, ascending."""
    owners: Rows
    """Place in `matches` of each source's match."""
    starts: Rows
    """Where the sources of each match begin."""
    counts: Rows
    """How many there are."""
    sources: Rows
    """SourceID; -1 where there is none."""
    vectors: Floats
    """Unit vectors, ICRS, (3, n)."""
    mjd: Floats
    """Middle of the exposures."""
    weights: Floats
    """1 / error², milliarcseconds."""
    dsigma_mas: Floats
    """Scatter of each match's sources about their mean."""

    @classmethod
    def of(cls, detections: pa.Table, error_mas: ArrayLike) -> _Moving:
        demand(detections, ("MatchID", "SourceRA", "SourceDec", "StartMJD"))
        errors = errors_of(error_mas, detections.num_rows)
        starts, stops = floats_of(detections, "StartMJD"), floats_of(detections, "StopMJD")
        mjd = np.where(np.isnan(stops), starts, (starts + stops) / 2.0)
        kept = is_matched(detections) & np.isfinite(mjd)
        return cls._of_rows(detections.filter(pa.array(kept)), mjd[kept], errors[kept] ** -2.0)

    @classmethod
    def _of_rows(cls, rows: pa.Table, mjd: Floats, weights: Floats) -> _Moving:
        match, source = integers_of(rows, "MatchID"), sources_of(rows)
        ra, dec = floats_of(rows, "SourceRA"), floats_of(rows, "SourceDec")
        order = np.lexsort((weights, dec, ra, mjd, source, match))
        match, source = match[order], source[order]
        first = np.flatnonzero(is_first_of_each(match, source) | (source < 0)) if len(match) else order
        n_rows = np.diff(first, append=len(order))
        mjd = np.add.reduceat(mjd[order], first) / n_rows if len(first) else mjd
        match, source, row = match[first], source[first], order[first]
        order = np.lexsort((dec[row], ra[row], mjd, match))
        match, source, row, mjd = match[order], source[order], row[order], mjd[order]
        kept = _are_several(match, mjd)
        match, source, row, mjd = match[kept], source[kept], row[kept], mjd[kept]
        starts = np.flatnonzero(is_first_of_each(match)) if len(match) else row
        counts = np.diff(starts, append=len(match))
        owners = np.repeat(np.arange(len(starts)), counts)
        dsigma = np.empty(0)
        if len(starts):
            each = np.arange(len(row))
            dsigma = places_of(ra[row], dec[row], sources=each, objects=owners, n_objects=len(starts)).dsigma_mas
        vectors = unit_vectors(ra[row], dec[row])
        return cls(match[starts], owners, starts, counts, source, vectors, mjd, weights[row], dsigma)

    def sums(self, values: Floats) -> Floats:
        """Sum over the sources of each match, along the last axis."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=-1)) if len(self.starts) else values

    def means(self, values: Floats) -> Floats:
        """Weighted mean of each match."""
        return self.sums(values * self.weights) / self.sums(self.weights)

    @property
    def mean_mjd(self) -> Floats:
        first = self.mjd[self.starts]  # days since then keep all digits of a mean
        return first + self.means(self.mjd - first[self.owners])

    @property
    def years(self) -> Floats:
        """Julian years of each source since its match's mean time."""
        return (self.mjd - self.mean_mjd[self.owners]) / _DAYS_PER_YEAR


def _are_several(match: Rows, mjd: Floats) -> NDArray[np.bool_]:
    """Which rows, by match and time, are of matches with more than one time."""
    if not len(match):
        return np.zeros(0, dtype=np.bool_)
    starts = np.flatnonzero(is_first_of_each(match))
    counts = np.diff(starts, append=len(match))
    return np.repeat(mjd[starts] < mjd[starts + counts - 1], counts)


@dataclass(frozen=True)
class _Lines:
    """A line for each match in one frame; everything of two axes, longitude and latitude."""

    longitude_deg: Floats
    latitude_deg: Floats
    offsets_mas: Floats
    """Of each source from the mean position, (2, n_sources)."""
    motions_masyr: Floats
    motion_errors_masyr: Floats
    mean_errors_mas: Floats
    deviations_mas: Floats
    """Median distance from the line, not scaled to a standard deviation, (2, n_matches)."""


def _fit(moving: _Moving, vectors: Floats) -> _Lines:
    longitude, latitude = directions_deg(moving.means(vectors))
    offsets = _on_plane(vectors, longitude[moving.owners], latitude[moving.owners]) * _MAS_PER_RAD
    offsets = offsets - moving.means(offsets)[:, moving.owners]
    years, weights = moving.years, moving.weights
    lever = moving.sums(weights * years**2)
    motions = moving.sums(weights * years * offsets) / lever
    residuals = offsets - motions[:, moving.owners] * years
    squares = moving.sums(weights * residuals**2)
    n_free = np.where(moving.counts > 2, moving.counts - 2, np.nan)
    scatter = np.sqrt(squares / n_free)
    total = moving.sums(weights)
    return _Lines(
        longitude,
        latitude,
        offsets,
        motions,
        scatter / np.sqrt(lever),
        scatter / np.sqrt(total),
        np.where(moving.counts > 2, _medians(moving, np.abs(residuals)), np.nan),
    )


def _medians(moving: _Moving, values: Floats) -> Floats:
    return np.stack([Grouped.of(axis, moving.owners, len(moving.matches)).medians() for axis in values])


def _on_plane(vectors: Floats, longitude_deg: Floats, latitude_deg: Floats) -> Floats:
    """Gnomonic coordinates (2, n), to the east and north of a position for each vector, radians."""
    longitude, latitude = np.radians(longitude_deg), np.radians(latitude_deg)
    east = np.stack([-np.sin(longitude), np.cos(longitude), np.zeros_like(longitude)])
    outwards = unit_vectors(longitude_deg, latitude_deg)
    north = np.stack([-np.sin(latitude) * np.cos(longitude), -np.sin(latitude) * np.sin(longitude), np.cos(latitude)])
    along = (vectors * outwards).sum(axis=0)
    return np.stack([(vectors * east).sum(axis=0) / along, (vectors * north).sum(axis=0) / along])


def _galactic(vectors: Floats) -> Floats:
    ra, dec = directions_deg(vectors)
    return unit_vectors(*rotated(ra, dec, origin="ICRS", target="GALACTIC"))


def _of_summary(detections: pa.Table, matches: Rows, magnitude: Magnitude) -> Mapping[str, pa.Array]:
    """Counts and shapes as the summary has them; nothing where detections say neither filter nor magnitude."""
    if not {*_SUMMARY_NEEDS, magnitude} <= {*detections.column_names}:
        return {}
    summary = summarize(detections, magnitude=magnitude)
    places = pc.index_in(pa.array(matches), summary["MatchID"].combine_chunks())
    return {name: summary[name].combine_chunks().take(places) for name in _FROM_SUMMARY}


def _table(columns: Mapping[str, Floats | Rows | pa.Array], described: tuple[Column, ...]) -> pa.Table:
    schema = arrow_schema(described)
    n_rows = len(next(iter(columns.values())))
    arrays = [
        pa.array(columns[field.name], from_pandas=True).cast(field.type)
        if field.name in columns
        else pa.nulls(n_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema.with_metadata(metadata_of_columns(described)))

"""The summary of a catalogue of detections: one row for each object, one magnitude for each camera and filter.

What the Hubble Source Catalog calls SumMagAper2CatView and SumMagAutoCatView (version 3: median and median absolute
deviation; version 2: mean and standard deviation). How its numbers come about is seen in rows that it published:

- A match's position is the mean of its sources, DSigma their scatter (`positions`).
- NumFilters counts filters by their names, whatever the camera: F336W of WFC3 and of WFPC2 is one filter.
- NumImages counts images of one filter and one visit, so it is the sum of all `X_N` where no image counts twice.
- A filter that has no measurement has no magnitude, and N is 0; with one measurement the scatter is 0, which does not
  mean that the object is constant. Scatters of CI, KronRadius and position are 0 then, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.errors import BadParameterError
from skydex.objects.filters import FILTERS, filter_numbers, parse_image_name
from skydex.objects.grouping import Floats, Grouped, Rows, count_distinct, is_first_of_each
from skydex.objects.positions import places_of, sources_of
from skydex.objects.reading import codes_of, demand, floats_of, integers_of, is_matched, measurements_of
from skydex.objects.summary_columns import Statistic, summary_columns
from skydex.tables import arrow_schema, metadata_of_columns

__all__ = ["Magnitude", "summarize"]

Magnitude = Literal["MagAper2", "MagAuto"]
"""Column of the detections from which the magnitudes are made."""

_NEEDED = ("MatchID", "SourceRA", "SourceDec", "Detector", "Filter")
_FILTER_NAMES = {name: number for number, name in enumerate(dict.fromkeys(one.filter for one in FILTERS))}
_NAME_OF_FILTER = np.array([_FILTER_NAMES[one.filter] for one in FILTERS])
"""Number of the name of each of `FILTERS`."""


def summarize(detections: pa.Table, *, magnitude: Magnitude = "MagAper2", statistic: Statistic = "median") -> pa.Table:
    """One row for each match, from the rows of its detections.

    Parameters
    ----------
    detections : pyarrow.Table
        Columns as in the Hubble Source Catalog's `detailed` table. MatchID, SourceRA, SourceDec (ICRS, degrees),
        Detector (`ACS/WFC`), Filter (`F475W`) and the magnitude must be there. Used where they are: Det (rows that are
        not `Y` are no detections), SourceID, ImageName, ImageID, StartMJD, StopMJD, StartTime, StopTime, TargetName,
        CI, KronRadius, AbsCorr. Magnitudes, CI and radii that are null, NaN, 99, -999 or the like are no measurements.
    magnitude : {"MagAper2", "MagAuto"}
        Which magnitude.
    statistic : {"median", "mean"}
        Median and unscaled median absolute deviation, as version 3 of the catalogue has them; or mean and standard
        deviation, as version 2.

    Returns
    -------
    summary : pyarrow.Table
        The columns of `summary_columns(statistic)`, which its metadata describe; ascending by MatchID. Matches of
        which no magnitude is known have no row. Times have the type that they came in; Extinction is null, and
        SpectrumFlag `N`, as detections do not tell them. The order of the rows of `detections` has no influence.

    Raises
    ------
    UnknownColumnError
        A column that is needed is not there.
    BadParameterError
        A column is of the wrong type, or a detection's filter is none of the catalogue's.

    Examples
    --------
    >>> rows = {"MatchID": [7, 7, 7], "SourceRA": [10.0] * 3, "SourceDec": [-5.0] * 3, "MagAper2": [21.0, 21.5, 21.1]}
    >>> summary = summarize(pa.table(rows | {"Detector": ["ACS/WFC"] * 3, "Filter": ["F475W"] * 3}))
    >>> summary.select(["MatchID", "A_F475W", "A_F475W_N"]).to_pylist()
    [{'MatchID': 7, 'A_F475W': 21.1, 'A_F475W_N': 3}]
    """
    demand(detections, (*_NEEDED, magnitude))
    rows = detections.filter(pa.array(is_matched(detections)))
    is_measured = ~np.isnan(measurements_of(rows, magnitude))
    measured = _Measured.of(rows.filter(pa.array(is_measured)), magnitude)
    columns = {
        "MatchID": pa.array(measured.matches),
        **_positions(rows, measured.matches),
        **_counts(measured),
        **_times(measured),
        **_shapes(measured),
        **_magnitudes(measured, statistic),
    }
    return _table(columns, len(measured.matches), statistic)


@dataclass(frozen=True)
class _Measured:
    """Detections whose magnitude is known, with the object of each."""

    rows: pa.Table
    magnitudes: Floats
    filters: Rows
    """Place in `FILTERS` of each row's filter."""
    matches: Rows
    """Identifiers of the objects, ascending."""
    objects: Rows
    """Which of them each row belongs to."""
    by_object: Rows
    """The order of rows by object."""
    starts: Rows
    """Where in that order each object begins."""

    @classmethod
    def of(cls, rows: pa.Table, magnitude: str) -> _Measured:
        filters = filter_numbers(rows["Detector"], rows["Filter"])
        if (filters < 0).any():
            odd = rows.slice(int(np.argmin(filters)), 1).select(["Detector", "Filter"]).to_pylist()[0]
            raise BadParameterError(
                "Filter", f"{odd['Filter']} of {odd['Detector']} has no column in a summary. Leave such rows out."
            )
        found = integers_of(rows, "MatchID")
        by_object = np.argsort(found)
        starts = np.flatnonzero(is_first_of_each(found[by_object]))
        matches = found[by_object][starts]
        objects = np.searchsorted(matches, found)
        return cls(rows, measurements_of(rows, magnitude), filters, matches, objects, by_object, starts)

    def grouped(self, values: Floats) -> Grouped:
        return Grouped.of(values, self.objects, len(self.matches))

    def least(self, values: NDArray[Any]) -> NDArray[Any]:
        """The least of each object's values; NaN if all are."""
        return np.fmin.reduceat(values[self.by_object], self.starts) if len(values) else values


def _positions(rows: pa.Table, matches: Rows) -> Mapping[str, pa.Array]:
    """Of all detections of an object, whether this magnitude is known or not."""
    found = integers_of(rows, "MatchID")
    objects = np.searchsorted(matches, found)
    is_kept = objects < len(matches)
    is_kept[is_kept] = matches[objects[is_kept]] == found[is_kept]
    rows, objects = rows.filter(pa.array(is_kept)), objects[is_kept]
    if not len(objects):
        return {}
    places = places_of(
        floats_of(rows, "SourceRA"),
        floats_of(rows, "SourceDec"),
        sources=sources_of(rows),
        objects=objects,
        n_objects=len(matches),
    )
    found_columns = {"MatchRA": places.ra_deg, "MatchDec": places.dec_deg, "DSigma": places.dsigma_mas}
    columns = {name: pa.array(values) for name, values in found_columns.items()}
    if "AbsCorr" in rows.column_names:
        is_aligned = pc.fill_null(pc.equal(rows["AbsCorr"], "Y"), False).to_numpy()
        aligned = np.bincount(objects, weights=is_aligned, minlength=len(matches)) > 0
        columns["AbsCorr"] = pa.array(np.where(aligned, "Y", "N"))
    return columns


def _counts(measured: _Measured) -> Mapping[str, pa.Array]:
    images, names = codes_of(measured.rows, "ImageName")
    visits = images
    if len(names):
        visits = _visits(names.cast(pa.string()).to_pylist())[images]
    else:
        images, _ = codes_of(measured.rows, "ImageID")
        visits = images
    codes = {"NumFilters": _NAME_OF_FILTER[measured.filters], "NumVisits": visits, "NumImages": images}
    n_objects = len(measured.matches)
    return {
        name: pa.array(count_distinct(code, measured.objects, n_objects), pa.int32()) for name, code in codes.items()
    }


def _visits(names: list[str]) -> Rows:
    """The visit of each image, as a number, with that of no image (-1) at the end.

    An image whose name is not one of the Hubble Legacy Archive is a visit by itself.
    """
    numbers: dict[str, int] = {}
    return np.array([*(numbers.setdefault(_visit(name), len(numbers)) for name in names), -1])


def _visit(name: str) -> str:
    try:
        return parse_image_name(name).visit_name
    except BadParameterError:
        return name


def _times(measured: _Measured) -> Mapping[str, pa.Array]:
    """First start and last stop, and the target of the first exposure."""
    starts, stops = floats_of(measured.rows, "StartMJD"), floats_of(measured.rows, "StopMJD")
    first, last = measured.least(starts), -measured.least(-stops)
    is_first, is_last = (
        np.isnan(ends)[measured.objects] | (times == ends[measured.objects])
        for times, ends in ((starts, first), (stops, last))
    )
    return {
        "StartMJD": pa.array(first, from_pandas=True),
        "StopMJD": pa.array(last, from_pandas=True),
        "StartTime": _least_text(measured, "StartTime", is_first),
        "StopTime": _least_text(measured, "StopTime", is_last),
        "TargetName": _least_text(measured, "TargetName", is_first),
    }


def _least_text(measured: _Measured, name: str, is_meant: NDArray[np.bool_]) -> pa.Array:
    """The least of the values that a column has in the rows of each object that are meant."""
    codes, values = codes_of(measured.rows, name)
    least = measured.least(np.where(is_meant & (codes >= 0), codes, len(values)))
    return values.take(pa.array(least, mask=least == len(values)))


def _shapes(measured: _Measured) -> Mapping[str, pa.Array]:
    columns = {}
    for name in ("CI", "KronRadius"):
        grouped = measured.grouped(measurements_of(measured.rows, name))
        columns[name] = pa.array(grouped.means(), from_pandas=True)
        columns[f"{name}_Sigma"] = pa.array(grouped.standard_deviations(), from_pandas=True)
    return columns


def _magnitudes(measured: _Measured, statistic: Statistic) -> Mapping[str, pa.Array]:
    """Three columns for each filter that there is."""
    n_objects = len(measured.matches)
    live, numbers = np.unique(measured.filters, return_inverse=True)
    grouped = Grouped.of(measured.magnitudes, numbers * n_objects + measured.objects, n_objects * len(live))
    if statistic == "median":
        middles, spreads, spread = grouped.medians(), grouped.median_deviations(), "MAD"
    else:
        middles, spreads, spread = grouped.means(), grouped.standard_deviations(), "Sigma"
    counts = grouped.counts()
    columns = {}
    for place, number in enumerate(live.tolist()):
        name, part = FILTERS[number].summary_name, slice(place * n_objects, (place + 1) * n_objects)
        columns[name] = pa.array(middles[part], from_pandas=True)
        columns[f"{name}_{spread}"] = pa.array(spreads[part], from_pandas=True)
        columns[f"{name}_N"] = pa.array(counts[part], pa.int32())
    return columns


def _table(columns: Mapping[str, pa.Array], n_rows: int, statistic: Statistic) -> pa.Table:
    """All columns of a summary; those that say nothing share their memory."""
    described = summary_columns(statistic)
    empty = {kind: pa.nulls(n_rows, kind) for kind in (pa.float64(), pa.int32(), pa.int64(), pa.string())}
    zeros = pa.array(np.zeros(n_rows, dtype=np.int32))
    defaults = {"SpectrumFlag": pa.array(["N"] * n_rows, pa.string())}
    schema = arrow_schema(described)
    arrays = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        array = columns.get(name, defaults.get(name))
        arrays.append(array if array is not None else zeros if name.endswith("_N") else empty[kind])
    return pa.Table.from_arrays(arrays, names=schema.names, metadata=metadata_of_columns(described))

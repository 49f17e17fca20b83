"""Objects of which rows of the Hubble Catalog of Variables were printed: these rows, and light curves that give them.

Rows stand as printed. Their points are those that were planted into the simulated images (`skydex.demo.hsc`), so that
both catalogues tell of the same detections; corrected magnitudes and errors are such that the printed mean, deviation
and chi square come out. Of the nova in M87 the points in F606W are real, and its rows are computed from its points.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skydex.demo.chance import stream
from skydex.demo.hcv.part import Arrays, Part, joined
from skydex.demo.hcv.searched import measurements_of
from skydex.demo.hsc.detections import Detections
from skydex.demo.publications import read_printed
from skydex.lightcurve import LightCurves, Measurements, chi2_reduced, mad

__all__ = ["NOVA", "NOVA_FILTER", "printed_classes", "printed_ids", "printed_part", "printed_rows"]

NOVA, NOVA_FILTER = 1905457, "ACS_F606W"
_UNPRINTED = (
    {"MatchID": 1781246, "Filter": "WFC3_F814W", "like": "WFC3_F606W", "colour": -0.4, "MAD": 0.052, "Chi2": 39.2},
    {"MatchID": 24652319, "Filter": "ACS_F814W", "like": "ACS_F475W", "colour": -0.9, "MAD": 0.081, "Chi2": 9.6},
)
"""Rows that were not printed, of objects whose other rows were, and in which alone they vary as their class says."""
_ROW_COLUMNS = ("VarQualFlag", "FilterDetFlag", "NumLC", "MeanMag", "MeanCorrMag", "MAD", "Chi2")
_MATCH_COLUMNS = ("GroupID", "SubGroupID", "RA", "Dec", "AutoClass", "ExpertClass")


def printed_rows() -> list[dict[str, Any]]:
    """All rows that were printed, of HCVmatch joined with HCVfilter."""
    rows: list[dict[str, Any]] = read_printed("hcv_summary").to_pylist()
    return rows


def printed_ids() -> NDArray[np.int64]:
    """The objects of printed rows and of the printed light curve."""
    return np.unique([NOVA, *(row["MatchID"] for row in printed_rows())])


def printed_classes() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Automatic and expert class of each object of which rows were printed, and the number of its rows."""
    rows = printed_rows()
    _, first, n_rows = np.unique([row["MatchID"] for row in rows], return_index=True, return_counts=True)
    n_unprinted = [sum(one["MatchID"] == rows[row]["MatchID"] for one in _UNPRINTED) for row in first]
    auto, expert = (np.array([rows[row][name] for row in first]) for name in ("AutoClass", "ExpertClass"))
    return auto, expert, n_rows + n_unprinted


def printed_part(found: Detections, seed: int) -> Part | None:
    """Printed objects of a field; None if it has none."""
    rows = found.rows
    ids = np.intersect1d(printed_ids(), rows.match_id)
    points = measurements_of(found).chosen(np.isin(rows.match_id, ids))
    parts = [_nova(points) if one == NOVA else _object(int(one), points, found, seed) for one in ids]
    return joined(parts) if parts else None


def _object(match_id: int, points: Measurements, found: Detections, seed: int) -> Part:
    """An object of which rows were printed."""
    rows = [row for row in printed_rows() if row["MatchID"] == match_id]
    rows += [_unprinted(missing, rows) for missing in _UNPRINTED if missing["MatchID"] == match_id]
    curves = [_light_curve(row, points, found, stream(seed, "hcv", match_id, row["Filter"])) for row in rows]
    match = {name: np.array([rows[0][name]]) for name in _MATCH_COLUMNS}
    return Part(
        {"MatchID": np.array([match_id]), **match, "NumFilters": np.array([len(rows)])},
        {name: np.array([row[name] for row in rows]) for name in ("MatchID", "Filter", *_ROW_COLUMNS)},
        {name: np.concatenate([curve[name] for curve in curves]) for name in curves[0]},
    )


def _unprinted(missing: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A row in the manner of another one of the object."""
    like = next(row for row in rows if row["Filter"] == missing["like"])
    mean = round(like["MeanMag"] + missing["colour"], 3)
    known = {name: missing[name] for name in ("Filter", "MAD", "Chi2")}
    flags = {"VarQualFlag": "AACAA", "FilterDetFlag": 1, "NumLC": min(like["NumLC"], 7)}
    return {**like, **known, **flags, "MeanMag": mean, "MeanCorrMag": mean}


def _light_curve(row: dict[str, Any], points: Measurements, found: Detections, rng: np.random.Generator) -> Arrays:
    """Points whose number, mean, deviation and chi square are those of a row."""
    here = np.flatnonzero((points.match_id == row["MatchID"]) & (_filters(points) == row["Filter"]))
    here = np.sort(rng.permutation(here)[: row["NumLC"]])
    curve = _points(points.chosen(here)) if len(here) else _invented(row, found, rng)
    shape = curve["Mag"] - np.median(curve["Mag"])
    shape = shape * row["MAD"] / np.median(np.abs(shape))
    corr_mag = row["MeanCorrMag"] + shape - shape.mean()
    found_chi2 = chi2_reduced(LightCurves.single(curve["MJD"], corr_mag, curve["MagErr"]))[0]
    mag_err = curve["MagErr"] * np.sqrt(found_chi2 / row["Chi2"])
    mag = corr_mag + (row["MeanMag"] - row["MeanCorrMag"])
    return {**curve, "Mag": mag, "CorrMag": corr_mag, "MagErr": mag_err}


def _points(points: Measurements) -> dict[str, NDArray[Any]]:
    return {
        "MatchID": points.match_id,
        "Filter": _filters(points),
        "MJD": points.mjd,
        "ImageName": points.image.values[points.image.code],
        "Mag": points.mag,
        "CorrMag": points.mag,
        "MagErr": points.mag_err,
        "CI": points.ci,
        "D": points.d_mas,
    }


def _invented(row: dict[str, Any], found: Detections, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Points in the field's images of a filter in which nothing was planted."""
    images = [image for image in found.images if image.filter_name == row["Filter"]][: row["NumLC"]]
    shape = rng.normal(0.0, 1.0, len(images))
    mag = row["MeanMag"] + row["MAD"] * (shape - shape.mean()) / np.median(np.abs(shape - np.median(shape)))
    return {
        "MatchID": np.full(len(images), row["MatchID"]),
        "Filter": np.full(len(images), row["Filter"]),
        "MJD": np.array([image.start_mjd for image in images]),
        "ImageName": np.array([image.name for image in images]),
        "Mag": mag,
        "CorrMag": mag,
        "MagErr": np.full(len(images), 0.01),
        "CI": rng.normal(1.0, 0.05, len(images)),
        "D": rng.rayleigh(3.0, len(images)),
    }


def _nova(points: Measurements) -> Part:
    """The nova in M87: its points in F606W as they were printed, those in F814W simulated."""
    mine = points.chosen(points.match_id == NOVA)
    blue = {name: column.to_numpy(zero_copy_only=False) for name, column in _columns("hcv_nova")}
    red = _points(mine.chosen(_filters(mine) != NOVA_FILTER))
    detailed = {name: np.concatenate([blue[name], red[name]]) for name in red}
    return Part(_nova_match(mine), _nova_rows(detailed), detailed)


def _columns(name: str) -> Iterator[tuple[str, Any]]:
    table = read_printed(name)
    return zip(table.column_names, table.columns, strict=True)


def _nova_match(points: Measurements) -> Arrays:
    values = {"MatchID": NOVA, "GroupID": points.group[0], "SubGroupID": -5, "AutoClass": 2, "ExpertClass": 0}
    place = {"RA": points.ra_deg.mean(), "Dec": points.dec_deg.mean()}
    return {name: np.array([value]) for name, value in {**values, **place, "NumFilters": 2}.items()}


def _nova_rows(detailed: Arrays) -> Arrays:
    names, curve = np.unique(detailed["Filter"], return_inverse=True)
    curves = LightCurves.of_points(curve, detailed["MJD"], detailed["CorrMag"], detailed["MagErr"])
    return {
        "MatchID": np.full(len(names), NOVA),
        "Filter": names,
        "FilterDetFlag": np.ones(len(names), dtype=np.int64),
        "VarQualFlag": np.full(len(names), "AACAA"),
        "NumLC": curves.segments.counts,
        "MeanMag": np.bincount(curve, detailed["Mag"]) / curves.segments.counts,
        "MeanCorrMag": curves.mean,
        "MAD": mad(curves),
        "Chi2": chi2_reduced(curves),
    }


def _filters(points: Measurements) -> NDArray[Any]:
    return np.asarray(points.filter.values[points.filter.code])

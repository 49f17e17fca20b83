"""Rows of the `detailed` table: one for each source of an object in an image, and one for each image without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.demo.columns import read_columns
from skydex.demo.hsc.detections import Detections
from skydex.demo.hsc.images import Image
from skydex.demo.htm import htm_ids
from skydex.demo.times import timestamps
from skydex.objects import locate_matches
from skydex.sky import unit_vectors
from skydex.tables import arrow_schema

__all__ = ["COLUMNS", "detailed_rows"]

COLUMNS = read_columns("hsc/detailedCatalog")
"""The 39 columns."""


def detailed_rows(detections: Detections) -> pa.Table:
    """The rows of a field, by object and time; `Det` is N where an image covers an object without finding it."""
    rows, images = detections.rows, detections.images
    places = locate_matches(
        pa.table({"MatchID": rows.match_id, "SourceRA": rows.ra, "SourceDec": rows.dec, "SourceID": rows.source_id})
    )
    matches, first, match = np.unique(rows.match_id, return_index=True, return_inverse=True)
    of_match = {name: places[name].to_numpy()[first] for name in ("MatchRA", "MatchDec", "DSigma")}
    missed_match, missed_image = _missed(detections, match, len(matches), of_match)
    numbers = np.concatenate([match, missed_match])
    image = np.concatenate([rows.image, missed_image])
    starts = np.array([one.start_mjd for one in images])
    order = np.lexsort((image, starts[image], numbers))
    numbers, image = numbers[order], image[order]
    found = {
        "CatID": rows.source_id,
        "MemID": np.arange(len(rows)) - first[match] + 1,
        "SourceID": rows.source_id,
        "SourceRA": rows.ra,
        "SourceDec": rows.dec,
        "D": places["D"].to_numpy(),
        "XImage": rows.x,
        "YImage": rows.y,
        "FluxAper2": rows.flux,
        "MagAper2": rows.mag_aper2,
        "MagAuto": rows.mag_auto,
        "CI": rows.ci,
        "KronRadius": rows.kron_radius,
        "Flags": rows.flags,
    }
    is_missed = order >= len(rows)
    chosen = np.where(is_missed, 0, order)
    columns: dict[str, Any] = {name: pa.array(values[chosen], mask=is_missed) for name, values in found.items()}
    vectors = unit_vectors(of_match["MatchRA"], of_match["MatchDec"])
    of_match |= {"MatchID": matches, "HTMID": htm_ids(of_match["MatchRA"], of_match["MatchDec"])}
    of_match |= dict(zip("XYZ", vectors, strict=True))
    columns |= {name: pa.array(values[numbers]) for name, values in of_match.items()}
    columns |= {name: pa.array(_of_images(images, value)).take(pa.array(image)) for name, value in _OF_IMAGE.items()}
    columns |= {"Det": pa.array(["Y", "N"]).take(pa.array(is_missed.astype(np.int8)))}
    schema = arrow_schema(COLUMNS)
    arrays = [columns[field.name].cast(field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


_OF_IMAGE: dict[str, Callable[[Image], Any]] = {
    "ImageID": lambda image: image.image_id,
    "AbsCorr": lambda image: "Y",
    "ImageName": lambda image: image.name,
    "Instrument": lambda image: image.instrument,
    "Mode": lambda image: "ACCUM",
    "Detector": lambda image: image.detector.name,
    "Aperture": lambda image: image.detector.aperture,
    "ExposureTime": lambda image: image.exposure_s,
    "StartTime": lambda image: str(timestamps(image.start_mjd)),
    "StopTime": lambda image: str(timestamps(image.stop_mjd)),
    "StartMJD": lambda image: image.start_mjd,
    "StopMJD": lambda image: image.stop_mjd,
    "WaveLength": lambda image: image.wavelength,
    "Filter": lambda image: image.filter,
    "TargetName": lambda image: image.target,
    "PropID": lambda image: image.prop_id,
}


def _of_images(images: tuple[Image, ...], value: Callable[[Image], Any]) -> list[Any]:
    return [value(image) for image in images]


def _missed(
    detections: Detections, match: NDArray[np.int64], n_matches: int, of_match: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Objects and images: all that an image covers without a source of it."""
    found: list[NDArray[np.int64]] = []
    pointing = np.array([image.pointing for image in detections.images])[detections.rows.image]
    home = np.zeros(n_matches, dtype=np.int64)
    home[match] = pointing
    for number, image in enumerate(detections.images):
        is_missing = home == image.pointing
        is_missing[match[detections.rows.image == number]] = False
        candidates = np.flatnonzero(is_missing)
        x, y = image.pixels(of_match["MatchRA"][candidates], of_match["MatchDec"][candidates])
        found.append(candidates[image.holds(x, y)])
    numbers = np.repeat(np.arange(len(found)), [len(part) for part in found])
    return np.concatenate(found), numbers

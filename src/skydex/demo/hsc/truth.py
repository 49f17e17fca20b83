"""Truth tables of the Hubble fields: stars, images, and which star each measurement is of.

A star that is no variable has in every image the magnitude that its F814W magnitude and colour give; the magnitudes of
variables stand in `truth.hsc_epochs`. What an image shows are its measurements (`skydex.demo.cameras.hsc`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from skydex.demo.columns import read_columns
from skydex.demo.hsc.detections import SIMULATED_IDS, Detections
from skydex.demo.hsc.fields import Field, number_of
from skydex.demo.hsc.images import Image
from skydex.demo.hsc.measurements import ARTIFACTS, Sky
from skydex.demo.hsc.stars import COMPONENTS
from skydex.demo.hsc.variability import CLASSES
from skydex.demo.simulation import batch_of

__all__ = ["MEASUREMENTS", "TRUTHS", "measurement_rows", "truth_rows"]

_STARS = read_columns("hsc/truth_stars")
_IMAGES = read_columns("hsc/truth_images")
_EPOCHS = read_columns("hsc/truth_epochs")
_MEASUREMENTS = read_columns("hsc/truth_measurements")
MEASUREMENTS = "truth.hsc_measurements"
TRUTHS = {
    "truth.hsc_stars": (_STARS, "The stars of the Hubble fields, and how they vary."),
    "truth.hsc_images": (_IMAGES, "The images that were taken, and what is wrong with them."),
    "truth.hsc_epochs": (_EPOCHS, "Noise-free magnitudes of variables in each image."),
    MEASUREMENTS: (_MEASUREMENTS, "What each measurement is of, and what is wrong with it."),
}
"""Columns and descriptions of the tables."""
_STARS_PER_FIELD = 10_000_000


def truth_rows(sky: Sky) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Rows of a field for each table of `TRUTHS` but the measurements."""
    yield "truth.hsc_stars", _star_rows(sky)
    yield "truth.hsc_images", _image_rows(sky.images)
    yield "truth.hsc_epochs", _epoch_rows(sky)


def _star_ids(field: Field, n_stars: int) -> NDArray[np.int64]:
    """Identifiers of a field's stars."""
    return SIMULATED_IDS + number_of(field) * _STARS_PER_FIELD + np.arange(n_stars)


def _star_rows(sky: Sky) -> pa.RecordBatch:
    stars, variables, n = sky.stars, sky.variables, len(sky.stars)
    known = {
        "period": variables.period_d,
        "t0_mjd": variables.t0_mjd,
        "amplitude": variables.amplitude,
        "shape": variables.shape,
        "secondary": variables.secondary,
    }
    of_variables = {name: np.full(n, np.nan) for name in known}
    for name, numbers in known.items():
        of_variables[name][variables.star] = numbers
    kinds = np.full(n, len(CLASSES))
    kinds[variables.star] = variables.kind
    values: dict[str, Any] = {
        "star_id": _star_ids(sky.field, n),
        "field": sky.field.name,
        "pointing": stars.pointing,
        "ra": stars.ra,
        "dec": stars.dec,
        "pm_ra": stars.pm_ra,
        "pm_dec": stars.pm_dec,
        "f814w": stars.f814w,
        "f475w_f814w": stars.colour,
        "component": pa.array(COMPONENTS).take(pa.array(stars.component)),
        "variable_class": pa.array([*CLASSES, None]).take(pa.array(kinds)),
        "leak": stars.leak,
        **of_variables,
    }
    return batch_of(_STARS, values, n)


def _image_rows(images: tuple[Image, ...]) -> pa.RecordBatch:
    """Images as rows: names and times, WCS and footprint, errors."""
    regions = [" ".join(f"{angle:.8f}" for angle in image.footprint().ravel()) for image in images]
    values = {
        "image_id": [image.image_id for image in images],
        "image_name": [image.name for image in images],
        "field": [image.field for image in images],
        "pointing": [image.pointing for image in images],
        "target": [image.target for image in images],
        "prop_id": [image.prop_id for image in images],
        "visit": [image.visit for image in images],
        "instrument": [image.instrument for image in images],
        "detector": [image.detector.name for image in images],
        "filter": [image.filter for image in images],
        "wavelength": [image.wavelength for image in images],
        "start_mjd": [image.start_mjd for image in images],
        "stop_mjd": [image.stop_mjd for image in images],
        "exposure": [image.exposure_s for image in images],
        "n_exposures": [image.n_exposures for image in images],
        "naxis": [image.naxis for image in images],
        "crval1": [image.ra for image in images],
        "crval2": [image.dec for image in images],
        "crpix": [image.crpix for image in images],
        **{f"cd{i + 1}_{j + 1}": [float(image.cd[i, j]) for image in images] for i in range(2) for j in range(2)},
        "pa": [image.pa for image in images],
        "s_region": [f"POLYGON ICRS {region}" for region in regions],
        "offset": [image.offset for image in images],
        "gradient_x": [image.gradient[0] for image in images],
        "gradient_y": [image.gradient[1] for image in images],
        "is_bad": [image.is_bad for image in images],
    }
    return batch_of(_IMAGES, values, len(images))


def _epoch_rows(sky: Sky) -> pa.RecordBatch:
    """Magnitudes of the variables in the images of their pointing."""
    stars, images, found = [], [], []
    pointing = sky.stars.pointing[sky.variables.star]
    ids = _star_ids(sky.field, len(sky.stars))[sky.variables.star]
    for number, image in enumerate(sky.images):
        those = pointing == image.pointing
        magnitudes = sky.stars.magnitudes(image.wavelength)[sky.variables.star] + sky.variables.deviations(
            image, number
        )
        stars.append(ids[those])
        images.append(np.full(int(those.sum()), image.image_id))
        found.append(magnitudes[those])
    values = {"star_id": np.concatenate(stars), "image_id": np.concatenate(images), "mag": np.concatenate(found)}
    return batch_of(_EPOCHS, values, len(values["star_id"]))


def measurement_rows(detections: Detections) -> pa.RecordBatch:
    """Which star each source is of, how bright it really was, and what is wrong with the measurement."""
    rows = detections.rows
    ids = _star_ids(detections.field, 1)[0] + rows.star
    values = {
        "source_id": rows.source_id,
        "match_id": rows.match_id,
        "image_id": np.array([image.image_id for image in detections.images])[rows.image],
        "star_id": np.ma.masked_array(ids, mask=rows.star < 0),
        "is_printed": rows.star == -2,
        "mag_true": rows.mag_true,
        "mag_err": rows.mag_err,
        "artifact": pa.array(ARTIFACTS).take(pa.array(rows.artifact)),
    }
    return batch_of(_MEASUREMENTS, values, len(rows))

"""Rows about stacks and observations themselves: lists of stacks, images, ObsCore."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from skydex.demo.csc21.fields import RADIUS_DEG, Sky, offset
from skydex.demo.csc21.sources import BANDS

__all__ = ["image_rows", "obscore_rows", "stack_list_rows"]

_FEWEST = {"detect_stack": 0, "valid_stack": 3, "likely_stack": 1}
_SECONDS_A_DAY = 86_400.0
_FIELD_DEG = 2.0 * RADIUS_DEG + 1.4 / 60
_PIXEL_ARCSEC = 0.492
_RESOLUTION_ARCSEC = 0.5
_WAVELENGTHS_M = {"ACIS": (1.771e-10, 2.4797e-9), "HRC": (1.2398e-10, 1.2398e-8)}
"""7 to 0.5 keV; 10 to 0.1 keV."""


def stack_list_rows(name: str, sky: Sky, n_detected: NDArray[np.int64]) -> Mapping[str, Any]:
    """Rows of `detect_stack`, `valid_stack` or `likely_stack`."""
    chosen = np.flatnonzero(n_detected >= _FEWEST[name])
    stacks, kept = sky.stacks, pa.array(chosen)
    return {
        "detect_stack_id": stacks.ids.take(kept),
        "ra": stacks.ra[chosen],
        "dec": stacks.dec[chosen],
        "instrument": stacks.instrument.take(kept),
        "exposure": stacks.exposure[chosen],
        "n_obs": stacks.n_obs[chosen],
        "n_sources": n_detected[chosen],
    }


def image_rows(sky: Sky) -> Mapping[str, Any]:
    """Rows of `image`: five bands of a stack of ACIS, one of HRC."""
    stacks, seen = sky.stacks, sky.observations
    n_bands = np.where(stacks.is_hrc, 1, 5)
    stack = np.repeat(np.arange(len(stacks)), n_bands)
    band = np.arange(len(stack)) - np.repeat(np.cumsum(n_bands) - n_bands, n_bands)
    bands = pa.array(list(BANDS)).take(pa.array(np.where(stacks.is_hrc[stack], 5, band)))
    firsts = np.searchsorted(seen.stack, np.arange(len(stacks)))
    ids = stacks.ids.take(pa.array(stack))
    return {
        "image_id": pc.binary_join_element_wise(ids, bands, "_"),
        "detect_stack_id": ids,
        "band": bands,
        "instrument": stacks.instrument.take(pa.array(stack)),
        "ra": stacks.ra[stack],
        "dec": stacks.dec[stack],
        "radius": np.full(len(stack), _FIELD_DEG / 2),
        "n_pixels": np.full(len(stack), int(_FIELD_DEG * 3600 / _PIXEL_ARCSEC)),
        "pixel_size": np.full(len(stack), _PIXEL_ARCSEC),
        "exposure": stacks.exposure[stack],
        "t_min": np.minimum.reduceat(seen.mjd, firsts)[stack],
        "t_max": np.maximum.reduceat(seen.mjd + seen.exposure / _SECONDS_A_DAY, firsts)[stack],
    }


def obscore_rows(sky: Sky) -> Mapping[str, Any]:
    """Rows of `ObsCore`: one for each observation."""
    seen, n_rows = sky.observations, len(sky.observations)
    obsid = pa.array(seen.obsid).cast(pa.string())
    shortest, longest = (
        np.where(seen.is_hrc, _WAVELENGTHS_M["HRC"][end], _WAVELENGTHS_M["ACIS"][end]) for end in (0, 1)
    )
    return {
        "dataproduct_type": pa.array(["event"] * n_rows),
        "calib_level": np.full(n_rows, 2),
        "obs_collection": pa.array(["csc21"] * n_rows),
        "obs_id": obsid,
        "obs_publisher_did": pc.binary_join_element_wise("ivo://skydex.demo/csc21?", obsid, ""),
        "target_name": pc.binary_join_element_wise("field ", pa.array(seen.field + 1).cast(pa.string()), ""),
        "s_ra": seen.ra,
        "s_dec": seen.dec,
        "s_fov": np.full(n_rows, _FIELD_DEG),
        "s_region": _regions(sky),
        "s_resolution": np.full(n_rows, _RESOLUTION_ARCSEC),
        "t_min": seen.mjd,
        "t_max": seen.mjd + seen.exposure / _SECONDS_A_DAY,
        "t_exptime": seen.exposure,
        "t_resolution": np.where(seen.is_hrc, 1.6e-5, 3.2),
        "em_min": shortest,
        "em_max": longest,
        "em_res_power": np.where(seen.is_hrc, 1.0, 15.0),
        "o_ucd": pa.array(["phot.count;em.X-ray"] * n_rows),
        "facility_name": pa.array(["Chandra"] * n_rows),
        "instrument_name": seen.instrument,
    }


def _regions(sky: Sky) -> pa.Array:
    """Squares about the aim points, turned by the roll angle, as STC-S polygons."""
    seen = sky.observations
    corners = []
    for quarter in range(4):
        angle = np.radians(seen.roll + 45.0 + 90.0 * quarter)
        half = np.full(len(seen), _FIELD_DEG / np.sqrt(2.0))
        corners += [_decimals(values) for values in offset(seen.ra, seen.dec, half, angle)]
    return pc.binary_join_element_wise("POLYGON ICRS", *corners, " ")


def _decimals(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(np.round(values, 6)).cast(pa.string())

"""`simulate_images`: a counts image for each row of the table `csc21.image`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skydex.demo.cameras.csc21.headers import BAND_NAMES, PIXEL_ARCSEC, Exposed, cards_of, header_of
from skydex.demo.cameras.csc21.scenes import write_scenes
from skydex.demo.cameras.places import where_is
from skydex.demo.csc21.fields import Sky, make_sky
from skydex.demo.csc21.pointings import image_rows
from skydex.demo.simulation import SimulatedImages
from skydex.demo.size import Size
from skydex.ingest.images import ImageEntry, did_of
from skydex.store import ArchiveDirectory, ImageRecord

__all__ = ["simulate_images"]

_COLLECTION = "csc21"
_ABOUT = (
    "Counts images of stacks of observations with Chandra, one for each energy band: those of the table csc21.image. "
    "A pixel is the number of photons that it has counted."
)
_HDU = 0


def simulate_images(directory: ArchiveDirectory, size: Size, seed: int) -> SimulatedImages:
    """The images of an archive; what they show is written beside it."""
    sky = make_sky(size, seed)
    ends = np.cumsum(write_scenes(directory.path, sky, size, seed))
    return SimulatedImages(_COLLECTION, _ABOUT, _entries(sky, [0, *ends.tolist()]))


def _entries(sky: Sky, ends: list[int]) -> Iterator[ImageEntry]:
    """All images of a stack lie at the same place."""
    where: dict[str, Any] = {}
    before = None
    for exposed in _exposed(sky, ends):
        if exposed.stack != before:
            before, where = exposed.stack, where_is(header_of(exposed), exposed.shape)
        yield _entry(exposed, where)


def _exposed(sky: Sky, ends: list[int]) -> Iterator[Exposed]:
    """The images in the order of the table."""
    rows = image_rows(sky)
    columns = {name: values.tolist() for name, values in rows.items()}
    seen = sky.observations
    facts = [tuple(row) for row in np.stack([seen.ra, seen.dec, seen.roll, seen.exposure], axis=1).tolist()]
    numbers = {name: number for number, name in enumerate(sky.stacks.ids.to_pylist())}
    first = np.searchsorted(seen.stack, np.arange(len(sky.stacks) + 1))
    for row in (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)):
        stack = numbers[row["detect_stack_id"]]
        yield Exposed(
            row["image_id"],
            row["detect_stack_id"],
            row["band"],
            row["instrument"],
            row["ra"],
            row["dec"],
            row["n_pixels"],
            round(row["t_min"], 8),
            round(row["t_max"], 8),
            tuple(facts[first[stack] : first[stack + 1]]),
            (ends[stack], ends[stack + 1]),
        )


def _entry(exposed: Exposed, where: dict[str, Any]) -> ImageEntry:
    did = did_of(_COLLECTION, exposed.name, _HDU)
    location = f"archive:{_COLLECTION}/{exposed.name}"
    aliases = (f"{exposed.name}.fits", f"{exposed.name}_img3.fits")
    record = ImageRecord(_COLLECTION, exposed.name, _HDU, "", did, "simulated", location, exposed.access, aliases)
    return ImageEntry(record, {**_row(exposed), **where}, cards_of(exposed))


def _row(exposed: Exposed) -> dict[str, Any]:
    """What the header does not tell, or not as ObsCore has it."""
    return {
        "obs_id": exposed.stack,
        "obs_title": f"SIMULATED {BAND_NAMES[exposed.band]} band counts of {exposed.stack}",
        "calib_level": 3,
        "target_name": exposed.stack,
        "access_estsize": 4 * exposed.n_pixels**2 // 1000,
        "s_xel1": exposed.n_pixels,
        "s_xel2": exposed.n_pixels,
        "s_resolution": round(2 * PIXEL_ARCSEC, 3),
        "t_exptime": exposed.exposure_s,
        "facility_name": "Chandra",
        "instrument_name": exposed.instrument,
        "filter": exposed.band,
        "n_exposures": len(exposed.pointings),
        "bitpix": 32,
        "o_ucd": "phot.count;em.X-ray",
    }

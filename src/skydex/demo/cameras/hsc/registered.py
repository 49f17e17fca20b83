"""`simulate_images`: every image that the catalogues of the Hubble fields name is registered."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from skydex.demo.cameras.hsc.headers import cards_of
from skydex.demo.cameras.hsc.noted import Noted
from skydex.demo.cameras.hsc.scenes import scenes
from skydex.demo.cameras.hsc.sources import SourcesWriter
from skydex.demo.hsc import Image
from skydex.demo.simulation import SimulatedImages
from skydex.demo.size import Size
from skydex.ingest.images import ImageEntry, did_of
from skydex.store import ArchiveDirectory, ImageRecord

__all__ = ["simulate_images"]

_COLLECTION, _HDU = "hsc", 1
_BYTES_PER_PIXEL = 4


def simulate_images(directory: ArchiveDirectory, size: Size, seed: int) -> SimulatedImages:
    """The images of the Hubble fields; the tables of `hsc` and `hcv` are published already."""
    description = (
        "Images of the Hubble fields, each of one visit and filter, in electrons per second: every image that "
        "hsc.detailedCatalog and hcv.HCVdetailed name, with their sources at the magnitudes given there. Pixels are "
        "made where they are asked for."
    )
    return SimulatedImages(_COLLECTION, description, _entries(directory, size, seed))


def _entries(directory: ArchiveDirectory, size: Size, seed: int) -> Iterator[ImageEntry]:
    for group, several in groupby(scenes(directory, size, seed), key=lambda scene: scene.group):
        with SourcesWriter(directory.path, group) as writer:
            for scene in several:
                yield _entry(Noted(scene.image, group, writer.write(scene.sources), seed))


def _entry(noted: Noted) -> ImageEntry:
    image = noted.image
    record = ImageRecord(
        collection=_COLLECTION,
        name=image.name,
        hdu=_HDU,
        extension="SCI,1",
        did=did_of(_COLLECTION, image.name, _HDU),
        opener="simulated",
        location=f"archive:hsc/{image.name}",
        access=noted.to_bytes(),
        aliases=(f"{image.name}_drz", f"{image.name}_drz.fits", f"{image.name}.fits"),
    )
    return ImageEntry(record, _described(image), cards_of(image, noted.seed))


def _described(image: Image) -> dict[str, Any]:
    """What the header does not tell, or not as ObsCore has it."""
    scale = image.detector.scale_arcsec
    side = image.naxis * scale / 3600
    cd = image.cd
    return {
        "calib_level": 3,
        "obs_title": f"SIMULATED {image.detector.name} {image.filter} of {image.target}, visit {image.visit}",
        "access_estsize": image.naxis**2 * _BYTES_PER_PIXEL // 1000,
        "target_name": image.target,
        "s_ra": image.ra % 360.0,
        "s_dec": image.dec,
        "s_fov": side * np.sqrt(2),
        "s_region": "POLYGON ICRS " + " ".join(f"{angle:.8f}" for angle in image.footprint().ravel()),
        "s_resolution": round(max(2 * scale, 1.03 * np.degrees(image.wavelength * 1e-10 / 2.4) * 3600), 3),
        "s_xel1": image.naxis,
        "s_xel2": image.naxis,
        "s_pixel_scale": scale,
        "t_min": image.start_mjd,
        "t_max": image.stop_mjd,
        "t_exptime": image.exposure_s,
        "facility_name": "HST",
        "instrument_name": image.detector.name,
        "proposal_id": str(image.prop_id),
        "filter": image.filter,
        "detector": image.detector.name,
        "n_exposures": image.n_exposures,
        "bunit": "ELECTRONS/S",
        "bitpix": -32,
        "ctype1": "RA---TAN",
        "ctype2": "DEC--TAN",
        "crpix1": image.crpix,
        "crpix2": image.crpix,
        "crval1": image.ra,
        "crval2": image.dec,
        **{f"cd{i + 1}_{j + 1}": float(cd[i, j]) for i in range(2) for j in range(2)},
    }

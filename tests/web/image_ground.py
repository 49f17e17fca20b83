"""An archive of real images, described by astropy: the collection `pics`."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales, wcs_to_celestial_frame

PICTURES = {
    "gc_2mass_k": (
        "2mass/gc_2mass_k.fits", 0, {"filter": "K", "instrument_name": "2MASS", "em_min": 2e-6, "em_max": 2.3e-6}
    ),
    "m51": ("wcs/sipsample.fits", 0, {"filter": "IRAC1", "instrument_name": "IRAC", "target_name": "M 51"}),
    "goodss_f160w": ("hst/goodss_f160w_sect22.fits", 0, {"filter": "F160W", "em_min": 1.4e-6, "em_max": 1.7e-6}),
    "pole": ("wcs/pole.fits", 0, {"filter": "clear", "t_min": 50000.0, "t_max": 50001.0, "t_exptime": 86.4}),
    "ukidss_k": ("misc/ukidss_k.fits", 1, {"filter": "K", "em_min": 2.03e-6, "em_max": 2.37e-6, "pol_states": "/I/"}),
    "1904-66_TAN": ("wcs/1904-66_TAN.fits", 0, {"filter": "I", "calib_level": 3, "facility_name": "ATCA"}),
}  # fmt: skip
"""Name, file, number of the HDU and what is noted besides."""


def wcs_of(file: Path, hdu: int) -> WCS:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(file) as hdus:
            return WCS(hdus[hdu].header).celestial


def facts_of(file: Path, hdu: int) -> dict[str, object]:
    """What ObsCore says of the place of an image, as astropy sees it."""
    wcs = wcs_of(file, hdu)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ny, nx = fits.getdata(file, hdu).shape[-2:]
    x = np.array([-0.5, nx - 0.5, nx - 0.5, -0.5, (nx - 1) / 2])
    y = np.array([-0.5, -0.5, ny - 0.5, ny - 0.5, (ny - 1) / 2])
    lon, lat = wcs.all_pix2world(x, y, 0)
    places = SkyCoord(lon, lat, unit="deg", frame=wcs_to_celestial_frame(wcs)).icrs
    corners = " ".join(f"{p.ra.deg:.8f} {p.dec.deg:.8f}" for p in places[:4])
    return {
        "s_ra": places[4].ra.deg, "s_dec": places[4].dec.deg,
        "s_fov": 2 * places[:4].separation(places[4]).deg.max(),
        "s_region": f"POLYGON ICRS {corners}",
        "s_xel1": nx, "s_xel2": ny,
        "s_pixel_scale": float(np.sqrt(np.prod(proj_plane_pixel_scales(wcs)))) * 3600,
    }  # fmt: skip


def build_pictures(archive: Path, images: Path, names=tuple(PICTURES), *, collection: str = "pics") -> Path:
    """Publish some of the real images below a folder."""
    from skydex.images import index_fits
    from skydex.ingest.images import ImageEntry, did_of, publish_images
    from skydex.store import ArchiveDirectory, ImageRecord

    def entries():
        for name in names:
            place, hdu, more = PICTURES[name]
            path = images / place
            access = next(found.access for found in index_fits(path) if found.hdu == hdu)
            record = ImageRecord(collection, name, hdu, "", did_of(collection, name, hdu), "fits", str(path), access)
            yield ImageEntry(record, {**facts_of(path, hdu), **more})

    publish_images(
        ArchiveDirectory.create(archive), collection, entries(), description="Real images of several telescopes."
    )
    return archive

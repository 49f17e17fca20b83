"""An archive of images, and of stars in them with light curves: the collections `pics` and `sky`.

One real image (the south of GOODS in F160W), and a file made here: two chips, an image of errors, a WCS of each.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

CENTRE = (150.0, 2.0)
SCALE_DEG = 1e-4
SHAPE = (200, 300)
STAR = 2**53 + 1
"""An identifier that a floating-point number cannot hold."""


def chip_header(offset: float) -> fits.Header:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = CENTRE
    wcs.wcs.crpix = [150.5, 100.5 - offset]
    wcs.wcs.cdelt = [-SCALE_DEG, SCALE_DEG]
    return wcs.to_header()


def write_chips(path: Path) -> Path:
    """Two chips that lie one above the other, and the errors of the first."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    chip = (1000 * y + x).astype("f4")
    hdus = [fits.PrimaryHDU()]
    for name, version, offset in (("SCI", 1, 0.0), ("ERR", 1, 0.0), ("SCI", 2, 300.0)):
        hdus.append(fits.ImageHDU(chip + 0.5 * (name == "ERR"), chip_header(offset), name=name, ver=version))
    fits.HDUList(hdus).writeto(path)
    return path


def facts_of(header: fits.Header, shape: tuple[int, int]) -> dict[str, object]:
    """What ObsCore says of the place of an image, as astropy sees it."""
    wcs, (ny, nx) = WCS(header).celestial, shape
    x = np.array([-0.5, nx - 0.5, nx - 0.5, -0.5, (nx - 1) / 2])
    y = np.array([-0.5, -0.5, ny - 0.5, ny - 0.5, (ny - 1) / 2])
    ra, dec = wcs.all_pix2world(x, y, 0)
    corners = " ".join(f"{a:.9f} {b:.9f}" for a, b in zip(ra[:4], dec[:4], strict=True))
    return {"s_ra": ra[4], "s_dec": dec[4], "s_fov": 0.04, "s_region": f"POLYGON ICRS {corners}", "s_pixel_scale": 0.36}


def build_linked(directory: Path, images: Path | None = None) -> Path:
    """Publish everything; the real image only if the folder of real images is given."""
    from skydex.images import index_fits
    from skydex.ingest import ingest_files
    from skydex.ingest.images import ImageEntry, did_of, publish_images
    from skydex.store import ArchiveDirectory, ImageRecord

    files = {"chips": (write_chips(directory / "chips.fits"), {"t_exptime": 100.0, "t_min": 55000.0, "t_max": 55000.1})}
    if images is not None:
        real = images / "hst" / "goodss_f160w_sect22.fits"
        files["goodss_f160w"] = (real, {"em_min": 1.4e-6, "em_max": 1.7e-6, "t_exptime": 5000.0})

    def entries():
        for name, (path, facts) in files.items():
            for image in index_fits(path):
                did = did_of("pics", name, image.hdu)
                record = ImageRecord("pics", name, image.hdu, image.extension, did, "fits", str(path), image.access)
                yield ImageEntry(record, {**facts_of(image.header, image.shape), **facts}, image.header)

    archive = directory / "archive"
    publish_images(ArchiveDirectory.create(archive), "pics", entries(), description="Images of the tests.")
    stars = Table({"star": np.array([1, 2, STAR]), "ra": [CENTRE[0], 10.0, 150.001], "dec": [CENTRE[1], -10.0, 2.001]})
    visits = Table({"star": np.repeat(stars["star"], 4), "mjd": 55000 + np.arange(12.0), "mag": 20 + np.arange(12.0)})
    for name, table in (("stars", stars), ("visits", visits)):
        table.write(directory / f"{name}.fits")
    ingest_files([directory / "stars.fits"], archive, "sky.stars", id="star")
    ingest_files(
        [directory / "visits.fits"],
        archive,
        "sky.visits",
        position="none",
        columns={"mjd": {"ucd": "time.epoch", "unit": "d"}, "mag": {"ucd": "phot.mag"}},
        foreign_keys=[{"target_table": "sky.stars", "columns": {"star": "star"}}],
    )
    return archive

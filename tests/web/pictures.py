"""An archive of images whose every pixel is known: its number, so that a cutout tells where it is from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from skydex.images import index_fits
from skydex.store import ImageRecord, Imagery
from skydex.store.directory import ArchiveDirectory

RA, DEC = 187.70593, 12.39112
"""M87, in the middle of each image."""
SIDE = 200


def header_of(*, scale_arcsec: float = 0.05, rotation_deg: float = 0.0) -> fits.Header:
    """A plane tangent to the sky."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = RA, DEC
    wcs.wcs.crpix = SIDE / 2 + 0.5, SIDE / 2 + 0.5
    angle = np.radians(rotation_deg)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = turned @ np.diag([-scale_arcsec, scale_arcsec]) / 3600.0
    return wcs.to_header()


def numbers(offset: float = 0.0) -> np.ndarray:
    """100,000 and the number of each pixel, which single precision holds exactly."""
    return (np.arange(SIDE * SIDE).reshape(SIDE, SIDE) + 100_000.0 + offset).astype(np.float32)


def build(directory: Path) -> Path:
    """Images as HLA, MAST and Pan-STARRS name them."""
    files = directory / "files"
    files.mkdir(parents=True)
    turned = header_of(rotation_deg=30.0)
    _write(files / "hst_10543_29_acs_wfc_f606w_drz.fits", fits.PrimaryHDU(numbers(), header_of()))
    _write(files / "hst_10543_29_acs_wfc_f814w_drz.fits", fits.PrimaryHDU(numbers(1.0), header_of()))
    _write(files / "hst_10543_29_acs_wfc_f435w_drz.fits", fits.PrimaryHDU(numbers(), turned))
    chips = [fits.ImageHDU(numbers(k), header_of(), name="SCI", ver=k) for k in (1, 2)]
    weights = fits.ImageHDU((numbers() % 2).astype(np.float32), name="WHT")
    _write(files / "ibc302ioq_flt.fits", fits.PrimaryHDU(), *chips, weights)
    soft = header_of(scale_arcsec=0.25)
    soft["BSOFTEN"], soft["BOFFSET"] = 26.0, 1.5
    soft["HIERARCH CELL.ID"] = "skycell.059"
    stack = fits.PrimaryHDU(np.linspace(-2.0, 6.0, SIDE * SIDE).reshape(SIDE, SIDE).astype(np.float32), soft)
    _write(files / "rings.v3.skycell.1784.059.stk.i.unconv.fits", stack)
    archive = directory / "archive"
    ArchiveDirectory.create(archive)
    Imagery(archive).publish("hla", (record for file in sorted(files.iterdir()) for record in _records(file)))
    return archive


def _write(path: Path, *hdus: fits.PrimaryHDU | fits.ImageHDU) -> None:
    fits.HDUList(list(hdus)).writeto(path)


def _records(file: Path) -> list[ImageRecord]:
    name = file.name.removesuffix(".fits").removesuffix("_drz")
    return [
        ImageRecord(
            "hla", name, found.hdu, found.extension, f"ivo://test/hla?{name}[{found.hdu}]", "fits", str(file),
            found.access, (file.name,),
        )
        for found in index_fits(file)
    ]  # fmt: skip

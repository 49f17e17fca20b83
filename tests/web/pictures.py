"""An archive of images whose every pixel is known: its number, so that a cutout tells where it is from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from skydex.images import index_fits
from skydex.ingest.images import ImageEntry, did_of, publish_images
from skydex.store import ArchiveDirectory, ImageRecord

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
    """Images as HLA, MAST and Pan-STARRS name them, in collections of these."""
    archive = ArchiveDirectory.create(directory / "archive")
    for collection, write in (("hsc", _write_hubble), ("psf", _write_frames), ("ps1", _write_skycells)):
        files = directory / collection
        files.mkdir(parents=True)
        write(files)
        entries = (entry for file in sorted(files.iterdir()) for entry in _entries(file, collection))
        publish_images(archive, collection, entries, description="Images of the test.")
    return archive.path


def _write_hubble(files: Path) -> None:
    images = (("f606w", 0.0, 0.0, 55000), ("f814w", 1.0, 0.0, 54000), ("f435w", 0.0, 30.0, 54500))
    for name, offset, rotation, mjd in images:
        header = header_of(rotation_deg=rotation)
        header.update({"EXPSTART": float(mjd), "EXPEND": mjd + 0.01, "EXPTIME": 500.0, "INSTRUME": "ACS"})
        header["FILTER"] = name.upper()
        _write(files / f"hst_10543_29_acs_wfc_{name}_drz.fits", fits.PrimaryHDU(numbers(offset), header))


def _write_frames(files: Path) -> None:
    chips = [fits.ImageHDU(numbers(k), header_of(), name="SCI", ver=k) for k in (1, 2)]
    wide = np.add.outer(np.arange(2100), np.arange(2100)).astype(np.int16)
    _write(files / "wide.fits", fits.PrimaryHDU(wide + np.int16(1), header_of()))
    weights = fits.ImageHDU((numbers() % 2).astype(np.float32), name="WHT")
    _write(files / "ibc302ioq_flt.fits", fits.PrimaryHDU(), *chips, weights)


def _write_skycells(files: Path) -> None:
    """Two skycells that overlap, the second a little north of the first."""
    soft = header_of(scale_arcsec=0.25)
    soft["BSOFTEN"], soft["BOFFSET"] = 26.0, 1.5
    soft["HIERARCH CELL.ID"] = "skycell.059"
    values = np.linspace(-2.0, 6.0, SIDE * SIDE).reshape(SIDE, SIDE).astype(np.float32)
    for cell, north in (("059", 0.0), ("060", 30.0 / 3600.0)):
        soft["CRVAL2"] = DEC + north
        for name in "yzgri" if cell == "059" else "gi":
            _write(files / f"rings.v3.skycell.1784.{cell}.stk.{name}.unconv.fits", fits.PrimaryHDU(values, soft))
    soft["CRVAL2"] = DEC
    for time in ("55230_36441", "55231_43200"):
        _write(files / f"rings.v3.skycell.1784.059.wrp.g.{time}.fits", fits.PrimaryHDU(values, soft))


def _write(path: Path, *hdus: fits.PrimaryHDU | fits.ImageHDU) -> None:
    fits.HDUList(list(hdus)).writeto(path)


def _entries(file: Path, collection: str) -> Iterator[ImageEntry]:
    name = file.name if collection == "ps1" else file.name.removesuffix(".fits").removesuffix("_drz")
    for image in index_fits(file):
        did = did_of(collection, name, image.hdu)
        where = (name, image.hdu, image.extension, did, "fits", str(file), image.access)
        yield ImageEntry(ImageRecord(collection, *where, (file.name,)), header=image.header)

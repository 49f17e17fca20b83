"""The PSF databases with their frames: as they are simulated, or a few in real files, full of noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from demonstration import build_collection

from skydex.archive import Archive, QueryRequest
from skydex.demo.cameras.psf.registered import simulate_images
from skydex.demo.images import publish_simulated_images
from skydex.demo.psf import simulate_psf
from skydex.demo.size import SIZES
from skydex.images import index_fits
from skydex.ingest.images import did_of
from skydex.store import ArchiveDirectory, ImageRecord, Imagery

ROOT = "ibc302ioq"
"""The published exposure."""
CORNER = {"psf_x_center": (100, 102), "psf_y_center": (100, 102), "n_sat_pixels": (0, 0)}
"""What the published query asks for: six stars, each in an exposure of its own."""
SUFFIXES = ("flt", "flc", "raw")
_SHAPE = (400, 600)


def build_simulated(folder: Path) -> Path:
    """Publish the databases and all their frames; give the archive."""
    archive = build_collection(folder, simulate_psf)
    directory = ArchiveDirectory(archive)
    publish_simulated_images(simulate_images(directory, SIZES["tiny"], 1), directory, label="tests")
    return archive


def build_ground(folder: Path) -> Path:
    """Publish the databases and frames of the exposures of the published query; give the archive."""
    archive = build_collection(folder, simulate_psf)
    where = " AND ".join(f"{name} BETWEEN {low} AND {high}" for name, (low, high) in CORNER.items())
    roots = Archive.open(archive).query(QueryRequest(f"SELECT rootname FROM psf.UVIS WHERE {where}")).to_arrow()
    names = [f"{root}_{suffix}" for root in roots["rootname"].to_pylist() for suffix in SUFFIXES]
    Imagery(archive).publish("psf", [record for name in names for record in _frame(folder, name)])
    return archive


def _frame(folder: Path, name: str) -> list[ImageRecord]:
    """The records of a file with two chips: brightness, its error and flags of each."""
    rng = np.random.default_rng(list(name.encode()))
    hdus = [fits.PrimaryHDU(header=fits.Header([("ROOTNAME", name.partition("_")[0])]))]
    for version in (1, 2):
        for kind in ("SCI", "ERR", "DQ"):
            data = rng.normal(5.0, 4.0, _SHAPE).astype(np.int16 if kind == "DQ" else np.float32)
            hdus.append(fits.ImageHDU(data, name=kind, ver=version))
    path = folder / f"{name}.fits"
    fits.HDUList(hdus).writeto(path)
    return [
        ImageRecord("psf", name, one.hdu, one.extension, did_of("psf", name, one.hdu), "fits", str(path), one.access)
        for one in index_fits(path)
    ]

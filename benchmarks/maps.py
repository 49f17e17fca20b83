"""Tiles of HiPS and image searches: what somebody waits for who moves over the sky in a viewer.

Beside a tile, `reproject_interp` of the same image onto the same pixels, with the image in memory; both interpolate
linearly where the pixels are alike. Tiles are made anew each time, and not taken from the cache.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from astropy.io import fits
from astropy.wcs import WCS
from reproject import reproject_interp

from benchmarks.finding import Finding
from benchmarks.holdings import Setup
from benchmarks.timing import Work, timed
from skydex.archive import Archive, ImageSearch
from skydex.images import Image, Layer, Tile, index_fits, open_pixels, tile_data, tile_file
from skydex.ingest.images import ImageEntry, did_of, publish_images
from skydex.sky import Cone, pixels_of
from skydex.store import ArchiveDirectory, ImageRecord

__all__ = ["TITLE", "measure"]

TITLE = "Maps for sky viewers, and image search"
_SIDE = 4096
_SCALE_DEG = 0.2 / 3600
_PLACE = (150.1, 2.2)
_N_IMAGES = 100_000
_MOST_PIXELS = 8 << 20


def measure(setup: Setup) -> Iterator[Finding]:
    """Tiles of one image, fine and coarse; and the images of a place."""
    file = _file(setup.cache / "map.fits")
    access = index_fits(file)[0].access
    layer = Layer(lambda: Image("map", open_pixels("fits", str(file), access)))
    for order, what in ((11, "as fine as the image"), (9, "4 times coarser")):
        tile = Tile(order, int(pixels_of([_PLACE[0]], [_PLACE[1]], order)[0]))
        ours, beside = timed(
            Work(partial(tile_data, tile, [layer], most_pixels=_MOST_PIXELS)), Work(partial(_reprojected, file, tile))
        )
        yield Finding(f"Tile of 512 x 512 pixels, {what}", ours.wall, "reproject_interp", beside.wall)
    values = tile_data(tile, [layer], most_pixels=_MOST_PIXELS)
    assert values is not None
    png, jpeg = timed(*(Work(partial(tile_file, values, name, (0.0, 9.0))) for name in ("png", "jpg")))
    yield Finding("A tile as PNG", png.wall)
    yield Finding("A tile as JPEG", jpeg.wall)
    (search,) = timed(Work(partial(_search, _archive(setup.cache / "searched"))))
    yield Finding(f"Image search in {_N_IMAGES:,} images, 1 arcmin", search.wall)


def _file(path: Path) -> Path:
    header = fits.Header([("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CRVAL1", _PLACE[0]), ("CRVAL2", _PLACE[1])])
    header.update(CRPIX1=_SIDE / 2, CRPIX2=_SIDE / 2, CDELT1=-_SCALE_DEG, CDELT2=_SCALE_DEG)
    numbers = np.random.default_rng(1).normal(5.0, 1.0, (_SIDE, _SIDE)).astype(np.float32)
    fits.writeto(path, numbers, header, overwrite=True)
    return path


def _reprojected(file: Path, tile: Tile) -> None:
    blank = tile_file(np.zeros((512, 512), np.float32), "fits", (0.0, 1.0), tile=tile)
    with warnings.catch_warnings(), fits.open(file) as hdus:
        warnings.simplefilter("ignore")
        source = hdus[0].data, WCS(hdus[0].header)
        reproject_interp(source, WCS(fits.Header.fromstring(blank)), shape_out=(512, 512))


def _archive(path: Path) -> Archive:
    """Many small images all over the sky, of which only the descriptions are there."""
    shutil.rmtree(path, ignore_errors=True)
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, _N_IMAGES), np.degrees(np.arcsin(rng.uniform(-1, 1, _N_IMAGES)))
    publish_images(ArchiveDirectory.create(path), "many", map(_entry, range(_N_IMAGES), ra, dec), description="Many.")
    return Archive.open(path)


def _entry(number: int, ra: float, dec: float) -> ImageEntry:
    half, name = 0.05, f"image{number}"
    west, east = ra - half / np.cos(np.radians(dec)), ra + half / np.cos(np.radians(dec))
    corners = ((west, dec - half), (west, dec + half), (east, dec + half), (east, dec - half))
    outline = " ".join(f"{x % 360:.6f} {max(-90.0, min(90.0, y)):.6f}" for x, y in corners)
    record = ImageRecord("many", name, 0, "", did_of("many", name, 0), "fits", f"/nowhere/{name}.fits")
    return ImageEntry(record, {"s_ra": ra, "s_dec": dec, "s_fov": 0.1415, "s_region": f"POLYGON ICRS {outline}"})


def _search(archive: Archive) -> pa.Table:
    request = ImageSearch(regions=(Cone(*_PLACE, 1 / 60),))
    return archive.query(request).to_arrow()

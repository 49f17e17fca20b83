"""Cutouts of images on the disk, in this process: FITS by position, and pictures.

References: `Cutout2D` on the pixels of a file that astropy has open, with its WCS made already, alone and with the file
that astropy writes of it; and astrocut's `fits_cut`, which opens the file for each cutout. Alone it is a view of pixels
in memory, beside our reading them. Cold is a file that nobody has open and whose pages the system was told to forget.
The image is simulated: noise of 4096 x 4096 pixels, with 250 cards; RICE_1 with a tile for each row, as fpack makes it.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.wcs import WCS
from numpy.typing import NDArray

from benchmarks.child import python, run_child
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Setup
from benchmarks.sample import Sample, Unit
from benchmarks.timing import Timing, Work, timed
from skydex.images import Cutout, Image, Look, Scale, Stretch, cut, index_fits, open_pixels, render, to_fits

__all__ = ["TITLE", "measure"]

TITLE = "Cutouts"
_SIDE = 4096
_N = 100
_PER_SECOND = {"fits": Budget(">= 1,000/s and core", 1000.0), "jpeg": Budget(">= 500/s and core", 500.0)}
_TIMES = {33: Budget(">= 20 times", 1 / 20, of_ratio=True), 256: Budget(">= 5 times", 1 / 5, of_ratio=True)}
_WRITTEN = "Cutout2D of an open file, written by astropy"
_ALONE = "Cutout2D of an open file, nothing written"
_SPARSE_SIDE = 50_000
_FLAT = Budget("flat: at most 1.2 of a small image", 1.2, of_ratio=True)
_CUT_ONE = """
import sys
from skydex.images import Box, Image, cut, index_fits, open_pixels, to_fits
image = Image("image", open_pixels("fits", sys.argv[1], index_fits(sys.argv[1])[0].access))
for place in range(100):
    to_fits(cut(image, Box(place * (image.shape[1] - 256) // 100, place * (image.shape[0] - 256) // 100, 256, 256)))
"""
_LOOK = Look(Stretch.ASINH, Scale.PERCENTILES, (0.5, 99.5))

Positions = list[tuple[float, float]]


def measure(setup: Setup) -> Iterator[Finding]:
    """Cutouts a second and core, and memory."""
    warnings.simplefilter("ignore")
    for kind, path in (("plain", _plain(setup.cache)), ("tile-compressed", _tiled(setup.cache))):
        for side in (33, 256):
            yield from _warm(kind, path, side)
            yield from _cold(kind, path, side)
    yield _memory(setup.cache)


def _warm(kind: str, path: Path, side: int) -> Iterator[Finding]:
    image, places = _opened(path), _places(path)
    works = [_work(partial(call, image, side), places) for call in (_ours, _our_part, _picture)]
    with fits.open(path) as hdus:
        hdu = next(hdu for hdu in hdus if hdu.header["NAXIS"] == 2 and hdu.data is not None)
        data, header, wcs = hdu.data, hdu.header, WCS(hdu.header)
        works.append(_work(partial(_theirs, data, header, wcs, side), places[:20]))
        works.append(_work(partial(_part, data, wcs, side), places[:20]))
        ours, part, picture, written, alone = timed(*works, n_runs=5)
    work = f"{side} px, {kind}, warm"
    yield Finding(f"{work}: FITS a second", _rate(ours), _WRITTEN, _rate(written), _PER_SECOND["fits"])
    yield Finding(f"{work}: FITS, CPU of one", ours.cpu, _WRITTEN, written.cpu, _TIMES[side])
    yield Finding(f"{work}: pixels and header, CPU of one", part.cpu, _ALONE, alone.cpu)
    yield Finding(f"{work}: JPEG a second", _rate(picture), budget=_PER_SECOND["jpeg"])


def _cold(kind: str, path: Path, side: int) -> Iterator[Finding]:
    access, places = index_fits(path)[0].access, _places(path)[:20]

    def ours(ra: float, dec: float) -> bytes:
        _forget(path)
        return _ours(Image("image", open_pixels("fits", str(path), access)), side, ra, dec)

    def theirs(ra: float, dec: float) -> bytes:
        _forget(path)
        with fits.open(path) as hdus:
            hdu = hdus[0] if hdus[0].header["NAXIS"] else hdus[1]
            return _theirs(hdu.section, hdu.header, WCS(hdu.header), side, ra, dec)

    works = [_work(ours, places), _work(theirs, places)]
    if kind == "plain":
        from astrocut import fits_cut

        def astrocut(ra: float, dec: float) -> object:
            _forget(path)
            return fits_cut([str(path)], SkyCoord(ra, dec, unit="deg"), side, memory_only=True)

        works.append(_work(astrocut, places))
    timings = timed(*works, n_runs=3)
    for name, timing in zip(("Cutout2D on a section", "astrocut"), timings[1:], strict=False):
        yield Finding(f"{side} px, {kind}, cold: FITS", timings[0].wall, name, timing.wall)


def _memory(cache: Path) -> Finding:
    """The greatest memory of a process that cuts a large image, beside one that cuts a small image."""
    sparse = cache / "sparse.fits"
    header = fits.Header({"SIMPLE": True, "BITPIX": -32, "NAXIS": 2, "NAXIS1": _SPARSE_SIDE, "NAXIS2": _SPARSE_SIDE})
    with sparse.open("wb") as file:
        file.write(header.tostring().encode())
        file.truncate(2880 * (2 + 4 * _SPARSE_SIDE**2 // 2880))
    large, small = (run_child(python(_CUT_ONE, path)).peak_mib for path in (sparse, _plain(cache)))
    sparse.unlink()
    work = "100 cutouts of 256 px from 10 GB: memory of the process"
    return Finding(
        work, Sample.of(large, Unit.MEBIBYTES), "the same from 67 MB", Sample.of(small, Unit.MEBIBYTES), _FLAT
    )


def _work(call: Callable[[float, float], object], places: Positions) -> Work:
    def all_places() -> None:
        for ra, dec in places:
            call(ra, dec)

    return Work(all_places, len(places))


def _our_part(image: Image, side: int, ra: float, dec: float) -> Cutout:
    return cut(image, image.box_at(ra, dec, side, side))


def _ours(image: Image, side: int, ra: float, dec: float) -> bytes:
    return to_fits(_our_part(image, side, ra, dec))


def _picture(image: Image, side: int, ra: float, dec: float) -> bytes:
    return render((cut(image, image.box_at(ra, dec, side, side)).data,), _LOOK, "jpeg")


def _theirs(data: NDArray[np.float32], header: fits.Header, wcs: WCS, side: int, ra: float, dec: float) -> bytes:
    part = _part(data, wcs, side, ra, dec)
    moved = header.copy(strip=True)
    moved.update(part.wcs.to_header())
    file = io.BytesIO()
    fits.PrimaryHDU(part.data, moved).writeto(file)
    return file.getvalue()


def _part(data: NDArray[np.float32], wcs: WCS, side: int, ra: float, dec: float) -> Cutout2D:
    return Cutout2D(data, SkyCoord(ra, dec, unit="deg"), side, wcs=wcs, mode="partial")


def _rate(timing: Timing) -> Sample:
    return Sample.of([1.0 / spent for spent in timing.cpu_s], Unit.REQUESTS_PER_SECOND)


def _opened(path: Path) -> Image:
    return Image("image", open_pixels("fits", str(path), index_fits(path)[0].access))


def _places(path: Path) -> Positions:
    x, y = np.random.default_rng(_N).uniform(300, _SIDE - 300, (2, _N))
    ra, dec = _opened(path).positions_of(x, y)
    return list(zip(ra.tolist(), dec.tolist(), strict=True))


def _forget(path: Path) -> None:
    """Tell the system that nobody wants the pages of a file any more; a new date makes kept tiles those of another."""
    os.utime(path)
    descriptor = os.open(path, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def _plain(cache: Path) -> Path:
    return _made(cache / "plain.fits", fits.PrimaryHDU)


def _tiled(cache: Path) -> Path:
    return _made(cache / "tiled.fits.fz", partial(fits.CompImageHDU, compression_type="RICE_1"))


def _made(path: Path, kind: Callable[..., fits.PrimaryHDU]) -> Path:
    if not path.is_file():
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [187.70593, 12.39112]
        wcs.wcs.crpix, wcs.wcs.cd = [_SIDE / 2, _SIDE / 2], np.diag([-0.05, 0.05]) * u.arcsec.to("deg")
        header = wcs.to_header()
        header.update({f"KEY{n:05d}": (1.5 * n, "one card of many") for n in range(230)})
        data = np.random.default_rng(1).normal(100.0, 5.0, (_SIDE, _SIDE)).astype(np.float32)
        kind(data, header).writeto(path)
    return path

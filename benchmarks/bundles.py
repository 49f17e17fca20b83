"""Bundles of 1,000 stamps, as the document on PSF cutouts downloads them: from simulated exposures, and from a file.

Beside the latter, what an astronomer would write who has the file: `Cutout2D` of astropy on a memory map, with its WCS
moved, each written to FITS and put into a tar.gz with Python's own tools, in process and without HTTP.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import requests
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.wcs import WCS

from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Setup
from benchmarks.serving import Server, serving
from benchmarks.timing import Work, timed
from skydex import __version__
from skydex.archive import Archive, QueryRequest
from skydex.demo.cameras.psf.registered import simulate_images
from skydex.demo.images import publish_simulated_images
from skydex.demo.psf import simulate_psf
from skydex.demo.publishing import publish_simulated
from skydex.demo.size import parse_size
from skydex.images import index_fits
from skydex.ingest.images import did_of
from skydex.store import ArchiveDirectory, ImageRecord, Imagery

__all__ = ["TITLE", "measure", "published_stamps"]

TITLE = "Bundles of stamps"
_N_STAMPS = 1000
_SIZE = 51
_FRAME = "frame_flt"
_SHAPE = (2051, 4096)
_STARS = "100000"
_BUDGET = Budget("<= 0.5 s (document: 30 s)", 0.5)


def measure(setup: Setup) -> Iterator[Finding]:
    """What the document's reader waits for."""
    file, archive = published_stamps(setup)
    places = np.random.default_rng(1).integers(60, np.array(_SHAPE[::-1]) - 60, (_N_STAMPS, 2))
    of_file = [_uri(f"{_FRAME}[0]", x, y, number) for number, (x, y) in enumerate(places.tolist())]
    with serving(archive) as server, requests.Session() as session:
        one, many, packed, beside = timed(
            Work(partial(_bundle, session, server, _uris_of_stars(archive, "ORDER BY rootname"))),
            Work(partial(_bundle, session, server, _uris_of_stars(archive, "AND psf_x_center > 2000"))),
            Work(partial(_bundle, session, server, of_file)),
            Work(partial(_by_hand, file, places)),
        )
        (alone,) = timed(Work(partial(_one_by_one, session, server, of_file[:100]), 100))
    work = f"Bundle of {_N_STAMPS:,} stamps of {_SIZE} px, tar.gz over HTTP"
    yield Finding(f"{work}, simulated, of few exposures", one.wall, budget=_BUDGET)
    yield Finding(f"{work}, simulated, of exposures as they come", many.wall, budget=_BUDGET)
    yield Finding(f"{work}, from a file of a frame", packed.wall, "Cutout2D, FITS and tarfile", beside.wall, _BUDGET)
    yield Finding("One stamp of a file by its data URI, over HTTP", alone.wall)


def published_stamps(setup: Setup) -> tuple[Path, Path]:
    """Make a frame in a file, and an archive that has it and the simulated PSF databases with their exposures."""
    file = setup.cache / f"{_FRAME}.fits"
    header = fits.Header([("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CRVAL1", 10.0), ("CRVAL2", 20.0)])
    header.update(CRPIX1=2048.0, CRPIX2=1025.0, CD1_1=-1e-5, CD1_2=0.0, CD2_1=0.0, CD2_2=1e-5)
    frame = np.random.default_rng(2).normal(5.0, 4.0, _SHAPE).astype(np.float32)
    fits.writeto(file, frame, header, overwrite=True)
    archive = setup.cache / "stamps"
    shutil.rmtree(archive, ignore_errors=True)
    directory, size = ArchiveDirectory.create(archive), parse_size(_STARS)
    for table in simulate_psf(size, 1):
        publish_simulated(table, directory, setup.cache, label=f"skydex {__version__}")
    publish_simulated_images(simulate_images(directory, size, 1), directory, label=f"skydex {__version__}")
    (image,) = index_fits(file)
    facts = did_of("frames", _FRAME, 0), "fits", str(file), image.access
    Imagery(archive).publish("frames", [ImageRecord("frames", _FRAME, 0, "", *facts)])
    return file, archive


def _uris_of_stars(archive: Path, which: str) -> list[str]:
    columns = "id, rootname, x_cal, y_cal, CASE WHEN chip = '1' AND subarray = 0 THEN 4 ELSE 1 END AS ext"
    query = f"SELECT TOP {_N_STAMPS} {columns} FROM psf.UVIS WHERE qfit > 0 {which}"
    rows = Archive.open(archive).query(QueryRequest(query)).to_arrow().to_pylist()
    return [_uri(f"{row['rootname']}_flt[{row['ext']}]", row["x_cal"], row["y_cal"], row["id"]) for row in rows]


def _uri(image: str, x: int, y: int, name: int) -> str:
    cut = f"red={image}&size={_SIZE}&x={x}&y={y}&format=fits"
    return f"mast:WFC3PSF/url/cgi-bin/fitscut.cgi?{cut}/{name}_cutout.fits"


def _bundle(session: requests.Session, server: Server, uris: list[str]) -> None:
    answer = session.post(f"{server.url}/api/v0.1/Download/bundle.tar.gz", data=[("uri", uri) for uri in uris])
    answer.raise_for_status()
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as tar:
        assert len(tar.getnames()) == _N_STAMPS + 2


def _one_by_one(session: requests.Session, server: Server, uris: list[str]) -> None:
    for uri in uris:
        session.get(f"{server.url}/api/v0.1/Download/file", params={"uri": uri}).raise_for_status()


def _by_hand(file: Path, places: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> None:
    target = io.BytesIO()
    with fits.open(file, memmap=True) as hdus, tarfile.open(fileobj=target, mode="w:gz", compresslevel=1) as tar:
        wcs = WCS(hdus[0].header)
        for number, (x, y) in enumerate(places.tolist()):
            stamp = Cutout2D(hdus[0].data, (x, y), _SIZE, wcs=wcs)
            content = io.BytesIO()
            fits.PrimaryHDU(stamp.data, stamp.wcs.to_header()).writeto(content)
            entry = tarfile.TarInfo(f"stamps/{number}.fits")
            entry.size = content.tell()
            content.seek(0)
            tar.addfile(entry, content)

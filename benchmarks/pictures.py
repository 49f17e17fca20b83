"""Cutouts over HTTP: the notebook's 33 pixels and 256, as FITS and as JPEG, from 1, 8 and 32 clients.

Out of a file of 4096 x 4096 pixels, each cutout at another place, as the document of the Hubble catalogues asks for
them: there one takes 1.3 s. Beside it, a server that gives one constant answer of the same size.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image

from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Setup
from benchmarks.load import Load, Report, first_answers, put_load
from benchmarks.sample import Sample, Unit
from benchmarks.serving import Server, request_bytes, serving, started, stop, wait_for
from skydex.images import index_fits
from skydex.ingest.images import ImageEntry, did_of, publish_images
from skydex.store import ArchiveDirectory, ImageRecord

__all__ = ["TITLE", "measure"]

TITLE = "Cutouts over HTTP"
_NAME = "hst_10543_29_acs_wfc_f606w"
_SIDE = 4096
_PIXEL_DEG = 0.05 / 3600.0
_CENTRE = (187.70593, 12.39112)
_N_PLACES = 60
_N_ROUNDS = 3
_REQUESTS = {1: 200, 8: 800, 32: 800}
_KINDS = {"fits": (33, 256), "jpeg": (33, 256)}
_CONSTANT = "uvicorn with one constant answer of that size"
_BUDGETS = {
    1: Budget("<= 0.02 s (document: 1.3 s)", 0.02),
    8: Budget("<= 0.1 s at 8 clients", 0.1),
    32: Budget("<= 0.4 s at 32 clients", 0.4),
}


def measure(setup: Setup) -> Iterator[Finding]:
    """Cutouts of each kind and size, from one client and from many."""
    with serving(_archive(setup)) as server:
        for kind, sizes in _KINDS.items():
            for size in sizes:
                requests = [request_bytes(server.port, "/cgi-bin/fitscut.cgi", given) for given in _asked(kind, size)]
                answers = first_answers(server.port, requests)
                for answer in answers:
                    _check(answer, kind, size)
                yield from _loaded(server, f"{size} x {size} pixels as {kind.upper()}", requests, answers)


def _archive(setup: Setup) -> Path:
    """One image of stars on a noisy sky."""
    folder = setup.cache / "pictures"
    file = folder / f"{_NAME}_drz.fits"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _write(file)
    archive = ArchiveDirectory.create(folder / "archive")
    (image,) = index_fits(file)
    where = (_NAME, image.hdu, image.extension, did_of("hsc", _NAME, image.hdu), "fits", str(file), image.access)
    entry = ImageEntry(ImageRecord("hsc", *where), header=image.header)
    publish_images(archive, "hsc", [entry], description="An image to be cut.")
    return archive.path


def _write(file: Path) -> None:
    random = np.random.default_rng(1)
    data = random.normal(10.0, 1.0, (_SIDE, _SIDE)).astype(np.float32)
    y, x = np.mgrid[-8:9, -8:9]
    for column, row in random.integers(8, _SIDE - 9, (5000, 2)):
        data[row - 8 : row + 9, column - 8 : column + 9] += 20 * random.pareto(1.0) * np.exp(-(x**2 + y**2) / 4)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), _CENTRE, (_SIDE / 2, _SIDE / 2)
    wcs.wcs.cdelt = -_PIXEL_DEG, _PIXEL_DEG
    fits.PrimaryHDU(data, wcs.to_header()).writeto(file)


def _asked(kind: str, size: int) -> Iterator[dict[str, object]]:
    """As the notebook asks, each at another place."""
    far = np.random.default_rng(2).uniform(-0.45, 0.45, (_N_PLACES, 2)) * _SIDE * _PIXEL_DEG
    for east, north in far:
        place = {"ra": _CENTRE[0] + east / np.cos(np.radians(_CENTRE[1])), "dec": _CENTRE[1] + north}
        look = {"autoscale": 99.5, "asinh": 1, "zoom": 1} if kind == "jpeg" else {}
        yield {**place, "size": size, "format": kind, "red": _NAME, **look}


def _check(answer: bytes, kind: str, size: int) -> None:
    made = fits.getdata(io.BytesIO(answer)) if kind == "fits" else np.asarray(Image.open(io.BytesIO(answer)))
    assert made.shape == (size, size), f"{made.shape} pixels came"


def _loaded(server: Server, work: str, requests: list[bytes], answers: list[bytes]) -> Iterator[Finding]:
    n_bytes = int(np.median([len(answer) for answer in answers]))
    constant = started([sys.executable, "-m", "benchmarks.constant_server", str(n_bytes)])
    try:
        wait_for(constant.url)
        same = [b"x" * n_bytes] * len(requests)
        for n_clients, n_requests in _REQUESTS.items():
            ours, least = [], []
            for n in (60, *[n_requests] * _N_ROUNDS):
                ours.append(put_load(Load(server.port, requests, answers, n_clients, n)))
                least.append(put_load(Load(constant.port, requests, same, n_clients, n)))
            clients = f"{work}, {n_clients} client{'s' * (n_clients > 1)}"
            yield Finding(f"{clients}, p50", _p50(ours[1:]), _CONSTANT, _p50(least[1:]), _BUDGETS[n_clients])
            yield Finding(f"{clients}, requests", _rate(ours[1:]), _CONSTANT, _rate(least[1:]))
    finally:
        stop(constant)


def _p50(reports: list[Report]) -> Sample:
    return Sample.of([float(np.median(report.latencies_s)) for report in reports], Unit.SECONDS)


def _rate(reports: list[Report]) -> Sample:
    return Sample.of([len(report.latencies_s) / report.wall_s for report in reports], Unit.REQUESTS_PER_SECOND)

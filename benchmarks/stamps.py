"""Cutouts and stamps as an astronomer gets them in Python, from a server on this machine and without one.

References are the ways of the notebooks: one request of `requests` after the other and `fits.open` on each answer; and
for 1,000 stamps the bundle of MAST's download service, unpacked with `tarfile` into files, which `fits.getdata` reads
into a cube. The query for the stars is part of ours and not of theirs. The figures of the documents are those that they
print, over the internet.
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
from astropy.table import Table

import skydex
from benchmarks.bundles import published_stamps
from benchmarks.finding import Budget, Finding
from benchmarks.holdings import Setup
from benchmarks.serving import serving
from benchmarks.timing import Work, timed
from skydex import col
from skydex.connection import Connection
from skydex.connection.cutouts import Cutouts

__all__ = ["TITLE", "measure"]

TITLE = "Cutouts and stamps in Python"
_N_EPOCHS, _SIZE, _N_STAMPS = 10, 33, 1000
_EPOCHS = Budget("<= 0.1 s (document: 12.9 s)", 0.1)
_STAMPS = Budget("document: 30 s", 30.0)


def measure(setup: Setup) -> Iterator[Finding]:
    """Epochs of a light curve, and a cube of stamps."""
    _, archive = published_stamps(setup)
    images = _images(archive)
    with serving(archive) as server, skydex.connect(server.url) as far, skydex.connect(archive) as near:
        uris = list(_stamps(near).table["dataURI"])
        cut_far, cut_near, cut_by_hand = timed(
            Work(partial(_epochs, far, images)),
            Work(partial(_epochs, near, images)),
            Work(partial(_epochs_by_hand, server.url, images)),
        )
        stamps_far, stamps_near, stamps_by_hand = timed(
            Work(partial(_stamps, far)),
            Work(partial(_stamps, near)),
            Work(partial(_stamps_by_hand, server.url, uris, setup.cache / "unpacked")),
        )
    theirs = "requests and fits.open, one by one", cut_by_hand.wall
    work = f"{_N_EPOCHS} cutouts of {_SIZE} px as FITS, one of each of {_N_EPOCHS} images"
    yield Finding(f"{work}, over HTTP", cut_far.wall, *theirs, _EPOCHS)
    yield Finding(f"{work}, from the disk", cut_near.wall, *theirs, _EPOCHS)
    theirs = "requests, tarfile and fits.getdata", stamps_by_hand.wall
    work = f"Stars found, and a cube of {_N_STAMPS:,} stamps"
    yield Finding(f"{work}, over HTTP", stamps_far.wall, *theirs, _STAMPS)
    yield Finding(f"{work}, from the disk", stamps_near.wall, *theirs, _STAMPS)


def _images(archive: Path) -> Table:
    """An image each, and a star in it."""
    with skydex.connect(archive) as near:
        stars = near.query("SELECT rootname, ra, dec FROM psf.IR")
    rows = stars[np.unique(stars["rootname"], return_index=True)[1][:_N_EPOCHS]]
    rows["image"] = [f"{name}_flt[1]" for name in rows["rootname"]]
    return rows


def _epochs(archive: Connection, images: Table) -> None:
    cutouts = archive.cutouts(images, size=_SIZE)
    assert cutouts.good.all()
    assert cutouts.cube.shape == (_N_EPOCHS, _SIZE, _SIZE)


def _epochs_by_hand(url: str, images: Table) -> None:
    for row in images:
        asked = {"red": row["image"], "ra": row["ra"].value, "dec": row["dec"].value, "size": _SIZE, "format": "fits"}
        answer = requests.get(f"{url}/cgi-bin/fitscut.cgi", params=asked)
        with fits.open(io.BytesIO(answer.content)) as hdus:
            assert hdus[0].data.shape == (_SIZE, _SIZE)


def _stamps(archive: Connection) -> Cutouts:
    stamps = archive.stamps("UVIS", col.qfit > 0, maxrec=_N_STAMPS)
    assert stamps.cube.shape == (_N_STAMPS, 51, 51)
    return stamps


def _stamps_by_hand(url: str, uris: list[str], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    answer = requests.post(f"{url}/api/v0.1/Download/bundle.tar.gz", data=[("uri", uri) for uri in uris])
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as tar:
        top = tar.getnames()[0]
        tar.extractall(folder, filter="data")
    cube = np.stack([fits.getdata(folder / top / "WFC3PSF" / uri.rpartition("/")[2]) for uri in uris])
    assert cube.shape == (_N_STAMPS, 51, 51)

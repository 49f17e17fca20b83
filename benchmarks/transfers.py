"""Downloads: a large file, many small ones, and what is there already, beside astropy's own way and a loop of requests.

All come from a skydex server on loopback, which serves registered files as they are. What skydex does beyond the others
is to hash each file, to look at its first bytes and to record it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import requests
from astropy.io import fits
from astropy.utils.data import download_files_in_parallel

from benchmarks.finding import Finding
from benchmarks.holdings import Setup
from benchmarks.serving import serving
from benchmarks.timing import Work, timed
from skydex.client.files import WebFile
from skydex.client.transfers import fetch_all, read_all
from skydex.ingest.images import ingest_images
from skydex.store import ArchiveDirectory

__all__ = ["TITLE", "measure"]

TITLE = "Downloads"
_N_SMALL = 300
_SIDE, _LARGE_SIDE = 100, 8192
_PIECE = 1 << 20


def measure(setup: Setup) -> Iterator[Finding]:
    """What a user waits for."""
    archive, room = _published(setup), setup.cache / "downloads"
    with serving(archive) as server, requests.Session() as session:
        small = [f"{server.url}/images/frames/small{number:03}" for number in range(_N_SMALL)]
        large = [f"{server.url}/images/frames/large"]
        one, one_plain = timed(
            Work(partial(_ours, large, room / "ours", is_new=True)),
            Work(partial(_looped, session, large, room / "plain")),
        )
        many, many_plain, many_astropy = timed(
            Work(partial(_ours, small, room / "ours", is_new=True)),
            Work(partial(_looped, session, small, room / "plain")),
            Work(partial(_astropy, small)),
            n_runs=3,
        )
        _ours(small, room / "ours", is_new=False)
        again, ten, ten_plain = timed(
            Work(partial(_ours, small, room / "ours", is_new=False)),
            Work(partial(_in_memory, small[:10])),
            Work(partial(_looped_in_memory, session, small[:10])),
        )
    shutil.rmtree(room)
    loop = "a loop of requests"
    yield Finding("One file of 268 MB to the disk", one.wall, loop, one_plain.wall)
    yield Finding(f"{_N_SMALL} files of 43 kB to the disk", many.wall, loop, many_plain.wall)
    yield Finding(f"{_N_SMALL} files of 43 kB to the disk", many.wall, "astropy, in parallel", many_astropy.wall)
    yield Finding(f"{_N_SMALL} files that are there already", again.wall, loop, many_plain.wall)
    yield Finding("10 files of 43 kB into memory", ten.wall, loop, ten_plain.wall)


def _published(setup: Setup) -> Path:
    """An archive that has the files as they are."""
    archive, frames = setup.cache / "files", setup.cache / "frames"
    if archive.exists():
        return archive
    frames.mkdir(parents=True, exist_ok=True)
    header = fits.Header([("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("CRVAL1", 10.0), ("CRVAL2", 20.0)])
    header.update(CRPIX1=50.0, CRPIX2=50.0, CD1_1=-1e-5, CD1_2=0.0, CD2_1=0.0, CD2_2=1e-5)
    dice = np.random.default_rng(1)
    fits.writeto(frames / "large.fits", dice.random((_LARGE_SIDE, _LARGE_SIDE), np.float32), header)
    for number in range(_N_SMALL):
        fits.writeto(frames / f"small{number:03}.fits", dice.random((_SIDE, _SIDE), np.float32), header)
    ingest_images([str(frames)], ArchiveDirectory.create(archive), "frames")
    return archive


def _ours(urls: Sequence[str], into: Path, *, is_new: bool) -> None:
    if is_new:
        shutil.rmtree(into, ignore_errors=True)
    assert len(fetch_all(map(WebFile, urls), into, progress=False)) == len(urls)


def _looped(session: requests.Session, urls: Sequence[str], into: Path) -> None:
    """What an astronomer writes."""
    into.mkdir(parents=True, exist_ok=True)
    for url in urls:
        with session.get(url, stream=True, timeout=60) as answer, (into / url.rpartition("/")[2]).open("wb") as file:
            for piece in answer.iter_content(_PIECE):
                file.write(piece)


def _astropy(urls: Sequence[str]) -> None:
    files = download_files_in_parallel(list(urls), cache=False, show_progress=False)
    for file in files:
        Path(file).unlink()


def _in_memory(urls: Sequence[str]) -> None:
    assert all(isinstance(content, bytes) for content in read_all(map(WebFile, urls)))


def _looped_in_memory(session: requests.Session, urls: Sequence[str]) -> None:
    for url in urls:
        assert session.get(url, timeout=60).content

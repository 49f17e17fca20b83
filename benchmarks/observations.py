"""Images taken in, and found again by the place that they show.

References: for taking in, what an astronomer would write with astropy: open each file, make its WCS, and keep a row
with its footprint; for finding, the same query where it is not known how far outlines reach, so that every one is
tested. Headers have 60 cards; the images that are found are 50,000 squares all over the sky, as rows without files.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from benchmarks.finding import Finding
from benchmarks.holdings import Setup
from benchmarks.timing import Work, timed
from skydex.archive import Archive
from skydex.engines.duckdb import DuckDBEngine
from skydex.ingest.images import ImageEntry, did_of, ingest_images, publish_images
from skydex.query import Namespace, Plan, bind, get_language, make_plan
from skydex.settings import Settings
from skydex.store import ArchiveDirectory, ImageRecord
from skydex.tables import OBSCORE

__all__ = ["TITLE", "measure"]

TITLE = "Images taken in, and found"
_N_FILES, _N_IMAGES = 300, 50_000
_QUERY = "SELECT obs_id, access_url FROM ivoa.obscore WHERE 1 = CONTAINS(POINT(187.7, 12.4), s_region)"


def measure(setup: Setup) -> Iterator[Finding]:
    """Time for each image, and for each query."""
    warnings.simplefilter("ignore")
    folder = _files(setup.cache / "observed")
    ours, by_hand = timed(
        Work(partial(_ingested, folder, setup.cache / "observations"), _N_FILES),
        Work(partial(_listed, folder), _N_FILES),
        n_runs=3,
    )
    yield Finding("Taking in a FITS file of one image", ours.wall, "astropy: open, WCS, footprint", by_hand.wall)
    archive = Archive(_published(setup.cache / "outlines"), Settings())
    engine, (near, everywhere) = DuckDBEngine(), _plans(archive)
    found, tested = timed(Work(lambda: archive.run(near).to_arrow()), Work(lambda: engine.run(everywhere).to_arrow()))
    yield Finding(f"The images that show a place, of {_N_IMAGES:,}", found.wall, "all outlines tested", tested.wall)


def _files(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    for number in range(_N_FILES):
        header = fits.Header([("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN"), ("EXPTIME", 30.0), ("FILTER", "F606W")])
        header.update(CRVAL1=rng.uniform(0, 360), CRVAL2=rng.uniform(-80, 80), CRPIX1=50.0, CRPIX2=50.0)
        header.update(CD1_1=-1e-4, CD1_2=0.0, CD2_1=0.0, CD2_2=1e-4)
        header.update({f"CARD{card}": float(card) for card in range(48)})
        fits.writeto(folder / f"image{number}.fits", np.zeros((100, 100), np.float32), header)
    return folder


def _ingested(folder: Path, archive: Path) -> None:
    shutil.rmtree(archive, ignore_errors=True)
    ingest_images([folder], ArchiveDirectory.create(archive), "observed")


def _listed(folder: Path) -> list[dict[str, object]]:
    rows = []
    for path in sorted(folder.iterdir()):
        with fits.open(path) as file:
            header = file[0].header
            footprint = WCS(header).calc_footprint()
            rows.append(
                {"name": path.name, "footprint": footprint.tolist(), **{card[0]: card[1] for card in header.cards}}
            )
    return rows


def _published(path: Path) -> ArchiveDirectory:
    shutil.rmtree(path, ignore_errors=True)
    directory = ArchiveDirectory.create(path)
    publish_images(directory, "sky", _squares(), description="Squares of two arcminutes all over the sky.")
    return directory


def _squares() -> Iterator[ImageEntry]:
    rng = np.random.default_rng(4)
    places = zip(
        rng.uniform(1, 359, _N_IMAGES), np.degrees(np.arcsin(rng.uniform(-0.99, 0.99, _N_IMAGES))), strict=True
    )
    for number, (ra, dec) in enumerate(places):
        height, width = 1 / 60, 1 / 60 / np.cos(np.radians(dec))
        corners = (
            (ra + width, dec - height),
            (ra - width, dec - height),
            (ra - width, dec + height),
            (ra + width, dec + height),
        )
        outline = " ".join(f"{value:.8f}" for corner in corners for value in corner)
        record = ImageRecord("sky", f"i{number}", 0, "", did_of("sky", f"i{number}", 0), "fits", "/none")
        yield ImageEntry(record, {"s_ra": ra, "s_dec": dec, "s_region": f"POLYGON ICRS {outline}"})


def _plans(archive: Archive) -> tuple[Plan, Plan]:
    """The query with what is known of outlines, and without."""
    relation = archive.namespace().get(OBSCORE)
    tree = get_language("ADQL").parse(_QUERY, version="2.1")
    near, everywhere = (
        make_plan(bind(tree.copy(), Namespace([known]))) for known in (relation, replace(relation, reaches={}))
    )
    return near, everywhere

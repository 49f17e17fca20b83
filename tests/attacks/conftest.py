"""A server to attack."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "web")]


@pytest.fixture(scope="session")
def ground(tmp_path_factory):
    """A server with low limits over a small archive of its own."""
    import serving
    from ground import TIME_LIMIT_S, Ground

    folder = tmp_path_factory.mktemp("attacked")
    archive = serving.build_archive(folder)
    publish_catalog(archive, folder)
    publish_exposure(archive, folder)
    outside, temp = folder / "outside", folder / "temp"
    outside.mkdir()
    temp.mkdir()
    limits = {"query_time_s": TIME_LIMIT_S, "header_time_s": 2, "body_time_s": 3, "write_time_s": 5}
    with serving.serving(archive, temp_dir=temp, max_rows_default=1000, max_rows_hard=2000, **limits) as server:
        ground = Ground(server, archive, outside, temp)
        yield ground
        ground.canary.close()
        ground.web.close()


def publish_catalog(archive, folder):
    """Publish a table of the catalogue REST API, at the address that records attack."""
    from astropy.table import Table

    from skydex.ingest import ingest_files

    rows = Table({"MatchID": [1, 2], "MatchRA": [10.0, 20.0], "MatchDec": [1.0, 2.0], "TargetName": ["M-15", "x' OR"]})
    rows.write(folder / "summary.fits")
    position = {"ra": "MatchRA", "dec": "MatchDec"}
    ingest_files([folder / "summary.fits"], archive, "hsc.SumMagAper2CatView", position=position)
    offer = '[[catalog]]\npath = "hsc/v3/summary/magaper2"\ntable = "hsc.SumMagAper2CatView"\n'
    (archive / "services.toml").write_text(offer)


def publish_exposure(archive, folder):
    """Publish a table of the PSF databases, and an image, at the addresses that records attack."""
    import numpy as np
    from astropy.io import fits
    from astropy.table import Table
    from ground import GOOD_IMAGE

    from skydex.images import index_fits
    from skydex.ingest import ingest_files
    from skydex.ingest.images import did_of
    from skydex.store import ImageRecord, Imagery

    rows = Table({"id": [1, 2], "rootname": ["good", "x'"], "chip": ["1", "2"], "qfit": [0.1, 0.0]})
    rows.write(folder / "uvis.fits")
    ingest_files([folder / "uvis.fits"], archive, "psf.UVIS", position="none", id="id")
    file = folder / f"{GOOD_IMAGE}.fits"
    fits.writeto(file, np.ones((60, 80), np.float32))
    (image,) = index_fits(file)
    place = did_of("psf", GOOD_IMAGE, 0), "fits", str(file), image.access
    Imagery(archive).publish("psf", [ImageRecord("psf", GOOD_IMAGE, 0, "", *place)])

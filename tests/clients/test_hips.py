"""HiPS and MOC as programs read them: reproject and mocpy, unmodified."""

from __future__ import annotations

import warnings

import image_ground
import numpy as np
import pytest
import serving
from astropy.coordinates import SkyCoord
from astropy.io import fits
from mocpy import MOC


@pytest.fixture(scope="module")
def server(tmp_path_factory, shared_data):
    names = ("m51", "ukidss_k")
    archive = image_ground.build_pictures(tmp_path_factory.mktemp("hips") / "archive", shared_data / "images", names)
    with serving.serving(archive) as server:
        yield server


def test_reproject_reads_the_map_as_one_array(server, shared_data):
    hips = pytest.importorskip("reproject.hips", reason="reproject is not installed")
    dask = pytest.importorskip("dask", reason="dask is not installed")
    whole, wcs = hips.hips_as_dask_array(f"{server.url}/hips/pics/IRAC1")
    file = shared_data / "images/wcs/sipsample.fits"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = fits.getdata(file)
        x, y = np.array([100.0, 131.0, 60.0, 200.0]), np.array([120.0, 131.0, 180.0, 90.0])
        places = image_ground.wcs_of(file, 0).pixel_to_world(x, y)
        columns, rows = (np.rint(at).astype(int) for at in wcs.world_to_pixel(places.transform_to("icrs")))
        blocks = [whole.blocks[row // 512, column // 512] for row, column in zip(rows, columns, strict=True)]
        tiles = dask.compute(*blocks)  # all at once: each time the graph of the whole sky is gone through
        for i, (row, column, tile) in enumerate(zip(rows, columns, tiles, strict=True)):
            there = image_ground.wcs_of(file, 0).world_to_pixel(wcs.pixel_to_world(column, row))
            near = data[int(there[1]) : int(there[1]) + 2, int(there[0]) : int(there[0]) + 2]
            assert near.min() <= tile[row % 512, column % 512] <= near.max(), (x[i], y[i])


def test_mocpy_reads_where_there_are_images(server):
    moc = MOC.from_fits(f"{server.url}/moc/pics")
    inside, outside = SkyCoord([202.48, 83.633], [47.18, 22.0145], unit="deg"), SkyCoord(202.48, 47.4, unit="deg")
    assert moc.contains_skycoords(inside).all()
    assert not moc.contains_skycoords(outside).any()

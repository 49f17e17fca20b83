"""Pictures of an archive on this disk, without a server."""

from __future__ import annotations

import sys
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

sys.path.append(str(Path(__file__).parents[1] / "web"))

import pictures

from skydex.archive import Archive, QueryRequest
from skydex.client import CutoutOrder, psf
from skydex.client.files import WebFile
from skydex.connection.near_pictures import near_bundle, near_cutout, near_file
from skydex.errors import BadParameterError, UnknownImageError, UnsupportedFormatError

STAR = {"id": 1, "rootname": "ibc302ioq", "filter": "F814W", "chip": "2", "qfit": 0.1, "subarray": 0}
STAR |= {"x_cal": 50, "y_cal": 60, "x_raw": 75, "y_raw": 60}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return Archive.open(pictures.build(tmp_path_factory.mktemp("near")))


def content(source):
    with source.open() as opened:
        return b"".join(opened.chunks)


def pixels(source):
    return fits.getdata(BytesIO(content(source)))


def test_a_cutout_has_the_pixels_around_its_place(archive):
    order = CutoutOrder(("hst_10543_29_acs_wfc_f606w",), (5, 3), pixel=(20, 30))
    assert np.array_equal(pixels(near_cutout(archive, order)), pictures.numbers()[29:32, 18:23])
    assert near_cutout(archive, order).file_name == "hst_10543_29_acs_wfc_f606w_20_30_5x3.fits"


def test_a_stamp_is_the_same_by_its_uri_and_its_address(archive):
    uris = psf.data_uris([STAR], "UVIS", ["flt"], unsaturated_size=11)
    by_uri, by_url = (near_file(archive, one) for one in (*uris, *psf.data_urls(uris)))
    assert content(by_uri) == content(by_url)
    assert by_uri.file_name == by_url.file_name == "ibc302ioq_1_F814W_flt_cutout.fits"
    assert np.array_equal(pixels(by_uri), pictures.numbers(1)[55:66, 45:56])


def test_an_image_is_found_by_its_own_address_and_what_is_elsewhere_is_fetched_there(archive):
    rows = archive.query(QueryRequest("SELECT access_url FROM ivoa.obscore WHERE obs_id LIKE 'hst_10543%'"))
    url = rows.to_arrow()["access_url"][0].as_py()
    assert np.array_equal(pixels(near_file(archive, url)), pictures.numbers())
    for elsewhere in (url.replace("127.0.0.1", "example.org"), f"{archive.public_url}/other.fits"):
        assert near_file(archive, elsewhere) == WebFile(elsewhere)


def test_the_name_of_an_image_is_its_file(archive):
    whole = near_file(archive, "ibc302ioq_flt.fits")
    with fits.open(BytesIO(content(whole))) as hdus:
        assert len(hdus) == 4


def test_a_bundle_has_each_stamp_once_and_tells_what_is_missing(archive):
    uris = psf.data_uris([STAR, STAR, {**STAR, "id": 2, "rootname": "nowhere"}], "UVIS", unsaturated_size=11)
    with tarfile.open(fileobj=BytesIO(content(near_bundle(archive, uris)))) as tar:
        names = [name.partition("/")[2] for name in tar.getnames()]
    assert names.count("WFC3PSF/ibc302ioq_1_F814W_flt_cutout.fits") == 1
    assert "MANIFEST.HTML" in names
    with pytest.raises(UnsupportedFormatError):
        near_bundle(archive, uris, "rar")


def test_what_is_not_there_shows_when_it_is_opened(archive):
    with pytest.raises(UnknownImageError):
        content(near_cutout(archive, CutoutOrder(("nothing",), (5, 5), pixel=(1, 1))))
    with pytest.raises(BadParameterError):
        near_cutout(archive, CutoutOrder(("x",), (5, 5), pixel=(1, 1), look={"zoom": "much"}))

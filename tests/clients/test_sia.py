"""Image search with pyvo and STILTS, unmodified."""

from __future__ import annotations

import io
import warnings

import image_ground
import pytest
import pyvo
import serving
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from pyvo.dal.exceptions import DALQueryError


@pytest.fixture(scope="module")
def server(tmp_path_factory, shared_data):
    archive = image_ground.build_pictures(tmp_path_factory.mktemp("sia") / "archive", shared_data / "images")
    with serving.serving(archive) as server:
        yield server


@pytest.fixture(scope="module")
def images(server):
    return pyvo.dal.SIA2Service(f"{server.url}/sia2")


def test_pyvo_finds_images_of_a_place(images, server):
    assert images.query_ep == f"{server.url}/sia2/query"
    (record,) = images.search(pos=(202.48 * u.deg, 47.18 * u.deg, 1 * u.arcmin))
    assert (record.obs_id, record.instrument_name, record.dataproduct_type) == ("m51", "IRAC", "image")
    assert record.s_fov.to_value(u.deg) == pytest.approx(0.1232, abs=1e-4)
    assert record.access_url == f"{server.url}/images/pics/m51/0"
    with fits.open(record.access_url, cache=False) as hdus:
        assert hdus[0].data.shape == (256, 256)


def test_pyvo_follows_links_and_cuts_what_it_found(images):
    found = images.search(pos=(202.48 * u.deg, 47.18 * u.deg, 1 * u.arcmin))
    (links,) = found.iter_datalinks()
    assert "#cutout" in [link.semantics for link in links]
    cut = found[0].processed(circle=(202.48 * u.deg, 47.18 * u.deg, 0.5 * u.arcmin))
    with fits.open(io.BytesIO(cut.read())) as hdus:
        assert max(hdus[0].data.shape) < 60


def test_pyvo_finds_images_by_wavelength_time_and_words(images):
    assert {r.obs_id for r in images.search(band=(2.1 * u.micron, 2.2 * u.micron))} == {"gc_2mass_k", "ukidss_k"}
    assert {r.obs_id for r in images.search(band=2.2e-6, instrument="2MASS")} == {"gc_2mass_k"}
    assert {r.obs_id for r in images.search(exptime=(80 * u.s, 90 * u.s))} == {"pole"}
    assert {r.obs_id for r in images.search(calib_level=3, facility="ATCA")} == {"1904-66_TAN"}
    region = (202 * u.deg, 203 * u.deg, 47 * u.deg, 48 * u.deg)
    assert {r.obs_id for r in images.search(pos=region, collection="pics")} == {"m51"}
    assert len(images.search(maxrec=2)) == 2


def test_pyvo_shows_the_message_of_an_error(images):
    with pytest.raises(DALQueryError, match="CALIB"):
        images.search(calib_level=3, CALIB="x")


def test_pyvo_searches_the_old_way(server):
    service = pyvo.dal.SIAService(f"{server.url}/sia1")
    (record,) = service.search(pos=SkyCoord(266.4, -28.9, unit="deg"), size=0.02)
    assert (record.title, record.format, record.naxes) == ("gc_2mass_k", "image/fits", 2)
    assert list(record.naxis.value) == [721, 720]
    assert record.pos.separation(SkyCoord(266.4, -28.93333, unit="deg")) < 1 * u.arcsec
    assert record.getdataurl() == f"{server.url}/images/pics/gc_2mass_k/0"
    with pytest.raises(DALQueryError, match="SIZE"):
        service.search(pos=(1.0, 2.0), size=400)


def test_stilts_finds_nothing_wrong_with_the_answers(stilts, server, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, address in enumerate(("/sia2/query?MAXREC=3", "/sia1?POS=0,0&SIZE=360", "/sia1?FORMAT=METADATA")):
            told = stilts("votlint", f"votable={server.url}{address}")
            assert told.strip() == "", (number, told)

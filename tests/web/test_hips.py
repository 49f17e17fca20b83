"""HiPS over real images: what sky viewers ask for, and the rules that they rely on (HiPS 1.0)."""

from __future__ import annotations

import io
import re
import warnings

import httpx
import image_ground
import numpy as np
import pytest
import serving
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
from image_ground import PICTURES
from mocpy import MOC
from PIL import Image as Pictures
from scipy.ndimage import map_coordinates

BANDS = {"2MASS_K", "K", "IRAC1", "F160W", "clear", "I"}
PATHS = ["/hips/pics", *(f"/hips/pics/{band}" for band in sorted(BANDS))]


@pytest.fixture(scope="module")
def server(tmp_path_factory, shared_data):
    archive = image_ground.build_pictures(tmp_path_factory.mktemp("hips") / "archive", shared_data / "images")
    with serving.serving(archive) as server:
        yield server


@pytest.fixture(scope="module")
def web(server):
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def records_of(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    blocks = answer.text.strip().split("\n\n")
    return [dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in block.splitlines()) for block in blocks]


def tiles_of(web, path, order):
    """Paths of the tiles in which there are images by the MOC."""
    moc = MOC.from_fits(io.BytesIO(web.get(f"{path}/Moc.fits").content))
    return [f"{path}/Norder{order}/Dir{n // 10000 * 10000}/Npix{n}" for n in moc.degrade_to_order(order).flatten()]


@pytest.mark.parametrize("path", PATHS)
def test_properties_have_what_the_standard_asks(web, path):
    (facts,) = records_of(web.get(f"{path}/properties"))
    needed = {
        "creator_did", "obs_title", "dataproduct_type", "hips_version", "hips_release_date", "hips_status",
        "hips_tile_format", "hips_order", "hips_frame", "hips_tile_width", "hips_service_url",
    }  # fmt: skip
    assert needed <= facts.keys()
    assert facts["creator_did"].startswith("ivo://")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", facts["hips_release_date"])
    assert set(facts["hips_tile_format"].split()) == {"fits", "png", "jpeg"}
    assert (facts["dataproduct_type"], facts["hips_frame"], facts["hips_tile_width"]) == ("image", "equatorial", "512")
    assert facts["hips_service_url"].endswith(path)
    assert 3 <= int(facts["hips_order"]) <= 20
    low, high = map(float, facts["hips_pixel_cut"].split())
    assert low < high
    assert not [name for name, value in facts.items() if value in ("", "None", "nan")]


def test_the_finest_pixels_are_about_as_large_as_those_of_the_images(web):
    for band in BANDS:
        (facts,) = records_of(web.get(f"/hips/pics/{band}/properties"))
        ratio = float(facts["hips_pixel_scale"]) / float(facts["s_pixel_scale"])
        assert 0.5 < ratio < 1.16 or facts["hips_order"] == "3"


def test_the_list_names_every_map_once(web, server):
    for path in ("/hips/hipslist", "/hipslist"):
        records = records_of(web.get(path))
        assert {record["hips_service_url"] for record in records} == {f"{server.url}/hips/pics/{b}" for b in BANDS}
        assert len({record["creator_did"] for record in records}) == len(records) == len(BANDS)


@pytest.mark.parametrize("path", ["/hips/pics", "/hips/pics/clear", "/hips/pics/I"])
def test_there_are_tiles_of_each_order_and_format_where_the_coverage_says(web, path):
    (facts,) = records_of(web.get(f"{path}/properties"))
    for order in sorted({0, 3, int(facts["hips_order"])}):
        tiles = tiles_of(web, path, order)
        assert 1 <= len(tiles) <= 12
        found = [web.get(f"{tile}.fits") for tile in tiles]
        assert {answer.status_code for answer in found} <= {200, 404}  # along the rim the coverage is a little larger
        (tile, answer) = next((t, a) for t, a in zip(tiles, found, strict=True) if a.status_code == 200)
        assert answer.headers["content-type"] == "image/fits"
        with fits.open(io.BytesIO(answer.content)) as hdus:
            assert hdus[0].data.shape == (512, 512)
            is_known = np.isfinite(hdus[0].data)
            assert f"Norder{hdus[0].header['ORDER']}" in tile
            assert tile.endswith(f"Npix{hdus[0].header['NPIX']}")
        png = np.asarray(Pictures.open(io.BytesIO(web.get(f"{tile}.png").content)))
        assert np.array_equal(png[::-1, :, 1] == 255, is_known)
        jpeg = Pictures.open(io.BytesIO(web.get(f"{tile}.jpg").content))
        assert (jpeg.size, jpeg.format) == ((512, 512), "JPEG")


@pytest.mark.parametrize("name", ["m51", "goodss_f160w", "ukidss_k"])
def test_a_tile_has_the_values_of_the_image_at_its_positions(web, shared_data, name):
    """Positions by the header of the tile as astropy reads it, and pixels there by that of the image."""
    place, hdu, facts = PICTURES[name]
    path = f"/hips/pics/{facts['filter']}"
    order = int(records_of(web.get(f"{path}/properties"))[0]["hips_order"])
    wcs = image_ground.wcs_of(shared_data / "images" / place, hdu)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = np.asarray(fits.getdata(shared_data / "images" / place, hdu), float)
    rng = np.random.default_rng(3)
    errors = []
    for tile in tiles_of(web, path, order):
        answer = web.get(f"{tile}.fits")
        if answer.status_code == 404:
            continue
        with fits.open(io.BytesIO(answer.content)) as hdus:
            rows, columns = rng.permutation(np.argwhere(np.isfinite(hdus[0].data)))[:50].T
            places = WCS(hdus[0].header).pixel_to_world(columns, rows)
            x, y = wcs.world_to_pixel(places)
            theirs = map_coordinates(data, [y, x], order=1, mode="nearest")
            known = np.isfinite(theirs)
            errors += list(np.abs(hdus[0].data[rows, columns] - theirs)[known] / np.nanstd(data))
    assert len(errors) >= 40
    assert np.percentile(errors, 95) < 0.02  # beside a bright star some hundredths of a pixel are more


def test_the_coverage_is_that_of_the_footprints(web, shared_data):
    (facts,) = records_of(web.get("/hips/pics/2MASS_K/properties"))
    moc = MOC.from_fits(io.BytesIO(web.get("/hips/pics/2MASS_K/Moc.fits").content))
    outline = image_ground.facts_of(shared_data / "images" / PICTURES["gc_2mass_k"][0], 0)["s_region"]
    corners = np.array(outline.split()[2:], float) * u.deg
    truth = MOC.from_polygon(corners[::2], corners[1::2], max_depth=9)
    assert moc == truth
    assert float(facts["moc_sky_fraction"]) == pytest.approx(moc.sky_fraction, rel=1e-4)
    whole = MOC.from_fits(io.BytesIO(web.get("/moc/pics").content))
    assert whole.intersection(moc).sky_fraction > 0.7 * moc.sky_fraction  # its rim is finer
    assert whole.sky_fraction > 10 * moc.sky_fraction


def test_allsky_shows_what_the_tiles_of_order_three_do(web):
    tiles = {int(t.rpartition("Npix")[2]): t for t in tiles_of(web, "/hips/pics/I", 3)}
    whole = np.asarray(Pictures.open(io.BytesIO(web.get("/hips/pics/I/Norder3/Allsky.png").content)))
    assert whole.shape[:2] == (29 * 64, 27 * 64)
    filled = whole[..., 1].reshape(29, 64, 27, 64).any(axis=(1, 3)).ravel()[:768]
    assert set(np.flatnonzero(filled)) == {n for n, t in tiles.items() if web.get(f"{t}.png").status_code == 200}
    for suffix in ("fits", "jpg"):
        assert web.get(f"/hips/pics/I/Norder3/Allsky.{suffix}").status_code == 200


def test_a_tile_that_was_made_is_kept_and_the_same(web):
    tile = tiles_of(web, "/hips/pics/F160W", 12)[0]
    first, second = web.get(f"{tile}.fits"), web.get(f"{tile}.fits")
    assert first.content == second.content
    assert "max-age" in second.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "/hips/pics/Norder9/Dir0/Npix5.fits",  # no image there
        "/hips/pics/Norder3/Dir0/Npix768.fits",
        "/hips/pics/Norder21/Dir0/Npix5.fits",
        "/hips/pics/Norder3/Dir10000/Npix5.fits",
        "/hips/pics/Norder3/Dir0/Npix-5.fits",
        "/hips/pics/Norder3/Dir0/Npix5.gif",
        "/hips/pics/Norder3/Allsky.gif",
        f"/hips/pics/Norder{'9' * 5000}/Dir0/Npix5.fits",
        "/hips/pics/Norder²/Dir0/Npix5.fits",
        "/hips/pics/nothing/properties",
        "/hips/pics/..%2f..%2fetc/properties",
        "/hips/nothing/properties",
        "/hips/nothing",
        "/hips/pics/nothing",
        "/moc/nothing",
        "/hips/pics/K/Norder3/Dir0/Npix0x1.fits",
    ],
)
def test_r18_what_is_not_there_is_not_found(web, path):
    answer = web.get(path)
    assert answer.status_code == 404
    assert answer.text.startswith("NotFoundError")


def test_images_that_are_published_anew_are_seen(tmp_path, shared_data):
    archive, images = tmp_path / "archive", shared_data / "images"
    image_ground.build_pictures(archive, images, ["m51"])
    with serving.serving(archive) as server, httpx.Client(base_url=server.url, timeout=60) as web:
        (tile,) = tiles_of(web, "/hips/pics", 3)
        first = web.get(f"{tile}.fits")
        image_ground.build_pictures(archive, images, ["ukidss_k"])
        assert web.get(f"{tile}.fits").status_code == 404
        (other,) = tiles_of(web, "/hips/pics", 3)
        assert web.get(f"{other}.fits").status_code == first.status_code == 200
        assert records_of(web.get("/hips/pics/properties"))[0]["obs_title"] == "pics: K"


def test_r02_a_private_collection_has_no_maps_for_others(tmp_path, shared_data):
    from skydex.accounts import Accounts

    archive, images = tmp_path / "archive", shared_data / "images"
    image_ground.build_pictures(archive, images, ["m51"], collection="early")
    image_ground.build_pictures(archive, images, ["ukidss_k"])
    (archive / "services.toml").write_text('[[private]]\nschema = "early"\nusers = ["alice"]\n')
    Accounts(archive / "state", quota_mb=100, quota_tables=10).add("alice", "correct horse")
    paths = [
        "/hips/early",
        "/hips/early/properties",
        "/hips/early/Moc.fits",
        "/moc/early",
        "/hips/early/IRAC1/Moc.fits",
    ]
    with serving.serving(archive) as server, httpx.Client(base_url=server.url, timeout=60) as web:
        alice = {"auth": ("alice", "correct horse")}
        assert [web.get(path, **alice).status_code for path in paths] == [200] * 5
        moc = MOC.from_fits(io.BytesIO(web.get("/moc/early", **alice).content))
        (n,) = moc.degrade_to_order(3).flatten()
        paths.append(f"/hips/early/Norder3/Dir0/Npix{n}.png")
        answer = web.get(paths[-1], **alice)
        assert answer.status_code == 200
        assert "public" not in answer.headers["cache-control"]
        assert [web.get(path).status_code for path in paths] == [404] * 6
        shown = "".join(web.get(path).text for path in ("/hips/hipslist", "/", "/api", "/capabilities"))
        assert "early" not in shown
        assert "early" in web.get("/hips/hipslist", **alice).text
        everywhere = {"POS": "CIRCLE 0 0 180", "RESPONSEFORMAT": "csv"}
        assert b"early" not in web.get("/sia2/query", params=everywhere).content
        assert b"early" in web.get("/sia2/query", params=everywhere, **alice).content
        assert b"early" not in web.get("/sia1", params={"POS": "0,0", "SIZE": "360"}).content


def test_people_see_a_page_with_links(web, server):
    for path in ("/hips/pics", "/hips/pics/", "/hips/pics/index.html", "/hips/PICS/k"):
        assert f"{server.url}/hips/pics" in web.get(path).text
    assert "Map of pics" in web.get("/api").text
    assert "std/hips#hips-1.0" in web.get("/capabilities").text

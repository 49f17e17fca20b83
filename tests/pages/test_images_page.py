"""Images found by place, drawn, cut, and taken along."""

from __future__ import annotations

import io
import math
import tarfile
import warnings
import zipfile

import httpx
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning

ALL = "/images?q=KQ+UMa&radius=0.02&collection=ps1"
AT = f"{ALL}&to=2009-12-31"
FACTS = AT.replace("/images?", "/images.json?")


@pytest.fixture(scope="module")
def web(demo):
    with httpx.Client(base_url=demo.url, timeout=60) as client:
        yield client


def test_a_search_gives_the_rows_of_sia(web):
    facts = web.get(FACTS).json()
    assert facts["n"] == len(web.get(facts["sia"] + "&RESPONSEFORMAT=csv&MAXREC=1000").text.splitlines()) - 1 > 0
    assert abs(facts["position"]["ra"] - 139.334453) < 1e-4
    for image in facts["images"][:2]:
        assert web.get(f"/{image['links']}").status_code == 200
        assert web.get(f"/{image['stamp']}").headers["content-type"] == "image/jpeg"


def test_time_and_band_restrict_a_search(web):
    facts = web.get(f"{ALL.replace('?', '.json?')}&band=green&from=2010-01-01&to=2010-12-31").json()
    assert facts["images"]
    assert all(image["time"].startswith("2010") for image in facts["images"] if "warp" in image["title"])
    assert all(" in g " in image["title"] or " in r " in image["title"] for image in facts["images"])


@pytest.mark.parametrize("words", ["band=purple", "from=yesterday", "stretch=wild", "size=1e9"])
def test_a_word_that_makes_no_sense_is_named(web, words):
    reply = web.get(f"{FACTS}&{words}")
    assert reply.status_code == 400
    assert words.partition("=")[0] in reply.json()["error"].lower()


def test_a_name_that_nobody_knows_is_said_on_the_page(web):
    facts = web.get("/images.json?q=Nowhere+17").json()
    assert "Nowhere 17" in facts["trouble"]


def test_footprints_are_drawn_where_astropy_puts_them(web):
    facts = web.get(FACTS).json()
    field, region = facts["field"], facts["images"][0]["region"].split()[2:]
    drawn = [tuple(map(float, pair.split())) for pair in field["outlines"][0].strip("MZ").split("L")]
    centre = SkyCoord(field["ra"], field["dec"], unit="deg")
    for (x, y), ra, dec in zip(drawn, region[::2], region[1::2], strict=True):
        corner = SkyCoord(float(ra), float(dec), unit="deg")
        away, bearing = centre.separation(corner).rad, centre.position_angle(corner).rad
        scale = field["side"] / (4 * math.sin(math.radians(field["fov"]) / 4))
        r = 2 * math.sin(away / 2) * scale
        assert (x, y) == pytest.approx((240 - r * math.sin(bearing), 240 - r * math.cos(bearing)), abs=0.1)


@pytest.mark.parametrize("collection", ["ps1", "psf", "hsc"])
def test_north_is_up_where_the_wcs_of_the_cutout_says(web, collection):
    facts = web.get(f"/images.json?collection={collection}&north=1&size=64").json()
    cutout = facts["cutout"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        wcs = WCS(fits.getheader(io.BytesIO(web.get(f"/{cutout['fits']}").content)))
    at = wcs.pixel_to_world(32, 32)
    x, y = wcs.world_to_pixel(at.directional_offset_by(0 * at.ra.unit, 1e-4 * at.ra.unit))
    north = np.array([x - 32, y - 32]) / np.hypot(x - 32, y - 32)
    turn = math.radians(cutout["turn"]["degrees"])
    across = -north[0] if cutout["turn"]["is_mirrored"] else north[0]
    turned = (across * math.cos(turn) + north[1] * math.sin(turn), -across * math.sin(turn) + north[1] * math.cos(turn))
    assert turned == pytest.approx((0, 1), abs=0.02)


def test_three_bands_make_a_colour_picture(web):
    images = web.get(FACTS).json()["images"]
    green, blue = images[1]["did"], images[2]["did"]
    query = {
        "q": "KQ UMa",
        "radius": 0.02,
        "collection": "ps1",
        "to": "2009-12-31",
        "green": green,
        "blue": blue,
        "size": 40,
    }
    reply = web.get("/" + web.get("/images.json", params=query).json()["cutout"]["src"])
    assert reply.headers["content-type"] == "image/png"
    assert reply.content[25] == 2  # IHDR: colour without a palette


def test_somebody_looks_at_a_place_and_takes_cutouts_along(open_page, ready, until):
    page = open_page(AT)
    ready(page)
    assert page.locator("table.found img").count() > 2
    picture = page.locator("figure.cutout img")
    before = picture.get_attribute("src")
    page.get_by_label("Stretch").select_option("log")
    page.locator(f"figure.cutout img:not([src='{before}'])").wait_for()
    assert "log=1" in picture.get_attribute("src")
    until(page, "document.querySelector('figure.cutout img').naturalWidth > 0")
    assert "stretch=log" in page.url

    sky = page.locator("canvas.skyview")
    sky.focus()
    page.keyboard.press("Enter")
    assert page.locator("tr.marked").count() == 1

    page.get_by_label("Size, pixels").fill("32")
    page.locator("figure.cutout img[src*='size=32']").wait_for()
    page.get_by_label("take along", exact=True).check()
    page.reload()  # the basket is kept while the window is open
    ready(page)
    assert page.locator("ul.things li").count() == 1
    with page.expect_download() as coming:
        page.get_by_role("button", name=".tar.gz").click()
    with tarfile.open(coming.value.path()) as bundle:
        names = [name.rpartition("/")[2] for name in bundle.getnames()]
        cutout = next(name for name in bundle.getnames() if name.endswith("_cutout.fits"))
        assert fits.getdata(io.BytesIO(bundle.extractfile(cutout).read())).shape == (32, 32)
    assert "MANIFEST.HTML" in names


def test_without_scripts_a_cutout_and_a_bundle_are_forms(open_page):
    page = open_page(f"{AT}&size=16", java_script_enabled=False)
    assert page.locator("svg.field .footprint").count() > 2
    page.get_by_label("Stretch").select_option("sqrt")
    page.get_by_role("button", name="Show").click()
    assert "sqrt=1" in page.locator("figure.cutout img").get_attribute("src")
    page.get_by_label("take along", exact=True).check()
    with page.expect_download() as coming:
        page.get_by_role("button", name=".zip").click()
    assert any(name.endswith("_cutout.fits") for name in zipfile.ZipFile(coming.value.path()).namelist())


def test_aladin_comes_when_it_is_asked_for_and_asks_nobody_else(open_page, ready):
    page = open_page(AT)
    ready(page)
    loaded = "() => performance.getEntriesByType('resource').some(one => one.name.includes('/aladin-'))"
    assert not page.evaluate(loaded)
    page.get_by_role("button", name="Open in Aladin Lite").click()
    page.wait_for_selector("div.skyview[data-state=ready] canvas")
    assert page.evaluate(loaded)
    assert "rows of ps1." in page.locator("[role=status]").first.inner_text()


def test_surveys_of_others_are_allowed_to_who_asks_for_them_alone(web):
    assert "alasky" not in web.get(AT).headers["content-security-policy"]
    assert "https://alasky.cds.unistra.fr" in web.get(f"{AT}&surveys=cds").headers["content-security-policy"]
    assert "evil" not in web.get(f"{AT}&surveys=https://evil.example").headers["content-security-policy"]

"""fitscut.cgi over HTTP, as notebooks ask it."""

from __future__ import annotations

import html
import re
import urllib.request
from io import BytesIO

import httpx
import numpy as np
import pictures
import pytest
import serving
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.wcs import WCS
from PIL import Image as Pictures

from skydex.archive import CutoutRequest, PixelPlace, SkyPlace, cutout_request
from skydex.images import Look, Scale, Stretch
from skydex.web.dali import Parameters

ACS = "hst_10543_29_acs_wfc_f606w"
STACK = "rings.v3.skycell.1784.059.stk.i.unconv.fits"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving.serving(pictures.build(tmp_path_factory.mktemp("pictures"))) as server:
        yield server


@pytest.fixture(scope="module")
def web(server):
    with httpx.Client(base_url=f"{server.url}/cgi-bin/", timeout=30) as client:
        yield client


def cut(web, **given) -> fits.PrimaryHDU:
    answer = web.get("fitscut.cgi", params={"red": ACS, "format": "fits", **given})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/fits"
    with fits.open(BytesIO(answer.content)) as hdus:
        hdus.verify("exception")
        assert len(hdus) == 1
        return fits.PrimaryHDU(hdus[0].data.copy(), hdus[0].header.copy())


def picture(web, **given) -> Pictures.Image:
    answer = web.get("fitscut.cgi", params={"red": ACS, **given})
    assert answer.status_code == 200, answer.text
    drawn = Pictures.open(BytesIO(answer.content))
    drawn.load()
    return drawn


@pytest.mark.parametrize("size", [33, 34, 1])
@pytest.mark.parametrize("path", ["fitscut.cgi", "hla/fitscut.cgi"])
def test_the_pixel_with_the_position_is_in_the_middle(web, size, path):
    answer = web.get(path, params={"red": ACS, "x": "100", "y": "101", "size": size, "format": "fits"})
    data = fits.getdata(BytesIO(answer.content))
    assert data.shape == (size, size)
    assert data[size // 2, size // 2] == pictures.numbers()[101, 100]


def test_a_position_is_cut_as_astropy_cuts_it(web):
    cutout = cut(web, ra=pictures.RA + 0.0005, dec=pictures.DEC - 0.0003, size=33)
    wcs = WCS(pictures.header_of())
    place = SkyCoord(pictures.RA + 0.0005, pictures.DEC - 0.0003, unit="deg")
    expected = Cutout2D(pictures.numbers(), place, 33, wcs=wcs)
    assert np.array_equal(cutout.data, expected.data)
    ours, theirs = WCS(cutout.header).pixel_to_world(4, 9), expected.wcs.pixel_to_world(4, 9)
    assert ours.separation(theirs).mas < 1e-3


def test_pixels_beyond_the_edge_are_missing(web):
    data = cut(web, x=2, y=0, size="11,7").data
    assert data.shape == (7, 11)
    assert np.isnan(data[:3]).all()
    assert np.isnan(data[:, :3]).all()
    assert data[3, 3] == pictures.numbers()[0, 0]


def test_all_of_an_image_is_the_image(web):
    assert np.array_equal(cut(web, size="ALL").data, pictures.numbers())


@pytest.mark.parametrize(
    "name",
    [
        ACS,
        f"{ACS}_drz",
        f"{ACS}_drz.fits",
        f"{ACS}.fits",
        f"/data/hla/{ACS}_drz.fits.gz",
        f"{ACS}[0]",
    ],
)
def test_paths_and_endings_of_names_may_be_there_or_missing(web, name):
    assert cut(web, red=name, x=100, y=100, size=3).data[1, 1] == pictures.numbers()[100, 100]


@pytest.mark.parametrize(("extension", "chip"), [("[1]", 1), ("[2]", 2), ("[SCI]", 1), ("[sci,2]", 2), ("", 1)])
def test_extensions_are_numbers_or_names(web, extension, chip):
    data = cut(web, red=f"ibc302ioq_flt{extension}", x=100, y=100, size=3).data
    assert data[1, 1] == pictures.numbers(chip)[100, 100]


def test_brackets_may_come_as_they_are_as_astropy_sends_them(server):
    url = f"{server.url}/cgi-bin/hla/fitscut.cgi?red=ibc302ioq_flt[2]&size=51&x=100&y=101&format=fits&imagename=a.fits"
    with urllib.request.urlopen(url) as answer:
        assert fits.getdata(BytesIO(answer.read())).shape == (51, 51)
        assert answer.headers["content-disposition"] == 'inline; filename="a.fits"'


def test_the_asinh_of_pan_starrs_is_undone(web):
    cutout = cut(web, red=f"/rings.v3.skycell/1784/059/{STACK}", size="ALL")
    stored = np.linspace(-2.0, 6.0, pictures.SIDE**2)
    expected = 1.5 + 2.0 * 26.0 * np.sinh(stored * np.log(10.0) / 2.5)
    assert cutout.data.ravel() == pytest.approx(expected, rel=1e-5, abs=1e-3)
    assert "BSOFTEN" not in cutout.header
    assert cutout.header["CELL.ID"] == "skycell.059"


def test_names_and_values_of_parameters_have_no_case(web):
    answer = web.get("fitscut.cgi", params={"RED": ACS, "Size": "33", "FORMAT": "JPEG", "Asinh": "TRUE", "zoom": "1"})
    assert Pictures.open(BytesIO(answer.content)).format == "JPEG"


def test_names_of_images_have_one_unless_it_is_said(web):
    assert web.get("fitscut.cgi", params={"red": ACS.upper()}).status_code == 404
    assert cut(web, red=ACS.upper(), caseless="yes", size=5).data.shape == (5, 5)


def test_a_grey_jpeg_has_one_component_and_a_coloured_one_three(web):
    assert picture(web, size=33).mode == "L"
    colored = picture(web, size=33, green=ACS.replace("606", "814"), blue=ACS.replace("606", "435"), asinh=1)
    assert (colored.mode, colored.size) == ("RGB", (33, 33))


def test_the_top_of_a_picture_is_where_y_is_largest(web):
    grey = np.asarray(picture(web, size="ALL", format="png", autoscale="100"))
    assert grey[0].mean() > 250 > 5 > grey[-1].mean()


def test_a_post_means_the_same(web):
    given = {"red": ACS, "size": "20", "format": "png"}
    assert web.post("fitscut.cgi", data=given).content == web.get("fitscut.cgi", params=given).content


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"size": "40,30", "zoom": "2"}, (80, 60)),
        ({"size": "40,30", "zoom": "0.5"}, (20, 15)),
        ({"size": "ALL", "output_size": "64"}, (64, 64)),
        ({"size": "16", "output_size": "64"}, (64, 64)),
    ],
)
def test_pictures_have_the_size_that_was_asked_for(web, given, expected):
    assert picture(web, **given).size == expected
    assert cut(web, **given).data.shape == expected[::-1]


@pytest.mark.parametrize("zoom", ["0.5", "0.25", "3"])
def test_a_star_stays_where_it_is_when_pixels_change_their_size(web, zoom):
    plain, zoomed = cut(web, size=41), cut(web, size=41, zoom=zoom)
    factor = zoomed.data.shape[0] / 41 if zoom == "3" else float(zoom)
    place = WCS(plain.header).pixel_to_world(10, 12)
    x, y = WCS(zoomed.header).world_to_pixel(place)
    assert (x + 0.5, y + 0.5) == pytest.approx((10.5 * factor, 12.5 * factor), abs=1e-6)


def test_colours_of_fits_are_planes_of_a_cube(web):
    cube = cut(web, green=ACS.replace("606", "814"), blue=ACS, x=50, y=60, size=5)
    assert cube.data.shape == (3, 5, 5)
    assert cube.data[:, 2, 2] == pytest.approx(pictures.numbers()[60, 50] + np.array([0.0, 1.0, 0.0]))


def test_aligned_bands_show_the_same_sky(web):
    """The second image is turned by 30 degrees; where it has data, its pixel is that of the same position."""
    cube = cut(web, green=ACS.replace("606", "435"), align="1", x=120, y=80, size=21)
    red, turned = WCS(pictures.header_of()), WCS(pictures.header_of(rotation_deg=30.0))
    x, y = np.meshgrid(np.arange(110, 131), np.arange(70, 91))
    at_x, at_y = turned.world_to_pixel(red.pixel_to_world(x, y))
    expected = pictures.numbers()[np.floor(at_y + 0.5).astype(int), np.floor(at_x + 0.5).astype(int)]
    assert (cube.data[1] == expected).mean() > 0.995
    assert np.array_equal(cube.data[0], pictures.numbers()[70:91, 110:131])


def test_aligned_bands_may_be_images_of_any_size(web):
    colors = {"green": STACK, "align": "1", "size": "ALL", "output_size": "50"}
    assert picture(web, red="wide", **colors).size == (50, 50)
    refused = web.get("fitscut.cgi", params={"red": "wide", **colors, "align": "0"})
    assert refused.status_code == 400
    assert "align=1" in refused.text


def test_pixels_of_bad_quality_are_black(web):
    shown = np.asarray(picture(web, red="ibc302ioq_flt", qext="WHT", size=20, format="png"))
    assert (shown == 0).sum() >= 200
    assert (shown > 0).sum() >= 150


def test_a_download_is_one(web):
    answer = web.get("fitscut.cgi", params={"red": ACS, "download": "1", "imagename": 'a/..\\b"\r\nX: y.jpg'})
    assert answer.headers["content-disposition"] == 'attachment; filename="_b_X_y.jpg"'


@pytest.mark.parametrize(
    ("given", "status", "message"),
    [
        ({}, 400, "red"),
        ({"red": "nothing"}, 404, "nothing"),
        ({"red": "../../../../etc/passwd"}, 404, "No image"),
        ({"red": "/etc/passwd\0"}, 404, "No image"),
        ({"red": f"{ACS}[7]"}, 404, f'[7]". "{ACS}" has images in [0].'),
        ({"red": ACS.upper()}, 404, f'Did you mean "{ACS}"?'),
        ({"red": ACS, "ra": "12:30:49", "dec": "12"}, 400, "number of degrees"),
        ({"red": ACS, "size": "10arcsec"}, 400, "number of pixels"),
        ({"red": "a" * 5000}, 400, "name of an image"),
        ({"red": f"{ACS}[0][1]"}, 400, "name[1]"),
        ({"red": ACS, "size": "0"}, 400, "size"),
        ({"red": ACS, "size": "-5"}, 400, "size"),
        ({"red": ACS, "size": "nan"}, 400, "size"),
        ({"red": ACS, "size": "1e300"}, 400, "size"),
        ({"red": ACS, "size": "1,2,3"}, 400, "size"),
        ({"red": ACS, "size": "9999999", "format": "fits"}, 413, "9999999"),
        ({"red": ACS, "size": "5000", "zoom": "64"}, 413, "320000"),
        ({"red": ACS, "size": "9999999", "output_size": "10"}, 200, ""),
        ({"red": ACS, "size": "1,66000"}, 400, "png"),
        ({"red": ACS, "size": "9999999", "zoom": "0.000001"}, 200, ""),
        ({"red": ACS, "zoom": "1e9"}, 400, "zoom"),
        ({"red": ACS, "zoom": "-1"}, 400, "zoom"),
        ({"red": ACS, "zoom": "1e-20"}, 400, "zoom"),
        ({"red": ACS, "zoom": "1e-320"}, 400, "zoom"),
        ({"red": ACS, "output_size": "0"}, 400, "output_size"),
        ({"red": ACS, "output_size": "1000000"}, 413, "1000000"),
        ({"red": ACS, "ra": "10"}, 400, "dec"),
        ({"red": ACS, "ra": "10", "dec": "99"}, 400, "dec"),
        ({"red": ACS, "x": "1e999", "y": "0"}, 400, "x"),
        ({"red": ACS, "ra": "10", "dec": "10"}, 404, "157.5 deg"),
        ({"red": ACS, "ra": "7", "dec": "-12"}, 404, "does not reach"),
        ({"red": ACS, "x": "9000", "y": "0"}, 404, "does not reach"),
        ({"red": ACS, "format": "gif"}, 400, "jpeg, png, fits"),
        ({"red": ACS, "palette": "beige"}, 400, "viridis"),
        ({"red": ACS, "autoscale": "120"}, 400, "autoscale"),
        ({"red": ACS, "autoscale": "60,40"}, 400, "autoscale"),
        ({"red": ACS, "green": "ibc302ioq_flt[1]", "blue": STACK, "size": "ALL", "output_size": "7"}, 200, ""),
    ],
)
def test_what_cannot_be_is_refused_in_words(web, given, status, message):
    answer = web.get("fitscut.cgi", params=given)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.headers["content-type"].startswith("text/plain")
        assert message in answer.text.replace(",", "") or message in answer.text
        assert "Traceback" not in answer.text


def test_unknown_parameters_are_ignored(web):
    assert picture(web, size=9, cachebuster="1", filetypes="stack").size == (9, 9)


def test_a_large_image_is_sent_while_it_is_read(web, server):
    whole = web.get("fitscut.cgi", params={"red": "wide", "size": "ALL", "format": "fits"})
    assert fits.getdata(BytesIO(whole.content)).shape == (2100, 2100)
    preview = picture(web, red="wide", size="ALL", output_size="100", format="png", autoscale="100")
    assert preview.size == (100, 100)
    assert np.asarray(preview)[10, 90] > 150 > 100 > np.asarray(preview)[90, 10]


def asked(**given) -> CutoutRequest:
    return cutout_request(Parameters([("red", ACS), *given.items()]), None)


def test_pixels_may_be_said_to_be_degrees():
    assert asked(x="10", y="-5", wcs="1").centre == asked(ra="10", dec="-5").centre == SkyPlace(10.0, -5.0)
    assert asked(x="10", y="-5").centre == PixelPlace(10.0, -5.0)


@pytest.mark.parametrize("given", [{"red": f"/rings.v3.skycell/1784/059/{STACK}"}, {"red": ACS, "config": "PS1"}])
def test_pan_starrs_has_defaults_of_its_own(given):
    request = cutout_request(Parameters(given.items()), None)
    assert (request.size, request.format) == ((240, 240), "jpeg")
    assert request.look == Look(Stretch.ASINH, Scale.PERCENTILES, percent=(0.25, 99.75))
    assert asked().look == Look(Stretch.LINEAR, Scale.PERCENTILES, percent=(0.5, 99.5))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"asinh": "0"}, Stretch.LINEAR),
        ({"asinh": "True"}, Stretch.ASINH),
        ({"log": "t"}, Stretch.LOG),
        ({"lupton": "YES"}, Stretch.LUPTON),
        ({"sqrt": "1", "asinh": "no"}, Stretch.SQRT),
    ],
)
def test_a_stretch_is_asked_for_by_a_yes(given, expected):
    assert asked(**given).look.stretch is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"autoscale": "95"}, (5.0, 95.0)),
        ({"autoscale": "1,98"}, (1.0, 98.0)),
        ({"autoscalemax": "99.9"}, (0.5, 99.9)),
        ({"autoscale": "90", "autoscalemin": "3"}, (3.0, 90.0)),
    ],
)
def test_shares_of_the_histogram_are_one_or_two(given, expected):
    assert asked(**given).look.percent == pytest.approx(expected)


def test_the_landing_page_leads_to_a_picture(server, web):
    (address,) = re.findall(r'href="([^"]*/cgi-bin/fitscut\.cgi\?[^"]*)"', httpx.get(f"{server.url}/api").text)
    assert Pictures.open(BytesIO(web.get(html.unescape(address)).content)).size == (256, 256)

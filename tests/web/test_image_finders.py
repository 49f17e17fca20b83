"""ps1filenames.py and hlaSIAP.cgi, as notebooks ask them."""

from __future__ import annotations

from io import BytesIO

import httpx
import numpy as np
import pictures
import pytest
import serving
from astropy.io import fits
from astropy.table import Table
from PIL import Image as Pictures

COLUMNS = ["projcell", "subcell", "ra", "dec", "filter", "mjd", "type", "filename", "shortname", "badflag"]
NORTH = 30.0 / 3600.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving.serving(pictures.build(tmp_path_factory.mktemp("pictures"))) as server:
        yield server


@pytest.fixture(scope="module")
def web(server):
    with httpx.Client(base_url=f"{server.url}/cgi-bin/", timeout=30) as client:
        yield client


def files(web, **given) -> Table:
    answer = web.get("ps1filenames.py", params={"ra": pictures.RA, "dec": pictures.DEC, **given})
    assert answer.status_code == 200, answer.text
    return Table.read(answer.text, format="ascii")


def test_stacks_of_a_position_come_as_g_r_i_z_y_whatever_was_asked(web):
    table = files(web, size=240, format="fits", filters="yzirg")
    assert table.colnames == COLUMNS
    assert list(table["filter"]) == list("grizy")
    assert set(table["type"]) == {"stack"}
    assert set(table["subcell"]) == {59}
    assert [table[name].dtype.kind for name in COLUMNS] == list("iiffUfUUUi")
    name = "rings.v3.skycell.1784.059.stk.i.unconv.fits"
    assert (table["filename"][2], table["shortname"][2]) == (f"/rings.v3.skycell/1784/059/{name}", name)


def test_filters_types_and_skycells_narrow_the_answer(web):
    assert list(files(web, filters="gi")["filter"]) == ["g", "i"]
    both = files(web, filters="g", type="stack,warp")
    assert list(both["type"]) == ["stack", "warp", "warp"]
    assert list(both["mjd"]) == pytest.approx([0.0, 55230 + 36441 / 86400, 55231.5])
    assert set(files(web, dec=pictures.DEC + 0.4 * NORTH, skycell="1784.060")["subcell"]) == {60}


def test_of_two_skycells_the_one_is_taken_whose_middle_is_nearer(web):
    assert set(files(web, dec=pictures.DEC + 0.6 * NORTH, filters="gi")["subcell"]) == {60}
    assert set(files(web, dec=pictures.DEC + 0.4 * NORTH, filters="gi")["subcell"]) == {59}


def test_where_there_is_no_image_there_are_only_the_names_of_the_columns(web):
    answer = web.get("ps1filenames.py", params={"ra": 10, "dec": -80})
    assert answer.text == " ".join(COLUMNS) + "\n"


@pytest.mark.parametrize("head", ["", "ra dec\n", "# positions\n"])
def test_many_positions_come_in_a_file(web, head):
    places = [(pictures.RA, pictures.DEC), (10.0, -80.0), (pictures.RA, pictures.DEC + NORTH)]
    text = head + "\n".join(f"{ra} {dec}" for ra, dec in places)
    file = BytesIO(text.encode())
    answer = web.post("ps1filenames.py", data={"filters": "gi", "type": "stack"}, files={"file": file})
    table = Table.read(answer.text, format="ascii")
    assert list(table["dec"]) == pytest.approx([places[0][1]] * 2 + [places[2][1]] * 2)
    assert list(table["subcell"]) == [59, 59, 60, 60]


@pytest.mark.parametrize(
    ("given", "message"), [({}, "ra"), ({"ra": "1"}, "dec"), ({"ra": "1", "dec": "1", "skycell": "x"}, "1784.059")]
)
def test_a_position_that_is_none_is_told(web, given, message):
    answer = web.get("ps1filenames.py", params=given)
    assert answer.status_code == 400
    assert message in answer.text


@pytest.mark.parametrize("line", ["here there", "1e999 2", "5 91", "7"])
def test_a_line_that_is_no_position_is_told(web, line):
    answer = web.post("ps1filenames.py", files={"file": BytesIO(b"1 2\n" + line.encode() + b"\n")})
    assert answer.status_code == 400
    assert line in answer.text


def test_a_notebook_makes_a_colour_picture_and_an_array(web, server):
    """`geturl`, `getcolorim` and `fits.open` of the notebooks of Pan-STARRS, with their choice of bands."""
    table = files(web, filters="grizy")
    order = np.argsort(["yzirg".find(name) for name in table["filter"]])
    names = table["filename"][order]
    colors = dict(zip(("red", "green", "blue"), (names[0], names[2], names[-1]), strict=True))
    place = {"ra": pictures.RA, "dec": pictures.DEC, "size": 100}
    answer = web.get("fitscut.cgi", params={**place, **colors, "format": "jpg", "output_size": 200})
    drawn = Pictures.open(BytesIO(answer.content))
    assert (drawn.mode, drawn.size) == ("RGB", (200, 200))
    answer = web.get("fitscut.cgi", params={**place, "red": names[0], "format": "fits"})
    with fits.open(BytesIO(answer.content)) as f:
        assert f[0].data.shape == (100, 100)


def hubble(web, **given) -> Table:
    place = {"pos": f"{pictures.RA},{pictures.DEC}", "size": "0.0"}
    answer = web.get("hlaSIAP.cgi", params={**place, **given})
    assert answer.status_code == 200, answer.text
    return Table.read(BytesIO(answer.content), format="votable")


def test_colours_of_a_visit_are_put_together(web):
    look = {"format": "image/jpeg", "autoscale": "95.0", "asinh": "1", "naxis": "33"}
    table = hubble(web, imagetype="color", inst="ACS", spectral_elt="f814w,f606w", **look)
    assert len(table) == 1
    assert table["StartTime"][0].startswith("2006-09-22")
    drawn = Pictures.open(BytesIO(httpx.get(table["URL"][0]).content))
    assert (drawn.mode, drawn.size) == ("RGB", (33, 33))
    url = table["URL"][0]
    assert "red=hst_10543_29_acs_wfc_f814w" in url
    assert "blue=hst_10543_29_acs_wfc_f606w" in url


def test_single_images_are_listed_in_the_order_of_time(web):
    table = hubble(web, inst="acs/wfc")
    assert list(table["Spectral_Elt"]) == ["F814W", "F435W", "F606W"]
    assert not len(hubble(web, inst="wfc3"))


def test_an_error_is_told_in_a_votable(web):
    answer = web.get("hlaSIAP.cgi", params={"pos": "here"})
    assert answer.status_code == 200
    assert 'value="ERROR"' in answer.text
    assert "pos" in answer.text

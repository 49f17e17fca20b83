"""What services of pictures are asked."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from astropy.table import Table

from skydex.client import CutoutOrder
from skydex.client.pictures import (
    colour_of,
    cutout_address,
    cutout_name,
    fitscut_words,
    read_skycell_files,
    skycell_address,
)
from skydex.errors import BadAnswerError, BadParameterError, UnsupportedFormatError

FITSCUT = "https://hla.stsci.edu/cgi-bin/fitscut.cgi"
SKYCELLS = """\
projcell subcell ra dec filter mjd type filename shortname badflag
1784 59 83.633 22.0145 g 0.0 stack /rings.v3.skycell/1784/059/rings.v3.skycell.1784.059.stk.g.unconv.fits g.fits 0
1784 59 83.633 22.0145 r 0.0 stack /rings.v3.skycell/1784/059/rings.v3.skycell.1784.059.stk.r.unconv.fits r.fits 0
1784 59 83.633 22.0145 i 0.0 stack /rings.v3.skycell/1784/059/rings.v3.skycell.1784.059.stk.i.unconv.fits i.fits 0
1784 59 83.633 22.0145 z 0.0 stack /rings.v3.skycell/1784/059/rings.v3.skycell.1784.059.stk.z.unconv.fits z.fits 0
1784 59 83.633 22.0145 y 0.0 stack /rings.v3.skycell/1784/059/rings.v3.skycell.1784.059.stk.y.unconv.fits y.fits 0
"""
"""Five of the columns are as the notebook on PS1 images prints them."""


def test_a_cutout_is_asked_for_as_the_notebooks_do():
    look = {"autoscale": 99.5, "asinh": True, "zoom": 1}
    order = CutoutOrder(("hst_10543_29_acs_wfc_f606w",), (33, 33), (187.70593, 12.39112), form="jpeg", look=look)
    assert parse_qs(urlsplit(cutout_address(FITSCUT, order)).query) == {
        "red": ["hst_10543_29_acs_wfc_f606w"],
        "ra": ["187.70593"],
        "dec": ["12.39112"],
        "size": ["33"],
        "format": ["jpeg"],
        "autoscale": ["99.5"],
        "asinh": ["1"],
        "zoom": ["1"],
    }


def test_pixels_three_bands_and_two_sides_are_said():
    order = CutoutOrder(("a", "b", "c"), (40, 20), pixel=(100.0, 101.5), form="png")
    assert dict(fitscut_words(order)) == {
        "red": "a", "green": "b", "blue": "c", "size": "40,20", "x": "100", "y": "101.5", "format": "png",
    }  # fmt: skip


def test_a_name_cannot_say_more_than_a_name():
    order = CutoutOrder(("x&size=9&red=../../etc/passwd#",), (5, 5), pixel=(1, 2))
    address = urlsplit(cutout_address(FITSCUT, order))
    assert parse_qs(address.query)["size"] == ["5"]
    assert parse_qs(address.query)["red"] == list(order.images)
    assert not address.fragment
    assert cutout_name(order) == "passwd__1_2_5x5.fits"


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (CutoutOrder(("a",), (5, 5), form="gif"), UnsupportedFormatError),
        (CutoutOrder(("a", "b"), (5, 5)), BadParameterError),
        (CutoutOrder((), (5, 5)), BadParameterError),
        (CutoutOrder(("",), (5, 5)), BadParameterError),
        (CutoutOrder(("a",), (0, 5)), BadParameterError),
    ],
)
def test_what_makes_no_cutout_is_not_asked_for(order, error):
    with pytest.raises(error):
        fitscut_words(order)


def test_images_of_a_place_are_read_as_astropy_reads_them():
    files = read_skycell_files(SKYCELLS, "ps1images.stsci.edu")
    table = Table.read(SKYCELLS, format="ascii")
    assert [file.file_name for file in files] == list(table["filename"])
    assert "".join(file.band for file in files) == "grizy" == "".join(table["filter"])
    assert [file.ra_deg for file in files] == list(table["ra"])


def test_a_place_without_images_has_none():
    assert read_skycell_files(SKYCELLS.splitlines()[0], "ps1images") == ()


@pytest.mark.parametrize(
    "text", ["", "<html>Down for maintenance</html>", SKYCELLS + "1784 59", SKYCELLS.replace("83.633", "here")]
)
def test_what_is_no_table_of_images_is_refused(text):
    with pytest.raises(BadAnswerError):
        read_skycell_files(text, "ps1images")


def test_red_is_the_reddest_image_and_blue_the_bluest():
    """As in PS1_image.ipynb: sorted by the place of the filter in `yzirg`, the first, the middle, the last."""
    files = read_skycell_files(SKYCELLS, "ps1images")
    assert [name.split(".stk.")[1][0] for name in colour_of(files)] == ["y", "i", "g"]
    assert [name.split(".stk.")[1][0] for name in colour_of(files[:3])] == ["i", "r", "g"]
    with pytest.raises(BadParameterError, match="2 with images"):
        colour_of(files[:2])


def test_images_are_asked_for_by_place_and_band():
    asked = parse_qs(urlsplit(skycell_address("https://host/ps1filenames.py", 83.633, -22.5, bands="gri")).query)
    assert asked == {"ra": ["83.633"], "dec": ["-22.5"], "filters": ["gri"], "type": ["stack"]}


@pytest.mark.parametrize(("word", "words"), [("asin", "There are asinh"), ("stretch", "There are asinh, log, sqrt")])
def test_a_word_that_fitscut_would_leave_out_is_told(word, words):
    with pytest.raises(BadParameterError, match=words):
        fitscut_words(CutoutOrder(("a",), (1, 1), look={word: 1}))

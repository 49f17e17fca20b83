"""What the PSF databases are asked, beside the functions that astronomers know."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from astropy.table import QTable, Table
from astropy.units import Quantity

sys.path.append(str(Path(__file__).parents[1] / "clients"))

from skydex.client import psf
from skydex.client.conditions import All, Any, Comparison, Not
from skydex.errors import BadParameterError, NotOfferedError

psf_tools = pytest.importorskip("psf_tools", reason="astroquery is not installed")

STARS = Table(
    {
        "id": [8184981, 17, 99],
        "rootname": ["ibc302ioq", "ibc302ipq", "ibc303abc"],
        "filter": ["F814W", "F606W", "F160W"],
        "filter_1": ["F814W", "F606W", "F555W"],
        "x_cal": [100, 7, 2000], "y_cal": [101, 8, 1000],
        "x_raw": [125, 32, 2025], "y_raw": [101, 8, 1000],
        "chip": ["2", "1", "1"], "qfit": [0.03, 0.0, 0.1], "subarray": [0, 0, 1],
    }
)  # fmt: skip
SUFFIXES = {"UVIS": ["flt", "raw", "flc"], "IR": ["raw", "flt"], "WFPC2": ["c0m", "d0m"]}


@pytest.mark.parametrize("detector", psf.DETECTORS)
def test_data_uris_and_addresses_are_those_of_the_notebook_byte_for_byte(detector):
    ours = psf.data_uris(STARS, detector, SUFFIXES[detector], unsaturated_size=41, saturated_size=91)
    theirs = psf_tools.make_dataURIs(STARS, detector, SUFFIXES[detector], unsat_size=41, sat_size=91)
    assert ours == theirs
    assert psf.data_urls(ours) == psf_tools.convert_dataURIs_to_dataURLs(theirs)
    assert [psf.file_name_of(uri) for uri in ours] == [uri.rpartition("/")[2] for uri in theirs]


def test_units_are_not_written():
    stars = QTable(STARS)
    stars["x_cal"] = Quantity(STARS["x_cal"], "pix", dtype=int)
    stars["y_cal"] = Quantity(STARS["y_cal"], "pix", dtype=int)
    assert psf.data_uris(stars, "UVIS") == psf.data_uris(STARS, "UVIS")


def test_the_first_stamp_of_the_document_has_the_name_that_it_prints():
    (uri, *_) = psf.data_uris(STARS, "uvis")
    assert psf.file_name_of(uri) == "ibc302ioq_8184981_F814W_flt_cutout.fits"


def test_filters_are_those_of_the_notebook():
    ours = psf.filters({"psf_x_center": psf.between(100, 102), "n_sat_pixels": ["0"]})
    theirs = psf_tools.set_filters({"psf_x_center": psf_tools.set_min_max(100, 102), "n_sat_pixels": ["0"]})
    assert ours == theirs
    assert psf.filters({"chip": "1"}) == psf_tools.set_filters({"chip": ["1"]})


def test_conditions_become_filters():
    condition = All((
        Comparison("psf_x_center", "between", (100, 102)),
        Comparison("filter", "in", ("F814W", "F606W")),
        Comparison("qfit", ">", (0.0,)),
        Any((Comparison("chip", "=", ("1",)), Comparison("CHIP", "=", ("2",)))),
        Comparison("aperture", "like", ("UVIS2%",)),
    ))  # fmt: skip
    found = {one["paramName"]: one for one in psf.filters_of(condition)}
    assert found["psf_x_center"]["values"] == psf_tools.set_min_max(100, 102)
    assert found["filter"]["values"] == ["F814W", "F606W"]
    assert found["qfit"]["values"][0]["min"] > 0.0
    assert found["chip"]["values"] == ["1", "2"]
    assert found["aperture"] == {"paramName": "aperture", "values": [], "freeText": "UVIS2%"}
    assert psf.filters_of(None) == []


@pytest.mark.parametrize(
    "condition",
    [
        Not(Comparison("chip", "=", ("1",))),
        Comparison("chip", "<>", ("1",)),
        Comparison("chip", "is null"),
        Any((Comparison("chip", "=", ("1",)), Comparison("filter", "=", ("F814W",)))),
        Any((All((Comparison("chip", ">", (1,)), Comparison("chip", "<", (3,)))), Comparison("chip", "=", ("1",)))),
    ],
)
def test_what_filters_cannot_say_is_refused_and_not_changed(condition):
    with pytest.raises(NotOfferedError, match="choose among the rows"):
        psf.filters_of(condition)


def test_the_filter_of_wfpc2_has_the_name_that_it_has_there():
    assert psf.stamp_columns("WFPC2", ("filter_2", "ID")) == (
        "id", "rootname", "filter_1", "x_cal", "y_cal", "x_raw", "y_raw", "chip", "qfit", "subarray", "filter_2",
    )  # fmt: skip
    assert psf.stamp_columns("UVIS", ("*",)) == ("*",)


def test_wrong_words_say_which_are_right():
    with pytest.raises(BadParameterError, match="UVIS, IR, WFPC2"):
        psf.service_of("ACS")
    with pytest.raises(BadParameterError, match='flt, raw for IR, not "flc"'):
        psf.data_uris(STARS, "IR", ["flc"])
    with pytest.raises(BadParameterError, match="data URI"):
        psf.data_urls(["https://example.org/x.fits"])

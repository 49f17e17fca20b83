"""One table of filters behind all of their names."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skydex.errors import BadParameterError
from skydex.objects import FILTERS, HubbleImage, filter_numbers, get_filter, parse_image_name


def test_filters_are_those_of_the_published_summary_in_its_order(shared_data: Path):
    with (shared_data / "published" / "hsc_summary_filters.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [one.summary_name for one in FILTERS] == [row["name"] for row in rows]
    assert [one.filter for one in FILTERS] == [row["filter"] for row in rows]
    assert [one.instrument for one in FILTERS] == [row["detector"].partition("/")[0] for row in rows]


@pytest.mark.parametrize(
    ("summary", "hcv", "detector", "name"),
    [
        ("A_F475W", "ACS_F475W", "ACS/WFC", "F475W"),
        ("W3_F225W", "WFC3_F225W", "WFC3/UVIS", "F225W"),
        ("W3_F160W", "WFC3_F160W", "WFC3/IR", "F160W"),
        ("W3_F665N_F6", "WFC3_F665N_F6", "WFC3/UVIS", "F665N_F6"),
        ("W2_F606W", "WFPC2_F606W", "WFPC2", "F606W"),
    ],
)
def test_a_filter_is_found_by_each_of_its_names_and_knows_the_others(summary, hcv, detector, name):
    for found in (get_filter(summary), get_filter(hcv.lower()), get_filter(name, detector=detector)):
        assert (found.summary_name, found.hcv_name, found.detector, found.filter) == (summary, hcv, detector, name)


def test_no_two_filters_share_a_name():
    for names in ("summary_name", "hcv_name"):
        assert len({getattr(one, names) for one in FILTERS}) == 133
    assert len({(one.detector, one.filter) for one in FILTERS}) == 133


def test_an_unknown_filter_is_an_error_that_names_a_similar_one():
    with pytest.raises(BadParameterError, match=r'"A_F47W"\. Did you mean A_F475W'):
        get_filter("A_F47W")
    with pytest.raises(BadParameterError, match='there is no "F160W" of ACS/WFC'):
        get_filter("F160W", detector="ACS/WFC")


def test_filters_of_many_detections_are_numbers_of_the_table():
    detectors = pa.chunked_array([["ACS/WFC", "WFC3/IR"], ["WFC3/UVIS", None, "ACS/WFC"]])
    numbers = filter_numbers(detectors, pa.array(["F475W", "F160W", "F160W", "F475W", None]))
    assert [FILTERS[n].summary_name if n >= 0 else None for n in numbers] == ["A_F475W", "W3_F160W", None, None, None]
    again = filter_numbers(detectors.dictionary_encode(), pa.array(["F475W", "F160W", "F160W", "F475W", None]))
    assert again.tolist() == numbers.tolist()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("hst_10543_29_acs_wfc_f606w", ("10543", "29", "ACS", "ACS/WFC", "F606W", "")),
        ("hst_12911_0i_wfc3_uvis_f467m", ("12911", "0i", "WFC3", "WFC3/UVIS", "F467M", "")),
        ("hst_9860_b8_acs_wfc_f814w", ("9860", "b8", "ACS", "ACS/WFC", "F814W", "")),
        ("hst_08591_04_wfpc2_f814w_pc", ("08591", "04", "WFPC2", "WFPC2", "F814W", "PC")),
        ("hst_05446_a1_wfpc2_f606w", ("05446", "a1", "WFPC2", "WFPC2", "F606W", "")),
        ("hst_11360_c4_wfc3_uvis_f665n_f6", ("11360", "c4", "WFC3", "WFC3/UVIS", "F665N_F6", "")),
    ],
)
def test_names_of_images_are_read_and_composed(name, parts):
    assert parse_image_name(name) == HubbleImage(*parts)
    assert parse_image_name(name.upper()).name == name
    assert parse_image_name(name).visit_name == "_".join(name.split("_")[:3])


@given(
    st.integers(1000, 99999),
    st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=2),
    st.sampled_from(FILTERS),
)
def test_any_name_of_an_image_survives_reading_and_composing(proposal, visit, one):
    image = HubbleImage(str(proposal), visit, one.instrument, one.detector, one.filter)
    assert parse_image_name(image.name) == image


def test_a_name_that_is_none_of_the_legacy_archive_is_an_error():
    for name in ("", "hst_1_2_acs_wfc_f475w", "jc8m01010_drz.fits", "hst_10543_29_acs_wfc"):
        with pytest.raises(BadParameterError, match="image name"):
            parse_image_name(name)

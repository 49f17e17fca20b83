"""Image search: SIA 2.0, and SIA 1.0 for old clients, over real images."""

from __future__ import annotations

import io

import httpx
import image_ground
import numpy as np
import pytest
import serving
from astropy.coordinates import SkyCoord
from astropy.io.votable import parse
from hypothesis import given, settings
from hypothesis import strategies as st
from image_ground import PICTURES
from lxml import etree

QUERY = "/sia2/query"
ALL = set(PICTURES)


@pytest.fixture(scope="module")
def server(tmp_path_factory, shared_data):
    archive = image_ground.build_pictures(tmp_path_factory.mktemp("sia") / "archive", shared_data / "images")
    with serving.serving(archive) as server:
        yield server


@pytest.fixture(scope="module")
def web(server):
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


def rows_of(answer):
    assert answer.status_code == 200, answer.text
    return parse(io.BytesIO(answer.content)).get_first_table().to_table()


def found(web, **parameters):
    return {str(name) for name in rows_of(web.get(QUERY, params=parameters))["obs_id"]}


def found_by_old(web, **parameters):
    return {str(name) for name in rows_of(web.get("/sia1", params=parameters))["title"]}


def error_of(answer, status):
    assert answer.status_code == status
    (info,) = [e for e in etree.fromstring(answer.content).iter() if e.get("name") == "QUERY_STATUS"]
    assert info.get("value") == "ERROR"
    return info.text


@pytest.mark.parametrize(
    ("pos", "names"),
    [
        ("CIRCLE 266.4 -28.9 0.01", {"gc_2mass_k"}),
        ("circle 202.4826 47.1751 0.0001", {"m51"}),
        ("CIRCLE 202.4826 47.4 0.1", set()),
        ("CIRCLE 202.4826 47.4 0.2", {"m51"}),
        ("CIRCLE 0 0 180", ALL),
        ("CIRCLE 0 0 0", set()),
        ("CIRCLE 53.1845 -27.8995 0", {"goodss_f160w"}),
        ("RANGE 202 203 47 48", {"m51"}),
        ("RANGE 0 360 -90 90", ALL),
        ("RANGE -Inf +Inf -90 -89.9", {"pole"}),
        ("RANGE 350 60 -30 30", {"goodss_f160w"}),
        ("RANGE 350 84 -30 30", {"goodss_f160w", "ukidss_k"}),
        ("POLYGON 202 47 203 47 203 48 202 48", {"m51"}),
    ],
)
def test_footprints_that_touch_a_region_are_found(web, pos, names):
    assert found(web, POS=pos) == names


@pytest.mark.parametrize("width", [0.5, 3.0, 40.0, 200.0])
@pytest.mark.parametrize("edge", ["north", "south"])
def test_a_range_misses_no_image_at_its_parallels(web, width, edge):
    """The centre of an image 0.05 arcsec within a parallel, where a great circle between two corners runs beside."""
    ra, dec = 53.1845, -27.89951
    low, high = (-60.0, dec + 1.4e-5) if edge == "north" else (dec - 1.4e-5, 20.0)
    assert "goodss_f160w" in found(web, POS=f"RANGE {ra - width / 2} {ra + width / 2} {low} {high}")


def test_several_regions_are_alternatives_and_other_parameters_hold_besides(web):
    two = ["CIRCLE 266.4 -28.9 0.01", "CIRCLE 202.48 47.18 0.01"]
    assert found(web, POS=two) == {"gc_2mass_k", "m51"}
    assert found(web, POS=two, INSTRUMENT="irac") == {"m51"}


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"BAND": "2.2e-6"}, {"gc_2mass_k", "ukidss_k"}),
        ({"BAND": "1e-6 1.5e-6"}, {"goodss_f160w"}),
        ({"BAND": ["1e-6 1.5e-6", "2.35e-6 +Inf"]}, {"goodss_f160w", "ukidss_k"}),
        ({"BAND": "-Inf Inf"}, {"goodss_f160w", "ukidss_k", "gc_2mass_k"}),
        ({"TIME": "50000.5"}, {"pole"}),
        ({"TIME": "50001.5 60000"}, set()),
        ({"EXPTIME": "80 90"}, {"pole"}),
        ({"FOV": "10 20"}, {"1904-66_TAN"}),
        ({"CALIB": "3"}, {"1904-66_TAN"}),
        ({"CALIB": ["2", "3"]}, ALL),
        ({"FACILITY": "ATCA"}, {"1904-66_TAN"}),
        ({"TARGET": "m 51"}, {"m51"}),
        ({"INSTRUMENT": ["IRAC", "2MASS"]}, {"m51", "gc_2mass_k"}),
        ({"POL": "I"}, {"ukidss_k"}),
        ({"POL": ["q", "U"]}, set()),
        ({"COLLECTION": "pics"}, ALL),
        ({"COLLECTION": "other"}, set()),
        ({"ID": "ivo://skydex/pics?m51/0"}, {"m51"}),
        ({"DPTYPE": "image", "CALIB": ""}, ALL),
        ({"DPTYPE": "cube"}, set()),
        ({"FORMAT": "image/fits"}, ALL),
        ({"FORMAT": "image/jpeg"}, set()),
        ({"UNKNOWN": "ignored"}, ALL),
    ],
)
def test_each_parameter_chooses_by_its_column(web, parameters, names):
    assert found(web, **parameters) == names


def test_the_answer_has_the_columns_of_obscore(web):
    table = parse(io.BytesIO(web.get(QUERY).content)).get_first_table()
    utypes = {field.name: field.utype for field in table.fields}
    assert utypes["s_region"] == "obscore:Char.SpatialAxis.Coverage.Support.Area"
    assert utypes["access_url"] == "obscore:Access.reference"
    mandatory = {
        "dataproduct_type", "calib_level", "obs_collection", "obs_id", "obs_publisher_did", "access_url",
        "access_format", "access_estsize", "target_name", "s_ra", "s_dec", "s_fov", "s_region", "s_resolution",
        "s_xel1", "s_xel2", "t_min", "t_max", "t_exptime", "t_resolution", "t_xel", "em_min", "em_max", "em_res_power",
        "em_xel", "o_ucd", "pol_states", "pol_xel", "facility_name", "instrument_name",
    }  # fmt: skip
    assert mandatory <= utypes.keys()


def test_maxrec_cuts_and_marks_and_zero_gives_the_columns(web):
    answer = web.get(QUERY, params={"MAXREC": 2})
    assert len(rows_of(answer)) == 2
    assert b"OVERFLOW" in answer.content
    assert len(rows_of(web.get(QUERY, params={"MAXREC": 0}))) == 0


def test_names_in_any_case_post_and_formats_work(web):
    assert len(rows_of(web.post(QUERY, data={"pos": "CIRCLE 202.48 47.18 0.01"}))) == 1
    assert web.get(QUERY, params={"responseformat": "csv", "maxrec": "1"}).text.startswith("dataproduct_type,")


@pytest.mark.parametrize(
    ("parameters", "part"),
    [
        ({"POS": "CIRCLE 1 2"}, "POS"),
        ({"POS": "SQUARE 1 2 3"}, "SQUARE"),
        ({"POS": "CIRCLE 1 91 1"}, "POS"),
        ({"POS": "CIRCLE x 2 1"}, "x"),
        ({"POS": "POLYGON 0 0 1 1"}, "POS"),
        ({"POS": "RANGE 0 1 5 4"}, "POS"),
        ({"POS": "CIRCLE nan 2 1"}, "nan"),
        ({"BAND": "1 2 3"}, "BAND"),
        ({"BAND": "3 2"}, "BAND"),
        ({"TIME": "2015-01-01"}, "TIME"),
        ({"CALIB": "9"}, "CALIB"),
        ({"CALIB": "1.5"}, "CALIB"),
        ({"DPTYPE": "spectrum"}, "DPTYPE"),
        ({"POL": "%"}, "POL"),
        ({"MAXREC": "-1"}, "MAXREC"),
        ({"RESPONSEFORMAT": "x<y"}, "x<y"),
        ({"TARGET": "a\0b"}, "TARGET"),
        ({"ID": ["x"] * 101}, "ID"),
    ],
)
def test_r07_a_bad_parameter_is_an_error_that_names_it(web, parameters, part):
    assert part in error_of(web.get(QUERY, params=parameters), 400)


NAMES = {
    QUERY: ("POS", "BAND", "TIME", "FOV", "ID", "CALIB", "POL", "DPTYPE", "TARGET", "MAXREC", "RESPONSEFORMAT"),
    "/sia1": ("POS", "SIZE", "INTERSECT", "FORMAT", "MAXREC", "VERB"),
}
SHAPES = st.builds(
    lambda word, numbers: " ".join([word, *map(str, numbers)]).strip(),
    st.sampled_from(["CIRCLE", "RANGE", "POLYGON", ""]),
    st.lists(st.floats() | st.integers(-400, 400) | st.sampled_from([90, -90, 0, 180, 360]), max_size=9),
)


@pytest.mark.parametrize("path", [QUERY, "/sia1"])
def test_r07_any_value_of_any_parameter_gets_a_proper_answer(web, path):
    @settings(max_examples=60)
    @given(st.dictionaries(st.sampled_from(NAMES[path]), SHAPES | st.text(max_size=40), max_size=3))
    def ask(given):
        answer = web.get(path, params=given)
        assert answer.status_code in ((200, 400) if path == QUERY else (200,)), answer.text
        for secret in ("Traceback", "site-packages", "pyarrow"):
            assert secret not in answer.text
        if answer.headers["content-type"].startswith("application/x-votable"):
            etree.fromstring(answer.content)

    ask()


def test_the_service_says_what_it_is(web):
    capabilities = web.get("/sia2/capabilities").text
    assert 'standardID="ivo://ivoa.net/std/SIA#query-2.0"' in capabilities
    assert "/sia2/query</accessURL>" in capabilities
    assert "true" in web.get("/sia2/availability").text
    assert "/sia2" in web.get("/api").text
    assert "/sia2" in web.get("/sia2").text
    assert "sia:SimpleImageAccess" in web.get("/capabilities").text


def test_an_archive_without_images_has_no_image_search(tmp_path):
    archive = serving.build_archive(tmp_path)
    with serving.serving(archive) as bare, httpx.Client(base_url=bare.url) as web:
        assert "ivoa.obscore" in error_of(web.get(QUERY), 404)
        assert "/sia2" not in web.get("/api").text
        assert "std/SIA" not in web.get("/capabilities").text


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"POS": "266.4,-28.9", "SIZE": "0.02"}, {"gc_2mass_k"}),
        ({"POS": "266.4 -28.9", "SIZE": "0"}, {"gc_2mass_k"}),
        ({"POS": "266.4,-28.9"}, {"gc_2mass_k"}),
        ({"POS": "202.4826,47.4", "SIZE": "0.1,0.4"}, {"m51"}),
        ({"POS": "202.4826,47.4", "SIZE": "0.4,0.1"}, set()),
        ({"POS": "0,-90", "SIZE": "0.3"}, {"pole"}),
        ({"POS": "0,0", "SIZE": "360"}, ALL),
        ({"POS": "266.4,-28.9", "SIZE": "0.1", "INTERSECT": "COVERS"}, {"gc_2mass_k"}),
        ({"POS": "266.4,-28.9", "SIZE": "3", "INTERSECT": "COVERS"}, set()),
        ({"POS": "266.4,-28.9", "SIZE": "3", "INTERSECT": "enclosed"}, {"gc_2mass_k"}),
        ({"POS": "266.4,-28.9", "SIZE": "0.1", "INTERSECT": "ENCLOSED"}, set()),
        ({"POS": "266.4,-28.3", "SIZE": "0.5", "INTERSECT": "CENTER"}, set()),
        ({"POS": "266.4,-28.3", "SIZE": "0.5"}, {"gc_2mass_k"}),
        ({"POS": "266.4,-28.9", "SIZE": "0.1", "FORMAT": "image/fits,image/jpeg"}, {"gc_2mass_k"}),
        ({"POS": "266.4,-28.9", "SIZE": "0.1", "FORMAT": "image/gif"}, set()),
    ],
)
def test_the_old_search_finds_by_a_box(web, parameters, names):
    assert found_by_old(web, **parameters) == names


def test_the_box_of_the_old_search_has_the_corners_that_astropy_computes():
    from astropy import units as u

    from skydex.web.sia1 import _box

    for ra, dec, width, height in [(10, 20, 2, 3), (359.9, -60, 5, 5), (100, 89.9, 1, 1), (5, -90, 2, 2)]:
        box = _box(ra, dec, width, height)
        centre = SkyCoord(ra, dec, unit="deg")
        plane = SkyCoord(list(box.ra_deg), list(box.dec_deg), unit="deg").transform_to(centre.skyoffset_frame())
        xi = np.tan(plane.lon.rad)
        eta = np.tan(plane.lat.rad) / np.cos(plane.lon.rad)
        assert np.allclose(np.abs(xi), np.tan((width / 2 * u.deg).to_value(u.rad)), rtol=1e-9)
        assert np.allclose(np.abs(eta), np.tan((height / 2 * u.deg).to_value(u.rad)), rtol=1e-9)


def test_the_old_answer_carries_the_words_of_its_protocol(web, server):
    table = parse(io.BytesIO(web.get("/sia1", params={"POS": "202.48,47.18", "SIZE": "0.1"}).content)).get_first_table()
    by_ucd = {field.ucd: field.name for field in table.fields if field.ucd}
    (row,) = table.to_table()
    assert list(row[by_ucd["VOX:Image_Naxis"]]) == [256, 256]
    assert np.allclose(row[by_ucd["VOX:Image_Scale"]] * 3600, [-1.2233, 1.2233], rtol=1e-4)
    assert (row[by_ucd["POS_EQ_RA_MAIN"]], row[by_ucd["VOX:Image_Format"]]) == (
        pytest.approx(202.4827, 1e-5),
        "image/fits",
    )
    assert row[by_ucd["VOX:Image_AccessReference"]] == f"{server.url}/images/pics/m51/0"


@pytest.mark.parametrize(
    ("wanted", "media_type"),
    [("GRAPHIC", "image/jpeg"), ("image/png", "image/png"), ("image/gif,jpeg", "image/jpeg")],
)
def test_the_old_search_gives_pictures_where_these_are_wanted(web, server, wanted, media_type):
    answer = web.get("/sia1", params={"POS": "202.48,47.18", "SIZE": "0.1", "FORMAT": wanted})
    (row,) = rows_of(answer)
    assert row["format"] == media_type
    assert row["access_url"].startswith(f"{server.url}/images/pics/m51/0/preview.")
    assert web.get(row["access_url"]).headers["content-type"] == media_type


def test_the_old_metadata_query_tells_columns_and_parameters(web):
    answer = web.get("/sia1", params={"FORMAT": "METADATA"})
    names = {e.get("name") for e in etree.fromstring(answer.content).iter("{*}PARAM")}
    assert {"INPUT:POS", "INPUT:SIZE", "INPUT:FORMAT", "INPUT:INTERSECT"} <= names
    assert len(rows_of(answer)) == 0


@pytest.mark.parametrize(
    ("parameters", "part"),
    [
        ({}, "POS"),
        ({"POS": "1"}, "POS"),
        ({"POS": "1,95"}, "POS"),
        ({"POS": "1,x"}, "x"),
        ({"POS": "1,2", "SIZE": "-1"}, "SIZE"),
        ({"POS": "1,2", "SIZE": "1,2,3"}, "SIZE"),
        ({"POS": "1,2", "SIZE": "1", "INTERSECT": "NEAR"}, "INTERSECT"),
    ],
)
def test_r07_an_error_of_the_old_search_names_the_parameter(web, parameters, part):
    assert part in error_of(web.get("/sia1", params=parameters), 200)

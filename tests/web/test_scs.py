"""Cone search as SCS 1.03 has it."""

from __future__ import annotations

import io

import astropy.units as u
import pytest
from astropy.coordinates import SkyCoord
from astropy.io.votable import parse
from lxml import etree
from serving import stars

URL = "/sky/scs/stars"


def search(web, **parameters):
    return web.get(URL, params=parameters)


def table_of(answer):
    return parse(io.BytesIO(answer.content)).get_first_table()


def error_of(answer):
    """The message of a cone search's error, after checking that it is one."""
    assert answer.status_code == 200
    (info,) = [element for element in etree.fromstring(answer.content).iter() if element.get("name") == "Error"]
    assert (etree.QName(info).localname, info.get("ID")) == ("INFO", "Error")
    return info.get("value")


@pytest.mark.parametrize(
    ("ra", "dec", "radius"), [(10, 5, 3), (0, 0, 5), (359.9, -20, 4), (180, 90, 6), (77, -89.5, 5)]
)
def test_a_cone_holds_the_rows_that_astropy_counts(web, ra, dec, radius):
    truth = stars()
    separation = SkyCoord(truth["ra"], truth["dec"]).separation(SkyCoord(ra * u.deg, dec * u.deg))
    expected = set(truth["star_id"][separation.deg <= radius])
    found = table_of(search(web, RA=ra, DEC=dec, SR=radius)).to_table()
    assert {int(identifier) for identifier in found["star_id"]} == expected


@pytest.mark.parametrize("verbosity", [1, 2, 3])
def test_the_answer_carries_the_three_words_exactly_once(web, verbosity):
    ucds = [field.ucd for field in table_of(search(web, RA=10, DEC=5, SR=3, VERB=verbosity)).fields]
    for word in ("ID_MAIN", "POS_EQ_RA_MAIN", "POS_EQ_DEC_MAIN"):
        assert ucds.count(word) == 1


def test_verbosity_one_is_short_and_three_is_whole(web):
    short, middle, whole = (len(table_of(search(web, RA=10, DEC=5, SR=3, VERB=v)).fields) for v in (1, 2, 3))
    assert (short, whole) == (3, 6)
    assert short <= middle <= whole
    assert len(table_of(search(web, RA=10, DEC=5, SR=3, VERB=0)).fields) == short


def test_the_default_is_a_votable_in_text(web):
    answer = search(web, RA=10, DEC=5, SR=3)
    assert answer.headers["content-type"].startswith("application/x-votable+xml")
    assert b"<TABLEDATA>" in answer.content


def test_radius_zero_asks_for_the_columns_alone(web):
    table = table_of(search(web, RA=10, DEC=5, SR=0))
    assert len(table.fields) == 6
    assert len(table.array) == 0


def test_an_empty_sky_is_an_empty_table(web):
    answer = search(web, RA=10.001, DEC=5.001, SR=1e-7)
    assert len(table_of(answer).array) == 0


def test_maxrec_cuts_and_marks(web):
    answer = search(web, RA=10, DEC=5, SR=180, MAXREC=5)
    assert len(table_of(answer).array) == 5
    assert b"OVERFLOW" in answer.content


def test_names_in_any_case_post_and_formats_work(web):
    assert len(table_of(web.get(URL, params={"ra": 10, "Dec": 5, "sr": 3})).array)
    assert len(table_of(web.post(URL, data={"RA": 10, "DEC": 5, "SR": 3})).array)
    assert search(web, RA=10, DEC=5, SR=3, RESPONSEFORMAT="csv").text.startswith("star_id")


@pytest.mark.parametrize(
    ("parameters", "part"),
    [
        ({"RA": "abc", "DEC": "0", "SR": "0.1"}, "RA"),
        ({"DEC": "0", "SR": "0.1"}, "RA"),
        ({"RA": "1", "DEC": "91", "SR": "0.1"}, "DEC"),
        ({"RA": "1", "DEC": "0"}, "SR"),
        ({"RA": "1", "DEC": "0", "SR": "-1"}, "SR"),
        ({"RA": "1", "DEC": "0", "SR": "nan"}, "SR"),
        ({"RA": "361", "DEC": "0", "SR": "1"}, "RA"),
        ({"RA": "1", "DEC": "0", "SR": "1", "VERB": "4"}, "VERB"),
        ({"RA": "1", "DEC": "0", "SR": "1", "VERB": "x"}, "VERB"),
        ({"RA": "1", "DEC": "0", "SR": "1", "MAXREC": "-5"}, "MAXREC"),
        ({"RA": "1", "DEC": "0", "SR": "1", "RESPONSEFORMAT": "x<y"}, "x<y"),
        ({}, "RA"),
    ],
)
def test_r07_a_bad_parameter_is_an_error_that_names_it(web, parameters, part):
    assert part in error_of(web.get(URL, params=parameters))


def test_a_table_without_positions_or_without_existence_is_an_error(web):
    here = {"RA": 1, "DEC": 0, "SR": 1}
    assert "position" in error_of(web.get("/sky/scs/detections", params=here))
    assert "nowhere" in error_of(web.get("/sky/scs/nowhere", params=here))

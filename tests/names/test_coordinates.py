"""Positions that are written out, held against astropy."""

from __future__ import annotations

import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from skydex.names import resolve
from skydex.names.coordinates import read_position, split_radius

IC1613 = SkyCoord(16.2016667, 2.1194444, unit="deg")
WRITTEN = (
    "16.2016667 +2.1194444",
    "16.2016667 2.1194444",
    "16.2016667,2.1194444",
    "16.2016667, +2.1194444",
    "16.2016667+2.1194444",
    "16.2016667d 2.1194444d",
    "16.2016667° +2.1194444°",
    "01 04 48.4 +02 07 10",
    "01 04 48.4 02 07 10",
    "01:04:48.4 +02:07:10",
    "01:04:48.4+02:07:10",
    "01:04:48.4, 02:07:10",
    "1h4m48.4s +2d7m10s",
    "1h4m48.4s 2d7m10s",
    "1h04m48.4s +02°07′10″",
    "J010448.40+020710.0",
    "01 04.80667 +02 07.16667",
    "G129.74250-60.57540",
    "129.74250 -60.57540 galactic",
    "gal 129.74250 -60.57540",
    "l=129.74250 b=-60.57540",
    "l=129.74250, b=-60.57540",
    "ra=16.2016667 dec=2.1194444",
    "RA: 01:04:48.4 Dec: +02:07:10",
    "01 04 48.4 +02 07 10 J2000",
    "ICRS 01 04 48.4 +02 07 10",
    "01 04 48.4 +02 07 10 (J2000)",
)


NO_POSITIONS = (
    *("NGC 1333", "G29-38", "3C 273", "M 31", "2M 31", "47 Tuc", "1 2 3", "1,2,3", "+", "1", "", " ", "nan 3", "1e5 3"),
    *("400 20", "12 95", "-5 10", "25:00:00 +10:00:00", "10:61:00 +10:00:00", "1:1:1:1 2", "d d", "inf inf", "1.2.3 4"),
    *("1 2 " * 100, "٣ ٤", "1_0 2"),
)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_position_is_read_in_every_usual_form(text):
    position = read_position(text)
    assert position is not None
    there = SkyCoord(position.ra_deg, position.dec_deg, unit="deg")
    assert there.separation(IC1613).arcsec < 0.1


@pytest.mark.parametrize(
    ("text", "frame", "unit"),
    [
        ("01 02 13.0 +01 51 05 B1950", "fk4", ("hourangle", "deg")),
        ("B1950 15.554 1.851", "fk4", ("deg", "deg")),
        ("G0.17-0.05", "galactic", ("deg", "deg")),
        ("12.5 -3.25 ecliptic", "barycentricmeanecliptic", ("deg", "deg")),
    ],
)
def test_frames_are_those_of_astropy(text, frame, unit):
    words = text.replace("B1950", "").replace("ecliptic", "").replace("G0.17-0.05", "0.17 -0.05").strip()
    expected = SkyCoord(words, frame=frame, unit=unit).icrs
    position = read_position(text)
    assert expected.separation(SkyCoord(position.ra_deg, position.dec_deg, unit="deg")).arcsec < 1e-6


@pytest.mark.parametrize("text", NO_POSITIONS)
def test_what_is_no_position_on_the_sky_is_none(text):
    assert read_position(text) is None


@pytest.mark.parametrize(
    ("text", "place"), [("0 -90", (0, -90)), ("360 90", (0, 90)), ("00:00:00 -00:30:00", (0, -0.5))]
)
def test_edges_of_the_sky_are_on_it(text, place):
    assert resolve(text) == pytest.approx(place)


@pytest.mark.parametrize(
    ("text", "radius"),
    [("0.2", 0.2), ("0.2d", 0.2), ("0.2 deg", 0.2), ("6arcmin", 0.1), ("6'", 0.1), ('36"', 0.01), ("36s", 0.01)],
)
def test_a_radius_has_any_usual_unit(text, radius):
    assert split_radius(f"M 101 r={text}") == ("M 101", pytest.approx(radius))
    assert split_radius(f"M 101, radius = {text}") == ("M 101", pytest.approx(radius))


def test_what_is_no_radius_stays_part_of_the_name():
    assert split_radius("M 101 r=x") == ("M 101 r=x", None)
    assert split_radius("Or=2") == ("Or=2", None)


@given(st.text(alphabet="0123456789.+-: ,;hmsdgGlbrJ=°'\"", max_size=40))
def test_any_text_is_read_or_not_but_never_fails(text):
    position = read_position(text)
    assert position is None or (0 <= position.ra_deg < 360 and -90 <= position.dec_deg <= 90)


@given(st.floats(0, 359.999), st.floats(-89.999, 89.999))
def test_what_astropy_writes_is_read_back(ra, dec):
    there = SkyCoord(ra, dec, unit="deg")
    for text in (there.to_string("hmsdms", precision=6), there.to_string("decimal", precision=9)):
        position = read_position(text)
        assert there.separation(SkyCoord(position.ra_deg, position.dec_deg, unit="deg")).arcsec < 1e-3

"""Regions as text become regions of the sky, ICRS."""

from __future__ import annotations

import pytest
from astropy.coordinates import SkyCoord

from skydex.query import parse_regions
from skydex.sky import Cone, Polygon


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CIRCLE ICRS 10 20 0.5", Cone(10.0, 20.0, 0.5)),
        ("POSITION 10 20", Cone(10.0, 20.0, 0.0)),
        ("POLYGON 10 20 11 20 10 21", Polygon((10.0, 11.0, 10.0), (20.0, 20.0, 21.0))),
        ("BOX 10 20 2 1", Polygon.from_box(10.0, 20.0, 2.0, 1.0)),
    ],
)
def test_a_text_in_icrs_is_the_region_of_its_numbers(text, expected):
    (outline,) = parse_regions(text)
    assert outline.region() == expected


def test_a_region_in_another_frame_is_turned():
    (circle, polygon) = parse_regions("UNION GALACTIC (CIRCLE 120 30 0.5 POLYGON 120 30 121 30 120 31)")
    centre = SkyCoord(120, 30, unit="deg", frame="galactic").icrs
    assert (circle.region().ra_deg, circle.region().dec_deg) == pytest.approx((centre.ra.deg, centre.dec.deg))
    assert circle.region().radius_deg == 0.5
    corners = SkyCoord([120, 121, 120], [30, 30, 31], unit="deg", frame="galactic").icrs
    assert polygon.region().ra_deg == pytest.approx(corners.ra.deg)
    assert polygon.region().dec_deg == pytest.approx(corners.dec.deg)

"""Regions and intervals in parameters."""

from __future__ import annotations

import math

import pytest

from skydex.archive import Interval
from skydex.errors import BadParameterError
from skydex.sky import Cone, Polygon, Range
from skydex.web.dali_values import parse_circle, parse_interval, parse_polygon, parse_pos


def test_a_circle_is_longitude_latitude_and_radius():
    assert parse_circle("CIRCLE", "12.0 34.0 0.5") == Cone(12, 34, 0.5)


def test_a_polygon_is_pairs():
    assert parse_polygon("POLYGON", " 12 34 14 34\t14 36 12 36 ") == Polygon((12, 14, 14, 12), (34, 34, 36, 36))


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("CIRCLE 12 34 0.5", Cone(12, 34, 0.5)),
        ("circle 12 34 5e-1", Cone(12, 34, 0.5)),
        ("RANGE 12 14 34 36", Range(12, 14, 34, 36)),
        ("RANGE 0 360 89 +Inf", Range(0, 360, 89, 90)),
        ("POLYGON 12 34 14 34 14 36", Polygon((12, 14, 14), (34, 34, 36))),
    ],
)
def test_a_position_is_a_word_and_numbers(text, region):
    assert parse_pos("POS", text) == region


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("500e-9 550e-9", Interval(500e-9, 550e-9)),
        ("-Inf 300", Interval(-math.inf, 300)),
        ("750 +Inf", Interval(750, math.inf)),
        ("550", Interval(550, 550)),
    ],
)
def test_an_interval_may_be_open_or_one_number(text, interval):
    assert parse_interval("BAND", text) == interval


@pytest.mark.parametrize(
    ("parse", "text", "says"),
    [
        (parse_circle, "12 34", "2 numbers"),
        (parse_circle, "12 34 x", 'not "x"'),
        (parse_circle, "12 134 1", "swapped"),
        (parse_circle, "12 34 Inf", "infinite"),
        (parse_circle, "12 34 nan", "nan"),
        (parse_polygon, "12 34 14 34", "three pairs"),
        (parse_polygon, "1 1 1 1 1 1", "three distinct"),
        (parse_polygon, "1 " * 5000, "more than"),
        (parse_pos, "BOX 1 2 3 4", "CIRCLE"),
        (parse_pos, "RANGE 1 2 36 34", "backwards"),
        (parse_pos, "", "CIRCLE"),
        (parse_interval, "5 4", "backwards"),
        (parse_interval, "1 2 3", "interval"),
        (parse_interval, "", "numbers"),
    ],
)
def test_what_cannot_be_is_refused_by_name(parse, text, says):
    with pytest.raises(BadParameterError, match="Parameter P: ") as caught:
        parse("P", text)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 300

import numpy as np
import pytest

from skydex.errors import BadRegionError
from skydex.sky import Range


def test_a_range_holds_what_lies_between_its_limits_and_the_limits(sky):
    ra, dec = sky
    expected = (ra >= 30) & (ra <= 200) & (dec >= -20) & (dec <= 45)
    np.testing.assert_array_equal(Range(30, 200, -20, 45).contains(ra, dec), expected)
    assert Range(30, 200, -20, 45).contains([30, 200, 100], [-20, 45, 45]).all()


def test_a_range_through_ra_zero_holds_both_sides(sky):
    ra, dec = sky
    expected = ((ra >= 350) | (ra <= 10)) & (np.abs(dec) <= 30)
    for low, high in [(350, 10), (-10, 10), (350, 370)]:
        np.testing.assert_array_equal(Range(low, high, -30, 30).contains(ra, dec), expected)
    assert Range(350, 10, -1, 1).contains([-5.0, 365.0, 0.0, 360.0], 0.0).all()


@pytest.mark.parametrize("limits", [(0, 360), (-180, 180), (10, 370), (-np.inf, np.inf), (0, np.inf)])
def test_a_range_all_the_way_round_holds_every_right_ascension(limits, sky):
    ra, dec = sky
    assert Range(*limits, -90, 90).contains(ra, dec).all()


def test_open_ends_reach_the_pole(sky):
    ra, dec = sky
    np.testing.assert_array_equal(Range(0, 360, 89, np.inf).contains(ra, dec), dec >= 89)
    np.testing.assert_array_equal(Range(0, 360, -np.inf, -89).contains(ra, dec), dec <= -89)


def test_what_is_no_position_is_in_no_range():
    assert not Range(0, 360, -90, 90).contains([np.nan, 1, np.inf, 1], [1, np.nan, 1, 91]).any()


@pytest.mark.parametrize(
    "limits", [(0, 1, 3, 2), (0, 1, -91, 0), (np.nan, 1, 0, 1), (np.inf, 1, 0, 1), (0, 1, np.inf, np.inf)]
)
def test_impossible_ranges_are_refused(limits):
    with pytest.raises(BadRegionError):
        Range(*limits)

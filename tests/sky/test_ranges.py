import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skydex.sky import intersect_ranges, merge_ranges, ranges_overlap
from skydex.sky.ranges import close_gaps

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda span: (span[0], span[0] + span[1])))


def members(ranges):
    return {pixel for first, beyond in np.asarray(ranges, dtype=int).reshape(-1, 2) for pixel in range(first, beyond)}


@given(SPANS)
def test_merging_keeps_the_pixels_and_leaves_gaps_between(spans):
    merged = merge_ranges(spans)
    assert members(merged) == members(spans)
    assert (merged[:, 0] < merged[:, 1]).all()
    assert (merged[1:, 0] > merged[:-1, 1]).all()


@given(SPANS, SPANS)
def test_the_intersection_holds_what_is_in_both(a, b):
    both = intersect_ranges(merge_ranges(a), merge_ranges(b))
    assert members(both) == members(a) & members(b)
    np.testing.assert_array_equal(merge_ranges(both), both)


@given(SPANS, SPANS)
def test_intervals_overlap_where_they_share_a_pixel(spans, intervals):
    lo, hi = np.asarray(intervals, dtype=np.int64).reshape(-1, 2).T
    expected = [bool(members(spans) & set(range(first, last + 1))) for first, last in intervals]
    assert ranges_overlap(merge_ranges(spans), lo, hi).tolist() == expected


@given(SPANS, st.integers(1, 6))
def test_closing_gaps_keeps_every_pixel_and_adds_as_few_as_possible(spans, most):
    merged = merge_ranges(spans)
    closed = close_gaps(merged, most)
    assert len(closed) == min(len(merged), most)
    assert members(closed) >= members(merged)
    widths = np.sort(merged[1:, 0] - merged[:-1, 1])
    assert len(members(closed)) - len(members(merged)) == widths[: max(len(merged) - most, 0)].sum()


@pytest.mark.parametrize("empty", [[], np.empty((0, 2), dtype=np.int64), [[5, 5]]])
def test_nothing_overlaps_nothing(empty):
    none = merge_ranges(empty)
    assert none.shape == (0, 2)
    assert ranges_overlap(none, [0, 5], [9, 5]).tolist() == [False, False]
    assert intersect_ranges(none, merge_ranges([[0, 9]])).shape == (0, 2)
    assert intersect_ranges(merge_ranges([[0, 9]]), none).shape == (0, 2)
    assert close_gaps(none, 4).shape == (0, 2)

"""Which row groups a region needs: compared with looking at each of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skydex.sky import merge_ranges
from skydex.store.rowgroups import RowGroups, concat_row_groups, row_groups_from_bytes, row_groups_to_bytes

SPAN = st.tuples(st.integers(0, 60), st.integers(-3, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def groups_of(bounds):
    least, greatest = np.array(bounds, np.int64).reshape(-1, 2).T
    numbers = np.arange(len(bounds), dtype=np.int32)
    return RowGroups(numbers // 3, numbers % 3, np.ones(len(bounds), np.int64), least.copy(), greatest.copy())


@given(bounds=st.lists(SPAN), ranges=st.lists(SPAN), is_sorted=st.booleans())
def test_exactly_the_groups_that_meet_a_range_are_found(bounds, ranges, is_sorted):
    bounds = sorted(bounds) if is_sorted else bounds
    found = groups_of(bounds).touching(np.array(ranges, np.int64).reshape(-1, 2))
    assert found.tolist() == [
        number
        for number, (least, greatest) in enumerate(bounds)
        if any(set(range(least, greatest + 1)) & set(range(start, stop)) for start, stop in ranges)
    ]


def test_groups_without_a_position_are_never_found():
    groups = groups_of([(0, -1), (0, 5), (0, -1)])
    assert groups.touching(np.array([[0, 12 << 58]])).tolist() == [1]


@given(bounds=st.lists(SPAN), ranges=st.lists(SPAN))
def test_rows_are_estimated_as_if_spread_evenly(bounds, ranges):
    groups = groups_of(bounds)
    full = replace(groups, n_rows=np.maximum(groups.index_max - groups.index_min + 1, 0))  # a row in each pixel
    wanted = merge_ranges(np.array(ranges, np.int64).reshape(-1, 2))
    pixels = {pixel for start, stop in wanted.tolist() for pixel in range(start, stop)}
    assert full.n_rows_in(wanted) == sum(len(pixels & set(range(least, greatest + 1))) for least, greatest in bounds)


def test_row_groups_survive_their_file():
    groups = groups_of([(0, 4), (5, 9), (0, -1)])
    back = row_groups_from_bytes(row_groups_to_bytes(groups))
    for name in ("partition", "group", "n_rows", "index_min", "index_max"):
        assert getattr(back, name).tolist() == getattr(groups, name).tolist()
        assert getattr(back, name).dtype == getattr(groups, name).dtype


@pytest.mark.parametrize("n", [0, 1, 3])
def test_joining_row_groups_keeps_their_order(n):
    joined = concat_row_groups([groups_of([(i, i)]) for i in range(n)])
    assert joined.index_min.tolist() == list(range(n))

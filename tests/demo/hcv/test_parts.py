"""What the collection is put together from, at numbers that no test could build in full."""

import numpy as np
import pytest

from skydex.demo import SIZES
from skydex.demo.hcv.drawn import drawn
from skydex.demo.hcv.experts import Quota, with_verdicts
from skydex.demo.hcv.part import Part, joined
from skydex.demo.hcv.printed import printed_classes
from skydex.demo.hcv.searched import trimmed
from skydex.demo.size import Size


@pytest.fixture(scope="module")
def quota():
    return Quota.of(SIZES["seed"]).without(*printed_classes())


def test_quota_is_what_the_document_counts():
    quota = Quota.of(SIZES["seed"])
    assert quota.n_rows == 31_258
    assert [sum(row) for row in quota.counts] == [8139, 5394]


def test_drawn_objects_fill_a_quota_to_the_last_row(quota):
    part = joined(drawn(quota, 1))
    left = quota.without(part.match["AutoClass"], part.match["ExpertClass"], part.n_rows())
    assert left == Quota(((0, 0, 0), (0, 0, 0)), 0)
    assert part.match["MatchID"].min() > 2.1e14
    detected = np.bincount(np.searchsorted(part.match["MatchID"], part.filter["MatchID"]), part.filter["FilterDetFlag"])
    np.testing.assert_array_equal(np.minimum(detected, 2), part.match["AutoClass"])
    flawless = part.filter["VarQualFlag"] == "AAAAA"
    assert part.filter["MAD"][flawless].max() < 0.8581
    assert part.filter["NumLC"].min() >= 5


def test_drawn_objects_are_the_same_each_time(quota):
    some = Quota(((9, 8, 7), (6, 5, 4)), 100)
    first, second = (joined(drawn(some, 3)) for _ in range(2))
    for mine, other in ((first.filter, second.filter), (first.detailed, second.detailed)):
        assert all((mine[name] == other[name]).all() for name in mine)
    assert (joined(drawn(some, 4)).filter["MAD"] != first.filter["MAD"]).all()


def sky(n_pairs, n_singles, n_variable, first=0):
    """Objects with two light curves, then such with one."""
    n = n_pairs + n_singles
    ids = first + np.arange(n)
    n_filters = np.where(np.arange(n) < n_pairs, 2, 1)
    owner = np.repeat(np.arange(n), n_filters)
    bands = np.where(np.diff(owner, prepend=-1) > 0, "ACS_F475W", "ACS_F814W")
    auto = (np.arange(n) < n_variable).astype(np.int64)
    table = {"MatchID": ids[owner], "Filter": bands, "MAD": 0.1 + 0.01 * owner, "Threshold": np.full(len(owner), 0.1)}
    match = {"MatchID": ids, "AutoClass": auto, "NumFilters": n_filters, "GroupID": np.ones(n, dtype=np.int64)}
    match["ExpertClass"] = np.zeros(n, dtype=np.int64)
    return Part(match, {**table, "FilterDetFlag": auto[owner]}, {**table, "MJD": np.arange(len(owner))})


@pytest.mark.parametrize("n_singles", [100, 40])
def test_an_excess_is_cut_to_the_number_of_rows_and_pairs(n_singles):
    printed = sky(3, 1, 4, first=9000)
    part = trimmed(sky(300, n_singles, 20), printed, SIZES["tiny"])
    rows = part.n_rows()
    assert (rows == 2).sum() + 3 == SIZES["tiny"].count(17_090)
    assert rows.sum() + 7 == SIZES["tiny"].count(40_196)
    np.testing.assert_array_equal(rows, part.match["NumFilters"])


def test_candidates_are_as_many_as_the_document_counts():
    found = sky(20_000, 6_200, 400)
    is_candidate = found.match["AutoClass"].copy()
    is_candidate[20_000:20_050] = 1  # with one light curve
    printed = sky(31, 2, 33, first=900_000)
    part = trimmed(found.with_match(AutoClass=is_candidate), printed, SIZES["seed"])
    rows, candidates = part.n_rows(), part.n_rows()[part.match["AutoClass"] > 0]
    assert ((rows == 2).sum() + 31, rows.sum() + 64) == (17_090, 40_196)
    assert ((candidates == 2).sum() + 31, candidates.sum() + 64) == (258, 522)


def test_an_archive_smaller_than_what_was_printed_has_that_alone():
    assert len(trimmed(sky(30, 10, 4), sky(3, 1, 4, first=9000), Size("1", 1e-6))) == 0
    assert not list(drawn(Quota.of(Size("1", 1e-6)).without(*printed_classes()), 1))


def test_an_archive_larger_than_the_field_has_all_of_it():
    assert len(trimmed(sky(30, 10, 4), sky(3, 1, 4, first=9000), Size("x", 3.0))) == 40


def test_experts_are_surer_of_what_varies_more():
    part = with_verdicts(sky(0, 900, 900), Quota(((300, 300, 300), (0, 0, 0)), 900), 1)
    verdicts, mad = part.match["ExpertClass"], part.filter["MAD"]
    assert [int((verdicts == one).sum()) for one in (1, 2, 4)] == [300, 300, 300]
    assert mad[verdicts == 1].mean() > mad[verdicts == 2].mean() > mad[verdicts == 4].mean()


def test_experts_look_at_no_more_than_the_quota():
    part = with_verdicts(sky(0, 50, 50), Quota(((5, 3, 2), (1, 0, 0)), 20), 1)
    assert [int((part.match["ExpertClass"] == one).sum()) for one in (0, 1, 2, 4)] == [40, 5, 3, 2]

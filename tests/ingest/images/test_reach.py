"""How far outlines reach from the positions of their rows."""

import pytest

from skydex.ingest.images.reach import Reach


def reach_of(*outlines):
    reach = Reach()
    for outline, ra, dec in outlines:
        reach.see(outline, ra, dec)
    return reach.deg


def test_the_farthest_corner_or_rim_counts():
    assert reach_of(("POLYGON ICRS 9 0 11 0 11 2 9 2", 10.0, 0.0)) == pytest.approx(2.236, abs=1e-3)
    assert reach_of(("POLYGON 9 0 11 0 11 1 9 1", 10.0, 0.0), ("CIRCLE ICRS 10 0 3", 11.0, 0.0)) == pytest.approx(4.0)
    assert reach_of(("POLYGON ICRS 359 0 1 0 0 1", 0.0, 0.0)) == pytest.approx(1.0)


def test_what_has_no_outline_reaches_nowhere():
    assert reach_of((None, None, None), (None, 10.0, 0.0)) == 0.0


@pytest.mark.parametrize(
    "odd",
    [("UNION ICRS (CIRCLE 1 1 1 CIRCLE 2 2 1)", 1.0, 1.0), ("CIRCLE 1 1 1", None, None), ("POLYGON a b", 1.0, 1.0)],
)
def test_an_outline_that_is_not_understood_makes_the_reach_unknown(odd):
    assert reach_of(odd, ("CIRCLE 1 1 1", 1.0, 1.0)) is None

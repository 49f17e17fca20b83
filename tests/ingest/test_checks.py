from __future__ import annotations

import numpy as np
import pyarrow as pa

from skydex.ingest.checks import Counts, ValueChecks, check_positions
from skydex.tables import Column, Datatype, Table


def test_each_thing_that_a_position_cannot_be_is_counted() -> None:
    counts = Counts()
    ra = np.array([10.0, np.nan, 10.0, -999.0, 370.0, np.inf, 359.9])
    dec = np.array([10.0, 10.0, 91.0, 0.0, 0.0, 0.0, -90.0])
    check = check_positions(ra, dec, counts, first_row=100)
    np.testing.assert_array_equal(check.is_bad, [False, True, True, True, True, True, False])
    found = {count.check: (count.n_rows, count.examples) for count in counts.all()}
    assert found["position missing"] == (1, (101,))
    assert found["declination outside -90..90"] == (1, (102,))
    assert found["right ascension outside -180..360"] == (3, (103, 104, 105))


def test_right_ascensions_below_zero_and_exactly_360_are_the_same_sky() -> None:
    ra = np.array([-180.0, -1.0, -1e-20, 0.0, 360.0])
    check = check_positions(ra, np.zeros(5), Counts(), first_row=0)
    np.testing.assert_array_equal(check.ra_deg, [180.0, 359.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(check.was_wrapped, [True, True, True, False, True])


def test_examples_are_the_first_five_of_all_batches() -> None:
    counts = Counts()
    for start in (0, 10, 20):
        counts.add("odd", np.array([True, False, True]), start)
    assert counts.all()[0].examples == (0, 2, 10, 12, 20)
    assert counts.all()[0].n_rows == 6
    assert str(counts.all()[0]) == "odd: 6 rows (row 0, 2, 10, 12, 20, ...)"


def test_negative_errors_and_infinities_are_counted_but_nothing_is_changed() -> None:
    table = Table(
        "a.b", (Column("mag_err", Datatype.DOUBLE), Column("ratio", Datatype.FLOAT), Column("ra", Datatype.INT))
    )
    rows = pa.table({"mag_err": [0.1, -1.0, None], "ratio": pa.array([np.inf, 1, 2], pa.float32()), "ra": [1, 2, 3]})
    checks = ValueChecks(table, Counts())
    checks.see(rows, first_row=7)
    assert {count.check: count.examples for count in checks.counts.all()} == {
        "mag_err is an error but negative": (8,),
        "ratio is infinite": (7,),
    }

"""Truth is read in pieces, and missed with words."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skydex.demo.cameras.truth import rows_between
from skydex.errors import StoreError


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "truth.parquet"
    pq.write_table(pa.table({"a": np.arange(1000), "b": np.arange(1000) * 0.5}), path, row_group_size=128)
    return path


@pytest.mark.parametrize(
    ("first", "end"),
    [(0, 1000), (0, 128), (127, 129), (128, 256), (300, 301), (990, 1000), (5, 5), (128, 128), (1000, 1000)],
)
def test_rows_are_those_between_wherever_row_groups_end(table, first, end):
    rows = rows_between(table, ("a", "b"), first, end)
    assert rows["a"].tolist() == list(range(first, end))
    assert rows["b"].tolist() == [0.5 * n for n in range(first, end)]


def test_a_table_that_was_written_anew_is_read_anew(table):
    assert rows_between(table, ("a",), 3, 4)["a"].tolist() == [3]
    pq.write_table(pa.table({"a": np.arange(1000) + 7}), table)
    assert rows_between(table, ("a",), 3, 4)["a"].tolist() == [10]


@pytest.mark.parametrize("damage", ["missing", "cut off", "garbled"])
def test_truth_that_is_lost_is_an_error_of_the_store(table, damage):
    if damage == "missing":
        table.unlink()
    elif damage == "cut off":
        table.write_bytes(table.read_bytes()[:500])
    else:
        table.write_bytes(b"PAR1" + bytes(table.stat().st_size))
    with pytest.raises(StoreError, match="lost its truth"):
        rows_between(table, ("a",), 0, 10)

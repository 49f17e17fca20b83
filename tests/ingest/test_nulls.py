from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from skydex.ingest.nulls import SentinelTally, Suspicion, without_sentinels


def tallied(values: pa.Array, pieces: int = 1) -> list[Suspicion]:
    tally = SentinelTally("x")
    size = -(-len(values) // pieces)
    for start in range(0, len(values), size):
        part = pa.chunked_array([values.slice(start, size)])
        tally.see(part, tuple(pc.min_max(part).as_py().values()))
    return tally.suspicions()


def test_a_sentinel_is_found_in_single_precision() -> None:
    values = pa.array([-99.99, 20.5], pa.float32())
    assert without_sentinels(values, [-99.99]).to_pylist() == [None, 20.5]


def test_sentinels_of_the_wrong_kind_are_passed_over() -> None:
    assert without_sentinels(
        pa.array([1, 300], pa.uint8() if False else pa.int16()), [99999, 1.5, "1"]
    ).to_pylist() == [1, 300]
    assert without_sentinels(pa.array(["-1", " - ", "a"]), [-1, "-"]).to_pylist() == ["-1", None, "a"]
    assert without_sentinels(pa.array([True, False]), [1, 0]).to_pylist() == [True, False]


@pytest.mark.parametrize("sentinel", [-999.0, 99.99, -9.9, 9999.0, -1.0])
@pytest.mark.parametrize("pieces", [1, 3])
def test_a_repeated_outlier_among_magnitudes_is_suspected(sentinel: float, pieces: int) -> None:
    values = np.random.default_rng(3).normal(18, 1, 1000).clip(14, 22)
    values[::50] = sentinel
    found = tallied(pa.array(values), pieces)
    assert [(item.value, item.n_rows) for item in found] == [(pytest.approx(sentinel), 20)]
    assert f"null: [{sentinel:g}]" in str(found[0])


def test_two_sentinels_of_one_column_are_both_suspected() -> None:
    values = [-999.0, -99.99, 15.0, 16.0, -999.0, -99.99]
    assert {item.value for item in tallied(pa.array(values))} == {-999.0, -99.99}


def test_ordinary_values_are_not_suspected() -> None:
    assert tallied(pa.array(np.linspace(-2000, 2000, 4001))) == []
    assert tallied(pa.array([1, 2, 3, 99, 99, 120])) == []
    assert tallied(pa.array([-1, 0, 1, -1, 0])) == []
    assert tallied(pa.array([20.0, 21.0, 99.99])) == []
    assert tallied(pa.array([None, None], pa.float64())) == []

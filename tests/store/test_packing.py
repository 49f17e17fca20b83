"""Packing: the trial on a sample tells rounded columns from measured ones, and the files are the smaller for it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skydex.store.packing import parquet_options, repetitive_columns


@pytest.fixture(scope="module")
def sample() -> pa.Table:
    rng = np.random.default_rng(5)
    n = 10_000
    return pa.table(
        {
            "measured": rng.random(n),
            "magnitude": np.round(rng.normal(20, 2, n), 3),
            "error": np.round(rng.exponential(0.05, n), 3),
            "number": np.arange(n) * 97 + 10**15,
            "name": [f"source {i}" for i in range(n)],
            "flag": rng.random(n) < 0.5,
            "spectrum": pa.array([[1.0, 2.0]] * n),
        }
    )


def test_rounded_columns_get_a_dictionary_and_measured_ones_do_not(sample):
    assert repetitive_columns(sample) == {"magnitude", "error"}


def test_the_trial_makes_files_smaller(sample, tmp_path):
    sizes = []
    for name, repetitive in (("without", ()), ("with", repetitive_columns(sample))):
        pq.write_table(sample, tmp_path / name, **parquet_options(sample.schema, level=3, repetitive=repetitive))
        sizes.append((tmp_path / name).stat().st_size)
        assert pq.read_table(tmp_path / name).equals(sample)
    assert sizes[1] < 0.8 * sizes[0]


def test_a_handful_of_rows_says_nothing(sample):
    assert repetitive_columns(sample.slice(0, 10)) == frozenset()

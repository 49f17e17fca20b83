"""Values as text, compared with Python's own spelling of them."""

from __future__ import annotations

import datetime as dt
import math
import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skydex.formats.encoding import text_of
from skydex.tables import Column, Datatype, arrow_type

RA = Column("ra", Datatype.DOUBLE)
WHEN = Column("t", Datatype.CHAR, arraysize="26*", xtype="timestamp")
FLUXES = Column("fluxes", Datatype.DOUBLE, arraysize="*")


@given(st.lists(st.floats() | st.none()))
def test_doubles_read_back_to_the_same_bits(values):
    texts = text_of(pa.array(values, pa.float64()), RA).to_pylist()
    for value, text in zip(values, texts, strict=True):
        assert (text is None) == (value is None)
        if value is not None:
            assert float(text) == value or (math.isnan(value) and math.isnan(float(text)))


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_single_precision_is_spelt_short(values):
    texts = text_of(pa.array(values, pa.float32()), Column("f", Datatype.FLOAT)).to_pylist()
    assert pa.array([float(text) for text in texts], pa.float32()).to_pylist() == values
    assert all(len(digits_of(text)) <= 9 for text in texts)


def digits_of(text: str) -> str:
    """Significant digits."""
    return re.sub(r"e.*|[-.]", "", text).strip("0")


def test_not_finite_numbers_are_spelt_as_votable_spells_them():
    texts = text_of(pa.array([math.nan, math.inf, -math.inf, None, 1.5]), RA)
    assert texts.to_pylist() == ["NaN", "Inf", "-Inf", None, "1.5"]


@given(st.lists(st.datetimes(min_value=dt.datetime(1, 1, 1), max_value=dt.datetime(9999, 12, 31)) | st.none()))
def test_timestamps_are_iso_8601(values):
    texts = text_of(pa.array(values, pa.timestamp("us")), WHEN).to_pylist()
    assert [None if text is None else dt.datetime.fromisoformat(text) for text in texts] == values


def test_a_timestamp_has_a_fraction_only_where_it_needs_one():
    values = [dt.datetime(2015, 1, 1), dt.datetime(2015, 1, 1, 0, 0, 0, 500_000), None]
    texts = text_of(pa.array(values, pa.timestamp("us")), WHEN).to_pylist()
    assert texts == ["2015-01-01T00:00:00", "2015-01-01T00:00:00.5", None]
    assert text_of(pa.array(values[:1], pa.timestamp("us")), WHEN).to_pylist() == ["2015-01-01T00:00:00"]


def test_array_values_are_joined_by_blanks():
    array = pa.array([[1.0, None, 2.5], None, [], [math.inf]], arrow_type(FLUXES))
    assert text_of(array, FLUXES).to_pylist() == ["1 NaN 2.5", None, "", "Inf"]


def test_slices_are_respected():
    array = pa.array([[1, 2], None, [3], [4, 5, 6]], pa.list_(pa.int32()))
    assert text_of(array.slice(1, 3), Column("i", Datatype.INT, arraysize="*")).to_pylist() == [None, "3", "4 5 6"]


def test_null_rows_that_hide_elements_do_not_shift_the_others():
    hidden = pa.ListArray.from_arrays(pa.array([0, 2, 4]), pa.array([1, 2, 3, 4]), mask=pa.array([True, False]))
    assert text_of(hidden, Column("i", Datatype.LONG, arraysize="*")).to_pylist() == [None, "3 4"]


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        ([True, False, None], pa.bool_(), ["true", "false", None]),
        ([0, 255, None], pa.uint8(), ["0", "255", None]),
        ([-(2**63), 2**63 - 1], pa.int64(), ["-9223372036854775808", "9223372036854775807"]),
        (["a<b", "", None], pa.string(), ["a<b", "", None]),
        ([], pa.float64(), []),
        ([], pa.list_(pa.int16()), []),
    ],
)
def test_other_scalars_are_spelt_plainly(values, kind, texts):
    assert text_of(pa.array(values, kind), RA).to_pylist() == texts


def test_booleans_may_be_spelt_otherwise():
    assert text_of(pa.array([True, False]), RA, booleans=("T", "F")).to_pylist() == ["T", "F"]

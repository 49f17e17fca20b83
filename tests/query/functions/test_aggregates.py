"""Aggregates beyond SQL's own: with nulls, groups, and nothing at all."""

from __future__ import annotations

import numpy as np
import pytest

from skydex.errors import BadQueryError


@pytest.fixture
def ask(answers):
    def ask(text: str) -> list[tuple]:
        (table,) = answers(text)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    return ask


def test_texts_are_joined_in_their_order_without_a_trace_of_null(ask):
    (row,) = ask("SELECT ivo_string_agg(word, ' <//> ') FROM sky.stars")
    assert row == ("Aleph <//> Miller and Urey have <//> aleph <//> red#Green#blue",)


def test_each_group_has_its_own_list(ask):
    rows = ask("SELECT LOWER(word) AS w, ivo_string_agg(word, ',') FROM sky.stars GROUP BY LOWER(word) ORDER BY w")
    assert rows[0] == ("aleph", "Aleph,aleph")
    assert rows[-1] == (None, None)


def test_a_list_of_expressions_can_be_ordered_by_and_filtered(ask):
    rows = ask(
        "SELECT ivo_string_agg(LOWER(word) || '!', '') AS l FROM sky.stars GROUP BY n "
        "HAVING ivo_string_agg(word, '') <> 'Aleph' ORDER BY l DESC"
    )
    assert rows == [("red#green#blue!",), ("miller and urey have!",), ("aleph!",)]


def test_no_rows_make_no_list_and_an_empty_histogram(ask):
    assert ask("SELECT ivo_string_agg(word, ','), ivo_histogram(x, 0, 1, 2) FROM sky.stars WHERE id < 0") == [
        (None, [0, 0, 0, 0])
    ]


def test_a_histogram_counts_what_numpy_counts_between_what_is_below_and_above(ask, rows):
    values = rows["x"].drop_null().to_numpy()
    (row,) = ask("SELECT ivo_histogram(x, -0.5, 2, 5) FROM sky.stars")
    counts, _ = np.histogram(values, 5, (-0.5, 2.0))
    assert row[0] == [2, *counts.tolist(), 1]  # -1 and the null below, 3 above


def test_the_upper_limit_belongs_to_the_last_bin_and_the_lower_to_the_first(ask):
    assert ask("SELECT ivo_histogram(x, -1, 3, 4), gavo_histogram(n, 0, 4, 4) FROM sky.stars") == [
        ([1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0])
    ]


def test_histograms_of_groups(ask):
    rows = ask("SELECT MOD(id, 2) AS odd, ivo_histogram(id, 1, 5, 2) FROM sky.stars GROUP BY MOD(id, 2) ORDER BY odd")
    assert rows == [(0, [0, 1, 1, 0]), (1, [0, 1, 2, 0])]


def test_a_histogram_inside_a_subquery_is_an_array_outside(ask):
    assert ask("SELECT h FROM (SELECT ivo_histogram(n, 0, 4, 1) AS h FROM sky.stars) AS q") == [([1, 4, 0],)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("ivo_histogram(x, 1, 1, 3)", "lower limit of a histogram must be below"),
        ("ivo_histogram(x, 0, 1, 0)", "A histogram has 1 to 10,000 bins"),
        ("ivo_histogram(x, 0, 1, 100001)", "A histogram has 1 to 10,000 bins"),
        ("ivo_histogram(x, 0, 1, n)", "Argument 4 of IVO_HISTOGRAM must be an integer that is written out"),
        ("ivo_histogram(x, NULL, 1, 3)", "Argument 2 of IVO_HISTOGRAM must be a number that is written out"),
        ("ivo_histogram(word, 0, 1, 3)", "Argument 1 of IVO_HISTOGRAM must be a number"),
        ("ivo_string_agg(word, word)", "Argument 2 of IVO_STRING_AGG must be a text in single quotes"),
        ("ivo_string_agg(x, ',')", "Argument 1 of IVO_STRING_AGG must be text"),
        ("MAX(ivo_string_agg(word, ','))", "cannot stand inside another"),
        ("word, ivo_string_agg(word, ',')", "must stand in GROUP BY"),
    ],
)
def test_wrong_arguments_of_aggregates(call, message, ask):
    with pytest.raises(BadQueryError) as caught:
        ask(f"SELECT {call} FROM sky.stars")
    assert message in str(caught.value)


def test_an_aggregate_beyond_sql_cannot_stand_in_where(ask):
    with pytest.raises(BadQueryError, match="cannot stand in WHERE"):
        ask("SELECT id FROM sky.stars WHERE ivo_string_agg(word, ',') = 'x'")

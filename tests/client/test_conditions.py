"""Conditions as values, as ADQL, and as parameters of the catalogue API."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time

from skydex import col
from skydex.client import RowsOrder, adql, parameters, query_text, settled
from skydex.connection.columns import joined_conditions, listed_names
from skydex.errors import BadParameterError, NotOfferedError, UnknownColumnError
from skydex.query.languages import get_language
from skydex.sky import Cone
from skydex.tables import Column, Datatype, Position, Table

STARS = Table(
    "survey.stars",
    (
        Column("ra", Datatype.DOUBLE, unit="deg"),
        Column("dec", Datatype.DOUBLE, unit="deg"),
        Column("B-V", Datatype.FLOAT, unit="mag"),
        Column("size", Datatype.FLOAT, unit="arcsec"),
        Column("mjd", Datatype.DOUBLE, unit="d"),
        Column("taken", Datatype.CHAR, arraysize="26*", xtype="timestamp"),
        Column("name", Datatype.CHAR, arraysize="22*"),
    ),
    position=Position("ra", "dec"),
)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (col.ra > 1, "ra > 1"),
        (col.ra == 0.1, "ra = 0.1"),
        (col.ra != np.float32(0.5), "ra <> 0.5"),
        (col["B-V"] <= 0.4, '"B-V" <= 0.4'),
        (col.size < 2, '"size" < 2'),
        (col.name == "O'Neill", "name = 'O''Neill'"),
        (col.name.like("%X"), "name LIKE '%X'"),
        (col.name.isin(["a", "b"]), "name IN ('a', 'b')"),
        (col.name.isin([]), "1 = 0"),
        (col.ra.between(np.int64(1), 2), "ra BETWEEN 1 AND 2"),
        (col.ra.is_null(), "ra IS NULL"),
        (col.ra == None, "ra IS NULL"),  # noqa: E711  as astronomers write it
        (col.flag == True, "flag = 1"),  # noqa: E712  ADQL has no words for yes and no
        ((col.a > 1) & (col.b > 2) & (col.c > 3), "a > 1 AND b > 2 AND c > 3"),
        ((col.a > 1) & ((col.b > 2) | (col.c > 3)), "a > 1 AND (b > 2 OR c > 3)"),
        (~((col.a > 1) | (col.b > 2)), "NOT (a > 1 OR b > 2)"),
        (~(col.a > 1), "NOT a > 1"),
    ],
)
def test_a_condition_is_written_as_adql_that_can_be_read(condition, text):
    assert adql(condition) == text
    get_language("ADQL").parse(f"SELECT * FROM t WHERE {text}", version="2.1")


def test_a_cone_with_conditions_is_a_query_of_both_versions_of_adql():
    order = RowsOrder(
        "stars", ("RA", "b-v"), (col.size > 1) | (col.ra > 3), Cone(10.5, -41.2, 0.1), ("-size", "ra"), 10
    )
    text = query_text(order, STARS)
    assert text == (
        "SELECT ra, \"B-V\" FROM survey.stars WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), "
        'CIRCLE(\'ICRS\', 10.5, -41.2, 0.1)) AND ("size" > 1 OR ra > 3) ORDER BY "size" DESC, ra'
    )
    for version in ("2.0", "2.1"):
        get_language("ADQL").parse(text, version=version)


def test_a_table_without_positions_has_no_cones():
    with pytest.raises(BadParameterError, match="positions"):
        query_text(RowsOrder("t", cone=Cone(0, 0, 1)), Table("s.t", STARS.columns))


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (col.Size > 1 * u.arcmin, '"size" > 60.0'),
        (1 * u.arcmin < col.size, '"size" > 60.0'),
        (np.float64(60) <= col.size, '"size" >= 60.0'),
        (col.ra < 1 * u.rad, "ra < 57.29577951308232"),
        (col.mjd >= Time(51544.5, format="mjd"), "mjd >= 51544.5"),
        (col.taken < Time("2000-01-01T12:00:00"), "taken < '2000-01-01T12:00:00.000'"),
        (col["B-V"] < "0.5", '"B-V" < 0.5'),
    ],
)
def test_values_become_what_their_column_holds(condition, text):
    assert adql(settled(condition, STARS)) == text


def test_values_that_do_not_fit_their_column_are_errors_that_name_it():
    with pytest.raises(BadParameterError, match=r"size.*kg"):
        settled(col.size > 1 * u.kg, STARS)
    with pytest.raises(BadParameterError, match=r"ra.*north"):
        settled(col.ra == "north", STARS)
    with pytest.raises(UnknownColumnError, match="taken"):
        settled(col.take == 1, STARS)
    with pytest.raises(BadParameterError, match="is_null"):
        adql(col.ra > float("nan"))
    with pytest.raises(BadParameterError, match="unit"):
        adql(col.ra > 1 * u.deg)
    with pytest.raises(BadParameterError, match="compares"):
        _ = col.ra > object()


def test_conditions_become_parameters_where_all_must_hold():
    condition = (col.a >= 1) & col.b.between(2, 3) & col.c.isin([4, 5]) & ~(col.d == 6) & col.e.is_not_null()
    assert list(parameters(condition, "there")) == [
        ("a.gte", "1"),
        ("b.gte", "2"),
        ("b.lte", "3"),
        ("c.in", "4,5"),
        ("d.neq", "6"),
        ("e.nnull", "true"),
    ]
    for unsaid in ((col.a > 1) | (col.b > 1), ~col.a.between(1, 2), ~((col.a > 1) & (col.b > 1))):
        with pytest.raises(NotOfferedError, match="there"):
            list(parameters(unsaid, "there"))


def test_dictionaries_and_keywords_mean_what_the_suffixes_say():
    made = joined_conditions([{"a.gte": 1, "b": [1, 2]}, col.c > 3], {"d.contains": "x*y", "e.null": False})
    assert adql(made) == "a >= 1 AND b IN (1, 2) AND c > 3 AND d LIKE '%x%y%' AND (NOT e IS NULL)"
    assert joined_conditions([], {}) is None
    with pytest.raises(BadParameterError, match="condition"):
        joined_conditions([True], {})


def test_columns_are_listed_as_people_type_them():
    typed = """[MatchID, MatchRA  # the position
               # nothing here
               MatchDec]"""
    assert listed_names(typed) == ("MatchID", "MatchRA", "MatchDec")
    assert listed_names(["a", " b ", "# not c", col.d]) == ("a", "b", "d")
    assert listed_names(-col.MAD) == ("-MAD",)

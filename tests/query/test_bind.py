"""What names mean: results' metadata, and the complaints about names that mean nothing."""

from __future__ import annotations

import pytest

from skydex.errors import (
    AmbiguousColumnError,
    BadQueryError,
    RequestError,
    UnknownColumnError,
    UnknownFunctionError,
    UnknownTableError,
)
from skydex.query import Namespace, bind, get_language


def columns_of(text: str, namespace: Namespace):
    return bind(get_language("ADQL").parse(text), namespace).columns


def test_result_columns_keep_unit_ucd_and_description(namespace):
    (column,) = columns_of("SELECT mag FROM sky.stars", namespace)
    assert (column.unit, column.ucd, column.description) == ("mag", "phot.mag;em.opt.V", "Mean magnitude")


def test_names_are_echoed_as_they_are_written(namespace):
    columns = columns_of("SELECT RAMean, s.ID, mag AS v, mag FROM sky.stars AS s", namespace)
    assert [column.name for column in columns] == ["RAMean", "ID", "v", "mag"]


def test_the_same_column_may_stand_twice(namespace):
    assert [column.name for column in columns_of("SELECT name, name FROM stars", namespace)] == ["name", "name"]


@pytest.mark.parametrize(
    ("expression", "datatype", "unit", "ucd"),
    [
        ("COUNT(*)", "long", None, "meta.number"),
        ("AVG(mag)", "double", "mag", "phot.mag;em.opt.V;stat.mean"),
        ("MAX(id)", "long", None, "meta.id;stat.max"),
        ("SUM(filterID)", "long", None, None),
        ("MIN(raMean)", "double", "deg", "pos.eq.ra;stat.min"),
    ],
)
def test_aggregates_know_type_unit_and_ucd(namespace, expression, datatype, unit, ucd):
    (column,) = columns_of(f"SELECT {expression} FROM stars", namespace)
    assert (column.datatype.value, column.unit, column.ucd) == (datatype, unit, ucd)


@pytest.mark.parametrize(
    ("expression", "datatype", "unit"),
    [
        ("mag + 1", "double", "mag"),
        ("mag - mag", "double", "mag"),
        ("mag * 2", "double", None),
        ("filterID + 1", "long", None),
        ("filterID / 2", "long", None),
        ("1.5", "double", None),
        ("7", "int", None),
        ("ROUND(mag, 1)", "double", "mag"),
        ("DISTANCE(POINT(raMean, decMean), POINT(1, 2))", "double", "deg"),
        ("CONTAINS(POINT(raMean, decMean), CIRCLE(1, 2, 3))", "int", None),
        ("CAST(mag AS INTEGER)", "int", "mag"),
        ("CASE WHEN mag < 13 THEN 1 ELSE 2.5 END", "double", None),
    ],
)
def test_expressions_know_type_and_unit(namespace, expression, datatype, unit):
    (column,) = columns_of(f"SELECT {expression} FROM stars", namespace)
    assert (column.datatype.value, column.unit) == (datatype, unit)


@pytest.mark.parametrize(
    ("expression", "arraysize"),
    [
        ("name", "12*"),
        ("name || '-x'", "14*"),
        ("'abc'", "3*"),
        ("'a😀'", "3*"),
        ("CAST(id AS VARCHAR(20))", "20*"),
        ("UPPER(name)", "12*"),
    ],
)
def test_text_has_a_bounded_length(namespace, expression, arraysize):
    (column,) = columns_of(f"SELECT {expression} FROM stars", namespace)
    assert column.arraysize == arraysize


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("SELECT magg FROM stars", UnknownColumnError, 'No column "magg" in sky.stars. Did you mean "mag"?'),
        ("SELECT x.mag FROM stars AS s", UnknownTableError, 'No table "x" in the FROM clause'),
        ("SELECT mag FROM star", UnknownTableError, 'Did you mean "sky.stars"?'),
        ("SELECT filterID FROM stars, bands", AmbiguousColumnError, "say which"),
        ("SELECT FOO(mag) FROM stars", UnknownFunctionError, 'No function "FOO"'),
        ("SELECT mag FROM stars WHERE name = 3", BadQueryError, "Cannot compare text with a number"),
        ("SELECT name + 1 FROM stars", BadQueryError, "A number is expected here, not text"),
        ("SELECT LN(mag) FROM stars", UnknownFunctionError, 'No function "LN". The natural logarithm is LOG'),
        ("SELECT StdDev(mag) FROM stars", UnknownFunctionError, "SQRT(AVG(x * x) - POWER(AVG(x), 2))"),
        (
            "SELECT q3c_join(1, 2, mag, id, 3) FROM stars",
            UnknownFunctionError,
            "DISTANCE(ra1, dec1, ra2, dec2) < radius",
        ),
        ('SELECT id FROM stars WHERE name = "Mira"', UnknownColumnError, "A text stands in single quotes: 'Mira'."),
        ("SELECT mag AS v FROM stars WHERE v < 3", UnknownColumnError, "write its expression here again"),
        ("SELECT mag AS v, v + 1 FROM stars", UnknownColumnError, "write its expression here again"),
        ("SELECT id FROM stars WHERE mag = NaN", UnknownColumnError, "NaN is null here: write IS NULL"),
        ("SELECT sky.stars.mag FROM sky.stars AS s", UnknownTableError, 'in the FROM clause. It is called "s" there.'),
        ("SELECT stars.mag FROM stars AS s", UnknownTableError, 'It is called "s" there.'),
        ("SELECT * FROM TAP_UPLOAD.mine", UnknownTableError, "sent along with the query, by UPLOAD"),
        ("SELECT id FROM stars WHERE mag > '12.5'", BadQueryError, "A number stands without quotes: 12.5"),
        ("SELECT id FROM stars WHERE mag > '2026-01-01'", BadQueryError, "ivo_to_mjd('2026-01-01')"),
        ("SELECT mag, COUNT(*) FROM stars", BadQueryError, '"mag" must stand in GROUP BY'),
        ("SELECT name FROM stars GROUP BY filterID", BadQueryError, '"name" must stand in GROUP BY'),
        ("SELECT DISTINCT mag FROM stars ORDER BY id", BadQueryError, "ORDER BY of SELECT DISTINCT"),
        ("SELECT COUNT(*) FROM stars GROUP BY COUNT(*)", BadQueryError, "cannot stand in GROUP BY"),
        ("SELECT COUNT(*) FROM stars GROUP BY 1", BadQueryError, "cannot stand in GROUP BY"),
        ("SELECT SUM(COUNT(mag)) FROM stars", BadQueryError, "inside another"),
        ("SELECT a.id FROM stars a JOIN bands b ON COUNT(*) = 1", BadQueryError, "cannot stand in ON"),
        ("SELECT mag FROM stars WHERE COUNT(*) > 1", BadQueryError, "use HAVING"),
        ("SELECT mag FROM stars ORDER BY 3", BadQueryError, "the result has columns 1 to 1"),
        ("SELECT id FROM stars UNION SELECT id, mag FROM stars", BadQueryError, "select 1 and 2 columns"),
        ("SELECT id FROM stars UNION SELECT name FROM stars", BadQueryError, "different types"),
        ("SELECT POINT('GALACTOSE', 1, 2) FROM stars", BadQueryError, "No coordinate system 'GALACTOSE'. Known: ICRS"),
        ("SELECT POINT(1, 95) FROM stars", BadQueryError, "Are RA and Dec swapped"),
        ("SELECT CIRCLE(1, 2, -3) FROM stars", BadQueryError, "radius is 0 to 180"),
        ("SELECT POLYGON(1, 2, 1, 2, 3, 4) FROM stars", BadQueryError, "three distinct vertices"),
        ("SELECT REGION('INTERSECTION ICRS (CIRCLE 1 2 3)') FROM stars", BadQueryError, "no region that is read here"),
        ("SELECT REGION('CIRCLE 1 2') FROM stars", BadQueryError, "2 numbers, which make no CIRCLE"),
        ("SELECT REGION(mag) FROM stars", BadQueryError, "REGION takes one text"),
        ("SELECT AREA(mag) FROM stars", BadQueryError, "A geometry is expected here"),
        ("SELECT COORD1(CIRCLE(1, 2, 3)) FROM stars", BadQueryError, "COORD1 takes a point"),
        ("SELECT DISTANCE(POINT(1, 2), CIRCLE(1, 2, 3)) FROM stars", BadQueryError, "A point is expected here"),
        (
            "SELECT CIRCLE('ICRS', mag, id) FROM stars",
            BadQueryError,
            "A point is expected here: CIRCLE(ra, dec, radius)",
        ),
        ("SELECT CONTAINS(CIRCLE(1, 2, 3), POINT(mag, id)) FROM stars", BadQueryError, "A POINT contains nothing"),
        ("SELECT ATAN2(mag) FROM stars", RequestError, "ATAN2"),
        ("SELECT 1e400 FROM stars", BadQueryError, "more than a double can hold"),
        ("SELECT " + "9" * 400 + " FROM stars", BadQueryError, "more than a double can hold"),
        ("SELECT SQRT(name) FROM stars", BadQueryError, "Argument 1 of SQRT must be a number"),
        ("SELECT a.id FROM stars AS a, stars AS a", BadQueryError, "give one of them an alias"),
        ("SELECT id FROM stars WHERE observed > 'yesterday'", BadQueryError, "is not a time"),
        ('SELECT id FROM stars NATURAL JOIN (SELECT "size" FROM bands) AS b', BadQueryError, "no column in common"),
    ],
)
def test_what_cannot_mean_anything_is_refused_with_a_remedy(namespace, text, error, message):
    with pytest.raises(error) as caught:
        columns_of(text, namespace)
    assert message in str(caught.value)
    assert caught.value.line == 1


@pytest.mark.parametrize(
    ("marked", "token"),
    [
        ("SELECT id,\n       @magg\nFROM stars", "magg"),
        ("SELECT mag, @name, COUNT(*)\nFROM stars GROUP BY mag", "name"),
        ("SELECT mag FROM stars\nWHERE mag > @AVG(mag)", "AVG"),
        ("SELECT SUM(@COUNT(mag)) FROM stars", "COUNT"),
        ("SELECT id FROM stars a,\n@stars a", "stars"),
        ("SELECT id FROM stars\n@UNION SELECT id, mag FROM stars", "UNION"),
        ("SELECT id FROM stars WHERE\n1 = @CONTAINS(CIRCLE(1, 2, 3), POINT(mag, id))", "CONTAINS"),
        ("SELECT CIRCLE(@mag, id) FROM stars", "mag"),
        ("SELECT COALESCE(mag, 1) + @CAST('x' AS REAL) FROM stars", "CAST"),
    ],
)
def test_errors_point_at_the_token(marked, token, namespace):
    start = marked.index("@")
    with pytest.raises(RequestError) as caught:
        columns_of(marked.replace("@", ""), namespace)
    line, column = marked[:start].count("\n") + 1, start - marked.rfind("\n", 0, start)
    assert (caught.value.line, caught.value.column, caught.value.token) == (line, column, token)


def test_every_engine_function_outside_the_list_is_refused_by_name(namespace):
    """R01: DuckDB's own functions are not a user's."""
    import duckdb

    from skydex.query.functions import AGGREGATES, SCALARS
    from skydex.query.geometry import SHAPES

    ours = {*SCALARS, *AGGREGATES, *SHAPES, "CONTAINS", "INTERSECTS", "DISTANCE"}
    names = {name for (name,) in duckdb.sql("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()}
    words = [name for name in names if name.isidentifier() and name.isascii() and name.upper() not in ours]
    assert len(words) > 500
    for name in words:
        with pytest.raises(RequestError):
            columns_of(f"SELECT {name}(mag) FROM stars", namespace)

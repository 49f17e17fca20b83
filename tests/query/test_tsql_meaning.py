"""What T-SQL means: Transact-SQL's documented behaviour, run through the engine on small tables."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from skydex.engines.duckdb import DuckDBEngine
from skydex.errors import BadQueryError, RequestError, UnknownFunctionError
from skydex.query import TSQL_RULES, Namespace, bind, make_plan
from skydex.query.languages import parse_tsql, translate

ENGINE = DuckDBEngine()


def bound(text: str, namespace: Namespace):
    (tree,) = parse_tsql(text)
    return bind(translate(tree), namespace, TSQL_RULES)


def rows(text: str, namespace: Namespace) -> list[tuple[Any, ...]]:
    table: pa.Table = ENGINE.run(make_plan(bound(text, namespace))).to_arrow()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def value(expression: str, namespace: Namespace) -> Any:
    ((found,),) = rows(f"SELECT {expression}", namespace)
    return found


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("name = 'MIRA'", [1, 2]),
        ("name = 'mira   '", [1, 2]),
        ("NAME <> 'mira'", [4]),
        ("name IN ('MIRA', 'x')", [1, 2]),
        ("name IN (SELECT 'MIRA')", [1, 2]),
        ("name NOT IN ('MIRA', 'x')", [4]),
        ("name BETWEEN 'N' AND 'P'", [4]),
        ("name > 'n'", [4]),
        ("name LIKE 'm%'", [1, 2]),
        ("name NOT LIKE 'M%'", [4]),
        ("name LIKE '[l-n]i_a'", [1, 2]),
        ("name LIKE '[^m]%'", [4]),
        ("name LIKE '%!_%' ESCAPE '!'", []),
        ("CASE name WHEN 'MIRA' THEN 1 ELSE 0 END = 1", [1, 2]),
        ("is_variable = 1", [1, 4]),
        ("is_variable = 'false'", [2]),
        ("filterID = '1'", [1, 3]),
        ("observed >= '20150101'", [1, 2]),
        ("observed = 'Jan 1 2015'", [1]),
        ("observed < '6/1/2015'", [1, 4]),
        ("id !> 2", [1, 2]),
        ("filterID & 1 = 1 AND mag IS NOT NULL", [1, 3, 4]),
        ("id >= ALL (SELECT id FROM stars)", [4]),
        ("id = ANY (SELECT filterID FROM bands)", [1, 2, 4]),
        ("EXISTS (SELECT * FROM bands b WHERE b.filterID = stars.filterID AND b.filterType = 'R')", [2]),
    ],
)
def test_conditions_find_the_rows_that_a_sql_server_finds(namespace, condition, ids):
    assert rows(f"SELECT id FROM stars WHERE {condition} ORDER BY id", namespace) == [(i,) for i in ids]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT TOP 2 id FROM stars ORDER BY id DESC", [(4,), (3,)]),
        ("SELECT TOP (1) id FROM stars ORDER BY id", [(1,)]),
        ("SELECT TOP 0 id FROM stars", []),
        ("SELECT TOP 30 PERCENT id FROM stars ORDER BY id", [(1,), (2,)]),
        ("SELECT TOP 1 WITH TIES id FROM stars ORDER BY filterID", [(1,), (3,)]),
        ("SELECT id FROM stars ORDER BY id OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY", [(2,), (3,)]),
        ("SELECT mag FROM stars ORDER BY mag", [(None,), (12.5,), (15.0,), (16.0,)]),
        ("SELECT mag FROM stars ORDER BY mag DESC", [(16.0,), (15.0,), (12.5,), (None,)]),
        ("SELECT DISTINCT name FROM stars ORDER BY name DESC", [("o'Neil",), ("Mira",), (None,)]),
        ("SELECT name, COUNT(*) FROM stars GROUP BY name ORDER BY name", [(None, 1), ("Mira", 2), ("o'Neil", 1)]),
        ("SELECT name FROM stars UNION SELECT 'MIRA' ORDER BY 1", [(None,), ("MIRA",), ("o'Neil",)]),
        ("SELECT name FROM stars INTERSECT SELECT 'MIRA'", [("Mira",)]),
        ("SELECT name FROM stars WHERE id > 1 EXCEPT SELECT 'O''NEIL' ORDER BY name", [(None,), ("mira",)]),
        ("SELECT id FROM stars s JOIN bands b ON filtertype='G' AND b.filterID = s.filterID ORDER BY 1", [(1,), (3,)]),
        ("WITH q(a, b) AS (SELECT id, mag FROM stars) SELECT a FROM q WHERE b > 14 ORDER BY a", [(3,), (4,)]),
        ("SELECT v.a + v.b FROM (VALUES (1, 2), (3, 4)) AS v(a, b) ORDER BY 1", [(3,), (7,)]),
    ],
)  # fmt: skip
def test_queries_give_the_rows_that_a_sql_server_gives(namespace, query, expected):
    assert rows(query, namespace) == expected


def test_columns_are_called_as_the_query_spells_them(namespace):
    query = "SELECT TOP 1 ID, x = mag, mag AS [a b], 'n' = 1, s.RaMean, 1 + 1, MAX(decMean) OVER () FROM stars s"
    query = query.replace(", MAX(decMean) OVER ()", ", ABS(decMean)")
    names = [column.name for column in bound(query, namespace).columns]
    assert names == ["ID", "x", "a b", "n", "RaMean", "Column1", "Column2"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 / 2.0", 3.5),
        ("38 / 5", 7),
        ("38 % 5", 3),
        ("'a' + 'b'", "ab"),
        ("'a' + NULL", None),
        ("'1' + 2", 3),
        ("170 & 75", 10),
        ("170 | 75", 235),
        ("170 ^ 75", 225),
        ("~170", -171),
        ("0x1F", 31),
        ("1 / 0", None),
    ],
)
def test_operators_follow_transact_sql(namespace, expression, expected):
    assert value(expression, namespace) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("CEILING(-123.45)", -123.0),
        ("FLOOR(-123.45)", -124.0),
        ("ROUND(123.9994, 3)", 123.999),
        ("ROUND(123.4545, 2)", 123.45),
        ("ROUND(748.58, -1)", 750.0),
        ("ROUND(150.75, 0)", 151.0),
        ("ROUND(150.75, 0, 1)", 150.0),
        ("POWER(2e0, 2.5e0)", 2**2.5),
        ("POWER(2, 3)", 8),
        ("POWER(2, 0.5)", 1),
        ("LOG(10e0)", 2.302585092994046),
        ("LOG(8, 2)", 3.0),
        ("LOG(-1)", None),
        ("SQUARE(3)", 9.0),
        ("ATN2(1, 0)", 1.5707963267948966),
        ("DEGREES(PI() / 2)", 90.0),
        ("RADIANS(180.0)", 3.141592653589793),
        ("SIGN(-125)", -1),
        ("SQRT(4)", 2.0),
        ("ABS(-1)", 1),
    ],
)
def test_mathematical_functions_give_what_their_pages_say(namespace, expression, expected):
    assert value(expression, namespace) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("CAST(10.6496 AS int)", 10),
        ("CAST(-10.6496 AS int)", -10),
        ("CAST(10.6496 AS numeric)", 11.0),
        ("CAST(-10.6496 AS numeric)", -11.0),
        ("CAST(10.3496847 AS money)", 10.3497),
        ("CAST(9.5 AS decimal(6,4))", 9.5),
        ("CAST('12' AS int)", 12),
        ("CAST(1905457 AS varchar(20))", "1905457"),
        ("CAST(123456.789e0 AS varchar)", "123457"),
        ("CAST(1e10 AS varchar)", "1e+010"),
        ("CAST(2.50 AS varchar)", "2.50"),
        ("CAST('abcdef' AS varchar(3))", "abc"),
        ("CAST('ab' AS char(4)) + '|'", "ab  |"),
        ("CONVERT(varchar(10), CAST('2015-01-31 10:20:30' AS datetime), 120)", "2015-01-31"),
        ("CONVERT(varchar(30), CAST('2006-04-25T15:50:59' AS datetime), 126)", "2006-04-25T15:50:59.000"),
        ("CONVERT(varchar(30), CAST('2006-04-25T15:50:59' AS datetime), 103)", "25/04/2006"),
        ("CONVERT(varchar(30), CAST('2006-04-05' AS datetime))", "Apr  5 2006 12:00AM"),
        ("TRY_CAST('test' AS float)", None),
        ("TRY_CONVERT(int, '7')", 7),
        ("CAST(5 AS bit)", True),
    ],
)
def test_conversions_give_what_their_page_says(namespace, expression, expected):
    found = value(expression, namespace)
    assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("SELECT read_parquet('x')", "read_parquet"),
        ("SELECT xp_cmdshell('x')", "xp_cmdshell"),
        ("SELECT dbo.fPhotoFlags('x')", "fPhotoFlags"),
    ],
)
def test_r01_functions_that_nobody_lists_are_refused_by_name(namespace, text, part):
    with pytest.raises(UnknownFunctionError, match=part):
        bound(text, namespace)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("SELECT id FROM stars WHERE mag", "value alone"),
        ("SELECT (id = 1) FROM stars", "condition begins here"),
        ("SELECT @x", "@x is not declared"),
        ("SELECT id FROM stars GROUP BY 1", "no positions"),
        ("SELECT id FROM stars FOR XML AUTO", "FOR"),
        ("SELECT name COLLATE Latin1_General_BIN FROM stars", "COLLATE"),
        ("SELECT CAST('x' AS int)", "Conversion failed"),
        ("SELECT TOP 1 WITH TIES id FROM stars", "ORDER BY"),
        ("SELECT 'a' - 'b'", "no number"),
        ("SELECT COUNT(*) FROM stars GROUP BY ROLLUP (name)", "ROLLUP"),
    ],
)
def test_what_is_not_offered_is_refused_with_a_reason(namespace, text, part):
    with pytest.raises(RequestError, match=part):
        rows(text, namespace)


def test_long_conditions_do_not_make_deep_trees(namespace):
    condition = " OR ".join(f"id = {i}" for i in range(5_000))
    assert rows(f"SELECT COUNT(*) FROM stars WHERE {condition}", namespace) == [(4,)]


def test_a_complaint_knows_its_place(namespace):
    with pytest.raises(BadQueryError) as refused:
        bound("SELECT id\nFROM stars WHERE id = 1 AND name + 1 > observed", namespace)
    assert refused.value.line == 2

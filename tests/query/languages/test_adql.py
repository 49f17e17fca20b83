"""What tree a query becomes."""

from __future__ import annotations

import random

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from skydex.errors import BadParameterError, QuerySyntaxError
from skydex.query.languages import get_language, parse_adql

CONE = '''SELECT TOP 10 objID, RAMean AS ra, t."Dec ""Mean""" FROM dbo.MeanObjectView AS t
WHERE CONTAINS(POINT('ICRS', RAMean, DecMean), CIRCLE('ICRS', 187.706, 12.391, .2)) = 1
  AND nDetections > 1 ORDER BY ra DESC, 2 OFFSET 5'''


def select_item(text: str) -> exp.Expression:
    return parse_adql(f"SELECT {text} FROM t").expressions[0]


def condition(text: str) -> exp.Expression:
    return parse_adql(f"SELECT a FROM t WHERE {text}").args["where"].this


def test_a_cone_query_becomes_the_tree_that_binding_expects():
    tree = parse_adql(CONE)
    contains, more = tree.args["where"].this.this.this, tree.args["where"].this.expression
    assert type(contains) is exp.Anonymous
    assert [argument.name for argument in contains.expressions] == ["POINT", "CIRCLE"]
    assert contains.expressions[1].expressions[-1].this == ".2"
    assert isinstance(more, exp.GT)
    assert [item.alias_or_name for item in tree.expressions] == ["objID", "ra", 'Dec "Mean"']
    assert [key.args["desc"] for key in tree.args["order"].expressions] == [True, False]
    assert (tree.args["from_"].this.db, tree.args["from_"].this.alias) == ("dbo", "t")
    assert tree.args["limit"].meta["top"]
    assert (tree.args["limit"].expression.this, tree.args["offset"].expression.this) == ("10", "5")


@pytest.mark.parametrize("name", ["COUNT", "sum", "Log", "MOD", "CONTAINS", "SUBSTRING", "COALESCE", "Upper", "LEFT"])
def test_every_function_keeps_its_name_and_its_arguments_in_order(name):
    n_arguments = {"COUNT": 1, "sum": 1, "Log": 1, "Upper": 1}.get(name, 2)
    call = select_item(f"{name}({', '.join('ab'[:n_arguments])})")
    assert type(call) is exp.Anonymous
    assert call.this == name
    assert [argument.name for argument in call.expressions] == ["a", "b"][:n_arguments]


def test_no_function_of_duckdb_becomes_anything_but_a_call_or_an_error():
    rows = duckdb.sql("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
    names = [name for (name,) in rows if name.isidentifier() and name.isascii() and not name.startswith("_")]
    assert len(names) > 500
    for name in names:
        try:
            assert type(select_item(f"{name}(x)")) is exp.Anonymous
        except QuerySyntaxError:
            continue


def test_quantifiers_and_stars_of_aggregates_are_kept():
    tree = parse_adql("SELECT COUNT(*), COUNT(DISTINCT x), COUNT(ALL x), t.*, s.t.* FROM s.t")
    star, distinct, every, *stars = tree.expressions
    assert isinstance(star.expressions[0], exp.Star)
    assert isinstance(distinct.expressions[0], exp.Distinct)
    assert isinstance(every.expressions[0], exp.Column)
    assert [(column.db, column.table, column.is_star) for column in stars] == [("", "t", True), ("s", "t", True)]


def test_a_function_with_a_schema_keeps_it_in_its_name():
    assert select_item("dbo.fGetNearby(1, 2)").this == "dbo.fGetNearby"


def test_texts_are_literal_but_for_doubled_quotes():
    assert select_item(r"'it''s \n -- no comment'").this == r"it's \n -- no comment"
    assert select_item("'one ' -- and\n 'two'").this == "one two"


@pytest.mark.parametrize("number", [".2", "1.", "1e-5", "10E3", "190361393344112894", "1.5e+10"])
def test_numbers_keep_their_text(number):
    assert select_item(number).this == number


def test_names_keep_their_quotes_and_their_case():
    column = select_item('Cat."my schema"."T""1".RA')
    parts = [column.args[key] for key in ("catalog", "db", "table", "this")]
    assert [(part.this, part.args["quoted"]) for part in parts] == [
        ("Cat", False),
        ("my schema", True),
        ('T"1', True),
        ("RA", False),
    ]


def test_comments_blanks_and_one_semicolon_do_not_matter():
    plain = parse_adql("SELECT a FROM t WHERE a = 1")
    assert parse_adql("\ufeff\n -- first\n SELECT\ta\u00a0FROM t--x\n\r\n WHERE a = 1 ; --end") == plain


def test_conditions_become_the_usual_nodes():
    assert isinstance(condition("a IS NOT NULL"), exp.Not)
    assert isinstance(condition("a NOT IN (1, 2)").this, exp.In)
    assert isinstance(condition("a IN (SELECT b FROM u)").args["query"], exp.Subquery)
    assert isinstance(condition("a NOT BETWEEN 1 AND 2").this, exp.Between)
    assert isinstance(condition("a ILIKE 'x%'"), exp.ILike)
    assert isinstance(condition("EXISTS (SELECT b FROM u)").this, exp.Select)
    assert isinstance(condition("a != 1"), exp.NEQ)
    assert isinstance(condition("((a = 1))").this, exp.EQ)


def test_case_and_cast_become_the_usual_nodes():
    case = select_item("CASE a WHEN 1 THEN 'x' ELSE NULL END")
    assert (case.this.name, len(case.args["ifs"]), type(case.args["default"])) == ("a", 1, exp.Null)
    types = ["SMALLINT", "INTEGER", "BIGINT", "REAL", "DOUBLE PRECISION", "VARCHAR(5)", "TIMESTAMP", "POINT"]
    found = [select_item(f"CAST(a AS {name})").args["to"].this.value for name in types]
    assert found == ["SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "VARCHAR", "TIMESTAMP", "POINT"]
    assert select_item("CAST(a AS CHAR(7))").args["to"].expressions[0].name == "7"


def test_joins_keep_their_words():
    tree = parse_adql(
        "SELECT * FROM a NATURAL JOIN b LEFT OUTER JOIN c USING (x, y), d CROSS JOIN e INNER JOIN f ON d.x = f.x"
    )
    joins = tree.args["joins"]
    assert [join.this.name for join in joins] == ["b", "c", "d", "e", "f"]
    assert joins[0].method == "NATURAL"
    assert (joins[1].side, joins[1].kind) == ("LEFT", "OUTER")
    assert [name.name for name in joins[1].args["using"]] == ["x", "y"]
    assert (joins[2].kind, joins[3].kind, joins[4].kind) == ("", "CROSS", "INNER")


def test_joins_in_parentheses_are_one_item_of_from():
    tree = parse_adql("SELECT * FROM (a JOIN (b JOIN c ON 1 = 1) ON 2 = 2), d")
    inner = tree.args["from_"].this
    assert isinstance(inner, exp.Subquery)
    assert isinstance(inner.this, exp.Table)
    assert isinstance(inner.this.args["joins"][0].this, exp.Subquery)


def test_set_operations_bind_as_the_standard_says():
    tree = parse_adql("SELECT a FROM t UNION SELECT a FROM u INTERSECT ALL SELECT a FROM v EXCEPT SELECT a FROM w")
    assert isinstance(tree, exp.Except)
    assert isinstance(tree.this, exp.Union)
    assert isinstance(tree.this.expression, exp.Intersect)
    assert (tree.this.args["distinct"], tree.this.expression.args["distinct"]) == (True, False)


def test_top_in_a_set_operation_stays_with_its_select():
    tree = parse_adql("SELECT TOP 3 a FROM t UNION SELECT a FROM u ORDER BY a OFFSET 2")
    assert isinstance(tree.this, exp.Subquery)
    assert isinstance(tree.args["order"], exp.Order)
    assert isinstance(tree.args["offset"], exp.Offset)


def test_with_stands_on_the_outermost_query():
    tree = parse_adql("WITH x AS (SELECT a FROM t), y AS (SELECT a FROM x) SELECT a FROM x UNION SELECT a FROM y")
    assert [table.alias for table in tree.args["with_"].expressions] == ["x", "y"]


def test_queries_in_parentheses_are_read_wherever_a_query_may_stand():
    for text in (
        "(SELECT a FROM t)",
        "((SELECT a FROM t ORDER BY a) UNION (SELECT a FROM u)) ORDER BY 1",
        "SELECT a FROM ((SELECT a FROM t) UNION SELECT a FROM u) AS q",
        "SELECT a FROM t WHERE a IN ((SELECT a FROM t) EXCEPT (SELECT a FROM u))",
        "SELECT a FROM t WHERE a > (SELECT AVG(a) FROM t) AND EXISTS ((SELECT a FROM t))",
        "SELECT a FROM ((SELECT a FROM t) AS q JOIN u ON q.a = u.a)",
    ):
        assert isinstance(parse_adql(text), exp.Query)


def test_operators_bind_as_they_do_in_duckdb():
    seeded = random.Random(7)
    for _ in range(150):
        text = _random_condition(seeded, depth=3)
        ours = condition(text).sql(dialect="duckdb")
        assert duckdb.sql(f"SELECT {ours}").fetchall() == duckdb.sql(f"SELECT {text}").fetchall(), text


def _random_condition(seeded: random.Random, depth: int) -> str:
    if depth == 0:
        left, right = _random_value(seeded, 2), _random_value(seeded, 2)
        tests = [f"{left} {seeded.choice(['=', '<', '>=', '<>'])} {right}", f"{left} NOT BETWEEN 1 AND {right}"]
        return seeded.choice([*tests, f"{left} IN (1, {right})", f"NOT {left} > {right}", f"NOT ({left} < {right})"])
    parts = [_random_condition(seeded, depth - 1) for _ in range(seeded.randint(1, 3))]
    joined = f" {seeded.choice(['AND', 'OR'])} ".join(parts)
    return seeded.choice([joined, f"({joined})", f"NOT ({joined})"])


def _random_value(seeded: random.Random, depth: int) -> str:
    if depth == 0:
        return seeded.choice(["1", "2", "3.5", "-4", "7"])
    left, right = _random_value(seeded, depth - 1), _random_value(seeded, depth - 1)
    return seeded.choice([f"{left} {op} {right}" for op in "+-*"] + [f"({left} - {right})", f"-({left})"]).replace(
        "- -", "- 1 - "
    )


def test_sqlglot_knows_adql_as_a_dialect():
    assert sqlglot.parse_one("SELECT TOP 3 a FROM t", read="adql").sql(dialect="duckdb") == "SELECT a FROM t LIMIT 3"


def test_a_tree_survives_copying_with_its_places():
    tree = parse_adql(CONE)
    assert tree.copy() == tree
    assert tree.copy().expressions[0].meta["column"] == 15


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("SELECT a FROM t OFFSET 5", "OFFSET"),
        ("SELECT a FROM t ORDER BY a OFFSET 5", "OFFSET"),
        ("WITH x AS (SELECT a FROM t) SELECT a FROM x", "WITH"),
        ("SELECT CAST(a AS REAL) FROM t", "CAST"),
        ("SELECT CASE WHEN a = 1 THEN 2 END FROM t", "CASE"),
        ("SELECT a FROM t WHERE a ILIKE 'x'", "ILIKE"),
        ("SELECT UPPER(a) FROM t", "UPPER"),
    ],
)
def test_what_came_with_2_1_is_refused_in_a_query_that_asks_for_2_0(text, token):
    parse_adql(text)
    with pytest.raises(QuerySyntaxError, match=r"2\.0.*ask for ADQL 2\.1") as error:
        parse_adql(text, version="2.0")
    assert error.value.token == token


def test_names_that_2_1_reserved_are_names_in_2_0():
    assert parse_adql("SELECT offset FROM t", version="2.0").expressions[0].name == "offset"


def test_languages_are_found_by_name_in_any_case():
    assert get_language("adql").parse is parse_adql
    with pytest.raises(BadParameterError, match="Offered: ADQL"):
        get_language("QUEL")
    with pytest.raises(BadParameterError, match=r"2\.0 and 2\.1"):
        parse_adql("SELECT a FROM t", version="3.0")

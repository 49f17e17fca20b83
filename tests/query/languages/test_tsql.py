"""T-SQL of CasJobs: what is read, what is refused and where, and the verdicts on published queries."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skydex.errors import BadQueryError, LimitError, QuerySyntaxError, QueryTooLargeError, RequestError
from skydex.query.languages import parse_tsql
from skydex.query.languages.tsql_translate import translate

OF_SKYQUERY_ALONE = re.compile(r"XMATCH|REGION|\w:\w|\[\$|HTMID|PARTITION")
"""Words and signs that SkyQuery added to T-SQL, and placeholders."""


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("select top 10 z, ra from specObj where class = 'galaxy' and z > 0.3", "select"),
        ("SELECT a INTO mydb.t FROM dbo.fGetNearbyObjEq(1, 2, 3) AS n, PhotoObj p WHERE n.objid = p.objid;", "select"),
        ("SELECT [a b], x = c + 1 INTO #t FROM [dbo].[x] t WITH (NOLOCK)", "select"),
        ("SELECT a FROM t CROSS APPLY dbo.f(t.x) AS n OUTER APPLY dbo.g(t.x) AS m", "select"),
        ("SELECT CONVERT(varchar(10), a, 120), CAST(b AS float), STR(c, 10, 5), ISNULL(d, 0) FROM t", "select"),
        ("SELECT a FROM x JOIN y JOIN z ON y.a = z.a ON x.a = y.a", "select"),
        ("SELECT a FROM x LEFT OUTER JOIN (SELECT b FROM w) q ON q.b = x.a", "select"),
        ("WITH q AS (SELECT a FROM t) SELECT a FROM q UNION ALL SELECT b FROM u ORDER BY 1", "union"),
        ("SELECT flags & 0x10 | 2, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) FROM t", "select"),
        ("DECLARE @r float, @n int SET @r = 2 SET @n = (SELECT 1) SELECT TOP 5 ra FROM x", "declare set set select"),
        ("SELECT a INTO #t FROM x SELECT b FROM #t", "select select"),
        ("CREATE TABLE mydb.x (a int) INSERT INTO mydb.x SELECT a FROM t DROP TABLE mydb.y", "create insert drop"),
        ("UPDATE mydb.x SET a = 1 WHERE b = 2 DELETE FROM mydb.x WHERE a = 1", "update delete"),
        ("EXEC spGetNeighbors 1", "execute"),
        ("IF 1 = 1 SELECT 1 AS a ELSE SELECT CASE WHEN b = 1 THEN 2 END FROM t SELECT 3 AS c", "ifblock select"),
        ("IF EXISTS (SELECT a FROM t) BEGIN DROP TABLE t; SELECT 1 AS a END; SELECT 2 AS b", "ifblock select"),
        ("BEGIN SELECT a FROM t END SELECT b FROM t", "select select"),
        ("WHILE @a < 3 BEGIN SET @a = @a + 1 END", "whileblock"),
        ("-- a comment; SELECT\nSELECT a /* another; */ FROM t;;", "select"),
    ],
)
def test_statements_of_casjobs_are_read(text, kinds):
    assert [tree.key for tree in parse_tsql(text)] == kinds.split()


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("SELECT a, FROM t", 9, "comma"),
        ("SELECT f(1, 2,) FROM t", 14, "comma"),
        ("SELECT FROM t", 1, "no column"),
        ("SELECT a FROM t LIMIT 5", 17, "SELECT TOP 5"),
        ("SELECT a FROM t WHERE a == 1", 25, "single ="),
        ("SELECT a::int FROM t", 9, "CAST"),
        ("SELECT a || b FROM t", 10, "+"),
        ("SELECT `a` FROM t", 8, "brackets"),
        ("SELECT a FROM t JOIN u", 17, "ON"),
        ("SELECT a FROM t JOIN u USING (x)", 24, "ON a.x = b.x"),
        ("SELECT a FROM t NATURAL JOIN u", 17, "ON a.x = b.x"),
        ("SELECT a FROM (SELECT b FROM u) WHERE b = 1", 10, "needs a name"),
        ("SELECT * EXCEPT (a) FROM t", 8, "leaves columns out"),
        ("SELECT a FROM t WHERE a IN ()", 25, "empty"),
        ("SELECT a FROM t WHERE", 17, "missing behind WHERE"),
        ("SELECT a FROM t AS", 17, "name is missing"),
        ("SELECT a FROM", 10, "missing behind FROM"),
        ("SELECT (a FROM t", 11, "FROM"),
        ("SELECT a FROM t)", 16, ")"),
        ("SELECT a b c FROM t", 12, "c cannot stand here. Is a comma missing before it?"),
        ("SELECT a RA Dec FROM t", 13, "Is a comma missing before it?"),
        ("SELECT * form t", 15, "Is FROM meant, where form stands?"),
        ("SELECT a FROM t wher b = 1", 22, "Is WHERE meant, where wher stands?"),
        ("SELECT a FROM t WHERE b = \u2018x\u2019", 27, "texts stand in '...'"),
        ("SELECT a \u2212 b FROM t", 10, "not a minus sign"),
        ("USE x SELECT a FROM t", 1, "choose the context"),
        ("BEGIN TRAN DROP TABLE t COMMIT", 1, "wholly or not at all"),
        ("BEGIN SELECT a FROM t", 1, "has no END"),
        ("BEGIN SELECT a FROM t END END", 27, "ends no block"),
        ("BEGIN END", 1, "no statement"),
        ("SELECT a FROM t ELSE SELECT b FROM t", 17, "belongs to no IF"),
        ("IF a = 1", 1, "statement is missing"),
        ("IF SELECT a FROM t", 1, "condition is missing"),
        ("IF 1 = 1 SELECT 1 AS a ELSE", 24, "statement is missing behind ELSE"),
        ("IF 1 = SELECT 1 AS a", 6, "missing behind ="),
        ("IF 1 = 1 PRINT 'x'", 10, "SELECT shows values"),
        ("BEGIN PRINT 'x' END", 7, "SELECT shows values"),
        ("SELECT a FROM t; PRINT @a", 18, "SELECT shows values"),
        ("SELECT CASE WHEN a = 1 THEN 2 FROM t", 29, "END"),
        ("SELECT a FROM t WHERE b = 'x", 27, "quote"),
        ("SELECT [a FROM t", 8, "bracket"),
        ("SELECT a /* FROM t", 10, "*/"),
        ("SELECT a FROM SDSSDR7:PhotoObj", 22, "colon"),
        ("SELEC a FROM t", 1, "begins no statement"),
        ("GRANT x TO y", 1, "begins no statement"),
        ("FROM t SELECT a", 1, "begins no statement"),
        ("", 1, "no statement"),
        ("-- nothing", 1, "no statement"),
    ],
)  # fmt: skip
def test_what_is_no_tsql_is_refused_where_it_is_wrong(text, column, part):
    with pytest.raises(QuerySyntaxError) as refused:
        parse_tsql(text)
    assert part in str(refused.value)
    assert (refused.value.line, refused.value.column) == (1, column)


def test_lines_are_counted():
    with pytest.raises(QuerySyntaxError, match=r"line 3, column 7") as refused:
        parse_tsql("SELECT a\nFROM t\nWHERE GROUP BY a")
    assert refused.value.token == "GROUP BY"


@pytest.mark.parametrize(
    "text",
    ["(" * 5_000 + "SELECT 1", f"SELECT {'- ' * 20_000}1", f"SELECT {'NOT ' * 20_000}1", "SELECT " + "," * 300_000,
     f"SELECT {'STR(' * 60}1{')' * 60}"],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_r03_what_is_too_deep_or_too_long_is_refused_within_its_time(text):
    start = time.process_time()
    with pytest.raises(QueryTooLargeError):
        parse_tsql(text)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"SELECT a FROM t WHERE a IN ({', '.join('1' * 20_001)})", "IN list"),
        (f"SELECT COALESCE({', '.join('1' * 20_001)})", "number of arguments"),
        (f"SELECT {', '.join('a' * 2_001)} FROM t", "SELECT list"),
        (f"SELECT a FROM t GROUP BY {', '.join('a' * 2_001)}", "GROUP BY list"),
        (f"SELECT a FROM t ORDER BY {', '.join('a' * 2_001)}", "ORDER BY list"),
        (f"SELECT a FROM t WHERE {' OR '.join(['a = 1'] * 10_001)}", "conditions joined by OR"),
        (f"SELECT 1 AS a FROM {', '.join(f't a{i}' for i in range(65))}", "number of tables"),
        (f"SELECT a FROM (VALUES {', '.join(['(1)'] * 1_001)}) AS t(a)", "list of VALUES"),
        (f"SELECT 0x{'F' * 17}", "16 digits"),
        (f"SELECT 0x{'F' * 5000}", "16 digits"),
    ],
    ids=lambda text: text[-12:],
)
def test_r03_lists_have_the_limits_that_adql_has(text, says):
    [tree] = parse_tsql(text)
    with pytest.raises((QueryTooLargeError, BadQueryError), match=says):
        translate(tree)


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT a FROM t WHERE a IN ({', '.join('1' * 20_000)})",
        f"SELECT {', '.join('a' * 2_000)} FROM t",
        f"SELECT a FROM t WHERE {' OR '.join(['a = 1'] * 10_000)}",
        f"SELECT 1 AS a FROM {', '.join(f't a{i}' for i in range(64))}",
        f"SELECT 0x{'0' * 5000}FF",
    ],
    ids=lambda text: text[-12:],
)
def test_r03_lists_up_to_their_limits_are_read(text):
    [tree] = parse_tsql(text)
    assert translate(tree)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("SELECT TOP 3e a FROM t", "exponent without digits"),
        ("SELECT 5exec", "exponent without digits"),
        ("SELECT a.x FROM t a CROSS APPLY f b", "APPLY is followed by"),
        ("SELECT a.x FROM t a CROSS APPLY f --(1)", "APPLY is followed by"),
        ("SELECT a.x FROM t a OUTER APPLY [f] b", "APPLY is followed by"),
    ],
)
def test_r07_numbers_and_calls_that_are_not_finished_are_told(text, says):
    with pytest.raises(QuerySyntaxError, match=says):
        parse_tsql(text)


@pytest.mark.parametrize("text", ["", ";", " ; ;\n", "-- nothing"])
def test_a_text_without_a_statement_is_refused(text):
    with pytest.raises(QuerySyntaxError, match="no statement"):
        parse_tsql(text)


@given(st.text(max_size=200))
def test_r07_any_text_ends_in_a_declared_error_or_in_statements(text):
    for tried in (text, f"SELECT {text} FROM t", f"SELECT a FROM t WHERE a = {text}"):
        with contextlib.suppress(RequestError, LimitError):
            assert parse_tsql(tried)


def test_every_published_query_is_read_but_for_those_listed_with_their_reason(shared_data):
    lines = (shared_data / "adql" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    records = [record for record in map(json.loads, lines) if record["dialect"].startswith("tsql")]
    judged = [r for r in records if not r["template"] and not OF_SKYQUERY_ALONE.search(r["query"])]
    refused = {record["id"]: record["source"] for record in judged if not is_read(record["query"])}
    with (Path(__file__).parent / "tsql_exceptions.csv").open(encoding="utf-8", newline="") as file:
        assert set(refused) == {row["id"] for row in csv.DictReader(file)}
    n_judged = Counter(record["dialect"] for record in judged)
    assert n_judged == {"tsql-casjobs": 7, "tsql-skyserver": 71, "tsql-skyquery": 12}


def is_read(text: str) -> bool:
    try:
        parse_tsql(text)
    except RequestError:
        return False
    return True

"""What is no ADQL is refused, at its place, with the ADQL way to say it."""

from __future__ import annotations

import pytest

from skydex.errors import QuerySyntaxError
from skydex.query.languages import parse_adql

# A `@` marks where the error must point; it is taken out before the text is parsed.
FOREIGN = [
    ("@INSERT INTO t VALUES (1)", "INSERT", "Only queries"),
    ("@COPY t TO 'x.csv'", "COPY", "Only queries"),
    ("@PRAGMA database_list", "PRAGMA", "Only queries"),
    ("@ATTACH 'x.db'", "ATTACH", "Only queries"),
    ("@SET memory_limit = '1TB'", "SET", "Only queries"),
    ("@VALUES (1)", "VALUES", "Only queries"),
    ("@FROM t", "FROM", "Only queries"),
    ("@hello", "hello", "begins with SELECT"),
    ("SELECT a FROM t; @DROP TABLE t", "DROP", "one query"),
    ("WITH d AS (@DELETE FROM t RETURNING *) SELECT * FROM d", "DELETE", "SELECT"),
    ("SELECT * FROM @'file.parquet'", "'file.parquet'", "names tables"),
    ("SELECT * FROM @read_csv('x')", "read_csv", "function"),
    ("SELECT * FROM @UNNEST(x) AS u", "UNNEST", "UNNEST"),
    ("SELECT * FROM @generate_series(1, 2) AS q", "generate_series", "function"),
    ("SELECT a@::int FROM t", "::", "CAST"),
    ("SELECT f(a, x @-> x + 1) FROM t", "->", "lambda"),
    ("SELECT @[1, 2] FROM t", "[", "arrays"),
    ("SELECT @{'a': 1} FROM t", "{", "braces"),
    ("SELECT ARRAY@[1] FROM t", "[", "arrays"),
    ("SELECT MAP @{'a': 1} FROM t", "{", "braces"),
    ("SELECT @? FROM t", "?", "parameters"),
    ("SELECT @$1 FROM t", "$", "parameters"),
    ("SELECT @:x FROM t", ":", "parameters"),
    ("SELECT @@x FROM t".replace("@@", "@\N{COMMERCIAL AT}"), "@", "parameters"),
    ("SELECT a FROM t @QUALIFY a = 1", "QUALIFY", "QUALIFY"),
    ("SELECT * FROM t @PIVOT (SUM(x) FOR y IN (1))", "PIVOT", "pivot"),
    ("SELECT * FROM t @TABLESAMPLE 10", "TABLESAMPLE", "RAND"),
    ("SELECT * FROM t, @LATERAL (SELECT a FROM u) AS q", "LATERAL", "LATERAL"),
    ("SELECT * FROM (@VALUES (1)) AS q", "VALUES", "upload"),
    ("SELECT SUM(x) @OVER (ORDER BY y) FROM t", "OVER", "window"),
    ("SELECT a FROM t @WINDOW w AS (ORDER BY a)", "WINDOW", "window"),
    ("SELECT COUNT(*) @FILTER (WHERE a = 1) FROM t", "FILTER", "FILTER"),
    ("SELECT a FROM t @LIMIT 10", "LIMIT", "TOP n"),
    ("SELECT a FROM t WHERE a = 1 @LIMIT 10", "LIMIT", "TOP n"),
    ("SELECT a FROM t AS q OFFSET 1 @LIMIT 10", "LIMIT", "TOP n"),
    ("SELECT a FROM t @FETCH FIRST 5 ROWS ONLY", "FETCH", "TOP n"),
    ("SELECT a FROM t WHERE a @== 1", "==", "one ="),
    ("SELECT a FROM t WHERE a @REGEXP 'x'", "REGEXP", "LIKE"),
    ("SELECT a @INTO b FROM t", "INTO", "only reads"),
    ("SELECT @COLUMNS('a.*') FROM t", "COLUMNS", "names of the columns"),
    ("SELECT * @EXCLUDE (a) FROM t", "EXCLUDE", "names of the columns"),
    ("SELECT * @REPLACE (a AS b) FROM t", "REPLACE", "names of the columns"),
    ("SELECT a FROM t GROUP BY @ALL", "ALL", "name the columns"),
    ("SELECT a FROM t ORDER BY @ALL", "ALL", "name the columns"),
    ("SELECT a FROM t GROUP BY @ROLLUP(a)", "ROLLUP", "UNION ALL"),
    ("SELECT a FROM t GROUP BY @CUBE(a)", "CUBE", "UNION ALL"),
    ("SELECT a FROM t ORDER BY a @NULLS FIRST", "NULLS", "NULLS"),
    ("SELECT a FROM t WHERE a = @ANY (SELECT b FROM u)", "ANY", "IN"),
    ("SELECT a FROM t @ASOF JOIN u ON t.a = u.a", "ASOF", "no such join"),
    ("SELECT a FROM t @POSITIONAL JOIN u", "POSITIONAL", "no such join"),
    ("WITH @RECURSIVE x AS (SELECT a FROM t) SELECT a FROM x", "RECURSIVE", "recursive"),
    ("SELECT a FROM (@WITH x AS (SELECT a FROM t) SELECT a FROM x) AS q", "WITH", "beginning"),
    ("SELECT @0x12345678901234567 FROM t", "0x12345678901234567", "16 digits"),
    ("SELECT a @& 4 FROM t", "&", "BIT_AND(a, b)"),
    ("SELECT @~a FROM t", "~", "BIT_NOT(a)"),
    ("SELECT t + @INTERVAL '1' DAY FROM t", "INTERVAL", "ivo_to_mjd"),
    ("SELECT a FROM @`t`", "`", "double quotes"),
    ("SELECT a FROM t @/* all */", "/*", "--"),
    ("SELECT @DATE '2020-01-01' FROM t", "DATE", "CAST"),
    ("SELECT a FROM t WHERE f = @TRUE", "TRUE", "flag = 1"),
    ("SELECT a @% 2 FROM t", "%", "MOD"),
    ("SELECT x'00' FROM t".replace("x'", "x@'"), "'00'", "comma"),
    ("SELECT a FROM t q@(b, c)", "(", "SELECT a AS b"),
]
MISTAKES = [
    ("SELECT a @form t", "form", "Is FROM meant"),
    ("SELECT a FROM t @WEHRE a = 1", "WEHRE", "Is WHERE meant"),
    ("SELECT a FROM t x @ODER BY a", "ODER", "Is ORDER meant"),
    ("SELECT a FROM t x @JION u ON x.a = u.a", "JION", "Is JOIN meant"),
    ("@SELCT a FROM t", "SELCT", "Is SELECT meant"),
    ("SELECT CAST(a AS@) FROM t", ")", "one of the types SMALLINT"),
    ("SELECT @size FROM t", "size", 'double quotes, "size"'),
    ("SELECT a FROM t WHERE name = @\u2018M31\u2019", "\u2018", "typographic"),
    ("SELECT a b @c FROM t", "c", "comma"),
    ("SELECT t.a u@.b FROM t", ".", "comma"),
    ("SELECT a,\n\t@FROM t", "FROM", "column or a value"),
    ("SELECT a @WHERE a = 1", "WHERE", "FROM"),
    ("SELECT a FROM t ORDER BY a @WHERE a = 1", "WHERE", "in this order"),
    ("SELECT a FROM t WHERE a @= NULL", "=", "IS NULL"),
    ("SELECT a FROM t WHERE a @<> NULL", "<>", "IS NOT NULL"),
    ('SELECT a FROM t WHERE a LIKE @"M%"', '"M%"', "single quotes"),
    ('SELECT @POINT("ICRS", ra, dec) FROM t', "POINT", "single quotes"),
    ('SELECT @IN_UNIT(a, "km") FROM t', "IN_UNIT", "single quotes"),
    ("SELECT a FROM t WHERE @(a = 1", "(", "never closed"),
    ("SELECT a FROM t WHERE a = 1@)", ")", "closes nothing"),
    ("SELECT a FROM t WHERE @CONTAINS(p, q)", "CONTAINS", "write 1 = CONTAINS"),
    ("SELECT a FROM t WHERE @b", "b", "no condition"),
    ("SELECT @a = b FROM t", "a", "condition begins"),
    ("SELECT 'x' || @POINT(1, 2) FROM t", "POINT", "shape"),
    ("SELECT a FROM t WHERE name = @'M31", "'", "closing quote"),
    ('SELECT @"ra FROM t', '"', "closing double quote"),
    ("SELECT a FROM II@/246/out", "/", "double quotes"),
    ("SELECT a FROM @2mass", "2", "double quotes"),
    ("SELECT @_RAJ2000 FROM t", "_RAJ2000", '"_RAJ2000"'),
    ("SELECT gr@\u00e9gory FROM t", "\u00e9gory", '"gr\u00e9gory"'),
    ("SELECT a FROM @(SELECT b FROM t)", "(", "needs a name"),
    ("SELECT CAST(a AS @FLOAT) FROM t", "FLOAT", "DOUBLE PRECISION"),
    ("SELECT TOP 5 @DISTINCT a FROM t", "DISTINCT", "before TOP"),
    ("SELECT TOP @-5 a FROM t", "-", "integer without sign"),
    ("SELECT a FROM t OFFSET @1.5", "1.5", "integer without sign"),
    ("SELECT a FROM t NATURAL JOIN u @ON t.a = u.a", "ON", "neither ON nor USING"),
    ("SELECT @CIRCLE('ICRS', 1, 2) FROM t", "CIRCLE", "CIRCLE(ra, dec, radius)"),
    ("SELECT @ABS(a, b) FROM t", "ABS", "1 argument"),
    ("SELECT a FROM t WHERE a IN (1,@)", ")", "value"),
    ("SELECT @(a, b) FROM t", "(", "list"),
    ("SELECT a FROM t WHERE b = ''image''".replace("= '", "= @'"), "''", "one single quote"),
    ("SELECT a FROM t GROUP @class", "class", "BY after GROUP"),
    ("SELECT a FROM t ORDER @mag", "mag", "BY after ORDER"),
    ("SELECT 1@", "", "reads a table"),
    ("SELECT a FROM t WHERE d < 5 @arcsec", "arcsec", "write 5 / 3600.0. (line"),
    ("SELECT CIRCLE(12@:48:00, 1, 2) FROM t", ":", "ivo_hms_to_degrees('12:48:00')"),
    ("SELECT a FROM t WHERE NOT @NOT a = 1", "NOT", "once"),
    ("SELECT a FROM t WHERE a = 1 AND@", "", "query ends"),
    ("  @", "", "no query"),
]


@pytest.mark.parametrize(("marked", "token", "words"), FOREIGN + MISTAKES)
def test_it_is_refused_where_it_stands_in_words_that_help(marked, token, words):
    start = marked.index("@")
    text = marked[:start] + marked[start + 1 :]
    with pytest.raises(QuerySyntaxError) as error:
        parse_adql(text)
    line_start = text.rfind("\n", 0, start) + 1
    assert words in str(error.value)
    assert error.value.token == token
    assert (error.value.line, error.value.column) == (text.count("\n", 0, start) + 1, start - line_start + 1)


@pytest.mark.parametrize("word", ["limit", "filter", "columns", "sample", "window", "over", "replace", "type", "dec"])
def test_words_of_other_languages_are_good_names(word):
    tree = parse_adql(f"SELECT {word}, t.{word} AS {word} FROM {word} AS t ORDER BY {word}")
    assert tree.args["from_"].this.name == word

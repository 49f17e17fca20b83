"""R01: of what the engine knows, queries reach nothing but what is in our own lists."""

from __future__ import annotations

import json

import duckdb
import pytest

from skydex.errors import QuerySyntaxError, RequestError, UnknownFunctionError, UnknownTableError
from skydex.query import bind, get_language
from skydex.query.functions import AGGREGATES, SCALARS
from skydex.query.geometric import GEOMETRY_FUNCTIONS

OURS = {*SCALARS, *AGGREGATES, *GEOMETRY_FUNCTIONS}
OPERATORS = ("+", "-", "*", "/", "||")
STATEMENTS = {
    "ALTER": ["ALTER TABLE stars ADD COLUMN x INT", "ALTER TABLE stars RENAME TO s"],
    "ANALYZE": ["ANALYZE", "ANALYZE stars"],
    "ATTACH": ["ATTACH 'x.duckdb' AS x"],
    "CALL": ["CALL duckdb_functions()", "CALL pragma_version()"],
    "COPY": ["COPY stars TO 'x.csv'", "COPY (SELECT 1) TO 'x'", "COPY stars FROM 'x.csv'"],
    "COPY_DATABASE": ["COPY FROM DATABASE a TO b"],
    "CREATE": ["CREATE TABLE x AS SELECT 1", "CREATE VIEW x AS SELECT 1", "CREATE SECRET (TYPE s3)",
                "CREATE MACRO a() AS 1"],
    "CREATE_FUNC": ["CREATE FUNCTION f(a) AS a"],
    "DELETE": ["DELETE FROM stars", "WITH d AS (DELETE FROM stars RETURNING *) SELECT * FROM d"],
    "DETACH": ["DETACH memory"],
    "DROP": ["DROP TABLE stars", "DROP SCHEMA sky CASCADE"],
    "EXECUTE": ["EXECUTE q"],
    "EXPLAIN": ["EXPLAIN SELECT * FROM stars", "EXPLAIN ANALYZE SELECT * FROM stars"],
    "EXPORT": ["EXPORT DATABASE 'x'", "IMPORT DATABASE 'x'"],
    "EXTENSION": ["INSTALL httpfs"],
    "INSERT": ["INSERT INTO stars VALUES (1)", "INSERT INTO stars SELECT * FROM stars"],
    "LOAD": ["LOAD httpfs", "LOAD 'x.so'"],
    "MERGE_INTO": ["MERGE INTO stars USING bands ON 1 = 1 WHEN MATCHED THEN DELETE"],
    "MULTI": ["SELECT 1; SELECT 2", "SELECT * FROM stars; DROP TABLE stars"],
    "PRAGMA": ["PRAGMA database_list", "PRAGMA memory_limit='1TB'"],
    "PREPARE": ["PREPARE q AS SELECT 1"],
    "RELATION": ["FROM stars", "TABLE stars", "VALUES (1)", "DESCRIBE stars", "SUMMARIZE stars", "SHOW TABLES"],
    "SET": ["SET lock_configuration = false", "RESET memory_limit", "USE memory"],
    "TRANSACTION": ["BEGIN", "COMMIT", "ROLLBACK", "CHECKPOINT"],
    "UPDATE": ["UPDATE stars SET mag = 1", "WITH u AS (UPDATE stars SET mag = 1 RETURNING *) SELECT * FROM u"],
    "VACUUM": ["VACUUM"],
    "VARIABLE_SET": ["SET VARIABLE x = 1"],
}  # fmt: skip
"""Examples of each kind of statement of the engine."""
FORMS = ("SELECT {}(mag) FROM stars", "SELECT id FROM stars WHERE {}('x') = 1", "SELECT mag FROM stars ORDER BY {}(1)")
SOURCES = (
    "'/etc/passwd'", "'x.parquet'", "'*.csv'", "read_csv('x')", "range(10)", "unnest([1])", "duckdb_settings()",
    "information_schema.tables", "pg_catalog.pg_tables", "sqlite_master", "duckdb_tables", "main.t0", "memory.main.t0",
    "temp.t0", "t0", "c0", "generate_series(1, 2)", "glob('*')", "(VALUES (1)) AS v", "(FROM stars) AS s",
    "(PIVOT stars ON mag) AS p", "LATERAL (SELECT 1) AS l", "query('SELECT 1')", "query_table('stars')",
    "pyarrow_table",
)  # fmt: skip


def asked(text: str, namespace) -> None:
    bind(get_language("ADQL").parse(text), namespace)


def names_in_the_engine() -> list[str]:
    rows = duckdb.connect().execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
    return sorted(name for (name,) in rows)


def test_r01_every_function_of_the_engine_that_is_not_in_our_lists_is_refused_by_name(namespace):
    foreign = [name for name in names_in_the_engine() if name.isidentifier() and name.upper() not in OURS]
    assert len(foreign) > 500
    for name in foreign:
        for form in FORMS:
            with pytest.raises((UnknownFunctionError, QuerySyntaxError)) as refused:
                asked(form.format(name), namespace)
            assert name.lower() in str(refused.value).lower()


def test_r01_every_operator_of_the_engine_that_is_not_of_adql_is_refused(namespace):
    foreign = [name for name in names_in_the_engine() if not name.isidentifier() and name not in OPERATORS]
    assert len(foreign) > 20
    for sign in foreign:
        with pytest.raises(QuerySyntaxError):
            asked(f"SELECT id FROM stars WHERE id {sign} id = 1", namespace)


def test_r01_functions_in_quotes_or_of_a_schema_are_refused_as_well(namespace):
    for name in ("read_text", "current_setting", "getenv", "list_transform", "query"):
        for form in ('SELECT "{}"(1) FROM stars', "SELECT main.{}(1) FROM stars", "SELECT 'x'.{}() FROM stars"):
            with pytest.raises(RequestError):
                asked(form.format(name), namespace)


def test_r01_every_kind_of_statement_but_a_query_is_refused(namespace):
    assert set(duckdb.StatementType.__members__) - {"SELECT", "INVALID", "LOGICAL_PLAN"} <= set(STATEMENTS)
    for text in [text for texts in STATEMENTS.values() for text in texts]:
        with pytest.raises(RequestError):
            asked(text, namespace)


@pytest.mark.parametrize("source", SOURCES)
def test_r02_names_of_files_engine_tables_and_inner_names_are_unknown_like_any_other(namespace, source):
    with pytest.raises((UnknownTableError, QuerySyntaxError)):
        asked(f"SELECT * FROM {source}", namespace)


def test_r01_hostile_statements_and_functions_of_the_sample_are_refused(shared_data, namespace):
    lines = (shared_data / "attacks.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines if '"adql_' in line]
    texts = [dict(record["request"]["form"]).get("QUERY") for record in records if record["expect"] == ["tap_error"]]
    texts = [text.replace("{{TABLE}}", "stars") for text in texts if isinstance(text, str)]
    assert len(texts) >= 12
    for text in texts:
        with pytest.raises(RequestError):
            asked(text, namespace)


def test_literals_reach_the_engine_only_as_literals(namespace):
    """Whatever a text says, it comes out as one literal, and names come out as names of ours."""
    from skydex.engines.duckdb_sql import sql_of
    from skydex.query import make_plan

    hostile = "x'' OR 1=1; DROP TABLE stars --"
    bound = bind(get_language("ADQL").parse(f'SELECT \'{hostile}\' AS "a; DROP" FROM stars AS "s; DROP"'), namespace)
    sql = sql_of(make_plan(bound), [])
    statements = duckdb.extract_statements(sql)
    assert len(statements) == 1
    assert statements[0].type is duckdb.StatementType.SELECT
    assert '"a; DROP"' not in sql
    assert "s; DROP" not in sql

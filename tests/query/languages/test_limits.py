"""R03: sizes at, below and far above each limit; nothing takes 5 s and nothing ends in a RecursionError."""

from __future__ import annotations

import time

import pytest

from skydex.errors import QuerySyntaxError, QueryTooLargeError
from skydex.query.languages import parse_adql


def in_list(n: int) -> str:
    return f"SELECT a FROM t WHERE a IN ({', '.join(map(str, range(n)))})"


def nested(opening: str, core: str, closing: str, depth: int) -> str:
    return f"SELECT {opening * depth}{core}{closing * depth} FROM t"


def padded(n_bytes: int) -> str:
    empty = "SELECT '' FROM t"
    return empty.replace("''", f"'{'x' * (n_bytes - len(empty))}'")


def conditions(word: str, n: int) -> str:
    return f"SELECT a FROM t WHERE {f' {word} '.join(['a = 1'] * n)}"


@pytest.mark.parametrize(
    "text",
    [
        padded(1 << 20),
        in_list(10_000),
        in_list(20_000),
        nested("(", "1", ")", 200),
        nested("ABS(", "1", ")", 200),
        nested("1 + (", "1", ")", 200),
        nested("CASE WHEN 1 = 1 THEN ", "1", " END", 200),
        nested("(SELECT MAX(a) FROM t WHERE 1 < ", "1", ")", 60),
        f"SELECT {', '.join(['a'] * 2_000)} FROM t",
        f"SELECT 1 FROM {', '.join(['t'] * 64)}",
        conditions("OR", 10_000),
        conditions("AND", 10_000),
        f"SELECT {' + '.join(['a'] * 590)} FROM t",
    ],
    ids=lambda text: f"{len(text)}-{text[:30]}",
)
def test_r03_a_query_at_its_limits_is_read_copied_and_written(text):
    tree = parse_adql(text)
    assert tree.copy().sql(dialect="duckdb")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (padded((1 << 20) + 1), "length in bytes"),
        (f"SELECT '{'é' * (1 << 19)}' FROM t", "length in bytes"),
        (in_list(20_001), "IN list"),
        (nested("(", "1", ")", 201), "nesting"),
        (nested("(", "1", ")", 100_000), "nesting"),
        ("(" * 1_000_000, "words and signs"),
        (nested("(", "1", ")", 500_000), "words and signs"),
        ("SELECT " + "CASE WHEN 1 = 1 THEN " * 40_000, "nesting"),
        ("SELECT a FROM " + "(SELECT a FROM " * 10_000, "nesting"),
        (f"SELECT {', '.join(['a'] * 2_001)} FROM t", "SELECT list"),
        (f"SELECT 1 FROM {', '.join(['t'] * 65)}", "tables"),
        (" UNION ".join(["SELECT a FROM t"] * 65), "tables"),
        (conditions("OR", 10_001), "conditions joined by OR"),
        (conditions("OR", 100_000), "words and signs"),
        (f"SELECT {'+'.join(['a'] * 10_000)} FROM t", "depth"),
        (f"SELECT {'||'.join(['a'] * 100_000)} FROM t", "depth"),
        (f"SELECT {'(' * 100}1{('+ 1' * 100 + ')') * 100} FROM t", "depth"),
        (f"SELECT POLYGON({', '.join(['1'] * 20_002)}) FROM t", "arguments"),
    ],
    ids=lambda text: text[:30],
)
def test_r03_a_query_over_a_limit_is_refused_by_name_within_its_time(text, what):
    start = time.process_time()
    with pytest.raises(QueryTooLargeError, match=what):
        parse_adql(text)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM t WHERE " + "NOT " * 100_000 + "a = 1",
        "SELECT " + "- " * 100_000 + "a FROM t",
        "SELECT " + "a." * 100_000 + "a FROM t",
        "SELECT '" + "''" * 400_000,
        "SELECT " + "," * 200_000,
        "SELECT a FROM t " + "JOIN " * 100_000,
        "SELECT a" + "\n" * 900_000 + "FROM t WHERE a < < 1",
        "*" * 1_000_000,
        "\x00" * 1_000_000,
    ],
    ids=lambda text: text[:20].replace("\x00", "NUL"),
)
def test_r03_long_nonsense_is_refused_within_its_time(text):
    start = time.process_time()
    with pytest.raises(QuerySyntaxError):
        parse_adql(text)
    assert time.process_time() - start < 5


def test_a_long_chain_of_conditions_makes_a_shallow_tree_in_the_same_order():
    tree = parse_adql("SELECT a FROM t WHERE " + " OR ".join(f"a = {i}" for i in range(1_000)))
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in node.iter_expressions()]
    assert depth < 20
    assert [int(node.this) for node in tree.args["where"].this.dfs() if node.key == "literal"] == list(range(1_000))

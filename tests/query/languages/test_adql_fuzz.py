"""R07, R01: any text gets a tree of known nodes or a declared error, in time."""

from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from skydex.errors import LimitError, RequestError
from skydex.query.languages import parse_adql

ALLOWED: dict[type[exp.Expression], set[str]] = {
    exp.Select: {"expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct"},
    exp.Union: {"this", "expression", "distinct", "order", "offset"},
    exp.Except: {"this", "expression", "distinct", "order", "offset"},
    exp.Intersect: {"this", "expression", "distinct", "order", "offset"},
    exp.Subquery: {"this", "alias", "joins", "order", "offset"},
    exp.With: {"expressions"},
    exp.CTE: {"this", "alias"},
    exp.From: {"this"},
    exp.Join: {"this", "method", "side", "kind", "on", "using"},
    exp.Table: {"this", "db", "catalog", "alias", "joins"},
    exp.TableAlias: {"this"},
    exp.Identifier: {"this", "quoted"},
    exp.Column: {"this", "table", "db", "catalog"},
    exp.Star: set(),
    exp.Alias: {"this", "alias"},
    exp.Anonymous: {"this", "expressions"},
    exp.Distinct: {"expressions"},
    exp.Literal: {"this", "is_string"},
    exp.Null: set(),
    exp.Paren: {"this"},
    exp.Neg: {"this"},
    exp.Not: {"this"},
    exp.Is: {"this", "expression"},
    exp.In: {"this", "expressions", "query"},
    exp.Between: {"this", "low", "high"},
    exp.Exists: {"this"},
    exp.Case: {"this", "ifs", "default"},
    exp.If: {"this", "true"},
    exp.Cast: {"this", "to"},
    exp.DataType: {"this", "expressions", "nested", "kind"},
    exp.DataTypeParam: {"this"},
    exp.Where: {"this"},
    exp.Group: {"expressions"},
    exp.Having: {"this"},
    exp.Order: {"expressions"},
    exp.Ordered: {"this", "desc", "nulls_first"},
    exp.Limit: {"expression"},
    exp.Offset: {"expression"},
    **{
        kind: {"this", "expression"}
        for kind in (exp.And, exp.Or, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Like, exp.ILike)
    },
    **{kind: {"this", "expression"} for kind in (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.DPipe)},
}
"""Every kind of node that a query may become, and what it may hold; the outermost may also hold WITH."""

SPICE = [
    *"(),.;=<>+-*/[]{}?@#%&`'\"\\\x00\u201c\u00e9",
    *(
        "<=",
        ">=",
        "<>",
        "!=",
        "||",
        "::",
        "->",
        "==",
        "$1",
        ":x",
        "''",
        '""',
        "--",
        "/*",
        "*/",
        "1e5",
        "0xFF",
        "9" * 400,
    ),
    *("SELECT", "FROM", "WHERE", "GROUP", "BY", "HAVING", "ORDER", "UNION", "ALL", "DISTINCT", "TOP", "OFFSET", "WITH"),
    *("AS", "IN", "NOT", "NULL", "IS", "BETWEEN", "AND", "OR", "LIKE", "EXISTS", "CASE", "WHEN", "THEN", "ELSE", "END"),
    *(
        "CAST(",
        "JOIN",
        "ON",
        "USING",
        "NATURAL",
        "LEFT",
        "CROSS",
        "OVER (",
        "PIVOT",
        "VALUES",
        "LATERAL",
        "INTO",
        "size",
    ),
    *("COUNT(*)", "POINT(1, 2)", "(SELECT", "DROP", "PRAGMA", "COPY", "read_parquet('x')", "EXCLUDE", "COLUMNS(*)"),
]
PIECES = re.compile(r"\w+|\s+|.", re.DOTALL)


def outcome(text: str, version: str = "2.1") -> exp.Expression | None:
    """The tree of a text, or None if a declared error refuses it."""
    try:
        return parse_adql(text, version=version)
    except (RequestError, LimitError) as error:
        if "sqlglot" in str(error).lower() and "sqlglot" not in text.lower():
            pytest.fail(f"{error} tells of our tools")
        return None


def check_nodes(tree: exp.Expression) -> None:
    for node in tree.walk():
        extra = {"with_"} if node is tree else set()
        held = {key for key, value in node.args.items() if value is not None and value != []}
        assert held <= ALLOWED[type(node)] | extra, repr(node)


def mutated(seeded: random.Random, texts: list[str]) -> str:
    pieces = PIECES.findall(seeded.choice(texts)[:3000])
    for _ in range(seeded.randint(1, 4)):
        at = seeded.randrange(len(pieces) + 1)
        action = seeded.randrange(6)
        if action == 0:
            pieces[at:at] = [" ", seeded.choice(SPICE), " "]
        elif action == 1:
            del pieces[at : at + seeded.randint(1, 5)]
        elif action == 2:
            pieces[at : at + 1] = [seeded.choice(SPICE)]
        elif action == 3:
            pieces[at:at] = pieces[at : at + seeded.randint(1, 10)] * seeded.randint(1, 50)
        elif action == 4:
            other = PIECES.findall(seeded.choice(texts)[:3000])
            pieces[at:] = other[seeded.randrange(len(other) + 1) :]
        else:
            pieces[at:at] = [chr(seeded.choice([0, 9, 10, 13, 27, 34, 39, 160, 0x2028, 0xD800, 0x1F600]))]
    return "".join(pieces)


def run_fuzz(texts: list[str], n: int, seed: int) -> int:
    seeded, n_read = random.Random(seed), 0
    for _ in range(n):
        text, version = mutated(seeded, texts), seeded.choice(["2.0", "2.1", "2.1"])
        start = time.process_time()
        tree = outcome(text, version)
        assert time.process_time() - start < 5, text
        if tree is not None:
            n_read += 1
            check_nodes(tree)
    return n_read


def test_r07_a_thousand_mutated_queries_end_in_a_known_tree_or_a_declared_error(sample_texts):
    assert run_fuzz(sample_texts, 1_000, seed=20251) > 50


@pytest.mark.slow
def test_r07_ten_thousand_mutated_queries_end_in_a_known_tree_or_a_declared_error(sample_texts):
    assert run_fuzz(sample_texts, 10_000, seed=20252) > 500


def test_r01_every_sample_query_that_is_read_holds_nothing_but_nodes_of_adql(sample_texts):
    for tree in map(outcome, sample_texts):
        if tree is not None:
            check_nodes(tree)


@given(st.text(max_size=200))
def test_r07_any_text_ends_in_a_declared_error_or_a_tree(text):
    outcome(text)
    outcome(f"SELECT {text} FROM t")
    outcome(f"SELECT a FROM t WHERE a = {text}")

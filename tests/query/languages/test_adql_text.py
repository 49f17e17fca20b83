"""Queries that are written out mean what the tree means that they come from."""

from __future__ import annotations

import pytest

from skydex.query import build
from skydex.query.languages.adql import parse_adql
from skydex.query.languages.adql_text import adql_text
from skydex.sky import Cone
from skydex.tables import Column, Datatype, Table

STARS = Table("sky.stars", (Column("ra", Datatype.DOUBLE), Column("size", Datatype.INT), Column("B-V", Datatype.FLOAT)))


def chosen(conditions, **given):
    outputs = [build.column_node(column.name, "t") for column in STARS.columns]
    return build.select_query(outputs, STARS, alias="t", conditions=conditions, **given)


def test_names_stand_in_quotes_where_they_must_and_nowhere_else():
    assert adql_text(chosen([]), top=3) == 'SELECT TOP 3 ra, "size", "B-V"\nFROM sky.stars'


def test_conditions_and_keys_stand_on_lines_of_their_own():
    ra, size = (build.column_node(name, "t") for name in ("ra", "size"))
    in_cone = build.in_cone([ra, size], Cone(10.5, -41.25, 0.1))
    tail = build.Tail([(size, True), (ra, False), (size, False)], 50)
    assert adql_text(chosen([in_cone, ra.is_(build.exp.null()), ra.copy()], tail=tail)).splitlines() == [
        'SELECT ra, "size", "B-V"',
        "FROM sky.stars",
        'WHERE CONTAINS(POINT(ra, "size"), CIRCLE(10.5, -41.25, 0.1)) = 1',
        "  AND ra IS NULL",
        "  AND ra",
        'ORDER BY "size" DESC, ra',
        "OFFSET 50",
    ]


@pytest.mark.parametrize(
    "condition",
    [
        "name = 'O''Neil'",
        "name ILIKE '%\\_%'",
        "NOT (a IN (1, -2, 3))",
        "a BETWEEN -1.5 AND 2E-30",
        "(a = 1 OR b IS NULL) AND (c <> 2 OR d > 3)",
        "LOWER(name) = 'x' AND NOT (b IS NULL)",
        '"select" = 1 AND "a ""b" = 2',
    ],
)
def test_what_is_written_is_read_as_the_same_tree(condition):
    tree = parse_adql(f"SELECT a FROM s.t WHERE {condition}")
    again = parse_adql(adql_text(tree))
    assert again.sql() == tree.sql()
    assert adql_text(again) == adql_text(tree)

"""Places in a text, for messages that point at them."""

from __future__ import annotations

import pytest
from sqlglot import exp

from skydex.errors import QuerySyntaxError, UnknownColumnError
from skydex.query.languages import caret, parse_adql, place_of

TEXT = 'SELECT m.ra,\r\n\tLOG10("flux 1") + 2\nFROM csc.master m\nWHERE ra > 1 AND size > 2'


def find(kind: type[exp.Expression], name: str) -> exp.Expression:
    tree = parse_adql(TEXT.replace("size", "sizes"))
    return next(node for node in tree.find_all(kind) if node.name == name)


@pytest.mark.parametrize(
    ("kind", "name", "line", "column", "token"),
    [
        (exp.Column, "ra", 1, 8, "m.ra"),
        (exp.Anonymous, "LOG10", 2, 2, "LOG10"),
        (exp.Column, "flux 1", 2, 8, '"flux 1"'),
        (exp.Identifier, "flux 1", 2, 8, '"flux 1"'),
        (exp.Literal, "2", 2, 20, "2"),
        (exp.Table, "master", 3, 6, "csc.master"),
        (exp.Column, "sizes", 4, 18, "sizes"),
    ],
)
def test_names_columns_tables_calls_and_literals_know_their_place(kind, name, line, column, token):
    assert place_of(find(kind, name)) == {"line": line, "column": column, "token": token}


def test_any_other_node_is_where_its_first_part_is():
    tree = parse_adql(TEXT.replace("size", "sizes"))
    assert place_of(tree.args["where"]) == {"line": 4, "column": 7, "token": "ra"}


def test_a_tree_without_a_text_has_no_place():
    assert place_of(exp.column("ra")) == {"line": None, "column": None, "token": None}


def test_a_place_fits_the_errors_of_binding():
    error = UnknownColumnError("ra", **place_of(find(exp.Column, "ra")))
    assert (error.line, error.column, error.token) == (1, 8, "m.ra")


def test_the_caret_stands_under_the_token():
    with pytest.raises(QuerySyntaxError) as error:
        parse_adql(TEXT)
    assert caret(TEXT, error.value) == "WHERE ra > 1 AND size > 2\n                 ^^^^"


def test_the_caret_keeps_tabs_and_hides_control_characters():
    text = "SELECT a\n\tFROM \x1bt"
    with pytest.raises(QuerySyntaxError) as error:
        parse_adql(text)
    assert caret(text, error.value) == "\tFROM ?t\n\t     ^"


def test_the_caret_shows_the_part_of_a_long_line_that_matters():
    text = f"SELECT {'a, ' * 500}size FROM t"
    with pytest.raises(QuerySyntaxError) as error:
        parse_adql(text)
    shown, under = caret(text, error.value).split("\n")
    assert len(shown) <= 100
    assert shown[under.index("^") :].startswith("size")


def test_an_error_without_place_has_no_caret():
    assert caret("SELECT", QuerySyntaxError("Something is wrong.")) == ""

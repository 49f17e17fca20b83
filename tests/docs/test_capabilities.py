"""The list of capabilities is complete, and every place and every test that it names is there."""

from __future__ import annotations

import ast
import importlib
import tomllib
from functools import cache
from pathlib import Path

import pytest
import typer

from skydex.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
ITEMS = tomllib.loads((ROOT / "docs" / "capabilities.toml").read_text(encoding="utf-8"))
DOCUMENTS = ITEMS.pop("documents")
COUNTS = {"H": 40, "V": 28, "P": 18, "F": 15, "C": 16, "G": 6, "S": 8}
"""How many items each of the documents has, all of them together, and large catalogues."""


def test_every_item_of_every_document_is_listed_once_and_in_order():
    assert list(DOCUMENTS) == list(COUNTS)
    assert list(ITEMS) == [f"{letter}{number}" for letter, n in COUNTS.items() for number in range(1, n + 1)]


@pytest.mark.parametrize("number", ITEMS)
def test_an_item_says_what_where_and_by_what_it_is_shown(number):
    item = ITEMS[number]
    assert set(item) <= {"what", "where", "tests", "open"}
    assert item["what"].endswith(".")
    assert item["where"]
    assert item["tests"] or len(item["open"]) > 20, "what no test shows is open, with the reason"
    assert len(set(item["tests"])) == len(item["tests"])
    for test in item["tests"]:
        file, _, name = test.partition("::")
        assert name in names_in(file), test
    for place in item["where"]:
        assert is_there(place), place


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_tutorials_are_there(document):
    assert is_there(document.get("tutorial", "README.md"))


@cache
def names_in(file):
    """Names of the tests of a file below tests/, none if it is not there."""
    path = ROOT / "tests" / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def is_there(place):
    """Whether there is such a page, benchmark, command, or name of Python."""
    if place.startswith("benchmarks/"):
        return (ROOT / place).exists()
    if place.endswith((".md", ".ipynb")):
        return (ROOT / "docs" / place).exists()
    if " " in place:
        return place.removeprefix("skydex ") in typer.main.get_command(app).commands
    try:
        importlib.import_module(place)
    except ImportError:
        module, _, name = place.rpartition(".")
        return hasattr(importlib.import_module(module), name)
    return True

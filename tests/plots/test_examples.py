"""The examples in the docstrings hold."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["diagrams", "fractions", "light_curves", "style"])
def test_examples_of_docstrings_hold(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"skydex.plots.{name}"))
    assert found.attempted
    assert not found.failed

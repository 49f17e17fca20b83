import doctest
import sys

import pytest


@pytest.mark.parametrize("name", ["correlation", "curve", "curves", "features", "folding", "photometry", "roles"])
def test_examples_are_true(name):
    found = doctest.testmod(sys.modules[f"skydex.lightcurve.{name}"])
    assert found.attempted
    assert not found.failed

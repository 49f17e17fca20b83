import doctest

import pytest

from skydex.objects import filters, matching, summary


@pytest.mark.parametrize("module", [filters, matching, summary])
def test_examples_in_docstrings_give_what_they_say(module):
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0

import doctest

import pytest

from skydex.objects import angles, ranges


@pytest.mark.parametrize("module", [angles, ranges])
def test_examples_in_docstrings_give_what_they_say(module):
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0

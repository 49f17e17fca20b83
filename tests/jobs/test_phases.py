"""A job goes through the phases of UWS 1.1, section 2.1.3, and no other way."""

from __future__ import annotations

import pytest

from skydex.jobs import ACTIVE, FINAL, Phase
from skydex.jobs.phases import may_follow

STEPS = {
    ("PENDING", "QUEUED"),
    ("PENDING", "ABORTED"),
    ("PENDING", "ERROR"),
    ("QUEUED", "EXECUTING"),
    ("QUEUED", "ABORTED"),
    ("QUEUED", "ERROR"),
    ("EXECUTING", "COMPLETED"),
    ("EXECUTING", "ABORTED"),
    ("EXECUTING", "ERROR"),
    ("EXECUTING", "QUEUED"),  # its worker was lost
}


@pytest.mark.parametrize("old", Phase)
@pytest.mark.parametrize("new", Phase)
def test_r08_phases_follow_the_graph_of_the_standard(old, new):
    assert may_follow(old, new) == ((old.value, new.value) in STEPS)


def test_a_phase_is_either_followed_by_others_or_the_last():
    assert {old for old, _ in STEPS} == ACTIVE
    assert {new for _, new in STEPS} - ACTIVE == FINAL


def test_phases_are_spelled_as_the_schema_has_them():
    assert {str(phase) for phase in Phase} == {
        *("PENDING", "QUEUED", "EXECUTING", "COMPLETED", "ERROR", "ABORTED"),
        *("UNKNOWN", "HELD", "SUSPENDED", "ARCHIVED"),
    }

"""The phases of a job, and which may follow which.

UWS 1.1 (IVOA REC 2016-10-24), section 2.1.3. One step is ours: a job whose worker was lost goes from EXECUTING back to
QUEUED, since it is to be done again. HELD, SUSPENDED, ARCHIVED and UNKNOWN are phases that may be asked for, and that
no job of ours is ever in.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

__all__ = ["ACTIVE", "FINAL", "Phase", "may_follow"]


class Phase(enum.StrEnum):
    """Where a job is in its life."""

    PENDING = "PENDING"
    """Made, and not yet told to run."""
    QUEUED = "QUEUED"
    """Told to run, and waiting for a worker."""
    EXECUTING = "EXECUTING"
    """A worker is at it."""
    COMPLETED = "COMPLETED"
    """Its result is there."""
    ERROR = "ERROR"
    """It failed; its fault says why."""
    ABORTED = "ABORTED"
    """Somebody stopped it."""
    HELD = "HELD"
    SUSPENDED = "SUSPENDED"
    ARCHIVED = "ARCHIVED"
    UNKNOWN = "UNKNOWN"


ACTIVE = frozenset({Phase.PENDING, Phase.QUEUED, Phase.EXECUTING})
"""Phases that another one follows."""
FINAL = frozenset({Phase.COMPLETED, Phase.ERROR, Phase.ABORTED})
"""Phases that nothing follows."""

_NEXT: Mapping[Phase, frozenset[Phase]] = {
    Phase.PENDING: frozenset({Phase.QUEUED, Phase.ERROR, Phase.ABORTED}),
    Phase.QUEUED: frozenset({Phase.EXECUTING, Phase.ERROR, Phase.ABORTED}),
    Phase.EXECUTING: frozenset({Phase.COMPLETED, Phase.ERROR, Phase.ABORTED, Phase.QUEUED}),
}


def may_follow(phase: Phase, new: Phase) -> bool:
    """Whether a job in one phase may go to another."""
    return new in _NEXT.get(phase, frozenset())

"""`mend`, `inherit`: what a server does first with the jobs that another one left, perhaps in the middle of its work.

Promise R08: no job is EXECUTING without a worker, one that is COMPLETED has its whole result, and no file is without
its job.
"""

from __future__ import annotations

from skydex.jobs.job import Fault
from skydex.jobs.ledger import Ledger
from skydex.jobs.phases import Phase
from skydex.jobs.statedir import StateDirectory

__all__ = ["INTERRUPTED", "MOST_ATTEMPTS", "inherit", "mend"]

MOST_ATTEMPTS = 3
"""How often a worker may begin with a job; one that ends its worker each time is not done for ever."""
INTERRUPTED = Fault("The service was interrupted each time while it worked on this job. Please try again.", True)
"""Why a job is not begun again."""
_LOST = Fault("The result of this job was lost. Please run the query again.", True)


def mend(ledger: Ledger, state: StateDirectory, now: float) -> None:
    """Bring ledger and files into agreement; the caller is the keeper of both, and nobody else uses them."""
    with ledger.transaction():
        for job_id in ledger.expired(now):
            ledger.remove(job_id)
        _interrupt(ledger, now)
        for job in ledger.in_phase(Phase.COMPLETED):
            if not state.has_whole_result(job):
                ledger.spoil(job.id, now, _LOST)
    state.clear_strangers(ledger.identifiers())
    for job in ledger.in_phase(*Phase):
        state.clear(job)


def inherit(ledger: Ledger, state: StateDirectory, now: float) -> None:
    """Begin with what another process of the same server has left, while others of its processes use the ledger.

    Files of jobs that may yet be changed stay: some may be on their way in.
    """
    with ledger.transaction():
        _interrupt(ledger, now)
    for job in ledger.in_phase(*(frozenset(Phase) - {Phase.PENDING})):
        state.clear(job)


def _interrupt(ledger: Ledger, now: float) -> None:
    """Queue jobs again whose workers are gone, but not for ever."""
    for job in ledger.in_phase(Phase.EXECUTING):
        if job.attempt < MOST_ATTEMPTS:
            ledger.queue(job.id)
        else:
            ledger.fail(job.id, now, INTERRUPTED)

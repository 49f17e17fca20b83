"""What a server does first with the jobs that another one left, perhaps in the middle of its work.

Promise R08: no job is EXECUTING without a worker, one that is COMPLETED has its whole result, and no file is without
its job.
"""

from __future__ import annotations

from skydex.jobs.job import Fault
from skydex.jobs.ledger import Ledger
from skydex.jobs.phases import Phase
from skydex.jobs.statedir import StateDirectory

__all__ = ["MOST_ATTEMPTS", "mend"]

MOST_ATTEMPTS = 3
"""How often a worker may begin with a job; one that ends its worker each time is not done for ever."""
INTERRUPTED = Fault("The service was interrupted each time while it worked on this job. Please try again.", True)
"""Why a job is not begun again."""
_LOST = Fault("The result of this job was lost. Please run the query again.", True)


def mend(ledger: Ledger, state: StateDirectory, now: float) -> None:
    """Bring ledger and files into agreement; the caller is the keeper of both."""
    with ledger.transaction():
        for job_id in ledger.expired(now):
            ledger.remove(job_id)
        for job in ledger.in_phase(Phase.EXECUTING):
            if job.attempt < MOST_ATTEMPTS:
                ledger.queue(job.id)
            else:
                ledger.fail(job.id, now, INTERRUPTED)
        for job in ledger.in_phase(Phase.COMPLETED):
            if not state.has_whole_result(job):
                ledger.spoil(job.id, now, _LOST)
    state.clear_strangers(ledger.identifiers())
    for job in ledger.in_phase(*Phase):
        state.clear(job)

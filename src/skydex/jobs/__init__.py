"""Work in processes that can be killed, and the jobs that outlive them: any callable, its answer streamed as bytes."""

from skydex.jobs.bells import Bell, Bells
from skydex.jobs.forkserver import ForkServer, Staffing
from skydex.jobs.frames import FrameReader, Kind, frame, iter_frames, send_parts
from skydex.jobs.job import Fault, Job, JobInput, JobResult, new_job_id
from skydex.jobs.ledger import JobFilter, Ledger, QueueLimits
from skydex.jobs.limits import die_with_parent
from skydex.jobs.mending import INTERRUPTED, MOST_ATTEMPTS, inherit, mend
from skydex.jobs.phases import ACTIVE, FINAL, Phase
from skydex.jobs.quiet import be_quiet, preload
from skydex.jobs.scratch import Scratch
from skydex.jobs.scribe import Scribe
from skydex.jobs.statedir import StateDirectory
from skydex.jobs.turns import Turns
from skydex.jobs.worker import Factory, Handler, WorkerLimits

__all__ = [
    "ACTIVE",
    "FINAL",
    "INTERRUPTED",
    "MOST_ATTEMPTS",
    "Bell",
    "Bells",
    "Factory",
    "Fault",
    "ForkServer",
    "FrameReader",
    "Handler",
    "Job",
    "JobFilter",
    "JobInput",
    "JobResult",
    "Kind",
    "Ledger",
    "Phase",
    "QueueLimits",
    "Scratch",
    "Scribe",
    "Staffing",
    "StateDirectory",
    "Turns",
    "WorkerLimits",
    "be_quiet",
    "die_with_parent",
    "frame",
    "inherit",
    "iter_frames",
    "mend",
    "new_job_id",
    "preload",
    "send_parts",
]

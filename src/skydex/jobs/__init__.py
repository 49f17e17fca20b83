"""Work in processes that can be killed: any callable, its answer streamed as bytes."""

from skydex.jobs.forkserver import ForkServer, Staffing
from skydex.jobs.frames import FrameReader, Kind, frame, iter_frames, send_parts
from skydex.jobs.quiet import be_quiet
from skydex.jobs.scratch import Scratch
from skydex.jobs.worker import Factory, Handler, WorkerLimits

__all__ = [
    "Factory",
    "ForkServer",
    "FrameReader",
    "Handler",
    "Kind",
    "Scratch",
    "Staffing",
    "WorkerLimits",
    "be_quiet",
    "frame",
    "iter_frames",
    "send_parts",
]

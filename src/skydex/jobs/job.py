"""`Job`: what is known of a job, as a value."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from skydex.jobs.phases import FINAL, Phase

__all__ = ["Fault", "Job", "JobInput", "JobResult", "new_job_id"]

_ID_BYTES = 16


@dataclass(frozen=True)
class JobInput:
    """A file that came with a job."""

    name: str
    """What the job calls it."""
    file: str
    """Where it is in the job's directory."""
    content_type: str = ""
    """What it was said to be."""
    size: int = 0
    """Bytes."""


@dataclass(frozen=True)
class JobResult:
    """The file in which the answer to a job lies whole."""

    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal digest of its content."""
    media_type: str
    """What it holds."""
    suffix: str
    """File name ending that fits, with its dot."""
    n_rows: int | None = None
    """Rows in it; of a statement that writes, the rows that it wrote. None where nobody counted."""


@dataclass(frozen=True)
class Fault:
    """Why a job failed, in words for its owner."""

    message: str
    """What happened, and what to try."""
    is_transient: bool = False
    """Whether the same job may succeed another time."""


@dataclass(frozen=True)
class Job:
    """One job. Times are Unix seconds, UTC."""

    id: str
    """Cannot be guessed: who knows it may use an anonymous job."""
    kind: str
    """Which service knows what it means."""
    scope: str
    """Which part of that service it belongs to; empty for the whole."""
    owner: str | None
    """Whose it is; None if nobody was logged in."""
    address: str
    """Where it came from."""
    run_id: str | None
    """What its owner calls it."""
    phase: Phase
    """Where it is in its life."""
    created: float
    """When it was made."""
    duration_s: int
    """How long it may run, in seconds."""
    destruction: float
    """When it goes, with all that belongs to it."""
    parameters: tuple[tuple[str, str], ...] = ()
    """What it asks: names and values."""
    inputs: tuple[JobInput, ...] = ()
    """Files that came with it."""
    started: float | None = None
    """When a worker began with it."""
    ended: float | None = None
    """When it reached its last phase."""
    attempt: int = 0
    """How often a worker has begun with it."""
    result: JobResult | None = None
    """Its answer."""
    fault: Fault | None = None
    """Why it failed."""
    queue: str = ""
    """The queue that it asks for, `short` or `long`; empty if it leaves that to its time limit."""
    engine: str | None = None
    """What does it, or did so last, where there is a choice."""
    number: int = 0
    """Its place among all jobs there ever were, for protocols that count them; 0 until the ledger has it."""

    @property
    def asker(self) -> str:
        """Whose turn it is when jobs wait."""
        return f"user {self.owner}" if self.owner is not None else self.address

    @property
    def queue_minutes(self) -> int:
        """The queue it waits in, which is called by the time that its jobs may take."""
        return -(-self.duration_s // 60)

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.phase in FINAL

    def is_for(self, owner: str | None) -> bool:
        """Whether somebody may see and change it."""
        return self.owner is None or self.owner == owner


def new_job_id() -> str:
    """A new identifier: 128 random bits behind a letter."""
    return f"j{secrets.token_hex(_ID_BYTES)}"

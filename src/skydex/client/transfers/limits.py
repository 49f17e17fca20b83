"""`TransferLimits`: how much is taken from others, and how patiently."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TransferLimits"]


@dataclass(frozen=True)
class TransferLimits:
    """What others may send, and how often they are asked."""

    concurrency: int = 8
    """Files at once."""
    n_retries: int = 5
    """How often one file is asked for again."""
    pause_s: float = 0.5
    """Before the first retry; twice as long before each further one."""
    longest_pause_s: float = 120.0
    """A service that asks to wait longer than this is not asked again."""
    max_file_bytes: int = 1 << 40
    """Largest file."""
    max_memory_bytes: int = 1 << 30
    """Largest file that is read into memory."""
    max_unpacked_bytes: int = 1 << 37
    """Most that a bundle may unpack to."""
    max_unpacked_files: int = 1_000_000
    """Most files in a bundle."""

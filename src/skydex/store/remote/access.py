"""`RemoteAccess`: how catalogues far away are read, as the operator of an archive chose it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from skydex.settings import Settings

__all__ = ["RemoteAccess"]

_FOLDER = "remote"


@dataclass(frozen=True)
class RemoteAccess:
    """Limits of reading from far away."""

    cache_directory: Path | None = None
    """Where what was read is kept for later processes; None keeps nothing."""
    cache_bytes: int = 0
    """How large it may grow."""
    time_s: float = 30.0
    """How long a server may be silent, in seconds."""
    connections: int = 8
    """Connections to one catalogue at a time."""
    check_s: float = 60.0
    """How long it is taken for granted that a catalogue has not changed, in seconds."""
    s3_anonymous: bool = False
    """Whether S3 is asked without credentials even where there are some."""
    retries: int = 5
    """How often a request is repeated that a server did not answer."""
    pause_s: float = 0.5
    """How long to wait before the first repetition, in seconds; each later one waits twice as long."""

    @classmethod
    def of(cls, settings: Settings, archive: Path) -> Self:
        """What the settings of an archive say."""
        folder = settings.remote_cache_dir
        return cls(
            cache_directory=Path(folder) if folder else settings.state_directory(archive) / _FOLDER,
            cache_bytes=settings.remote_cache_mb << 20,
            time_s=settings.remote_time_s,
            connections=settings.remote_connections,
            check_s=settings.remote_check_s,
            s3_anonymous=settings.s3_anonymous,
        )

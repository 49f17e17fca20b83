"""`Stamp`: what a server says of a file that changes when the file does.

HTTP's validators (RFC 9110, 8.8) with the length: a strong entity tag where there is one, else the time of the last
change. Two answers whose stamps disagree are never put together.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

__all__ = ["Stamp"]


@dataclass(frozen=True)
class Stamp:
    """The version of one remote file."""

    etag: str
    """Entity tag as it was sent, or an empty text."""
    modified: str
    """Time of the last change as it was sent, or an empty text."""
    size: int
    """Bytes of the file."""

    @property
    def is_strong(self) -> bool:
        """Whether equal tags mean equal bytes."""
        return bool(self.etag) and not self.etag.startswith("W/")

    @property
    def is_telling(self) -> bool:
        """Whether it would change with a change that leaves the length alone."""
        return bool(self.etag or self.modified)

    @property
    def modified_at(self) -> float | None:
        """Time of the last change, seconds since 1970."""
        return seconds_of(self.modified)

    def agrees_with(self, other: Stamp) -> bool:
        """Whether both can be of the same version."""
        if self.size != other.size:
            return False
        if self.etag and other.etag:
            return self.etag.removeprefix("W/") == other.etag.removeprefix("W/")
        return not (self.modified and other.modified) or self.modified == other.modified

    def __str__(self) -> str:
        return f"{self.etag or self.modified}:{self.size}"


def seconds_of(date: str) -> float | None:
    """Seconds since 1970 of a date as HTTP writes it; None for anything else."""
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except (TypeError, ValueError):
        return None

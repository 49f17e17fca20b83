"""`Intake`: how much may be on its way to the disk at once, from everybody together.

Each upload has a limit of its own, but who sends it is often known only when all of it is there: many that begin at
once could fill the disk before the first is refused.
"""

from __future__ import annotations

from skydex.errors import BusyError

__all__ = ["Intake"]

_RETRY_S = 30


class Intake:
    """Bytes of files that are being received.

    Parameters
    ----------
    most_mb : int
        How many there may be at once, in MB.
    """

    def __init__(self, most_mb: int) -> None:
        self._left = most_mb << 20

    def take(self, n_bytes: int) -> None:
        """Count bytes that arrive.

        Raises
        ------
        BusyError
            There is no room for them now.
        """
        if n_bytes > self._left:
            raise BusyError(_RETRY_S)
        self._left -= n_bytes

    def give_back(self, n_bytes: int) -> None:
        """Count bytes no more: they are received, or gone."""
        self._left += n_bytes

"""`Bells`: how the processes of one server tell each other that something has changed.

A bell carries a short word, such as the identifier of a job, from one process to all others, in a fraction of a
millisecond. What is true stands on the disk: a bell that was not heard, since its process was starting or had too many
before it, costs whoever looks now and then a moment, and nothing else.

The sockets are made before the processes are forked and outlive each of them, so that one that is made anew hears with
the ears of the one before it.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

__all__ = ["Bell", "Bells"]

_LONGEST = 1000
"""Bytes of a word; a longer one is not sent."""
_MOST_AT_ONCE = 256


class Bells:
    """The ears of several processes.

    Parameters
    ----------
    n : int
        How many there are.
    """

    def __init__(self, n: int) -> None:
        self._pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(n)]
        for end in (end for pair in self._pairs for end in pair):
            end.setblocking(False)

    def of(self, place: int) -> Bell:
        """The bell of one of the processes."""
        others = [mouth for at, (_, mouth) in enumerate(self._pairs) if at != place]
        return Bell(self._pairs[place][0], others)


class Bell:
    """What one process hears, and the way to the ears of the others.

    Parameters
    ----------
    ear : socket
        Where words for this process come in.
    mouths : list of socket
        Where words for the others go out.
    """

    def __init__(self, ear: socket.socket, mouths: list[socket.socket]) -> None:
        self._ear, self._mouths = ear, mouths
        self._heeders: dict[str, Callable[[str], None]] = {}

    def heed(self, about: str, heeder: Callable[[str], None]) -> None:
        """Have something done with each word about something."""
        self._heeders[about] = heeder

    def ring(self, about: str, word: str) -> None:
        """Tell all others; who has too many words before him does not hear it."""
        message = f"{about} {word}".encode("utf-8", "replace")
        for mouth in self._mouths if len(message) <= _LONGEST else ():
            with contextlib.suppress(OSError):
                mouth.send(message)

    def fileno(self) -> int:
        """The descriptor that becomes readable when there is something to hear."""
        return self._ear.fileno()

    def listen(self) -> None:
        """Hand on what has been told."""
        for message in self._heard():
            about, _, word = message.decode("utf-8", "replace").partition(" ")
            if about in self._heeders:
                self._heeders[about](word)

    def _heard(self) -> Iterator[bytes]:
        with contextlib.suppress(OSError):
            for _ in range(_MOST_AT_ONCE):
                if not (message := self._ear.recv(_LONGEST)):
                    return
                yield message

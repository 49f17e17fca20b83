"""`Front`: one of the processes that together are a server, as it knows itself.

A server of one process has none. What is kept in memory is divided between the processes, and what one of them learns
that matters to the others goes by their bells.
"""

from __future__ import annotations

import json
import math
import socket
from dataclasses import dataclass, replace

from skydex.accounts import Accounts
from skydex.jobs import Bell
from skydex.settings import Settings

__all__ = ["Front", "shared_throttles", "shares_of"]

_FEWEST_WORKERS = 2
"""One for quick requests, and one for others."""


@dataclass(frozen=True)
class Front:
    """One of several processes of a server."""

    place: int
    """Which one, from 0."""
    server: str
    """What all of them call this server; random."""
    bell: Bell
    """The way to the others."""
    door: socket.socket
    """Where connections come in that the supervisor has accepted."""
    closed: memoryview
    """A number that all processes see: connections that have come and gone again here."""


def shares_of(settings: Settings) -> Settings:
    """The settings of one of the processes: its share of what the server has altogether."""
    n = settings.processes
    return replace(
        settings,
        workers=max(_FEWEST_WORKERS, math.ceil(settings.workers / n)),
        queue_length=math.ceil(settings.queue_length / n),
        cache_mb=settings.cache_mb // n,
        uploads_mb=math.ceil(settings.uploads_mb / n),
    )


def shared_throttles(accounts: Accounts, bell: Bell) -> None:
    """Have wrong guesses count in all processes, whichever of them hears them."""

    def heed(word: str) -> None:
        throttle, key, is_forgiven = json.loads(word)
        accounts.learn(throttle, key, is_forgiven=is_forgiven)

    accounts.tell = lambda *facts: bell.ring("guess", json.dumps(facts))
    bell.heed("guess", heed)

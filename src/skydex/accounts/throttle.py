"""`Throttle`: after some wrong guesses the next one has to wait, longer each time; each is forgotten after a while.

So somebody's program with an old password, which tries for ever, slows down itself and not everybody at its address.
Kept in memory: a server that starts again has forgotten, which helps a guesser less than it helps everybody else.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from skydex.errors import ThrottledError

__all__ = ["Throttle", "network_of"]

_MOST_KEPT = 10_000
_IPV6_NETWORK = 64
"""Bits of an IPv6 address that one customer has for himself."""


@dataclass
class _Tally:
    """Failures of one kind."""

    n: float = 0.0
    last: float = 0.0
    until: float = -math.inf


class Throttle:
    """Counts failures by whatever is to be held back.

    Parameters
    ----------
    what : str
        What there were too many of, for the message.
    free : int
        Failures that cost nothing.
    first_s, most_s : float
        How long the next one has to wait, which doubles with each, and at most.
    forgotten_s : float
        How long it takes until one of them is forgotten.
    clock : callable
        Gives the time in seconds.
    """

    def __init__(
        self,
        what: str,
        free: int,
        *,
        first_s: float,
        most_s: float,
        forgotten_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._free, self._clock = what, free, clock
        self._first_s, self._most_s, self._forgotten_s = first_s, most_s, forgotten_s
        self._lock = threading.Lock()
        self._tallies: dict[str, _Tally] = {}

    def check(self, key: str) -> None:
        """Refuse one that has to wait.

        Raises
        ------
        ThrottledError
            It has.
        """
        with self._lock:
            tally = self._tallies.get(key)
            left = tally.until - self._clock() if tally else 0.0
        if left > 0:
            raise ThrottledError(self._what, math.ceil(left))

    def count(self, key: str) -> None:
        """One more."""
        with self._lock:
            now = self._clock()
            tally = self._tallies.pop(key, None) or _Tally()
            tally.n = max(0.0, tally.n - (now - tally.last) / self._forgotten_s) + 1.0
            tally.last = now
            n_beyond = math.ceil(tally.n) - self._free
            if n_beyond >= 0:
                tally.until = now + min(self._most_s, self._first_s * 2.0 ** min(n_beyond, 60))
            if len(self._tallies) >= _MOST_KEPT:
                self._tallies.pop(next(iter(self._tallies)))  # the one that was longest at rest
            self._tallies[key] = tally

    def forgive(self, key: str) -> None:
        """Start anew."""
        with self._lock:
            self._tallies.pop(key, None)


def network_of(address: str) -> str:
    """Whom an address stands for: in IPv6 everybody has many."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    return str(known.ipv4_mapped or ipaddress.ip_network((known, _IPV6_NETWORK), strict=False))

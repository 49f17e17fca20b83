"""What can go wrong between here and a server, before it is told in words that name a table."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from skydex.store.remote.access import RemoteAccess

__all__ = ["Altered", "Fault", "Fleeting", "Unreached", "asking_again"]

_T = TypeVar("_T")
_LONGEST_PAUSE_S = 60.0
"""A server that wants to be left alone for longer is not waited for."""


class Fault(Exception):
    """Why a file cannot be had: a clause for people, which names neither host nor address.

    Parameters
    ----------
    reason : str
        The clause.
    remedy : str, optional
        A sentence on what helps, where waiting does not.
    """

    def __init__(self, reason: str, *, remedy: str = "") -> None:
        super().__init__(reason)
        self.remedy = remedy


class Fleeting(Fault):
    """One that may be over soon."""

    def __init__(self, reason: str, *, wait_s: float | None = None, remedy: str = "") -> None:
        super().__init__(reason, remedy=remedy)
        self.wait_s = wait_s


class Unreached(Fleeting):
    """No answer at all."""


class Altered(Fault):
    """The file is not the one that it was."""


async def asking_again(ask: Callable[[], Awaitable[_T]], access: RemoteAccess) -> _T:
    """Ask until there is an answer, or until it is clear that there will be none soon.

    Pauses double, each half as long or half as long again by chance, so that many readers do not come back together.
    """
    for attempt in range(access.retries):
        try:
            return await ask()
        except Fleeting as fault:
            pause_s = access.pause_s * 2**attempt * random.uniform(0.5, 1.5)
            if fault.wait_s is not None:
                if fault.wait_s > _LONGEST_PAUSE_S:
                    raise Fault(f"{fault}, and it wants to be asked again in {fault.wait_s:.0f} s") from fault
                pause_s = max(pause_s, fault.wait_s)
            await asyncio.sleep(pause_s)
    return await ask()

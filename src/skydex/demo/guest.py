"""The guest of a demonstration: an account with a known password, so that tables of one's own can be tried at once.

Only a server on loopback gets it (`run_demo`): everybody who can reach it may log in.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from skydex.archive import Archive
from skydex.errors import NameTakenError
from skydex.settings import load_settings

__all__ = ["GUEST", "GUEST_PASSWORD", "add_guest"]

GUEST, GUEST_PASSWORD = "guest", "demonstration"


def add_guest(archive: Path) -> None:
    """Make the account, unless it is there, or was and has been removed."""
    accounts = Archive.open(archive, load_settings(archive)).accounts
    with contextlib.suppress(NameTakenError):
        accounts.add(GUEST, GUEST_PASSWORD)

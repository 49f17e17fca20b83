"""`Folders`: directories for the files that come with requests, each gone when its request is answered."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from skydex.jobs import Scratch

__all__ = ["Folders"]


class Folders:
    """Directories of their own for requests, in a place that ends with the server, or is swept by the next one.

    Parameters
    ----------
    parent : str, optional
        Where temporary files go; by default where the system has them.
    """

    def __init__(self, parent: str | None = None) -> None:
        self._parent = parent
        self._scratch: Scratch | None = None

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """A path of a directory that may be made, and is gone afterwards."""
        if self._scratch is None:
            self._scratch = Scratch(self._parent)
        path = self._scratch.path / secrets.token_hex(8)
        try:
            yield path
        finally:
            if path.exists():
                shutil.rmtree(path, ignore_errors=True)

    def remove(self) -> None:
        """Remove all of it."""
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None

"""What happens inside a worker: open the archive once, then answer one request after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from skydex.archive import Archive, Deadline, TableRequest
from skydex.jobs import Handler
from skydex.settings import Settings

__all__ = ["PRELOAD", "open_workroom"]

PRELOAD = ("skydex.web.workroom", "skydex.engines.duckdb", "numpy.ma")
"""Modules that a fork server imports before it forks, so that workers share them."""


def open_workroom(directory: Path, settings: Settings, scratch: Path) -> Handler:
    """Open an archive for one worker.

    Parameters
    ----------
    directory : Path
        The archive.
    settings : Settings
        The operator's choices.
    scratch : Path
        The worker's own directory, where the engine spills.
    """
    archive = Archive.open(directory, replace(settings, temp_dir=str(scratch)))

    def handle(request: tuple[TableRequest, str], deadline: float | None) -> tuple[dict[str, Any], Iterator[bytes]]:
        wanted, format_name = request
        moment = Deadline(deadline, settings.query_time_s) if deadline is not None else None
        answer = archive.answer(wanted, format_name, moment)
        return {"media_type": answer.media_type, "suffix": answer.suffix}, answer.chunks

    return handle

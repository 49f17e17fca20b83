"""What the shell offers when a word is completed: presets, formats, and the tables of an archive on this disk.

Nothing is asked over the network for a completion. Where nothing is offered, the shell completes names of files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import typer

from skydex.errors import SkydexError

__all__ = ["formats", "tables_here", "targets"]


def targets(incomplete: str) -> list[str]:
    """Presets, and directories that are archives."""
    from skydex.client import preset_names

    return _begun((*preset_names(), *_archives(incomplete)), incomplete)


def formats(incomplete: str) -> list[str]:
    """Formats that can be written."""
    from skydex.formats import writable

    return _begun((form.name for form in writable()), incomplete)


def tables_here(ctx: typer.Context, incomplete: str) -> list[str]:
    """Tables of the target, where it is a directory, or a preset that knows them."""
    target = str(ctx.params.get("target") or "")
    at = str(ctx.params.get("at") or "")
    with suppress(SkydexError):  # what cannot be listed is not completed
        return _begun(_tables(target, at), incomplete)
    return []


def _tables(target: str, at: str) -> Iterable[str]:
    from skydex.client import find_preset
    from skydex.store import ArchiveDirectory

    preset = find_preset(target)
    if preset is not None and preset.tables:
        return preset.table_names()
    place = Path(at if preset is not None else target)
    return (entry.name for entry in ArchiveDirectory(place).tables())


def _archives(incomplete: str) -> Iterator[str]:
    start = Path(incomplete)
    folder = start if incomplete.endswith("/") else start.parent
    with suppress(OSError):
        for place in sorted(folder.iterdir()):
            if (place / "archive.json").is_file():
                yield str(place)


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.lower().startswith(incomplete.lower())]

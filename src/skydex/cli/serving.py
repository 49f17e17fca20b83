"""An archive on the web: `serve`; and what its operator may choose: `settings`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Annotated

import typer

from skydex.cli.command import Command
from skydex.cli.screen import progress_bar, remark
from skydex.errors import UnreadableFileError

__all__ = ["COMMANDS", "PANEL", "archive_at"]

PANEL = "Serve"
CACHE = ".skydex"
"""Where the archive made of a folder of files lies: inside the folder, or in the user's cache if that is read-only."""


def serve(
    place: Annotated[
        Path, typer.Argument(metavar="ARCHIVE-OR-FOLDER", help="An archive, or a folder of tables and images.")
    ],
    *,
    port: Annotated[int | None, typer.Option(help="TCP port; 0 for any free one. [8642]")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [127.0.0.1]")] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of the server as users write it.")] = None,
    title: Annotated[str | None, typer.Option(help="Name of the archive.")] = None,
    processes: Annotated[int | None, typer.Option(help="Processes that take requests. [1]")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer queries. [two a core]")] = None,
    query_time_s: Annotated[float | None, typer.Option(help="Time limit of a query, in seconds. [60]")] = None,
    access_log: Annotated[bool | None, typer.Option("--access-log", help="Log each request.")] = None,
    config: Annotated[Path | None, typer.Option(help="A skydex.toml; by default that in the archive.")] = None,
) -> None:
    """Serve an archive over TAP, cone search and the web until Ctrl-C.

    A folder that is no archive is made one first, in `FOLDER/.skydex`: every table file in it is ingested, every HATS
    catalogue mounted, every FITS image published where it lies; the next start looks only at what has changed.
    `skydex settings` lists everything that can be chosen, in a file or in the environment.

    **Examples**

    - `skydex serve ~/catalogues`
    - `skydex serve archive --port 8080 --title "Survey of the Hyades"`
    - `SKYDEX_QUERY_TIME_S=600 skydex serve archive --config /etc/skydex.toml`
    """
    from skydex.jobs import be_quiet
    from skydex.settings import load_settings

    be_quiet()  # before the libraries are imported that would start threads
    from skydex.web import serve as serve_archive

    archive = place if is_archive(place) else archive_of_folder(place)
    flags = {
        "port": port,
        "host": host,
        "base_url": base_url,
        "title": title,
        "processes": processes,
        "workers": workers,
        "query_time_s": query_time_s,
        "access_log": access_log,
    }
    serve_archive(archive, load_settings(_home(place, archive), config=config, flags=flags))


def settings() -> None:
    """List every setting: its name, default, environment variable and meaning.

    A setting is written in `skydex.toml` in the archive (or the file of `--config`), or in the environment, or given
    as a flag of `skydex serve`; the later outweighs the earlier.

    **Example**: `skydex settings`
    """
    from rich.markdown import Markdown

    from skydex.cli.screen import output
    from skydex.settings import settings_table

    console = output()
    console.print(Markdown(settings_table()) if console.is_terminal else settings_table(), markup=False)


def is_archive(place: Path) -> bool:
    """Whether a directory is an archive rather than a folder of files."""
    from skydex.store import ArchiveDirectory

    try:
        ArchiveDirectory(place)
    except UnreadableFileError:
        return False
    return True


def archive_at(place: Path) -> tuple[Path, Path]:
    """The archive that is there, or that was made of the files there; and where its `skydex.toml` is looked for."""
    archive = place if is_archive(place) or not place.is_dir() else _cache(place)
    return (archive if is_archive(archive) else place), place


def archive_of_folder(folder: Path) -> Path:
    """The archive of a folder of files, brought up to date; says what became of each file."""
    from skydex.ingest import ingest_folder

    if not folder.is_dir():
        raise UnreadableFileError(str(folder), "there is no such folder.")
    archive = _cache(folder)
    with progress_bar(folder.resolve().name) as progress:
        report = ingest_folder(
            folder,
            archive,
            progress=lambda table: lambda stage, done, total: progress(f"{table}, {stage}", done, total),
        )
    remark(str(report))
    if not report.tables:
        raise UnreadableFileError(str(folder), "there is no table and no image in it.")
    return archive


def _cache(folder: Path) -> Path:
    if os.access(folder, os.W_OK):
        return folder / CACHE
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "skydex" / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]


def _home(place: Path, archive: Path) -> Path:
    """Where `skydex.toml` is looked for: beside the files that the user knows of."""
    return place if place.is_dir() else archive


COMMANDS = (Command(serve), Command(settings))

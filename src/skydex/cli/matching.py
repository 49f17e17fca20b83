"""`xmatch`: whole tables matched by position, to be kept as a table or in a file, or to be looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from skydex.cli.answers import FormatName, OutputFile, sink_of
from skydex.cli.command import Command
from skydex.cli.screen import progress_bar
from skydex.cli.selecting import region_of
from skydex.cli.targets import At, FromStdin, Target, User, connected
from skydex.errors import BadParameterError

__all__ = ["COMMANDS", "PANEL"]

PANEL = "Ask"


def xmatch(
    target: Target,
    tables: Annotated[
        list[str],
        typer.Argument(metavar="TABLE TABLE...", help="Tables of the archive, or files; the first one leads."),
    ],
    *,
    radius: Annotated[
        str,
        typer.Option(
            "--radius", "-r", help="How far apart partners may be: 1arcsec, 0.01 (degrees), or 3*sqrt(err^2+pos_err^2)."
        ),
    ],
    into: Annotated[
        str | None, typer.Option("--into", metavar="NAME", help="Keep it as schema.table, or as mydb.table.")
    ] = None,
    output: OutputFile = None,
    format_name: FormatName = None,
    keep: Annotated[str, typer.Option("--keep", "-k", help="nearest, all, none, left or left-all.")] = "nearest",
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help='Columns of the first table, then of the next, ...; "*" is all of them.'),
    ] = None,
    same: Annotated[
        str, typer.Option(help="Of a table with itself: others (no row is its own partner), once (each pair), all.")
    ] = "others",
    epoch: Annotated[
        str | None, typer.Option(metavar="YEAR", help="Bring positions to this Julian year, by their proper motions.")
    ] = None,
    epochs: Annotated[
        list[str] | None,
        typer.Option(metavar="YEAR", help="Year of the positions of the first table, then of the next; - if unsaid."),
    ] = None,
    at_most: Annotated[
        str | None, typer.Option(metavar="ANGLE", help="Bound of a radius that is made of errors.")
    ] = None,
    cone: Annotated[
        str | None, typer.Option(metavar="'RA DEC RADIUS'", help="Only rows of the first table in there.")
    ] = None,
    chance: Annotated[bool, typer.Option("--chance", help="Estimate how many have a partner by chance.")] = False,
    engine: Annotated[
        str, typer.Option(help="With --into or -o: here, or spark (as the setting spark says).")
    ] = "here",
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
) -> None:
    """Match whole tables by position, exactly, however large they are.

    With --into or -o the archive is a directory, and what was interrupted goes on where it was when the same command is
    given again. Otherwise rows are shown, or written, when all of them are there.

    **Examples**

    - `skydex xmatch archive gaia.source survey.stars --radius 1arcsec --into matches.gaia_stars`
    - `skydex xmatch archive mine.csv survey.stars -r 2arcsec --keep left -o mine.fits`
    - `skydex xmatch archive survey.stars gaia.source -r 1arcsec --keep none -o unseen.parquet`
    - `skydex xmatch archive xray.sources survey.stars -r '3*sqrt(err^2+pos_err^2)' --at-most 10arcsec --chance`
    - `skydex xmatch archive gaia.source old.plates -r 1arcsec --epoch 1954.2 --into matches.plates`
    - `skydex xmatch archive survey.stars survey.stars -r 5arcsec --keep all --same once -f csv`
    """
    place = region_of(cone)
    options: dict[str, Any] = {
        "radius": _spaced(radius),
        "keep": keep,
        "same": same,
        "columns": columns,
        "epoch": epoch,
        "epochs": [None if year == "-" else year for year in epochs] if epochs else None,
        "at_most": at_most and _spaced(at_most),
        "where": place.get("where"),
        "within": place.get("radius"),
        "chance": chance,
    }
    if into and output:
        raise BadParameterError("into", "or output is where rows go: give one of both.")
    with connected(target, at=at, user=user, stdin=password_stdin) as archive:
        if into or (output is not None and format_name is None and hasattr(archive.door, "keep_crossmatch")):
            with progress_bar(into or str(output)) as progress:
                report = archive.keep_crossmatch(
                    into or Path(str(output)), *tables, progress=progress, engine=engine, **options
                )
            print(report)
        elif engine != "here":
            raise BadParameterError("engine", "is for a match that is kept: give --into, or --output without --format.")
        else:
            sink = sink_of(format_name, output)
            sink.take(archive.crossmatch(*tables, **options).to_result())


def _spaced(angle: str) -> str:
    """An angle as astropy reads it; other texts stay as they are."""
    from skydex.cli.angles import radius_degrees
    from skydex.xmatch import find_errors

    return angle if find_errors(angle) is not None else repr(radius_degrees(angle))


COMMANDS = (Command(xmatch),)

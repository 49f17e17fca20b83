"""`mirror`: a selection from an archive elsewhere, kept as a table of an archive on this disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skydex.cli.asking import query_text
from skydex.cli.command import Command
from skydex.cli.screen import output, progress_bar, remark
from skydex.cli.selecting import Where, conditions_of, region_of
from skydex.cli.targets import At, FromStdin, User, password_for

if TYPE_CHECKING:
    from skydex.connection import Mirrored

__all__ = ["COMMANDS", "PANEL"]

PANEL = "Publish"


def mirror(
    target: Annotated[
        str | None,
        typer.Argument(metavar="TARGET", help="Directory of an archive, a server, a TAP service, or a preset."),
    ] = None,
    table: Annotated[str | None, typer.Argument(metavar="TABLE", help="The table that is asked.")] = None,
    *,
    into: Annotated[
        Path, typer.Option("--into", "-a", metavar="ARCHIVE", help="The archive that keeps it; made if new.")
    ] = Path("archive"),
    name: Annotated[str, typer.Option("--name", "-n", metavar="SCHEMA.TABLE", help="What the copy is called.")] = "",
    cone: Annotated[
        str | None, typer.Option(metavar="'RA DEC RADIUS'", help="Where: also 'NAME RADIUS', as in 'IC 1613 10arcmin'.")
    ] = None,
    where: Where = None,
    columns: Annotated[str, typer.Option(metavar="NAMES", help="Which columns, with commas between them.")] = "",
    query: Annotated[
        str | None, typer.Option(metavar="ADQL", help="A query instead of a table; @FILE reads a file.")
    ] = None,
    maxrec: Annotated[int | None, typer.Option(min=0, help="At most so many rows, though there may be more.")] = None,
    at: At = None,
    user: User = None,
    password_stdin: FromStdin = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask again for --name, or for every mirrored table of ARCHIVE.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show what ARCHIVE has from elsewhere.")] = False,
) -> None:
    """Keep rows from an archive elsewhere as a table here, to work with offline.

    The copy says where it is from: archive, query, date, number of rows. `--refresh` asks the same again. Presets are
    `mast-hsc`, `ps1-tap`, `csc21` and others; `--at` has a server or a directory stand in for them.

    **Examples**

    - `skydex mirror mast-hsc summary --cone 'IC 1613 0.5' --where A_F475W_N.gte=10 --into archive`
    - `skydex mirror http://127.0.0.1:8642 survey.stars --cone '83.82 -5.39 10arcmin' --into mine`
    - `skydex mirror csc21 --query @bright.adql --name csc.bright --into archive`
    - `skydex mirror --refresh --into archive`
    """
    if listed:
        _show_list(into)
    elif refresh:
        _refresh(into, name, stdin=password_stdin)
    else:
        if target is None:
            raise typer.BadParameter("is missing; or give --refresh or --list", param_hint="TARGET")
        selection: dict[str, Any] = {"columns": columns, "maxrec": maxrec, "at": at, **region_of(cone)}
        selection |= {"name": name, "query": query and query_text(query), "user": user}
        selection["password"] = password_for(user, at or target, stdin=password_stdin)
        _mirror(target, into, table, conditions_of(where), selection)


def _mirror(
    target: str, into: Path, table: str | None, conditions: list[dict[str, str]], selection: dict[str, Any]
) -> None:
    from skydex import connection

    with progress_bar(selection["name"] or table or "query") as progress:
        come = connection.mirror(target, into, table, *conditions, **selection, progress=progress)
    _tell(come)


def _refresh(into: Path, name: str, *, stdin: bool) -> None:
    from skydex import connection

    wanted = [one for one in connection.mirrors(into) if not name or one.name.lower() == name.lower()]
    for one in wanted:
        password = password_for(one.origin.user, one.origin.at or one.origin.target, stdin=stdin)
        with progress_bar(one.name) as progress:
            _tell(connection.refresh(into, one.name, password=password, progress=progress))
    if not wanted and name:
        connection.refresh(into, name)  # which says why it cannot be
    elif not wanted:
        remark("Nothing was mirrored into this archive.")


def _show_list(into: Path) -> None:
    from rich.table import Table

    from skydex import connection

    shown = Table("table", "rows", "from", "on", "asked")
    for one in connection.mirrors(into):
        shown.add_row(one.name, f"{one.n_rows:,}", one.origin.name, one.time[:10], one.query)
    output().print(shown)


def _tell(come: Mirrored) -> None:
    before = "" if come.n_rows_before is None else f", {come.n_rows_before:,} before"
    print(f"{come.name}: {come.n_rows:,} rows from {come.origin.name}{before}")
    if come.is_truncated:
        remark(f"skydex: {come.origin.name} has more rows than that (--maxrec).")


COMMANDS = (Command(mirror),)

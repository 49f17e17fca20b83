"""The tables that users keep, as an operator sees to them: `skydex mydb`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skydex.cli.delivery import deliver
from skydex.cli.screen import output, remark
from skydex.cli.users import Config, Place, open_archive

if TYPE_CHECKING:
    from skydex.archive import Archive
    from skydex.mydb import MyDB

__all__ = ["mydb_app"]

mydb_app = typer.Typer(name="mydb", help="The tables that users keep on the server.", no_args_is_help=True)

Owner = Annotated[str, typer.Option("--user", "-u", metavar="NAME", help="Whose tables are meant.")]
TableName = Annotated[str, typer.Argument(metavar="TABLE", help="Name of the table, with or without `mydb.`.")]
Users = Annotated[list[str] | None, typer.Option("--with", metavar="USER", help="Another user; may be repeated.")]
Groups = Annotated[list[str] | None, typer.Option("--group", metavar="GROUP", help="A group; may be repeated.")]


@mydb_app.command("list")
def list_own(archive: Place, *, user: Owner, config: Config = None) -> None:
    """List a user's tables: rows, size, with whom they are shared.

    **Example**: `skydex mydb list archive --user alice`
    """
    from rich.markup import escape
    from rich.table import Table

    mydb = _mydb(open_archive(archive, config), user)
    grid = Table("table", "rows", "MB", "changed", "shared with", "description", box=None, header_style="bold")
    for table in mydb.tables():
        size = f"{table.n_bytes / 2**20:,.1f}"
        shared = ", ".join((*table.users, *(f"group {group}" for group in table.groups)))
        grid.add_row(table.name, f"{table.n_rows:,}", size, table.changed, shared, escape(table.description))
    output().print(grid)


@mydb_app.command("upload")
def upload(
    archive: Place,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, VOTable, FITS, Parquet, ...")],
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="Its name; by default that of the file.")
    ] = None,
    *,
    user: Owner,
    mode: Annotated[
        str, typer.Option(help="`create`, `replace` or `append`: what becomes of a table there.")
    ] = "create",
    description: Annotated[str, typer.Option(help="One paragraph for people.")] = "",
    config: Config = None,
) -> None:
    """Put a file into a table of a user's own.

    **Examples**

    - `skydex mydb upload archive targets.csv --user alice`
    - `skydex mydb upload archive more.fits targets --user alice --mode append`
    """
    from skydex.archive import Deposit, Manner, Upload, own_name
    from skydex.errors import BadParameterError

    if mode not in list(Manner):
        raise BadParameterError("--mode", f'must be one of {", ".join(Manner)}, not "{mode}".')
    opened = open_archive(archive, config)
    owner = opened.accounts.get(user).name
    name = own_name(table or file.name.partition(".")[0], owner)
    kept = opened.deposit(Deposit(owner, Upload(name, str(file)), Manner(mode), description))
    for warning in kept.warnings:
        remark(f"skydex: {warning}")
    print(f"mydb.{name}: {kept.n_rows:,} rows")


@mydb_app.command("export")
def export(
    archive: Place,
    table: TableName,
    *,
    user: Owner,
    file: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="By default here, as CSV.")
    ] = None,
    format_name: Annotated[str | None, typer.Option("--format", "-f", help="By default as FILE is named.")] = None,
    config: Config = None,
) -> None:
    """Write a whole table of a user's own into a file.

    **Example**: `skydex mydb export archive targets --user alice -o targets.fits`
    """
    from skydex.archive import own_table_request
    from skydex.formats import format_of_suffix

    opened = open_archive(archive, config)
    form = format_name or (format_of_suffix(file.name).name if file else "csv")
    deliver(opened.answer(own_table_request(_mydb(opened, user), _bare(opened, table, user)), form).chunks, file)


@mydb_app.command("drop")
def drop(archive: Place, table: TableName, *, user: Owner, config: Config = None) -> None:
    """Drop a table of a user's own.

    **Example**: `skydex mydb drop archive targets --user alice`
    """
    opened = open_archive(archive, config)
    _mydb(opened, user).drop(_bare(opened, table, user))


@mydb_app.command("rename")
def rename(
    archive: Place,
    table: TableName,
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it shall be called.")],
    *,
    user: Owner,
    config: Config = None,
) -> None:
    """Give a table of a user's own another name.

    **Example**: `skydex mydb rename archive targets targets_2024 --user alice`
    """
    opened = open_archive(archive, config)
    _mydb(opened, user).rename(_bare(opened, table, user), _bare(opened, new, user))


@mydb_app.command("share")
def share(
    archive: Place, table: TableName, *, user: Owner, others: Users = None, groups: Groups = None, config: Config = None
) -> None:
    """Let other users, or members of groups that the owner is in, read a table.

    **Example**: `skydex mydb share archive targets --user alice --with bob --group observers`
    """
    from skydex.archive import readers

    opened = open_archive(archive, config)
    mydb, name = _mydb(opened, user), _bare(opened, table, user)
    users, shown = readers(opened.accounts, mydb.owner, users=others or (), groups=groups or ())
    _print_readers(mydb.share(name, users=users, groups=shown).shared_with)


@mydb_app.command("unshare")
def unshare(
    archive: Place, table: TableName, *, user: Owner, others: Users = None, groups: Groups = None, config: Config = None
) -> None:
    """Take from users and groups the right to read a table.

    **Example**: `skydex mydb unshare archive targets --user alice --with bob`
    """
    opened = open_archive(archive, config)
    mydb, name = _mydb(opened, user), _bare(opened, table, user)
    _print_readers(mydb.unshare(name, users=others or (), groups=groups or ()).shared_with)


def _mydb(opened: Archive, user: str) -> MyDB:
    return opened.mydb(opened.accounts.get(user).name)


def _bare(opened: Archive, table: str, user: str) -> str:
    from skydex.archive import own_name

    return own_name(table, opened.accounts.get(user).name)


def _print_readers(names: tuple[str, ...]) -> None:
    print(f"shared with {', '.join(names) or 'nobody'}")

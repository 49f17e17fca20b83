"""Who may log in: `skydex user` and `skydex group`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skydex.cli.passwords import FromStdin, new_password
from skydex.cli.screen import output
from skydex.errors import StoreError

if TYPE_CHECKING:
    from skydex.accounts import Accounts, User
    from skydex.archive import Archive

__all__ = ["PANEL", "Config", "Place", "group_app", "open_archive", "user_app"]

PANEL = "Users"

user_app = typer.Typer(name="user", help="Who may log in, and how much they may keep.", no_args_is_help=True)
group_app = typer.Typer(name="group", help="Groups of users, with whom tables can be shared.", no_args_is_help=True)

Place = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="Directory of the archive.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the user.")]
Group = Annotated[str, typer.Argument(metavar="GROUP", help="Name of the group.")]
Megabytes = Annotated[int | None, typer.Option("--mb", min=0, help="What the user's tables may take, in MB.")]
Tables = Annotated[int | None, typer.Option("--tables", min=0, help="How many tables the user may have.")]
Config = Annotated[Path | None, typer.Option(help="A skydex.toml; by default that in the archive.")]


@user_app.command("add")
def add_user(
    archive: Place,
    name: Name,
    *,
    password_stdin: FromStdin = False,
    mb: Megabytes = None,
    tables: Tables = None,
    config: Config = None,
) -> None:
    """Make an account; prints the user's number, which CasJobs calls the WSID.

    The password has at least 8 bytes. A server that runs already knows the user at once.

    **Example**: `skydex user add archive alice`
    """
    opened = open_archive(archive, config)
    opened.accounts.check_free(name, taken=opened.has_name)  # before a password is asked for
    user = opened.accounts.add(
        name, new_password(stdin=password_stdin), quota_mb=mb, quota_tables=tables, taken=opened.has_name
    )
    print(f"{user.name}: WSID {user.wsid}")


@user_app.command("list")
def list_users(archive: Place, *, config: Config = None) -> None:
    """List the users of an archive: numbers, how much they keep and may keep, and groups.

    **Example**: `skydex user list archive`
    """
    from rich.table import Table

    opened = open_archive(archive, config)
    titles = ("user", "WSID", "tables", "of", "MB", "of", "since", "groups")
    grid = Table(*titles, box=None, header_style="bold", pad_edge=False)
    for user in opened.accounts.users():
        since = datetime.datetime.fromtimestamp(user.created, datetime.UTC).date().isoformat()
        kept = (*_kept(opened, user), f"{user.quota_mb:,}")
        grid.add_row(user.name, str(user.wsid), *kept, since, ", ".join(sorted(user.groups)))
    output().print(grid)


@user_app.command("passwd")
def change_password(archive: Place, name: Name, *, password_stdin: FromStdin = False, config: Config = None) -> None:
    """Change a password. The user's tokens and sessions end.

    **Example**: `skydex user passwd archive alice`
    """
    accounts = _accounts(archive, config)
    user = accounts.get(name)
    accounts.set_password(user.name, new_password(stdin=password_stdin))
    print(f"{user.name}: the password is changed")


@user_app.command("quota")
def change_quota(
    archive: Place, name: Name, *, mb: Megabytes = None, tables: Tables = None, config: Config = None
) -> None:
    """Change how much a user may keep, or show it.

    **Example**: `skydex user quota archive alice --mb 20000`
    """
    accounts = _accounts(archive, config)
    changed = mb is not None or tables is not None
    user = accounts.set_quota(name, mb=mb, tables=tables) if changed else accounts.get(name)
    print(f"{user.name}: {user.quota_mb:,} MB, {user.quota_tables:,} tables")


@user_app.command("remove")
def remove_user(archive: Place, name: Name, *, config: Config = None) -> None:
    """Remove an account and the tables that the user kept. Its name is never given again.

    **Example**: `skydex user remove archive alice`
    """
    opened = open_archive(archive, config)
    user = opened.accounts.remove(name)
    opened.forget_removed()
    print(f"{user.name}: removed")


@group_app.command("add")
def add_group(archive: Place, group: Group, *, config: Config = None) -> None:
    """Make a group of users.

    **Example**: `skydex group add archive variables`
    """
    print(f"{_accounts(archive, config).add_group(group)}: added")


@group_app.command("list")
def list_groups(archive: Place, *, config: Config = None) -> None:
    """List the groups, with their members.

    **Example**: `skydex group list archive`
    """
    for group, members in _accounts(archive, config).groups().items():
        print(f"{group}: {', '.join(members) or 'nobody'}")


@group_app.command("join")
def join_group(archive: Place, group: Group, name: Name, *, config: Config = None) -> None:
    """Make a user a member of a group.

    **Example**: `skydex group join archive variables alice`
    """
    _print_groups(_accounts(archive, config).join(group, name))


@group_app.command("leave")
def leave_group(archive: Place, group: Group, name: Name, *, config: Config = None) -> None:
    """Make a user no member of a group any more.

    **Example**: `skydex group leave archive variables alice`
    """
    _print_groups(_accounts(archive, config).leave(group, name))


@group_app.command("remove")
def remove_group(archive: Place, group: Group, *, config: Config = None) -> None:
    """Remove a group; its members stay users.

    **Example**: `skydex group remove archive variables`
    """
    accounts = _accounts(archive, config)
    name = accounts.get_group(group)
    accounts.remove_group(name)
    print(f"{name}: removed")


def open_archive(place: Path, config: Path | None) -> Archive:
    """The archive that a command speaks of; of a folder of files, the one that `skydex serve` makes of it."""
    from skydex.archive import Archive
    from skydex.cli.serving import archive_at
    from skydex.settings import load_settings

    archive, home = archive_at(place)
    return Archive.open(archive, load_settings(home, config=config))


def _accounts(place: Path, config: Path | None) -> Accounts:
    return open_archive(place, config).accounts


def _kept(archive: Archive, user: User) -> tuple[str, str, str]:
    """How many tables a user has and may have, and their size in MB; unknown where they cannot be read."""
    try:
        tables = archive.mydb(user.name).tables()
    except StoreError:
        return "?", f"{user.quota_tables:,}", "?"
    size_mb = sum(table.n_bytes for table in tables) / (1 << 20)
    return f"{len(tables):,}", f"{user.quota_tables:,}", f"{size_mb:,.1f}"


def _print_groups(user: User) -> None:
    print(f"{user.name}: {', '.join(sorted(user.groups)) or 'in no group'}")

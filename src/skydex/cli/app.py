"""`main`: the commands put together, and what becomes of an error.

A command is a function in one of the modules listed here. Only the standard library, typer and `skydex.errors` are
imported before one runs, so that `skydex --help` answers at once; a command imports what it needs when it is called.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from skydex import __version__
from skydex.cli import (
    asking,
    checking,
    demonstration,
    holdings,
    jobs,
    matching,
    mirroring,
    mydb,
    picturing,
    plotting,
    publishing,
    serving,
    users,
)
from skydex.errors import SkydexError

__all__ = ["app", "main"]

app = typer.Typer(
    name="skydex",
    help="An astronomical archive in a box: catalogues go in; TAP, cone search and tables come out.",
    epilog="Start with: skydex serve FOLDER-OF-FILES. Each command has its own --help, with examples.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _panel in (publishing, mirroring, holdings, serving, asking, matching, jobs, picturing, checking):
    for _command in _panel.COMMANDS:
        app.command(rich_help_panel=_panel.PANEL, **_command.options)(_command.function)
app.add_typer(plotting.plot_app, rich_help_panel=plotting.PANEL)
app.add_typer(demonstration.app, rich_help_panel=serving.PANEL)
app.add_typer(users.user_app, rich_help_panel=users.PANEL)
app.add_typer(users.group_app, rich_help_panel=users.PANEL)
app.add_typer(mydb.mydb_app, rich_help_panel=users.PANEL)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit: 0 done, 1 an error in one line on stderr, 2 wrong usage, 130 interrupted."""
    try:
        app(args=arguments, prog_name="skydex")
    except SkydexError as error:
        _complain(error)
        sys.exit(1)


def _complain(error: SkydexError) -> None:
    """The error in one line; below it the place in the query, where there is one."""
    print(f"skydex: {error}", file=sys.stderr)
    for note in getattr(error, "__notes__", ()):
        print(note, file=sys.stderr)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"skydex {__version__}")
        raise typer.Exit


@app.callback()
def _skydex(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass

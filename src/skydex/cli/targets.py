"""Which archive a command asks: a directory, a server, a TAP service or a preset, opened as `skydex.connect` does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skydex.cli.completing import tables_here, targets
from skydex.cli.passwords import FromStdin, known_password

if TYPE_CHECKING:
    from skydex.connection import Connection

__all__ = ["At", "FromStdin", "TableName", "Target", "User", "connected", "password_for"]

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="Directory of an archive; address of a server, or of any TAP service; or a preset, such as mast-hsc.",
        autocompletion=targets,
    ),
]
TableName = Annotated[
    str, typer.Argument(metavar="TABLE", help="A table, as `skydex tables` lists it.", autocompletion=tables_here)
]
At = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS-OR-DIR", help="What stands in for the real services of a preset."),
]
User = Annotated[
    str | None, typer.Option(metavar="NAME", help="As whom it is asked; a server is sent the password, too.")
]


@contextmanager
def connected(
    target: str,
    *,
    at: str | None = None,
    user: str | None = None,
    stdin: bool = False,
    engine: str | None = None,
) -> Iterator[Connection]:
    """An archive that can be asked, until the command is done."""
    from skydex.connection import connect

    password = password_for(user, at or target, stdin=stdin)
    with connect(target, at=at, user=user, password=password, engine=engine) as archive:
        yield archive


def password_for(user: str | None, place: str, *, stdin: bool) -> str | None:
    """That of a user: of the environment, or asked for; a directory needs none."""
    if not user or Path(place).is_dir():
        return None
    known = os.environ.get("SKYDEX_PASSWORD")
    if known and not stdin and os.environ.get("SKYDEX_USER") == user:
        return known
    return known_password(user, stdin=stdin)

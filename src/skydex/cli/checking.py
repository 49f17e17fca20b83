"""Whether a query follows its language: `lint`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from skydex.cli.command import Command
from skydex.cli.pointing import pointing_into
from skydex.errors import UnreadableFileError

__all__ = ["COMMANDS", "PANEL", "read_text"]

PANEL = "Ask"


def lint(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="File with one query; - for standard input.")],
    lang: Annotated[str, typer.Option(help="Language and version: adql-2.1 or adql-2.0.")] = "adql-2.1",
) -> None:
    """Check the grammar of a query, without an archive.

    Prints `ok`, or the error with its line and column, the place, and what to write instead; the exit status is then 1.

    **Examples**

    - `skydex lint query.adql`
    - `echo "SELECT TOP 5 * FROM t ORDER BY dist" | skydex lint --lang adql-2.0 -`
    """
    from skydex.query.languages import get_language

    name, _, version = lang.partition("-")
    language = get_language(name)
    text = read_text(file)
    with pointing_into(text):
        language.parse(text, version=version or language.versions[-1])
    print("ok")


def read_text(file: str) -> str:
    """The text of a file, or of standard input for `-`."""
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise UnreadableFileError(file, f"{reason}.") from error


COMMANDS = (Command(lint),)

"""Whether a query follows its language: `lint`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from skydex.cli.command import Command
from skydex.cli.pointing import pointing_into
from skydex.cli.screen import remark
from skydex.errors import BadParameterError, SkydexError, UnreadableFileError

__all__ = ["COMMANDS", "PANEL", "read_text"]

PANEL = "Ask"


def lint(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="File with one query; - for standard input.")],
    lang: Annotated[str, typer.Option(help="Language and version: adql-2.1, adql-2.0 or tsql.")] = "adql-2.1",
) -> None:
    """Check the grammar of a query, without an archive.

    Prints `ok`, or the error with its line and column, the place, and what to write instead. The exit status is 0 for
    a good query, 1 for a bad one, and 2 for a language or a file that is not there. `tsql` is the language of CasJobs:
    one statement or several.

    **Examples**

    - `skydex lint query.adql`
    - `echo "SELECT TOP 5 * FROM t ORDER BY dist" | skydex lint --lang adql-2.0 -`
    - `skydex lint --lang tsql job.sql`
    """
    try:
        parse, text = _parser(lang), read_text(file)
    except SkydexError as error:
        remark(f"skydex: {error}")
        raise typer.Exit(2) from error
    with pointing_into(text):
        parse(text)
    print("ok")


def _parser(lang: str) -> Callable[[str], object]:
    """What parses a language, by its name and version."""
    from skydex.query.languages import get_language, parse_tsql

    if lang.lower() == "tsql":
        return parse_tsql
    name, _, version = lang.partition("-")
    language = get_language(name)
    version = version or language.versions[-1]
    if version not in language.versions:
        raise BadParameterError("--lang", f"{language.name} is offered in versions {' and '.join(language.versions)}.")
    return partial(language.parse, version=version)


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

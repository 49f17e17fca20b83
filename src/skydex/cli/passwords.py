"""Passwords on the command line: typed, without an echo, or read from standard input; never an argument."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from skydex.errors import BadParameterError

__all__ = ["FromStdin", "known_password", "new_password"]

FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking for it.")
]


def new_password(*, stdin: bool) -> str:
    """A password that somebody chooses: typed twice, or the first line of standard input."""
    if stdin:
        return _line()
    _check_terminal()
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise BadParameterError("password", "was not typed the same twice.")
    return first


def known_password(who: str, *, stdin: bool) -> str:
    """The password of somebody who has one."""
    if stdin:
        return _line()
    _check_terminal()
    return getpass.getpass(f"Password of {who}: ")


def _line() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _check_terminal() -> None:
    if not sys.stdin.isatty():
        raise BadParameterError("--password-stdin", "is needed where there is no terminal to ask for a password.")

"""The property files of HATS: `key=value` lines as `java.util.Properties` reads and writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["format_properties", "parse_properties"]

_LINE = re.compile(r"\s*((?:\\.|[^\\:=\s])+)\s*[:=]?\s*(.*)")
_CONTINUED = re.compile(r"(?<!\\)((?:\\\\)*)\\\r?\n[ \t]*")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}


def parse_properties(text: str) -> dict[str, str]:
    """Read properties; comment lines start with `#` or `!`, and a later value of a key wins."""
    lines = (line.strip() for line in _CONTINUED.sub(r"\1", text).splitlines())
    found = (_LINE.fullmatch(line) for line in lines if line and line[0] not in "#!")
    return {_unescaped(match[1]): _unescaped(match[2]) for match in found if match}


def format_properties(values: Mapping[str, object], *, title: str) -> str:
    """Write properties under a comment line; line breaks in a value become blanks."""
    lines = [f"{key}={_escaped(str(value))}" for key, value in values.items() if value is not None]
    return "\n".join([f"#{title}", *lines, ""])


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _character(match[1]), text)


def _character(code: str) -> str:
    return chr(int(code[1:], 16)) if len(code) == 5 else _LETTERS.get(code, code)


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\")

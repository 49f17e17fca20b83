"""How a delimited file is laid out: encoding, comments, delimiter, header.

Decided from its first lines, unless the caller says better. Nothing here reads rows.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skydex.errors import BadRecipeError, UnreadableFileError
from skydex.formats.delimited.opening import open_plain

__all__ = ["NULLS", "Layout", "is_null", "is_number", "sniffed", "unique_names"]

NULLS = ("", "NULL", "null", "\\N", "--", "nan", "NaN", "NAN", "N/A", "n/a", "<NA>")
"""Unquoted spellings of "no value"."""

DELIMITERS = (",", "\t", ";", "|")
_HEAD = 1 << 18
_LINES_LOOKED_AT = 40
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?|[+-]?(inf|infinity|nan)", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """What must be known to cut a file into fields."""

    delimiter: str
    """Between two fields."""
    names: tuple[str, ...]
    """Names of the columns, each once."""
    skip_lines: int
    """Lines before the first row."""
    encoding: str = "utf-8"
    """Of its characters."""
    comments: tuple[str, ...] = ()
    """Comment lines before the header."""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    """What the header says of a column, by name."""
    units: Mapping[str, str] = field(default_factory=dict)
    """What the header says of a column's unit, by name."""
    nulls: tuple[str, ...] = NULLS
    """Spellings of "no value"."""
    texts: frozenset[str] = frozenset()
    """Columns, in small letters, that are text, even if they look like numbers."""
    any_blanks: bool = False
    """Whether any run of blanks and tabs separates fields; the delimiter is then one blank."""
    is_dump: bool = False
    """Whether it is a MySQL dump: no quotes, backslashes escape."""
    max_bytes: int | None = None
    """Most plain bytes that are read of a compressed file."""


def sniffed(file: Path, options: Mapping[str, Any], *, favourite: str = ",") -> Layout:
    """Look at the beginning of a file and say how it is laid out.

    Parameters
    ----------
    file : Path
        The file, compressed or not.
    options : mapping
        `delimiter`, `header` (whether there is one), `names`, `null_values`, `encoding`, `texts` (names of columns, in
        small letters, that are text whatever they look like): what the caller knows; `max_bytes`, `max_columns`: what
        is too much.
    favourite : str
        The delimiter that is preferred where several would do; a blank if only evenly cut lines count as delimited.
    """
    text, encoding = _head(file, options)
    lines = text.splitlines()
    n_comments = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    comments, content = lines[:n_comments], [line for line in lines[n_comments:] if line.strip()][:_LINES_LOOKED_AT]
    if not content:
        raise UnreadableFileError(file.name, "it holds no lines with data")
    is_dump = options.get("delimiter", "\t") == "\t" and any("\\N" in line.split("\t") for line in content)
    if is_dump:
        content = [line.replace("\\\t", "\\t") for line in content]
    delimiter = options.get("delimiter") or ("\t" if is_dump else _delimiter(content, favourite))
    rows = list(csv.reader(content, delimiter=delimiter, quoting=csv.QUOTE_NONE if is_dump else csv.QUOTE_MINIMAL))
    if len(rows[0]) > options.get("max_columns", len(rows[0])):
        raise UnreadableFileError(file.name, f"it has more than {options['max_columns']:,} columns")
    names, has_header = _names(rows, comments, delimiter, options)
    return Layout(
        delimiter,
        unique_names(names),
        n_comments + has_header,
        encoding,
        tuple(line.lstrip("#").strip() for line in comments),
        nulls=tuple(options.get("null_values", NULLS)),
        texts=frozenset(options.get("texts", ())),
        is_dump=is_dump,
        max_bytes=options.get("max_bytes"),
    )


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names that differ without regard to case; nameless columns are called after their place."""
    taken: set[str] = set()
    unique = []
    for number, given in enumerate(names, 1):
        base = given.strip() or f"col{number}"
        name, again = base, 1
        while name.lower() in taken:
            again += 1
            name = f"{base}_{again}"
        taken.add(name.lower())
        unique.append(name)
    return tuple(unique)


def is_number(text: str) -> bool:
    """Whether a field reads as a number."""
    return _NUMBER.fullmatch(text.strip()) is not None


def is_null(text: str) -> bool:
    """Whether a field reads as "no value"."""
    return text.strip() in NULLS


def _head(file: Path, options: Mapping[str, Any]) -> tuple[str, str]:
    csv.field_size_limit(_HEAD)
    with open_plain(file, max_bytes=options.get("max_bytes")) as stream:
        start = stream.read(_HEAD)
    whole = start if len(start) < _HEAD else start[: start.rfind(b"\n") + 1]
    if not whole or b"\0" in whole[:4096]:
        raise UnreadableFileError(file.name, "it is empty" if not start else "it is not a text, or has an endless line")
    encoding = options.get("encoding") or _encoding(whole)
    return whole.decode(encoding, errors="replace"), encoding


def _encoding(start: bytes) -> str:
    try:
        start.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig" if start.startswith(b"\xef\xbb\xbf") else "utf-8"


def _delimiter(content: Sequence[str], favourite: str) -> str:
    """The delimiter that cuts all lines into equally many fields, as many as possible."""

    def merit(delimiter: str) -> tuple[bool, int, bool]:
        counts = [len(row) for row in csv.reader(content, delimiter=delimiter)]
        even = len(set(counts[:-1] or counts)) == 1  # the last line may have been cut
        return (even and counts[0] > 1, counts[0], delimiter == favourite)

    best = max(DELIMITERS, key=merit)
    even, n_fields, _ = merit(best)
    return best if even or (n_fields > 1 and favourite in DELIMITERS) else favourite


def _names(
    rows: Sequence[Sequence[str]], comments: Sequence[str], delimiter: str, options: Mapping[str, Any]
) -> tuple[Sequence[str], bool]:
    """Names of the columns, and whether the first row is where they stand."""
    first = rows[0]
    has_header = bool(options["header"]) if "header" in options else _is_header(rows)
    if "names" in options:
        names = list(options["names"])
        if len(names) != len(first):
            raise BadRecipeError(f"{len(names)} names are given for a file of {len(first)} columns.")
        return names, has_header
    if has_header:
        return first, True
    commented = next(csv.reader([comments[-1].lstrip("#").strip()], delimiter=delimiter), []) if comments else []
    if len(commented) == len(first) and len(first) > 1 and not any(map(is_number, commented)):
        return commented, False
    return [""] * len(first), False


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a first row names columns: no numbers in it, and no name twice."""
    names = [cell.strip() for cell in rows[0]]
    filled = [name for name in names if name]
    distinct = len({name.lower() for name in filled}) == len(filled) > 0
    numbers_below = any(is_number(cell) for row in rows[1:] for cell in row)
    plain = not any(is_number(name) or is_null(name) for name in filled)
    return plain and len(filled) >= len(names) - 1 and (distinct or numbers_below)

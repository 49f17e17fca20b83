"""Tables whose columns stand between blanks, with or without a header in comment lines.

Names are looked for in the lines above the first row: as many words as the rows have fields, the nearest such line
first. hst1pass, the program behind the MAST PSF databases, frames its names in dots (`....u....`) and explains them in
lines of their own (`# (01)  u -- u ref-frame`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from skydex.formats.delimited.sniffing import Layout, is_null, is_number, unique_names

__all__ = ["blank_layout"]

_ROWS_LOOKED_AT = 12
_EXPLAINED = re.compile(r"#\s*\(\d+\)\s+(\S+)\s+--\s+(.+?)(?:\s{2,}|$)")
_NAME = re.compile(r"[^\W\d]|[^\W\d].*|[#%_$(\[].*[^\W\d].*|\d+[^\W\d].*")
_WITH_UNIT = re.compile(r"([^\[\]]+)\[([^\[\]]+)\]")
_FRAME = ".*|"


def blank_layout(lines: Sequence[str], *, is_whole: bool) -> Layout | None:
    """Say how a table between blanks is laid out; `None` if the lines are no such table.

    Parameters
    ----------
    lines : sequence of str
        The first lines of the file.
    is_whole : bool
        Whether they are all of it.
    """
    start = _first_row(lines, is_whole=is_whole)
    if start is None or len(lines) < 2:
        return None
    above = lines[:start]
    names, units = _split_units(_names_above(above, len(_words(lines[start]))))
    kept = [line for line in above if line.strip() and not line.lstrip().startswith("#")]
    return Layout(
        " ",
        unique_names(names),
        len(kept),
        comments=tuple(line.strip("# \t") for line in above if line.startswith("#") and _is_prose(line)),
        descriptions={match[1]: match[2].strip() for line in above if (match := _EXPLAINED.match(line))},
        units=units,
        any_blanks=True,
    )


def _first_row(lines: Sequence[str], *, is_whole: bool) -> int | None:
    """Place of the first line that holds a number and has as many words as the lines that follow."""
    rows = [place for place, line in enumerate(lines) if _may_be_row(line)]
    for nth, place in enumerate(rows):
        words = _words(lines[place])
        following = [len(_words(lines[after])) for after in rows[nth : nth + _ROWS_LOOKED_AT]]
        if len(following) > 1 and not is_whole and nth + len(following) == len(rows):
            following.pop()  # the last line may have been cut
        if any(map(is_number, words)) and set(following) == {len(words)}:
            return place
    return None


def _may_be_row(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#") and re.search(r"\w", line) is not None


def _names_above(above: Sequence[str], n_columns: int) -> list[str]:
    candidates = [_plain_names(line) for line in above]
    fitting = [place for place, names in enumerate(candidates) if len(names) == n_columns and _are_names(names)]
    if not fitting:
        return [""] * n_columns
    best = fitting[-1]
    if best - 1 in fitting and set(candidates[best]) & set(candidates[best - 1]):
        best -= 1  # a second line of names, as in files for EAZY, says the same in codes
    return candidates[best]


def _split_units(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Take the units out of names such as `RA[deg]`."""
    pairs = [match.groups() if (match := _WITH_UNIT.fullmatch(name)) else (name, "") for name in names]
    bare = [name for name, _ in pairs]
    if len({name.lower() for name in bare}) < len(bare) or not all(_is_unit(unit) for _, unit in pairs if unit):
        return list(names), {}
    return bare, {name: unit for name, unit in pairs if unit}


def _is_unit(text: str) -> bool:
    from astropy.units import Unit

    try:
        Unit(text)
    except (ValueError, TypeError):
        return False
    return not text.isdigit()


def _plain_names(line: str) -> list[str]:
    return [word.strip(_FRAME) or word for word in _words(line.strip().lstrip("#"))]


def _are_names(words: Sequence[str]) -> bool:
    lower = {word.lower() for word in words}
    return len(lower) == len(words) and all(
        _NAME.fullmatch(word) and not is_number(word) for word in words if not is_null(word)
    )


def _is_prose(line: str) -> bool:
    return bool(re.search(r"[A-Za-z]{3,} +[A-Za-z]{2,}", line)) and not _EXPLAINED.match(line)


def _words(line: str) -> list[str]:
    row = " ".join(line.split())
    return next(csv.reader([row], delimiter=" "), []) if row else []

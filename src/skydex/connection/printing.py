"""Lists as a terminal has room for them: a line for each row, its last text, a description, cut to what remains."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

__all__ = ["printed_rows"]

_GAP = "  "
_LONGEST = 60
"""Characters of any text."""
_SHORTEST = 30
"""Of a description; where there is less room, what is dispensable makes way."""
_MOST_ROWS = 60
"""More are not read."""

Listed = tuple[str, list[str]]
"""What texts are, and the texts."""


def printed_rows(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, dispensable: str = "", hint: str = ""
) -> str:
    """Write rows of texts for people.

    Parameters
    ----------
    title : str
        The first line.
    head : sequence of str
        What the texts of each row are.
    rows : sequence of sequence of str
        The texts.
    dispensable : str, optional
        The one of `head` that is left out where the last one has little room.
    hint : str, optional
        How those are found that are left out, where there are too many.

    Returns
    -------
    text : str
        As wide as the terminal, if it is not very narrow.
    """
    columns = [(word, [_short(row[place]) for row in rows[:_MOST_ROWS]]) for place, word in enumerate(head)]
    columns = [*(column for column in columns[:-1] if not rows or any(column[1])), columns[-1]]
    if _room(columns) < _SHORTEST:
        columns = [column for column in columns if column[0] != dispensable]
    room = max(_room(columns), _SHORTEST // 2)
    cells = [*(_justified(*column) for column in columns[:-1]), [_short(text, room) for text in _texts(columns[-1])]]
    lines = [_GAP.join(row).rstrip() for row in zip(*cells, strict=True)]
    more = [f"... {len(rows) - _MOST_ROWS:,} more.", *([hint] if hint else [])] if len(rows) > _MOST_ROWS else []
    return "\n".join([title, *lines, *more])


def _texts(column: Listed) -> list[str]:
    return [column[0], *column[1]]


def _room(columns: Sequence[Listed]) -> int:
    """Characters of a line of the terminal that are left for the last text."""
    taken = sum(max(map(len, _texts(column))) + len(_GAP) for column in columns[:-1])
    return shutil.get_terminal_size().columns - taken


def _justified(head: str, texts: Sequence[str]) -> list[str]:
    """Texts of one width, numbers to the right."""
    width, is_number = max(map(len, (head, *texts))), all(text.isdecimal() or not text for text in texts)
    return [text.rjust(width) if is_number else text.ljust(width) for text in (head, *texts)]


def _short(text: str, most: int = _LONGEST) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3].rstrip()}..."

"""Whole rows of text from columns of text, without touching a single value in Python."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from skydex.formats.encoding import text_bytes

__all__ = ["joined_lines"]


def joined_lines(
    texts: Sequence[pa.Array], delimiter: str, *, begin: str = "", end: str = "\n", null: str = ""
) -> bytes:
    """Join columns into lines, one a row.

    Parameters
    ----------
    texts : sequence of (n,) Arrow string arrays
        The columns; at least one.
    delimiter : str
        What stands between two columns.
    begin, end : str
        What stands before and after each row.
    null : str
        What stands for a null.
    """
    first, last = texts[0], texts[-1]
    if len(texts) == 1:
        return bytes(text_bytes(_concatenated(begin, first.fill_null(null), end)))
    framed = [
        _concatenated(begin, first.fill_null(null)) if begin else first,
        *texts[1:-1],
        _concatenated(last.fill_null(null), end),
    ]
    lines = pc.binary_join_element_wise(*framed, delimiter, null_handling="replace", null_replacement=null)
    return bytes(text_bytes(lines))


def _concatenated(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")

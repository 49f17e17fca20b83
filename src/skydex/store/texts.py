"""How long the texts of a table are, so that VOTable can say `arraysize="22*"` instead of `"*"`.

Readers make fixed-width columns of a bounded text and object columns of an unbounded one, and FITS can hold the first
kind only. The lengths are gathered while rows pass, because no later moment sees them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from skydex.tables import Column, Datatype, longest_text

__all__ = ["TextSize", "joined_sizes", "sized_columns", "text_sizes"]


@dataclass(frozen=True)
class TextSize:
    """The extent of the texts in one column."""

    longest: int = 0
    """Length of the longest, as `arraysize` counts it."""
    is_ascii: bool = True
    """Whether all of them are ASCII."""

    def __or__(self, other: TextSize) -> TextSize:
        return TextSize(max(self.longest, other.longest), self.is_ascii and other.is_ascii)


def text_sizes(rows: pa.Table) -> dict[str, TextSize]:
    """Measure every text column of a table."""
    return {field.name: _size(rows[field.name]) for field in rows.schema if pa.types.is_string(field.type)}


def _size(column: pa.ChunkedArray) -> TextSize:
    return TextSize(longest_text(column), pc.all(pc.string_is_ascii(column), min_count=0).as_py())


def joined_sizes(left: Mapping[str, TextSize], right: Mapping[str, TextSize]) -> dict[str, TextSize]:
    """Sizes of two tables together."""
    return {name: left.get(name, TextSize()) | right.get(name, TextSize()) for name in {**left, **right}}


def sized_columns(columns: tuple[Column, ...], sizes: Mapping[str, TextSize]) -> tuple[Column, ...]:
    """Columns with the arraysize of their texts; `unicodeChar` where a text is not ASCII."""
    return tuple(_sized(column, sizes.get(column.name)) for column in columns)


def _sized(column: Column, size: TextSize | None) -> Column:
    if not column.datatype.is_text or column.is_timestamp:
        return column
    size = size or TextSize()
    datatype = column.datatype if size.is_ascii else Datatype.UNICODE_CHAR
    return replace(column, datatype=datatype, arraysize=f"{max(1, size.longest)}*")

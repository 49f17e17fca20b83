"""`Survey`: what must be known of a column's values before a FITS header can describe them.

Whether there are nulls and which integers occur (for TNULLn), how long the longest text or array is (for TFORMn), and
how much heap the arrays take (for PCOUNT).
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from skydex.tables import Column

__all__ = ["Survey"]


class Survey:
    """Facts about one column, gathered batch by batch."""

    def __init__(self, column: Column) -> None:
        self.column = column
        """The column that is looked at."""
        self.has_nulls = False
        """Whether any value, or any element of an array, is missing."""
        self.low: int | None = None
        """Smallest integer seen."""
        self.high: int | None = None
        """Greatest integer seen."""
        self.shortest: int | None = None
        """Least number of bytes of a text, or of elements of an array."""
        self.longest = 0
        """Greatest number of bytes of a text, or of elements of an array."""
        self.total = 0
        """Sum of those numbers over all rows."""

    def see(self, array: pa.Array) -> None:
        """Take one batch of values into account."""
        if self.column.is_timestamp or pa.types.is_floating(array.type):
            return
        self.has_nulls |= array.null_count > 0
        if pa.types.is_list(array.type):
            self._see_lengths(pc.list_value_length(array))
            self.see_elements(array.flatten())
        elif pa.types.is_string(array.type):
            self._see_lengths(pc.binary_length(array))
        else:
            self.see_elements(array)

    def see_elements(self, values: pa.Array) -> None:
        """Take scalars, or all elements of some arrays, into account."""
        self.has_nulls |= values.null_count > 0
        if not pa.types.is_integer(values.type):
            return
        ends = pc.min_max(values).as_py()
        if ends["min"] is not None:
            self.low = ends["min"] if self.low is None else min(self.low, ends["min"])
            self.high = ends["max"] if self.high is None else max(self.high, ends["max"])

    def _see_lengths(self, lengths: pa.Array) -> None:
        ends = pc.min_max(lengths).as_py()
        if ends["max"] is None:
            return
        self.longest = max(self.longest, ends["max"])
        self.shortest = ends["min"] if self.shortest is None else min(self.shortest, ends["min"])
        self.total += pc.sum(lengths).as_py()

"""`Part`: some objects of the simulated Hubble Catalog of Variables with their light curves, as arrays by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Part", "joined"]

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of the three tables that belong together."""

    match: Arrays
    """HCVmatch: a row per object, ordered by MatchID."""
    filter: Arrays
    """HCVfilter: a row per object and filter, ordered by MatchID and Filter."""
    detailed: Arrays
    """HCVdetailed: a row per point, ordered by MatchID, Filter and MJD."""

    def __len__(self) -> int:
        return len(self.match["MatchID"])

    def summary(self) -> Arrays:
        """HCVSummaryView: rows of `filter` with those of their objects."""
        row = np.searchsorted(self.match["MatchID"], self.filter["MatchID"])
        return {**{name: values[row] for name, values in self.match.items()}, **self.filter}

    def n_rows(self) -> NDArray[np.int64]:
        """Rows of `filter` of each object."""
        row = np.searchsorted(self.match["MatchID"], self.filter["MatchID"])
        return np.bincount(row, minlength=len(self))

    def chosen(self, objects: NDArray[np.int64]) -> Part:
        """Some of the objects, by their place in `match`."""
        kept = np.sort(objects)
        ids = self.match["MatchID"][kept]
        of_ids = [np.isin(table["MatchID"], ids) for table in (self.filter, self.detailed)]
        return Part(_rows(self.match, kept), _rows(self.filter, of_ids[0]), _rows(self.detailed, of_ids[1]))

    def with_match(self, **columns: NDArray[Any]) -> Part:
        """The same with other columns of `match`."""
        return Part({**self.match, **columns}, self.filter, self.detailed)


def joined(parts: Iterable[Part]) -> Part:
    """Objects of several parts, no two of which have the same object."""
    all_parts = list(parts)
    return Part(
        _stacked([part.match for part in all_parts], ("MatchID",)),
        _stacked([part.filter for part in all_parts], ("MatchID", "Filter")),
        _stacked([part.detailed for part in all_parts], ("MatchID", "Filter", "MJD")),
    )


def _rows(table: Arrays, rows: NDArray[Any]) -> Arrays:
    return {name: values[rows] for name, values in table.items()}


def _stacked(tables: list[Arrays], keys: tuple[str, ...]) -> Arrays:
    names = [name for name in tables[0] if all(name in table for table in tables)]
    columns = {name: np.concatenate([table[name] for table in tables]) for name in names}
    order = np.lexsort([columns[key] for key in reversed(keys)])
    return {name: values[order] for name, values in columns.items()}

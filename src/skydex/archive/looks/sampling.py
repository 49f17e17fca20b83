"""Samples: some row groups of what a query reads, evenly spread over it.

Row groups are in the order of the sky, so evenly spread ones see all of it. They are read whole: a sample costs what
its rows cost, however large the table is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skydex.query import Plan, is_scannable

__all__ = ["Sample", "sample_of"]

_MOST_ROWS = 400_000
"""More rows are read by a SQL engine from whole files, which is no sample."""


@dataclass(frozen=True)
class Sample:
    """A part of the rows of a plan."""

    plan: Plan
    """What reads it."""
    share: float
    """Which part of the rows that the whole plan would read; 1 if it is all of them."""

    @property
    def is_whole(self) -> bool:
        """Whether it leaves nothing out."""
        return self.share == 1.0


def sample_of(plan: Plan, n_rows: int, *, exact_rows: int = 0) -> Sample:
    """Take about so many rows of what a plan for one table reads, and at least one row group.

    All of them are taken if there are no more than that, or than `exact_rows`.
    """
    (name,) = plan.scans
    scan, most = plan.scans[name], min(n_rows, _MOST_ROWS)
    if scan.selection is None or scan.selection.n_rows <= max(most, exact_rows):
        return Sample(plan, 1.0)
    dataset, selection = scan.stored
    numbers = dataset.numbers_of(selection)
    n_groups = max(1, int(len(numbers) * most / selection.n_rows))
    places = np.unique(((np.arange(n_groups) + 0.5) * len(numbers) / n_groups).astype(np.int64))
    chosen = dataset.selection_of(numbers[places])
    engine = "scan" if is_scannable(plan.bound.tree) else "sql"
    sampled = replace(plan, scans={name: replace(scan, selection=chosen)}, engine=engine)
    return Sample(sampled, chosen.n_rows / selection.n_rows)

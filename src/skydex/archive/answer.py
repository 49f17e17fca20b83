"""`Answer`: a table on its way out as bytes, and `Explanation`: what a request would read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from skydex.archive.estimates import Estimate
from skydex.query import Plan, Scan
from skydex.store import Traffic, columns_of
from skydex.tables import Column

__all__ = ["Answer", "Explanation"]


@dataclass(frozen=True)
class Answer:
    """Bytes of one answer, to be walked through once."""

    media_type: str
    """What the bytes are."""
    suffix: str
    """File name ending that fits, with its dot."""
    columns: tuple[Column, ...]
    """The columns of the table in it."""
    chunks: Iterator[bytes]
    """The bytes, as they become known."""
    overflow: bool | None = None
    """Whether there are rows beyond the limit, where that is known before the first byte."""
    n_rows: Callable[[], int] = lambda: 0
    """Rows that are in the bytes given out."""


@dataclass(frozen=True)
class Explanation:
    """How a request will be answered."""

    plan: Plan
    """Everything that is known before it runs."""
    n_rows: int | None = None
    """Rows of the answer, if it was run."""
    seconds: float | None = None
    """Time it took, if it was run."""
    traffic: Traffic | None = None
    """What came from far away, if it was run and reads a table that lies there."""
    estimate: Estimate | None = None
    """What is expected of it."""
    engine: str = ""
    """The engine that answers, if it is not left to the plan."""

    def __str__(self) -> str:
        lines = ["Tree:", *(f"  {line}" for line in str(self.plan.bound).splitlines())]
        lines += [f"Engine: {self.engine or self.plan.engine}", "Reads:", *(f"  {line}" for line in self._reads())]
        if self.estimate is not None:
            lines.append(f"Expects: {self.estimate}")
        if self.plan.matches:
            lines += ["Matches:", *(f"  {match}" for match in self.plan.matches)]
        if self.plan.joined is not None:
            lines += ["Or, for engines that take joined rows:", *(f"  {join}" for join in self.plan.joined.joins)]
        if self.plan.probes or self.plan.keys:
            lines += ["Asks:", *(f"  {probe}" for probe in (*self.plan.probes, *self.plan.keys))]
        if self.traffic is not None:
            lines.append(f"Read: {self.traffic}")
        if self.n_rows is not None:
            lines.append(f"Answer: {self.n_rows:,} rows in {self.seconds:.3f} s")
        return "\n".join(lines)

    def _reads(self) -> Iterator[str]:
        for scan in self.plan.scans.values():
            what = f"{scan.source} = {scan.relation.table.name}: {len(scan.columns)} columns"
            selection = scan.selection
            if selection is None:
                yield f"{what}, in memory"
            else:
                by = f"by {' and '.join(columns_of(scan.test))}: " if scan.test and _is_by_values(scan) else ""
                yield (
                    f"{what}, {by}{selection.n_files} of {selection.total_files} files, {selection.n_groups:,} of "
                    f"{selection.total_groups:,} row groups, at most {selection.n_rows:,} rows"
                )
        if self.plan.tally is not None:
            known, rim = self.plan.tally.n_known, self.plan.tally.rim
            yield f"of these {known:,} rows are counted by metadata, {rim.n_rows:,} in {rim.n_groups} row groups read"


def _is_by_values(scan: Scan) -> bool:
    """Whether values alone say what need not be read."""
    return scan.test is not None and scan.ranges is None and scan.selection is not None and not scan.selection.whole

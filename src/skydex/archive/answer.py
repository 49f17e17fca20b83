"""`Answer`: a table on its way out as bytes, and `Explanation`: what a request would read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

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

    def facts(self) -> dict[str, Any]:
        """The same in values that JSON has."""
        expected = self.estimate
        return {
            "engine": self.engine or self.plan.engine,
            "max_rows": self.plan.max_rows,
            "columns": [
                {"name": column.name, "unit": column.unit, "ucd": column.ucd, "datatype": column.datatype.value}
                for column in self.plan.columns
            ],
            "reads": [_read_facts(scan) for scan in self.plan.scans.values()],
            "expects": None
            if expected is None
            else {
                "rows": expected.rows,
                "n_rows": expected.n_rows,
                "is_bound": expected.is_bound,
                "n_bytes": expected.n_bytes,
            },
            "text": str(self),
        }

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


def _read_facts(scan: Scan) -> dict[str, Any]:
    """What is read of one table; of one in memory neither files nor row groups."""
    facts = {"table": scan.relation.table.name, "source": scan.source, "n_columns": len(scan.columns)}
    selection = scan.selection
    if selection is None:
        return facts | {"n_rows": scan.side().n_rows}
    return facts | {
        "n_rows": selection.n_rows,
        "n_files": selection.n_files,
        "total_files": selection.total_files,
        "n_groups": selection.n_groups,
        "total_groups": selection.total_groups,
    }


def _is_by_values(scan: Scan) -> bool:
    """Whether values alone say what need not be read."""
    return scan.test is not None and scan.ranges is None and scan.selection is not None and not scan.selection.whole

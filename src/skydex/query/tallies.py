"""Tallies: COUNT, MIN and MAX over a whole table or a part of it, for which most rows need not be read.

How many rows a row group has, how many values are missing in it, and which is the least and the greatest of them, is
known. So a query that asks for nothing else is answered from the groups that fulfil its condition as a whole
(`verdicts`), and from the rows of those few groups of which this is not certain: at the rim of a region, say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from skydex.query.tree import column, walk
from skydex.query.verdicts import fulfilling
from skydex.store import Dataset, Selection

__all__ = ["Measure", "Tally", "find_tally"]

_FEW_ROWS = 200_000
"""So many rows may be read in any case, and of larger selections half."""
_MEASURES = (exp.Count, exp.Min, exp.Max)
_CLAUSES = ("distinct", "group", "having", "order", "joins", "offset", "with_")


@dataclass(frozen=True)
class Measure:
    """One of the numbers that are asked for."""

    kind: str
    """`count`, `min` or `max`."""
    column: str | None
    """Of which column; None counts rows."""
    of_whole: Any
    """What it comes to in the row groups that need not be read."""


@dataclass(frozen=True)
class Tally:
    """What a query asks of its table beside what is known of it."""

    measures: tuple[Measure, ...]
    """Every number that is asked for, each once."""
    outputs: tuple[exp.Expression, ...]
    """The outputs, as expressions of columns `m0`, `m1`, ...: the measures in their order."""
    rim: Selection
    """What must be read to complete them."""
    n_known: int
    """Rows that count without being read."""


def find_tally(query: exp.Query, dataset: Dataset, selection: Selection) -> Tally | None:
    """Find what metadata say to a query on one stored table; `None` if it asks for more, or would read much anyway.

    Parameters
    ----------
    query : exp.Query
        A bound tree.
    dataset : Dataset
        Its only table.
    selection : Selection
        What its conditions leave of that.
    """
    if not (dataset.knows_row_groups or selection.whole):
        return None
    if not isinstance(query, exp.Select) or any(query.args.get(clause) for clause in _CLAUSES):
        return None
    limit = query.args.get("limit")
    if limit is not None and int(limit.expression.this) < 1:
        return None
    if not any(isinstance(node, _MEASURES) for each in query.expressions for node in walk(each)):
        return None
    asked: dict[tuple[str, str | None], int] = {}
    outputs = tuple(exp.alias_(_of_measures(each.this, asked), each.alias) for each in query.expressions)
    if not asked or any(_reads_rows(output) for output in outputs):
        return None
    numbers = dataset.numbers_of(selection)
    is_whole = _is_whole(query, dataset)[numbers] & _is_told(asked, dataset)[numbers]
    rim = dataset.selection_of(numbers[~is_whole])
    if rim.n_rows > max(_FEW_ROWS, selection.n_rows // 2) or (rim.n_groups and rim.n_groups == selection.n_groups):
        return None
    whole = numbers[is_whole]
    measures = tuple(Measure(kind, name, _of_groups(kind, name, dataset, whole)) for kind, name in asked)
    return Tally(measures, outputs, rim, int(dataset.row_groups.n_rows[whole].sum()))


def _of_measures(output: exp.Expression, asked: dict[tuple[str, str | None], int]) -> exp.Expression:
    """An output in which columns stand for the measures, which are noted."""
    shown: exp.Expression = output.copy()
    for node in [node for node in walk(shown) if isinstance(node, _MEASURES)]:
        measure = _measure(node)
        if measure is not None:
            place = column("", f"m{asked.setdefault(measure, len(asked))}")
            if node is shown:
                return place
            node.replace(place)
    return shown


def _measure(node: exp.Expression) -> tuple[str, str | None] | None:
    kind = type(node).__name__.lower()
    if node.args.get("expressions"):
        return None
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star):
        return kind, None
    return (kind, node.this.name) if isinstance(node.this, exp.Column) else None


def _reads_rows(output: exp.Expression) -> bool:
    """Whether something stands in an output that only rows tell."""
    return any(
        isinstance(node, exp.AggFunc | exp.Query | exp.Window) or (isinstance(node, exp.Column) and node.table != "")
        for node in walk(output)
    )


def _is_whole(query: exp.Select, dataset: Dataset) -> NDArray[np.bool_]:
    where = query.args.get("where")
    return np.ones(len(dataset.row_groups), np.bool_) if where is None else fulfilling(where.this, dataset)


def _is_told(asked: dict[tuple[str, str | None], int], dataset: Dataset) -> NDArray[np.bool_]:
    """The row groups of which the metadata tell every measure, and exactly."""
    n_rows = dataset.row_groups.n_rows
    told = np.ones(len(n_rows), np.bool_)
    for kind, name in asked:
        if name is None:
            continue
        statistics = dataset.statistics(name)
        told &= statistics.null_count >= 0
        if kind != "count":
            told &= statistics.is_exact | (statistics.null_count == n_rows)
            told &= dataset.is_own and not pa.types.is_boolean(statistics.min.type)
    return told


def _of_groups(kind: str, name: str | None, dataset: Dataset, numbers: NDArray[np.int64]) -> Any:
    n_rows = int(dataset.row_groups.n_rows[numbers].sum())
    if name is None:
        return n_rows
    statistics = dataset.statistics(name)
    if kind == "count":
        return n_rows - int(statistics.null_count[numbers].sum())
    ends = statistics.min if kind == "min" else statistics.max
    return pc.min_max(ends.take(pa.array(numbers)))[kind].as_py()

"""Facets: which values columns have most often.

All rows are counted if there are not too many to read; of more it is a sample, and every number that comes of it is
marked as an estimate. Columns of which the store knows that they have few values are chosen if none are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from skydex.archive.looks.look import Look, Rows, whole_result
from skydex.archive.looks.sampling import sample_of
from skydex.errors import BadParameterError
from skydex.query import Namespace, Plan, Relation
from skydex.tables import Column, Datatype, Result, longest_text

__all__ = ["FacetsRequest"]

_MOST_COLUMNS = 30
"""Columns that are chosen if none are named."""
_MOST_NUMBERS = 64
"""Whole numbers between so few are categories."""
_MOST_VALUES = 1_000
"""Texts with more values than this are no categories."""
_VALUE, _COUNT = "value", "n"


@dataclass(frozen=True, kw_only=True)
class FacetsRequest(Look):
    """The most frequent values of some columns, with how often they are there."""

    columns: tuple[str, ...] = ()
    """As the request spells them; none means those that look like categories."""
    most: int = 20
    """Values of each column."""
    exact_rows: int = 0
    """Up to so many rows all are read."""

    def plan(self, namespace: Namespace) -> Plan:
        relation = namespace.get(self.subject.table)
        names = self.columns or [column.name for column in _categories(relation)] or [relation.table.columns[0].name]
        for name in names:
            if relation.table.get_column(name).is_array:
                raise BadParameterError("columns", f"has {name[:80]}, which holds arrays: they have no facets.")
        return self.subject.plan_of_columns(namespace, names)

    def seen(self, plan: Plan, namespace: Namespace, rows: Rows) -> Result:
        sample = sample_of(plan, self.sample_rows, exact_rows=self.exact_rows)
        tallies = [_Tally() for _ in plan.columns]
        n_read = 0
        for parts in rows.each(sample.plan, lambda batch: (batch.num_rows, [_counted(a) for a in batch.columns])):
            n_read += parts[0]
            for tally, part in zip(tallies, parts[1], strict=True):
                tally.add(part)
        relation = namespace.get(self.subject.table)
        if not self.columns:
            chosen = {column.name for column in _categories(relation)}
            kept = [
                c.name in chosen and t.n_distinct <= _MOST_VALUES for c, t in zip(plan.columns, tallies, strict=True)
            ]
        else:
            kept = [True] * len(tallies)
        shown = [(c, t) for c, t, is_kept in zip(plan.columns, tallies, kept, strict=True) if is_kept]
        found = [(column, tally, *row) for column, tally in shown for row in tally.first(self.most)]
        values = pa.array([value for *_, value, _ in found], pa.string())
        length = max(1, longest_text(pa.chunked_array([values])))
        name_length = max([1, *(len(column.name) for column, *_ in found)])
        columns = [
            Column("column", Datatype.CHAR, f"{name_length}*", description="Name of the column"),
            Column("value", Datatype.UNICODE_CHAR, f"{length}*", description="Its value; null where it has none"),
            Column("n", Datatype.LONG, ucd="meta.number", description="Rows that have it"),
            Column("n_distinct", Datatype.LONG, ucd="meta.number", description="How many values the column has"),
            Column(
                "is_estimate", Datatype.BOOLEAN, description="Whether n comes of a sample, which n_distinct may pass"
            ),
        ]
        arrays: list[object] = [
            [column.name for column, *_ in found],
            values,
            [round(n / sample.share) for *_, n in found],
            [tally.n_distinct for _, tally, *_ in found],
            [not sample.is_whole] * len(found),
        ]
        infos = [("n_read", n_read), ("share_read", sample.share)]
        return whole_result(self, columns, arrays, infos=infos, description=f"Values in {self.subject.table}")


def _categories(relation: Relation) -> Iterator[Column]:
    """Columns that look as if they had few values, but for those that name rows."""
    found = (c for c in relation.table.columns if _is_category(c, relation))
    yield from (column for _, column in zip(range(_MOST_COLUMNS), found, strict=False))


def _is_category(column: Column, relation: Relation) -> bool:
    if column.is_array or column.is_timestamp or column.name == relation.table.id_column or column.datatype.is_floating:
        return False
    if (column.ucd or "").startswith("meta.id"):
        return False
    if not column.datatype.is_integer or relation.dataset is None or relation.dataset.is_distant:
        return not column.datatype.is_integer
    statistics = relation.dataset.statistics(column.name)
    low, high = pc.min(statistics.min).as_py(), pc.max(statistics.max).as_py()
    return isinstance(low, int) and high - low < _MOST_NUMBERS


def _counted(array: pa.Array) -> pa.StructArray:
    """Each value with how often it is there."""
    return pc.value_counts(array)


class _Tally:
    """How often each value of a column is there."""

    def __init__(self) -> None:
        self._parts: list[pa.Table] = []
        self._n_waiting = 0
        self._whole: pa.Table | None = None

    def add(self, counted: pa.StructArray) -> None:
        values, counts = counted.field(0), counted.field(1)
        self._parts.append(pa.table([values, counts], names=[_VALUE, _COUNT]))

    def _joined(self) -> pa.Table:
        """All values, the most frequent first, and level ones in their own order."""
        if self._whole is None:
            parts = self._parts or [pa.table({_VALUE: pa.nulls(0, pa.string()), _COUNT: pa.array([], pa.int64())})]
            grouped = pa.concat_tables(parts).group_by(_VALUE).aggregate([(_COUNT, "sum")])
            grouped = grouped.select([_VALUE, f"{_COUNT}_sum"]).rename_columns([_VALUE, _COUNT])
            self._whole = grouped.sort_by([(_COUNT, "descending"), (_VALUE, "ascending")])
            self._parts = []
        return self._whole

    @property
    def n_distinct(self) -> int:
        whole = self._joined()
        return len(whole) - int(whole[_VALUE].null_count)

    def first(self, n: int) -> Sequence[tuple[str | None, int]]:
        """The most frequent values as texts, with how often they are there; nulls besides, if there are any."""
        whole = self._joined()
        known, missing = whole.filter(whole[_VALUE].is_valid()), whole.filter(whole[_VALUE].is_null())
        shown = pa.concat_tables([known.slice(0, n), missing])
        texts = shown[_VALUE].cast(pa.string()).to_pylist()
        return list(zip(texts, shown[_COUNT].to_pylist(), strict=True))

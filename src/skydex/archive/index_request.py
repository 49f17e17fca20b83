"""`IndexRequest`: an index that somebody wants on a table of her own.

Tables need none: rows are sorted by position, and every row group says what is in it. So the request is granted when
the table and the column are there, and, where the index shall be unique, when no value occurs twice; nulls may, as in
SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from skydex.archive.requests import Upload
from skydex.errors import BadQueryError
from skydex.formats import Format, get_format
from skydex.query import Namespace, Plan, bind, build, make_plan, table_query
from skydex.tables import Result

__all__ = ["IndexRequest"]


@dataclass(frozen=True)
class IndexRequest:
    """An index on one column."""

    table: str
    """Name of the table."""
    column: str
    """Name of the column."""
    unique: bool = False
    """Whether each of its values may occur once."""
    owner: str | None = None
    """Who asks."""
    max_rows: ClassVar[int | None] = None
    collection: ClassVar[str | None] = None
    uploads: ClassVar[tuple[Upload, ...]] = ()

    def plan(self, namespace: Namespace) -> Plan:
        """What tells whether it can be: a value that occurs twice, or no row at all."""
        table = namespace.get(self.table).table
        column = table.get_column(self.column.strip('"'))
        if not self.unique:
            return make_plan(bind(table_query(table, [column], limit=0), namespace))
        if column.is_array:
            raise BadQueryError(f"The column {column.name} holds arrays, which cannot be unique.")
        query, value = table_query(table, [column], limit=1), exp.column(column.name, quoted=True)
        query.set("where", exp.Where(this=exp.Not(this=exp.Is(this=value, expression=exp.Null()))))
        query.set("group", exp.Group(expressions=[value.copy()]))
        n_rows = build.call("COUNT", exp.Star())
        query.set("having", exp.Having(this=exp.GT(this=n_rows, expression=build.literal(1))))
        return make_plan(bind(query, namespace))

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        """The same, if no value occurs twice."""
        batches = list(result.batches)
        twice = [value for batch in batches for value in batch.column(0).to_pylist()]
        if twice:
            shown = str(twice[0])[:100]
            raise BadQueryError(f"No unique index on {self.column}: the value {shown} occurs more than once.")
        result.batches = iter(batches)
        return result

    def form(self, name: str, namespace: Namespace) -> Format:
        return get_format(name)

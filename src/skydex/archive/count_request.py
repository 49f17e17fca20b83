"""`CountRequest`: how many rows a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from skydex.archive.catalog_search import ROWS, Search, Searched
from skydex.archive.requests import Upload
from skydex.formats import Format, get_format
from skydex.query import Namespace, Plan, bind, build, make_plan
from skydex.tables import Result

__all__ = ["CountRequest"]


@dataclass(frozen=True)
class CountRequest:
    """One row with one column, `n_rows`."""

    search: Search
    """What is chosen."""
    owner: str | None = None
    """Who asks; None for anybody."""
    max_rows: ClassVar[int | None] = None
    collection: ClassVar[str | None] = None
    uploads: ClassVar[tuple[Upload, ...]] = ()

    def plan(self, namespace: Namespace) -> Plan:
        """Make the tree, bind and plan it."""
        searched = Searched(self.search, namespace)
        number = build.named(build.call("COUNT", exp.Star()), "n_rows")
        conditions = list(searched.conditions())
        query = build.select_query([number], searched.table, alias=ROWS, conditions=conditions)
        return make_plan(bind(query, namespace))

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        return result

    def form(self, name: str, namespace: Namespace) -> Format:
        return get_format(name)

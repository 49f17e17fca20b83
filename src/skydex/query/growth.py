"""How much larger than its text a query may become while it is bound.

A function may repeat its arguments in its expansion, a common table expression is copied to each place that names it:
nested, either doubles at every level. GROUP BY repeats what it names. What a query costs is counted here as it grows,
so that a short text cannot become a tree that fills the memory (R03).
"""

from __future__ import annotations

from itertools import islice

from sqlglot import exp

from skydex.errors import QueryTooLargeError
from skydex.query.tree import walk

__all__ = ["Growth"]

_MOST_NODES = 50_000
_HINT = "Nest fewer functions in one another, or use what WITH defines less often."


class Growth:
    """The size that a query may still gain."""

    def __init__(self, most: int = _MOST_NODES) -> None:
        self._most = self._left = most

    def add(self, tree: exp.Expression) -> None:
        """Count a part that was written out.

        Raises
        ------
        QueryTooLargeError
            With it, the query has grown beyond all measure.
        """
        self.add_nodes(sum(1 for _ in islice(walk(tree), self._left + 1)))

    def add_nodes(self, n_nodes: int) -> None:
        """Count a part of known size."""
        self._left -= n_nodes
        if self._left < 0:
            raise QueryTooLargeError("size with its functions and WITH written out", limit=self._most, hint=_HINT)

"""Rows of `ivoa.obscore`: what is known of images beyond their pixels.

Ordinary queries, so that whoever asks here finds what a query of hers would find, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from skydex.query import bind, make_plan
from skydex.query.build import call, column_node, literal, select_query
from skydex.query.tree import integer
from skydex.tables import OBSCORE

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline

__all__ = ["DID", "Observations"]

DID = "obs_publisher_did"
"""The column that names a data set."""
_ALIAS = "o"

Row = dict[str, Any]


class Observations:
    """What somebody sees of `ivoa.obscore`.

    Parameters
    ----------
    archive : Archive
        Who has it.
    owner : str or None
        Who asks; None for anybody.
    deadline : Deadline, optional
        When an answer must be there.
    """

    def __init__(self, archive: Archive, owner: str | None, deadline: Deadline | None = None) -> None:
        self._archive, self._deadline = archive, deadline
        self._namespace = archive.namespace(owner=owner)

    def find(self, dids: Iterable[str], columns: Sequence[str]) -> dict[str, Row]:
        """Some columns of the rows of identifiers, by these; those of which there is no row are left out."""
        wanted = [literal(did) for did in dict.fromkeys(dids)]
        if not wanted:
            return {}
        is_one = exp.In(this=column_node(DID, _ALIAS), expressions=wanted)
        return {row[DID]: row for row in self._rows([is_one], (DID, *columns), len(wanted))}

    def around(self, ra_deg: float, dec_deg: float, columns: Sequence[str], *, most: int | None) -> list[Row]:
        """Some columns of the images that a place (ICRS, degrees) lies in, at most so many."""
        place = call("POINT", literal(float(ra_deg)), literal(float(dec_deg)))
        holds = exp.EQ(this=call("CONTAINS", place, column_node("s_region", _ALIAS)), expression=integer(1))
        return self._rows([holds], columns, most)

    def _rows(self, conditions: Sequence[exp.Expression], columns: Sequence[str], most: int | None) -> list[Row]:
        relation = self._namespace.find(OBSCORE)
        if relation is None:
            return []
        outputs = [column_node(name, _ALIAS) for name in columns]
        query = select_query(outputs, relation.table, alias=_ALIAS, conditions=conditions)
        plan = make_plan(bind(query, self._namespace), most)
        with self._archive.run(plan, self._deadline) as result:
            return [row for batch in result.batches for row in batch.to_pylist()]

"""Rows of `ivoa.obscore` and of the tables of images: what is known of images beyond their pixels.

Ordinary queries, so that whoever asks here finds what a query of hers would find, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from skydex.archive.image_search import ImageSearch
from skydex.query import bind, make_plan
from skydex.query.build import column_node, literal, select_query
from skydex.sky import Cone
from skydex.store import ImageRecord
from skydex.tables import OBSCORE, Result

if TYPE_CHECKING:
    from skydex.archive.archive import Archive
    from skydex.engines import Deadline

__all__ = ["Observations"]

Row = dict[str, Any]
_DID = "obs_publisher_did"
_ROWS = "o"


class Observations:
    """What somebody sees of the tables that describe images.

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
        self._archive, self._owner, self._deadline = archive, owner, deadline
        self._namespace = archive.namespace(owner=owner)

    def find(self, records: Iterable[ImageRecord], columns: Sequence[str]) -> dict[str, Row]:
        """Some columns of what is known of images, by their identifiers; of some of them perhaps nothing is."""
        dids: dict[str, list[str]] = {}
        for record in records:
            dids.setdefault(record.collection, []).append(record.did)
        found = (row for name, ids in dids.items() for row in self._of_collection(name, ids, (_DID, *columns)))
        return {row[_DID]: row for row in found}

    def around(self, ra_deg: float, dec_deg: float, columns: Sequence[str]) -> list[Row]:
        """Some columns of the images that a place lies in; degrees, ICRS."""
        if self._namespace.find(OBSCORE) is None:
            return []
        place = ImageSearch((Cone(ra_deg, dec_deg, 0.0),), columns=tuple(columns), owner=self._owner)
        return _rows(self._archive.query(place, self._deadline))

    def _of_collection(self, name: str, dids: Sequence[str], columns: Sequence[str]) -> list[Row]:
        relation = self._namespace.find(f"{name}.images")
        if relation is None:
            return []
        outputs = [column_node(column, _ROWS) for column in columns]
        is_one = exp.In(this=column_node(_DID, _ROWS), expressions=[literal(did) for did in dids])
        query = select_query(outputs, relation.table, alias=_ROWS, conditions=[is_one])
        return _rows(self._archive.run(make_plan(bind(query, self._namespace)), self._deadline))


def _rows(result: Result) -> list[Row]:
    with result:
        return [row for batch in result.batches for row in batch.to_pylist()]

"""`ivoa.obscore` for those who may not see all collections.

The stored table has the images of all of them; who may not see some gets a copy in memory without these.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from skydex.query import Relation
from skydex.tables import arrow_schema

__all__ = ["without_collections"]

_COLLECTION = "obs_collection"


def without_collections(relation: Relation, hidden: frozenset[str]) -> Relation:
    """The table without the rows of some collections, which are named in small letters."""
    dataset = relation.dataset
    if dataset is None or relation.table.find_column(_COLLECTION) is None:
        return relation
    names = pa.array(sorted(hidden), pa.string())
    schema = arrow_schema(relation.table.columns)
    kept = []
    for piece in dataset.select(None).pieces:
        rows = dataset.read(piece, schema.names).select(schema.names).cast(schema)
        kept.append(rows.filter(pc.invert(pc.is_in(pc.utf8_lower(rows[_COLLECTION]), names))))
    shown = pa.concat_tables(kept) if kept else schema.empty_table()
    if shown.num_rows == relation.table.n_rows:
        return relation
    return replace(relation, table=replace(relation.table, n_rows=shown.num_rows), rows=shown)

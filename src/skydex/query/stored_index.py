"""Pixels from the stored index: a HEALPix pixel of an order is the order-29 index without its last digits.

`ivo_healpix_index(6, ra, dec)` on the position by which a table is stored needs no trigonometry, and reads one column
instead of two. Only the index of catalogues that skydex wrote is taken for that of their positions.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from skydex.query.crossmatch import INDEX
from skydex.query.kernels import PIXEL, kernel_of
from skydex.query.pairs import bare_column
from skydex.query.scope import Source
from skydex.query.tree import Compute, column, constant, integer, walk
from skydex.sky import MAX_ORDER
from skydex.tables import Datatype

__all__ = ["with_stored_index"]


def with_stored_index(query: exp.Query, sources: Mapping[str, Source]) -> tuple[exp.Query, frozenset[str]]:
    """The same query with pixels of stored positions from their index, and the sources whose index it reads.

    Parameters
    ----------
    query : exp.Query
        A bound tree; it is not changed.
    sources : mapping of str to Source
        Its tables.
    """
    if not any(_source(node, sources) for node in walk(query)):
        return query, frozenset()
    changed: exp.Query = query.copy()
    found = set()
    for node in list(walk(changed)):
        source = _source(node, sources)
        if source is not None:
            found.add(source)
            order = constant(node.expressions[0])
            assert order is not None, "only calls with a constant order have a source"
            bits = integer(2 * (MAX_ORDER - int(order)))
            node.replace(exp.Paren(this=exp.BitwiseRightShift(this=column(source, INDEX), expression=bits)))
    return changed, frozenset(found)


def _source(node: exp.Expression, sources: Mapping[str, Source]) -> str | None:
    """The table whose stored position a node asks the pixel of, at an order that is written out."""
    if not isinstance(node, Compute) or kernel_of(node) is not PIXEL:
        return None
    order = constant(node.expressions[0])
    ra, dec = (bare_column(part) for part in node.expressions[1:])
    if order is None or not 0 <= order <= MAX_ORDER or order != int(order) or ra is None or dec is None:
        return None
    source = sources.get(ra.table)
    relation = source.relation if source is not None and dec.table == ra.table else None
    if relation is None or relation.dataset is None or relation.table.position is None or not relation.dataset.is_own:
        return None
    if any(item.datatype is not Datatype.DOUBLE for item in relation.table.position_columns()):
        return None  # the index is that of the positions before they were rounded
    position = relation.table.position
    return ra.table if (ra.name, dec.name) == (position.ra, position.dec) else None

"""Outlines of rows: which of them can hold or meet a region, so that the others need not be read.

A row of a table of images has an outline, `s_region`, and a position by which it is stored. If it is known how far
outlines reach from their positions at most (`Relation.reaches`), then a condition on an outline and a region that is
written out can be fulfilled only near that region.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sqlglot import exp

from skydex.query import tree
from skydex.query.scope import Source
from skydex.query.tree import Compute
from skydex.sky import Cone, Ranges, directions_deg, ranges29, separation_deg, unit_vectors

__all__ = ["ranges_of_outlines"]

_TESTS = frozenset({"contains", "intersects"})
_TEXT = "region"
_MARGIN_DEG = 1e-5
_WIDEST_DEG = 90.0
"""Beyond that a restriction saves little."""


def ranges_of_outlines(test: Compute, sources: Mapping[str, Source]) -> dict[str, Ranges]:
    """Ranges outside of which no row fulfils a condition; none if that is not known.

    Parameters
    ----------
    test : Compute
        A condition: whether one geometry contains or meets another.
    sources : mapping of str to Source
        The tables of the query.
    """
    if test.name not in _TESTS:
        return {}
    shapes = [numbers for part in test.expressions if (numbers := tree.constants(part)) is not None]
    outlines = [column for part in test.expressions if (column := _outline(part)) is not None]
    if len(shapes) != 1 or len(outlines) != 1:
        return {}
    reach = _reach(sources.get(outlines[0].table), outlines[0].name)
    cone = _circumscribed(shapes[0])
    if reach is None or cone is None or (radius := cone.radius_deg + reach + _MARGIN_DEG) >= _WIDEST_DEG:
        return {}
    return {outlines[0].table: ranges29(Cone(cone.ra_deg, cone.dec_deg, radius))}


def _outline(node: exp.Expression) -> exp.Column | None:
    """The column whose texts are read as regions."""
    if isinstance(node, Compute) and node.name == _TEXT and isinstance(node.expressions[0], exp.Column):
        return node.expressions[0]
    return None


def _reach(source: Source | None, column: str) -> float | None:
    relation = source.relation if source is not None else None
    return relation.reaches.get(column) if relation is not None and relation.dataset is not None else None


def _circumscribed(numbers: tuple[float, ...]) -> Cone | None:
    """A cone that holds a geometry in its DALI form; `None` if there is no small one."""
    places, own_radius = (numbers[:2], numbers[2]) if len(numbers) == 3 else (numbers, 0.0)
    ra, dec = np.array(places[::2]), np.array(places[1::2])
    if not (np.isfinite(ra).all() and (np.abs(dec) <= 90.0).all() and 0.0 <= own_radius < _WIDEST_DEG):
        return None
    middle = unit_vectors(ra, dec).sum(axis=1)
    if not middle.any():
        return None
    centre_ra, centre_dec = (float(value) for value in directions_deg(middle))
    radius = float(separation_deg(centre_ra, centre_dec, ra, dec).max())
    return Cone(centre_ra, centre_dec, radius + own_radius)

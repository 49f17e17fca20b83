"""Objects by name: Catalogue of ADQL User Defined Functions 1.2 (IVOA Endorsed Note), section 2.6.2.

The note would have Sesame asked; here `names` resolves, which needs no network. A name becomes a constant while the
query is bound, so that a circle around it prunes as one around numbers does.
"""

from __future__ import annotations

from sqlglot import exp

from skydex.names import resolve
from skydex.query import tree
from skydex.query.functions.function import Function, Nodes
from skydex.query.functions.meanings import is_point

__all__ = ["OBJECTS"]


def _resolved(nodes: Nodes) -> exp.Expression:
    return tree.array(resolve(nodes[0].name))


_SIMBADPOINT = Function(
    "IVO_SIMBADPOINT",
    "S",
    1,
    _resolved,
    is_point,
    "ivo_simbadpoint('name')",
    "Where a named star, nebula, cluster or galaxy is: the IAU's names of stars, NGC, IC, Messier and the numbers and "
    "common names of those objects, ICRS, epoch 2000.",
    "ivo_simbadpoint(identifier VARCHAR) -> POINT",
)

OBJECTS = (_SIMBADPOINT, _SIMBADPOINT.called("gavo_simbadpoint"))

"""`ScsService`: cone searches in one table.

Client side of SCS 1.03 (IVOA REC 2008-02-22): RA, DEC and SR in degrees, ICRS (section 2.1), VERB 3 for all columns;
errors (2.3) in each of the forms that services give them.
"""

from __future__ import annotations

from skydex.client.asking import answered_table
from skydex.client.http import Web, host_of
from skydex.client.orders import RowsOrder
from skydex.client.vosi import table_of
from skydex.errors import NotOfferedError
from skydex.tables import Result, limited

__all__ = ["ScsService"]

_ALL, _USUAL = 3, 2


class ScsService:
    """A cone search service.

    Parameters
    ----------
    address : str
        To which the parameters are added.
    web : Web
        How it is asked.
    name : str
        What its table is called.
    """

    unable = frozenset({"search", "light_curve"})
    """Verbs for which its rows are not enough."""

    def __init__(self, address: str, web: Web, *, name: str) -> None:
        self.address, self.name, self._web = address.rstrip("?&"), name, web

    def rows(self, order: RowsOrder) -> Result:
        """Rows in a cone: the usual columns, or those that are asked for.

        Raises
        ------
        NotOfferedError
            There is no cone, or more than one: conditions, an order of rows; or it is another table.
        """
        is_ours = order.table.strip().lower() in (self.name.lower(), self.name.rpartition(".")[2].lower())
        if not is_ours or order.cone is None or order.condition is not None or order.sort_by:
            hint = f"A cone search in {self.name} takes a place and a radius, and nothing else."
            raise NotOfferedError("search", host_of(self.address), ["cone"], hint=hint)
        cone = order.cone
        verbosity = _ALL if order.columns else _USUAL
        result = self._asked(cone.ra_deg, cone.dec_deg, cone.radius_deg, verbosity)
        return limited(_with_columns(result, order.columns), order.max_rows)

    def _asked(self, ra_deg: float, dec_deg: float, radius_deg: float, verbosity: int) -> Result:
        asked = {"RA": repr(ra_deg), "DEC": repr(dec_deg), "SR": repr(radius_deg), "VERB": verbosity}
        return answered_table(self._web, "GET", self.address, params=asked)


def _with_columns(result: Result, names: tuple[str, ...]) -> Result:
    """A result with some of its columns."""
    if not names:
        return result
    table = table_of(result.name, result.columns)
    positions = [result.columns.index(table.get_column(name)) for name in names]
    result.columns = tuple(result.columns[position] for position in positions)
    batches = result.batches
    result.batches = (batch.select(positions) for batch in batches)
    return result

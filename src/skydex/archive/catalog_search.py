"""`Search`: what a catalogue search chooses in one table, as the tree of a query.

A cone, constraints on columns, the columns of the answer and what it is sorted by. Columns are named in any case, and
the answer calls them as the request does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from skydex.archive.constraints import Constraint, condition_of
from skydex.archive.offers import CatalogOffer
from skydex.errors import BadParameterError, UnknownColumnError, near_names
from skydex.query import Namespace, build
from skydex.sky import Cone
from skydex.tables import Column

__all__ = ["DISTANCE", "PARAMETERS", "ROWS", "Search", "Searched", "SortKey"]

DISTANCE = "distance"
"""What the angle from the centre of a cone is called in lists of columns and in sort keys."""
PARAMETERS = (
    "ra", "dec", "radius", "columns", "sort_by", "pagesize", "page", "format", "flatten_response", "raw",
)  # fmt: skip
"""Parameters that are no columns."""

_MOST_TOLD = 20
"""Names that an error repeats."""

ROWS, _PLACES = "t", "p"
"""What the table, and that with its positions, are called in the query."""


@dataclass(frozen=True)
class SortKey:
    """What rows are sorted by."""

    name: str
    """A column, or `distance`."""
    descends: bool = False
    """Whether the greatest comes first."""


@dataclass(frozen=True)
class Search:
    """What is chosen."""

    offer: CatalogOffer
    """Where, and how its publisher presents it."""
    constraints: tuple[Constraint, ...] = ()
    """All of them hold."""
    cone: Cone | None = None
    """Region of the search, if it has one."""
    columns: tuple[str, ...] = ()
    """As the request spells them; none means those of the offer."""
    sort_by: tuple[SortKey, ...] = ()
    """The first counts most."""
    is_ordered: bool = False
    """Whether these keys alone tell rows apart, so that pages fit together without more of them."""


class Searched:
    """The parts of the query that a search means over the tables of a namespace.

    Parameters
    ----------
    search : Search
        What is chosen.
    namespace : Namespace
        What there is.
    """

    def __init__(self, search: Search, namespace: Namespace) -> None:
        self._search, self._offer = search, search.offer
        self.table = namespace.get(search.offer.table).table
        """The table that is searched."""
        place = search.offer.place
        places = namespace.find(place.table) if place else None
        self._places = places.table if places else None

    def query(self, offset: int) -> exp.Query:
        """The whole query, without its first rows."""
        return build.select_query(
            self.outputs(),
            self.table,
            alias=ROWS,
            joined=list(self.joined()) if self._is_joined else (),
            conditions=list(self.conditions()),
            tail=build.Tail(list(self.order()), offset),
        )

    def outputs(self) -> list[exp.Expression]:
        """The columns of the answer; all those that there are not are told at once."""
        unknown = [name for name in self._names() if not self._is_distance(name) and not self.table.find_column(name)]
        if unknown:
            raise self._unknown(*unknown)
        return [self._output(name) for name in self._names()]

    def joined(self) -> Iterator[build.Joined]:
        """The table with the positions, where it is another."""
        if self._places is not None and self._offer.place is not None:
            key = self._offer.place.key
            same = exp.EQ(this=build.column_node(key, ROWS), expression=build.column_node(key, _PLACES))
            yield build.Joined(self._places, _PLACES, same)

    def conditions(self) -> Iterator[exp.Expression]:
        """What holds for every row."""
        if self._search.cone is not None:
            yield build.in_cone(self.position(), self._search.cone)
        for constraint in self._search.constraints:
            column = self._column(constraint.name)
            yield condition_of(constraint, column, ROWS, missing=self._offer.missing)

    def order(self) -> Iterator[tuple[exp.Expression, bool]]:
        """The keys, and then what else tells rows apart, so that pages fit together."""
        for key in self._search.sort_by:
            yield self.key(key.name), key.descends
        if not self._search.is_ordered and (self._search.sort_by or self._is_joined):
            yield from self.ties()

    def ties(self) -> Iterator[tuple[exp.Expression, bool]]:
        """What orders rows that are equal in all keys: the column that names them, and all that is seen."""
        seen = [name for name in self._names() if self._is_distance(name) or not self._column(name).is_array]
        names = (self.table.id_column, *seen) if self.table.id_column else seen
        yield from ((self.key(name), False) for name in dict.fromkeys(names))

    def position(self) -> list[exp.Expression]:
        """Right ascension and declination of a row.

        Raises
        ------
        BadParameterError
            The table has none.
        """
        table, alias = (self._places, _PLACES) if self._places is not None else (self.table, ROWS)
        if table.position is None:
            raise BadParameterError("ra", f"{self._offer.path} has no positions to search by.")
        return [build.column_node(name, alias) for name in (table.position.ra, table.position.dec)]

    @property
    def _is_joined(self) -> bool:
        """Whether the positions of a cone stand in another table; rows of one table have an order by themselves."""
        return self._search.cone is not None and self._places is not None

    def _names(self) -> Sequence[str]:
        """The columns of the answer, each once, as they will be called."""
        asked = self._search.columns
        names = asked or self._offer.columns or tuple(column.name for column in self.table.columns)
        if not asked and self._search.cone and self._offer.distance:
            names = (*names, self._offer.distance)
        return list({name.lower(): name for name in reversed(names)}.values())[::-1]

    def _output(self, name: str) -> exp.Expression:
        if self._is_distance(name):
            return build.named(self._distance(), name)
        self._column(name)
        return build.column_node(name, ROWS)

    def key(self, name: str) -> exp.Expression:
        """A column, or the distance, as rows are sorted by it."""
        if self._is_distance(name):
            return self._distance()
        column = self._column(name)
        if column.is_array:
            raise BadParameterError("sort_by", f"cannot sort by {column.name}, which holds arrays.")
        return build.column_node(column.name, ROWS)

    def _column(self, name: str) -> Column:
        """A column by a name in any case.

        Raises
        ------
        UnknownColumnError
            With names of columns and parameters that may have been meant.
        """
        column = self.table.find_column(name)
        if column is None:
            raise self._unknown(name)
        return column

    def _unknown(self, *names: str) -> UnknownColumnError:
        shown = [name[:80] for name in names[:_MOST_TOLD]]
        known = (*(column.name for column in self.table.columns), *PARAMETERS)
        near = dict.fromkeys(name for one in shown for name in near_names(one, known))
        return UnknownColumnError(shown[0], where=self._offer.path, near=list(near), others=shown[1:])

    def _is_distance(self, name: str) -> bool:
        """Whether a name means the angle from the centre, and not a column of the table."""
        if name.lower() not in (DISTANCE, self._offer.distance.lower()) or self.table.find_column(name):
            return False
        if self._search.cone is None:
            raise BadParameterError(name, "is known in a cone search only: give ra and dec.")
        return True

    def _distance(self) -> exp.Expression:
        cone = self._search.cone
        assert cone is not None
        return build.distance_node(self.position(), [build.literal(cone.ra_deg), build.literal(cone.dec_deg)])

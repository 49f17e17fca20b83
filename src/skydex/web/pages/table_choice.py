"""`Choice`: which rows and columns of a table somebody looks at, as the address of its page says.

The address is that of the catalogue REST API: `column.operator=value`, a cone by `ra`, `dec` and `radius`, `columns`,
`sort_by`, `pagesize` and `page`. A form cannot make such names, so it sends `filter.column`, `filter.operator` and
`filter.value` in threes, which no constraint is called; they are made into an address as above.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest
from urllib.parse import urlencode

from skydex.archive import (
    OPERATORS,
    PARAMETERS,
    CatalogOffer,
    CatalogRequest,
    Constraint,
    CountRequest,
    Search,
    SortKey,
)
from skydex.errors import BadParameterError, UnknownColumnError, near_names
from skydex.sky import Cone
from skydex.tables import Column, Table
from skydex.web.asgi import Call
from skydex.web.catalog_parameters import Fields, read_cone, read_constraint, read_sort_key

__all__ = ["FORM_ROWS", "Choice", "address_of_form", "choice_of", "first_columns"]

FORM = ("filter.column", "filter.operator", "filter.value", "filter.more")
"""What the form of the page sends besides parameters of the REST API."""
FORM_ROWS = "filter.rows"
"""How many filters there is room for, if more are wanted."""
PAGE_ROWS, _MOST_ROWS = 50, 1000
_MOST_PAGES = 10**7
_FEW = 12
"""Columns that are shown of a table with many of them, if nobody chooses."""
_LEADING = 3
"""Columns that name a row and its position."""
_TELLING = 6
"""Columns that tell rows apart which are equal in what they are sorted by."""
_ALL = ("*", "all")
_WHOLE_SKY_DEG = 180.0
_UNARY = ("null", "nnull")


@dataclass(frozen=True)
class Choice:
    """What somebody looks at."""

    table: Table
    """Of which table."""
    constraints: tuple[Constraint, ...] = ()
    """All of them hold."""
    cone: Cone | None = None
    """Region, if there is one."""
    asked: tuple[str, ...] = ()
    """Columns that are asked for; empty if nobody chose, `*` if all are."""
    sort_by: tuple[SortKey, ...] = ()
    """What rows are sorted by."""
    page: int = 1
    """Number of the page, from 1."""
    page_rows: int = PAGE_ROWS
    """Rows of a page."""

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Those that are shown.

        Raises
        ------
        UnknownColumnError
            One that is asked for is not there.
        """
        if not self.asked:
            return self.usual_columns
        if self.asked[0].lower() in _ALL:
            return self.table.columns
        names = dict.fromkeys(self.table.get_column(name).name for name in self.asked)
        return tuple(self.table.columns_by_name[name] for name in names)

    @cached_property
    def usual_columns(self) -> tuple[Column, ...]:
        """Those that are shown if nobody chooses: the first ones, and what rows are filtered and sorted by.

        Of a table with many, the latter stand where they are seen, behind the name and the position.
        """
        first = first_columns(self.table)
        names = (*(one.name for one in self.constraints), *(key.name for key in self.sort_by))
        used = map(self.table.get_column, names)
        n_leading = len(first) if len(first) == len(self.table.columns) else _LEADING
        columns = (*first[:n_leading], *used, *first[n_leading:])
        return tuple({column.name: column for column in columns}.values())

    @property
    def is_restricted(self) -> bool:
        """Whether it leaves rows out."""
        return self.cone is not None or bool(self.constraints)

    @property
    def search(self) -> Search:
        """The same as the archive knows it."""
        names = tuple(column.name for column in self.columns)
        offer = CatalogOffer(self.table.name, self.table.name)
        if not self.sort_by:
            return Search(offer, self.constraints, self.cone, names)
        return Search(offer, self.constraints, self.cone, names, tuple(self._keys()), is_ordered=True)

    def _keys(self) -> Iterator[SortKey]:
        """What rows are sorted by, and then by the first columns: what names a row may name several."""
        seen = {key.name.lower() for key in self.sort_by}
        yield from self.sort_by
        others = [column for column in first_columns(self.table) if not column.is_array]
        yield from (SortKey(c.name) for c in others[:_TELLING] if c.name.lower() not in seen)

    @property
    def offset(self) -> int:
        """Rows before the page."""
        return (self.page - 1) * self.page_rows

    def request(self, owner: str | None) -> CatalogRequest:
        """What gives the rows of the page."""
        return CatalogRequest(self.search, self.page, self.page_rows, owner)

    def count(self, owner: str | None) -> CountRequest:
        """What says how many rows there are."""
        return CountRequest(self.search, owner)

    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of the address, without what goes without saying."""
        pairs = [(one.parameter, value) for one in self.constraints for value in one.values]
        if self.cone is not None:
            pairs += [("ra", f"{self.cone.ra_deg:.10g}"), ("dec", f"{self.cone.dec_deg:.10g}")]
            pairs += [("radius", f"{self.cone.radius_deg:.10g}")]
        if self.asked and self.columns != self.usual_columns:
            are_all = self.columns == self.table.columns
            pairs += [("columns", "*" if are_all else ",".join(column.name for column in self.columns))]
        pairs += [("sort_by", f"{key.name}.desc" if key.descends else key.name) for key in self.sort_by]
        pairs += [("pagesize", str(self.page_rows))] if self.page_rows != PAGE_ROWS else []
        return [*pairs, *([("page", str(self.page))] if self.page > 1 else [])]

    def address(self) -> str:
        """Where it is, as a reference from the page of the table itself."""
        return f"?{urlencode(self.pairs())}"

    def at_page(self, page: int) -> Choice:
        """The same, turned to another page."""
        return replace(self, page=page)

    def sorted_by(self, column: Column) -> Choice:
        """The same from its beginning, by one column: rising, or falling if it was rising."""
        is_rising = any(key.name.lower() == column.name.lower() and not key.descends for key in self.sort_by[:1])
        return replace(self, sort_by=(SortKey(column.name, is_rising),), page=1)

    def without(self, constraint: Constraint) -> Choice:
        """The same from its beginning, without a constraint."""
        return replace(self, constraints=tuple(one for one in self.constraints if one != constraint), page=1)

    def also(self, name: str, operator: str, value: str) -> Choice:
        """The same from its beginning, with another constraint, which takes the place of one that is called so."""
        new = Constraint(name, operator, (value,))
        others = tuple(one for one in self.constraints if one.parameter.lower() != new.parameter.lower())
        return replace(self, constraints=(*others, new), page=1)

    def order_of(self, column: Column) -> str:
        """How rows are sorted by a column, as ARIA says it; empty if they are not."""
        first = next(iter(self.sort_by), None)
        if first is None or first.name.lower() != column.name.lower():
            return ""
        return "descending" if first.descends else "ascending"


def first_columns(table: Table) -> tuple[Column, ...]:
    """What is shown if nobody chooses: all columns of a small table, of others the name, the position and a few."""
    if len(table.columns) <= _FEW:
        return table.columns
    names = [table.id_column] if table.id_column else []
    names += [column.name for column in table.position_columns()]
    names += [column.name for column in table.columns if column.principal and not column.is_array]
    names += [column.name for column in table.columns]
    return tuple(table.get_column(name) for name in list(dict.fromkeys(names))[:_FEW])


def choice_of(fields: Fields, table: Table) -> Choice:
    """Read what an address says.

    Raises
    ------
    UnknownColumnError
        It is about a column that is not there.
    BadParameterError
        It cannot be.
    """
    own = (*PARAMETERS, *FORM, FORM_ROWS)
    constraints = tuple(read_constraint(field) for field in fields if field.name.lower() not in own)
    for constraint in constraints:
        _check(constraint, table)
    columns = tuple(item.strip() for value in fields.values("columns") for item in value.split(",") if item.strip())
    choice = Choice(
        table,
        constraints,
        read_cone(fields, _WHOLE_SKY_DEG),
        columns,
        tuple(read_sort_key(i.strip()) for v in fields.values("sort_by") for i in v.split(",") if i.strip()),
        fields.find_count("page", most=_MOST_PAGES) or 1,
        fields.find_count("pagesize", most=_MOST_ROWS) or PAGE_ROWS,
    )
    if choice.cone is not None and table.position is None:
        raise BadParameterError("ra", f"{table.name} has no positions to search by.")
    for name in (*(key.name for key in choice.sort_by), *(column.name for column in choice.columns)):
        table.get_column(name)
    return choice


def address_of_form(call: Call, table: Table) -> str | None:
    """The address that somebody means who sends the form; None if it is not sent.

    The call goes on with what the form says as parameters of the REST API, and errors are about these.

    Raises
    ------
    UnknownColumnError, BadParameterError
        What stands in it cannot be.
    """
    pairs = call.query_pairs()
    if not any(name in FORM for name, _ in pairs):
        return None
    written = [*((name, value) for name, value in pairs if name not in FORM), *_written_out(pairs)]
    call.go_on_with(written)
    choice = _unless_usual(choice_of(Fields(written), table))
    more = [(FORM_ROWS, value) for name, value in pairs if name == "filter.more"]
    address = replace(choice, page=1).address()
    return f"{address}{'&' if len(address) > 1 else ''}{urlencode(more)}" if more else address


def _unless_usual(choice: Choice) -> Choice:
    """The same without columns that are shown anyway: a form has ticks for all of them."""
    asked, usual = ({column.name for column in columns} for columns in (choice.columns, choice.usual_columns))
    first = {column.name for column in first_columns(choice.table)}
    return replace(choice, asked=()) if first <= asked <= usual else choice


def _written_out(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The rows of a form as parameters; a row without a column says nothing."""
    pairs = list(pairs)
    parts = [[value.strip() for name, value in pairs if name == word] for word in FORM[:3]]
    for column, operator, value in zip_longest(*parts, fillvalue=""):
        if not column:
            continue
        if operator not in ("", *OPERATORS):
            raise BadParameterError("filter.operator", f'is one of {", ".join(OPERATORS)}, not "{operator[:40]}".')
        name = column if operator in ("", "eq") else f"{column}.{operator}"
        yield name, value or ("true" if operator in _UNARY else "")


def _check(constraint: Constraint, table: Table) -> None:
    if not all(value.strip() for value in constraint.values):
        problem = "has no value: write what it is compared with, or choose another test."
        raise BadParameterError(constraint.parameter[:80], problem)
    if table.find_column(constraint.name) is None:
        near = near_names(constraint.name[:80], [*(column.name for column in table.columns), *PARAMETERS])
        raise UnknownColumnError(constraint.name[:80], where=table.name, near=near)

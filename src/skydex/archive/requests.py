"""What can be asked of an archive: a query in a language, a cone.

Requests are plain values: they travel to worker processes, and a job is the same request made later. Each knows the
plan that it means; none knows an engine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import pyarrow as pa

from skydex.errors import BadParameterError
from skydex.formats import Format, get_format
from skydex.query import Namespace, Plan, bind, get_language, make_plan, table_query, within
from skydex.sky import Cone
from skydex.tables import Column, Datatype, Result, Table, arrow_schema, conformed

__all__ = ["ComposedRequest", "ConeRequest", "QueryRequest", "TableRequest", "Upload"]


@dataclass(frozen=True)
class Upload:
    """A table that comes along with a request, in a file."""

    name: str
    """What queries call it, after `TAP_UPLOAD.`."""
    path: str
    """Where the file is, until the request is answered."""
    content_type: str = ""
    """Media type that the sender gives; a hint."""


class TableRequest(Protocol):
    """Anything whose answer is a table."""

    @property
    def max_rows(self) -> int | None: ...

    @property
    def owner(self) -> str | None: ...

    @property
    def collection(self) -> str | None: ...

    @property
    def uploads(self) -> tuple[Upload, ...]: ...

    def plan(self, namespace: Namespace) -> Plan: ...

    def shaped(self, result: Result, namespace: Namespace) -> Result: ...

    def form(self, name: str, namespace: Namespace) -> Format: ...


class ComposedRequest(ABC):
    """A question whose answer takes several plans, one after the other; `plan` gives the one that reads most."""

    @abstractmethod
    def composed(self, namespace: Namespace, run: Callable[[Plan], Result]) -> Result:
        """The answer, of plans that are run as they are needed."""

    @abstractmethod
    def tables_read(self, namespace: Namespace) -> Sequence[str]:
        """Names of the tables that it rests on."""

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        return result


@dataclass(frozen=True)
class QueryRequest:
    """A query in text."""

    text: str
    """What the user wrote."""
    language: str = "ADQL"
    """Name of the query language, with a version after a hyphen if one is insisted on."""
    max_rows: int | None = None
    """Row limit; None for no limit."""
    owner: str | None = None
    """Who asks; None for anybody."""
    collection: str | None = None
    """Schema to which the service is confined; None for everything."""
    uploads: tuple[Upload, ...] = ()
    """Tables that come along, each with a name of its own."""

    def plan(self, namespace: Namespace) -> Plan:
        """Parse, bind and plan the text."""
        name, _, version = self.language.partition("-")
        language = get_language(name)
        tree = language.parse(self.text, version=version or language.versions[-1])
        return make_plan(bind(tree, namespace), self.max_rows)

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        return result

    def form(self, name: str, namespace: Namespace) -> Format:
        return get_format(name)


@dataclass(frozen=True)
class ConeRequest:
    """A cone search as SCS 1.03 (IVOA REC 2008-02-22) means it.

    The answer's columns carry the UCD1 words that clients look for: ID_MAIN, POS_EQ_RA_MAIN and POS_EQ_DEC_MAIN, each
    once (section 2.2). An identifier that is a number is written as text, as the standard asks.
    """

    table: str
    """Name of a table with positions."""
    ra_deg: float
    """Centre, ICRS."""
    dec_deg: float
    """Centre, ICRS."""
    radius_deg: float
    """0 asks for the columns only."""
    verbosity: int = 2
    """1: identifier and position; 2: the principal columns; 3: all columns."""
    max_rows: int | None = None
    """Row limit; None for no limit."""
    owner: str | None = None
    """Who asks; None for anybody."""
    collection: str | None = None
    """Schema to which the service is confined; None for everything."""
    uploads: ClassVar[tuple[Upload, ...]] = ()

    def plan(self, namespace: Namespace) -> Plan:
        """What to read: the same columns for every cone of a table, so they are bound once."""
        if self.radius_deg == 0.0:
            table = self._table(namespace)
            return make_plan(bind(table_query(table, self._columns(table), limit=0), namespace), self.max_rows)
        cone = Cone(self.ra_deg, self.dec_deg, self.radius_deg)
        whole, _ = self._prepared(namespace)
        return within(whole, cone, max_rows=self.max_rows)

    def shaped(self, result: Result, namespace: Namespace) -> Result:
        """Give the identifier and the position their UCD1 words."""
        _, columns = self._prepared(namespace)
        pairs = enumerate(zip(columns, result.columns, strict=True))
        retyped = [place for place, (new, old) in pairs if new.datatype is not old.datatype]
        if retyped:
            result.batches = _with_types(result.batches, columns, retyped)
        result.columns = columns
        return result

    def form(self, name: str, namespace: Namespace) -> Format:
        return get_format(name)

    def _prepared(self, namespace: Namespace) -> tuple[Plan, tuple[Column, ...]]:
        """The plan for the whole table, and the columns of the answer."""
        return namespace.kept((ConeRequest, self.table.lower(), self.verbosity), lambda: self._prepare(namespace))

    def _prepare(self, namespace: Namespace) -> tuple[Plan, tuple[Column, ...]]:
        table = self._table(namespace)
        assert table.position is not None
        plan = make_plan(bind(table_query(table, self._columns(table)), namespace))
        words = {table.position.ra: "POS_EQ_RA_MAIN", table.position.dec: "POS_EQ_DEC_MAIN"}
        return plan, tuple(_marked(column, words, _identifier(table)) for column in plan.columns)

    def _table(self, namespace: Namespace) -> Table:
        table = namespace.get(self.table).table
        if table.position is None:
            raise BadParameterError("table", f"{table.name} has no positions to search by.")
        return table

    def _columns(self, table: Table) -> list[Column]:
        assert table.position is not None
        needed = {_identifier(table), table.position.ra, table.position.dec}
        return [
            column
            for column in table.columns
            if column.name in needed or self.verbosity == 3 or (self.verbosity == 2 and column.principal)
        ]


def _with_types(
    batches: Iterator[pa.RecordBatch], columns: tuple[Column, ...], places: Sequence[int]
) -> Iterator[pa.RecordBatch]:
    """Cast some columns of each batch to their new types."""
    schema = arrow_schema(columns)
    for batch in batches:
        arrays = batch.columns
        for place in places:
            arrays[place] = conformed(arrays[place], columns[place])
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _identifier(table: Table) -> str | None:
    """The column that names a row: the known one, else the first that is no position."""
    if table.id_column is not None:
        return table.id_column
    position = {column.name for column in table.position_columns()}
    scalars = (column.name for column in table.columns if not column.is_array and column.name not in position)
    return next(scalars, None)


def _marked(column: Column, words: dict[str, str], identifier: str | None) -> Column:
    if column.name in words:
        return replace(column, ucd=words[column.name])
    if column.name == identifier:
        as_text = column if column.datatype.is_text else replace(column, datatype=Datatype.CHAR, arraysize="32*")
        return replace(as_text, ucd="ID_MAIN", xtype=None)
    ucd = ";".join(word for word in (column.ucd or "").split(";") if word != "meta.main")
    return replace(column, ucd=ucd or None) if ucd != (column.ucd or "") else column

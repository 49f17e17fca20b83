"""Names of objects that an archive's own tables know, before those that everybody knows (`names`).

A table that is offered so (`[[names]]` of services.toml) is read once where it is small, so that names are found
however they are written. In a large one a name is looked up with each request: as a number, where its columns hold
numbers behind a prefix such as KIC, else as it is written. Rows come through the trunk like those of any request.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
from sqlglot import exp

from skydex.archive.offers import NamesOffer
from skydex.names import NamedObject, NameIndex, find_objects, key_of, near_objects, unknown
from skydex.query import Namespace, table_query
from skydex.query.tree import integer, string
from skydex.tables import Column, Table

__all__ = ["ArchiveNames"]

_MOST_READ = 200_000
"""Rows of a table that is read whole."""
_MOST_FOUND = 20
"""Objects of one name in one table."""

_log = logging.getLogger(__name__)

Ask = Callable[[exp.Select], list[pa.RecordBatch]]
"""Answers a query."""


@dataclass(frozen=True)
class _Named:
    """A table whose rows are objects with names."""

    offer: NamesOffer
    """How it is offered."""
    table: Table
    """What it is."""
    names: tuple[Column, ...]
    """Where the names stand."""

    @property
    def is_small(self) -> bool:
        return self.table.n_rows is not None and self.table.n_rows <= _MOST_READ

    def query(self, condition: exp.Expression | None = None) -> exp.Select:
        """Names, positions and what else is known; all rows, or those that fulfil a condition."""
        chosen = [*self.names, *self.table.position_columns(), *self._more()]
        query = table_query(self.table, chosen, limit=None if condition is None else _MOST_FOUND)
        if condition is not None:
            query.set("where", exp.Where(this=condition))
        return query

    def objects(self, batches: Sequence[pa.RecordBatch]) -> Iterator[NamedObject]:
        """The rows of an answer, as far as they have names and positions."""
        for batch in batches:
            columns = [column.to_pylist() for column in batch.columns]
            for row in zip(*columns, strict=True):
                names = [self._written(value) for value in row[: len(self.names)] if value not in (None, "")]
                ra, dec, *more = row[len(self.names) :]
                if names and ra is not None and dec is not None and math.isfinite(ra) and math.isfinite(dec):
                    authority, kind = self._facts(more)
                    yield NamedObject(names[0], ra, dec, self.table.name, authority, kind, tuple(names))

    def condition(self, name: str) -> exp.Expression | None:
        """What rows of a name fulfil; None if no row can have such a name."""
        tests = [test for column in self.names if (test := self._test(column, name)) is not None]
        return exp.or_(*tests, copy=False) if tests else None

    def _test(self, column: Column, name: str) -> exp.Expression | None:
        key, prefix = key_of(name), key_of(self.offer.prefix)
        place = exp.Column(this=exp.Identifier(this=column.name, quoted=True))
        if not key.startswith(prefix):
            return None
        if column.datatype.is_text:
            bare = " ".join(name.split())
            if prefix:
                bare = bare[len(self.offer.prefix) :].strip() if bare.lower().startswith(prefix) else key[len(prefix) :]
            spellings = dict.fromkeys((bare, bare.upper(), bare.replace(" ", ""), bare.upper().replace(" ", "")))
            return exp.In(this=place, expressions=[string(text) for text in spellings])
        digits = key.removeprefix(prefix)
        return exp.EQ(this=place, expression=integer(int(digits))) if digits.isdecimal() and len(digits) < 19 else None

    def _written(self, value: object) -> str:
        return f"{self.offer.prefix} {value}".strip()

    def _more(self) -> list[Column]:
        """Where else something is known of an object."""
        return [self.table.get_column(name) for name in (self.offer.authority, self.offer.type) if name]

    def _facts(self, more: list[object]) -> tuple[str, str]:
        """Authority and type, from what these columns hold."""
        texts = iter(str(value or "").strip() for value in more)
        return next(texts) if self.offer.authority else "", next(texts) if self.offer.type else ""


class ArchiveNames:
    """Objects by their names, as one state of an archive knows them.

    Parameters
    ----------
    offers : sequence of NamesOffer
        Tables that name objects, in the order in which they count; one that is not published is passed over.
    namespace : Namespace
        What is published.
    ask : callable
        Answers a query.
    """

    def __init__(self, offers: Sequence[NamesOffer], namespace: Namespace, ask: Ask) -> None:
        tables = [found for offer in offers if (found := _named(offer, namespace)) is not None]
        self._ask = ask
        self._large = [table for table in tables if not table.is_small]
        small = (table for table in tables if table.is_small)
        self._index = NameIndex(known for table in small for known in table.objects(ask(table.query())))

    def find(self, text: str) -> tuple[NamedObject, ...]:
        """Every object of a name, those of the archive first, or the position that the text is; empty if unknown."""
        return find_objects(text, self._own)

    def get(self, text: str) -> tuple[float, float]:
        """The position of a name, ICRS, degrees.

        Raises
        ------
        UnknownObjectError
            Nobody knows it; with names that look alike.
        """
        found = self.find(text)
        if not found:
            raise unknown(text, self.near(text))
        return found[0].ra_deg, found[0].dec_deg

    def near(self, text: str) -> list[str]:
        """Names that look like one that is not known, best first."""
        return near_objects(text, self._index)

    def _own(self, name: str) -> list[NamedObject]:
        """What the archive's tables know, the small ones first."""
        conditions = [(table, table.condition(name)) for table in self._large if key_of(name)]
        asked = (table.objects(self._ask(table.query(condition))) for table, condition in conditions if condition)
        return [*self._index.find(name), *chain.from_iterable(asked)]


def _named(offer: NamesOffer, namespace: Namespace) -> _Named | None:
    relation = namespace.find(offer.table)
    if relation is None:
        return None
    columns = {column.name.lower(): column for column in relation.table.columns}
    needed = [*offer.columns, *filter(None, (offer.type, offer.authority))]
    missing = [name for name in needed if name.lower() not in columns]
    if missing or relation.table.position is None:
        lacks = f"has no column {', '.join(missing)}" if missing else "has no positions"
        _log.warning("Names are not looked up in %s: it %s", offer.table, lacks)
        return None
    return _Named(offer, relation.table, tuple(columns[name.lower()] for name in offer.columns))

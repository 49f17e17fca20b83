"""`View`: what one service shows of an archive, and under which names.

Three kinds: everything, one collection, and what a `[[tap]]` or a `[[casjobs]]` of `services.toml` presents under names
of its own. In each a query finds TAP_SCHEMA with these tables alone. A table that is shown under another name is the
same table: its rows are read where they are, and its keys and examples name other tables as they are shown here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from skydex.archive.offers import ContextOffer, TapOffer
from skydex.errors import SkydexError
from skydex.query import Namespace, Relation
from skydex.query.languages.words import spelled
from skydex.tables import BIT, Example, ForeignKey, Table
from skydex.tables.tap_schema import TAP_SCHEMA, tap_schema

__all__ = ["Schema", "View", "view_of_collection", "view_of_everything", "view_of_offer"]

_log = logging.getLogger(__name__)
_ABOUT_TAP_SCHEMA = "The tables of this service, described as tables"


@dataclass(frozen=True)
class Schema:
    """Tables that belong together."""

    name: str
    """As it stands before the dot."""
    description: str
    """One paragraph for people."""
    tables: tuple[Table, ...]
    """In the order to show."""
    is_own: bool = False
    """Whether its tables are not published, but those of users."""


@dataclass(frozen=True)
class View:
    """What one service shows."""

    key: str
    """By which requests and jobs name it; empty for everything."""
    name: str
    """As it stands in addresses; empty for everything."""
    title: str
    """For people; empty for everything."""
    relations: tuple[Relation, ...]
    """What is published, without TAP_SCHEMA."""
    texts: Mapping[str, str]
    """Names of its schemas, each with its description."""
    default_schema: str | None
    """The schema whose name may be left out."""
    absent: Mapping[str, SkydexError] = field(default_factory=dict, kw_only=True)
    """Tables that cannot be seen at present, by their names in small letters, each with the reason."""

    @cached_property
    def described(self) -> tuple[Relation, ...]:
        """TAP_SCHEMA."""
        tables = [relation.table for relation in self.relations]
        return tuple(Relation(table, rows) for table, rows in tap_schema(tables, self.texts, spelled=spelled))

    @cached_property
    def schemas(self) -> tuple[Schema, ...]:
        """TAP_SCHEMA first."""
        return self._published_schemas()

    def _published_schemas(self) -> tuple[Schema, ...]:
        tables = [relation.table for relation in self.relations]
        return (
            Schema(TAP_SCHEMA, _ABOUT_TAP_SCHEMA, tuple(relation.table for relation in self.described)),
            *(Schema(n, text, tuple(t for t in tables if t.schema_name == n)) for n, text in self.texts.items()),
        )

    @cached_property
    def namespace(self) -> Namespace:
        """The names that a query may use."""
        relations = [*self.described, *self.relations]
        return Namespace(relations, default_schema=self.default_schema, absent=self.absent)


def view_of_everything(relations: Sequence[Relation]) -> View:
    """All published tables."""
    return _view(("", "", ""), relations)


def view_of_collection(name: str, relations: Iterable[Relation]) -> View:
    """The tables of one schema of the archive; its name may be left out."""
    own = [relation for relation in relations if relation.table.schema_name == name]
    return _view((name, name, name), own, default_schema=name)


def view_of_offer(offer: TapOffer | ContextOffer, relations: Sequence[Relation]) -> View:
    """The tables that an offer presents, under the names that it gives them; those not published are left out."""
    stored = {relation.table.name.lower(): relation for relation in relations}
    names = dict(_names(offer, relations))
    for shown in [shown for shown, name in names.items() if name.lower() not in stored]:
        _log.debug("%s: there is no table %s to be shown as %s", offer.key, names[shown], shown)
        del names[shown]
    shown_of = {name.lower(): shown for shown, name in reversed(names.items())}
    presented = [_presented(stored[name.lower()], shown, shown_of) for shown, name in names.items()]
    bits = frozenset(map(str.lower, offer.bits)) if isinstance(offer, ContextOffer) else frozenset()
    if bits:
        presented = [_with_bits(relation, bits) for relation in presented]
    title = offer.title or offer.name
    first = next((relation.table.schema_name for relation in presented), None)
    return _view((offer.key, offer.name, title), presented, default_schema=first, about=title)


def _view(
    called: tuple[str, str, str], relations: Sequence[Relation], *, default_schema: str | None = None, about: str = ""
) -> View:
    """A view of its key, name and title; `about` describes its default schema."""
    schemas = dict.fromkeys(relation.table.schema_name for relation in relations)
    texts = {schema: about if schema == default_schema else "" for schema in schemas}
    return View(*called, tuple(relations), texts, default_schema)


def _names(offer: TapOffer | ContextOffer, relations: Sequence[Relation]) -> Iterator[tuple[str, str]]:
    """Names shown and names stored: those that the offer lists, then those of whole schemas."""
    yield from offer.tables.items()
    listed = {shown.lower() for shown in offer.tables}
    for schema, held in offer.schemas.items():
        for name in held:
            for table in (relation.table for relation in relations):
                shown = f"{schema}.{table.bare_name}"
                if table.schema_name.lower() == name.lower() and shown.lower() not in listed:
                    listed.add(shown.lower())
                    yield shown, table.name


def _presented(relation: Relation, name: str, shown_of: Mapping[str, str]) -> Relation:
    """A table under another name, in the company of others under theirs."""
    table = relation.table
    keys = tuple(_key(key, shown_of) for key in table.foreign_keys if key.target_table.lower() in shown_of)
    examples = tuple(_example(example, shown_of) for example in table.examples)
    return replace(relation, table=replace(table, name=name, foreign_keys=keys, examples=examples))


def _with_bits(relation: Relation, bits: frozenset[str]) -> Relation:
    """A table some of whose numbers are bits."""
    table = relation.table
    columns = tuple(
        replace(column, xtype=BIT) if f"{table.bare_name}.{column.name}".lower() in bits else column
        for column in table.columns
    )
    return relation if columns == table.columns else replace(relation, table=replace(table, columns=columns))


def _key(key: ForeignKey, shown_of: Mapping[str, str]) -> ForeignKey:
    description = _translated(key.description, shown_of)
    return replace(key, target_table=shown_of[key.target_table.lower()], description=description)


def _example(example: Example, shown_of: Mapping[str, str]) -> Example:
    texts = (example.name, example.query, example.description)
    return Example(*(_translated(text, shown_of) for text in texts))


def _translated(text: str, shown_of: Mapping[str, str]) -> str:
    """A text with the names of tables as they are shown."""
    return re.sub(r"(?<![\w.])\w+\.\w+", lambda found: shown_of.get(found[0].lower(), found[0]), text)

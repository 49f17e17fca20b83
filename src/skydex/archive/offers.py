"""Offers: what an archive presents under names and addresses of its own, as its `services.toml` says.

Everything published is served under names that follow from the archive (`/tap`, `/{collection}/scs/{table}`). An entry
of this file adds a way in that its publisher chose: `[[tap]]` a TAP service over some tables, `[[scs]]` the cone search
of a table, `[[catalog]]` a table of the catalogue REST API, `[[casjobs]]` a context of CasJobs; `[[private]]` says who
may see the tables of a schema, `[[cite]]` what to cite for it. The file is read once, when the archive is opened for
serving, so that a mistake in it stops the start and never a running server; to change it, restart the server. Tables
are looked up with each request: an entry may name one that is published later.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skydex.errors import SettingsError, near_names
from skydex.query.languages.words import spelled

__all__ = [
    "MYDB_CONTEXT",
    "OFFERS_FILE",
    "RADIUS_UNITS",
    "CatalogOffer",
    "CitationOffer",
    "ConeOffer",
    "ContextOffer",
    "NamesOffer",
    "Offers",
    "Place",
    "PrivateOffer",
    "TableFunction",
    "TapOffer",
    "plain_context",
    "read_offers",
]

OFFERS_FILE = "services.toml"
"""Name of the file in an archive directory."""
_PATH = re.compile(r"(/[\w.~-]+)+")
_TABLE = re.compile(r"\w+\.\w+")
_WORD = re.compile(r"[A-Za-z]\w*")
RADIUS_UNITS = {"deg": 1.0, "arcmin": 60.0, "arcsec": 3600.0}
"""Units of a radius, by how many there are in a degree."""
MYDB_CONTEXT = "MYDB"
"""The context of CasJobs in which a bare name means a table of one's own; every archive with users has it."""
_RESERVED_DATABASES = frozenset({"mydb", "tempdb", "master", "dbo", "information_schema", "tap_schema", "tap_upload"})
"""What a context cannot be called."""


@dataclass(frozen=True)
class TapOffer:
    """`[[tap]]`: a TAP service over some tables, under names of its own."""

    name: str
    """One word; the service answers below `/{name}/tap`, unless a collection is called so."""
    title: str = ""
    """A line for people."""
    paths: tuple[str, ...] = ()
    """Further addresses on this server, as in `/PS1DR2/tapservice.aspx`; in any case."""
    schemas: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Schemas of the archive by the schema as which they are shown, as in `{ dbo = ["ps1"] }`."""
    tables: Mapping[str, str] = field(default_factory=dict)
    """Single tables by the name under which they are shown, as in `{ "ivoa.ObsCore" = "csc21.ObsCore" }`; they come
    before all others, in this order."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z][\w.-]*", self.name):
            raise self._mistake(f"the name is one word of letters, digits, _ and -, not {self.name!r}.")
        for path in self.paths:
            if not _PATH.fullmatch(path):
                raise self._mistake(f'a path is one on this server, such as "/a/tap", not {path!r}.')
        for shown in (*self.tables, *self.tables.values()):
            if not _TABLE.fullmatch(shown):
                raise self._mistake(f'the name of a table is written "schema.table", not {shown!r}.')
        for word in (*self.schemas, *(part for shown in self.tables for part in shown.split("."))):
            if spelled(word) != word:
                raise self._mistake(f"queries would have to write {spelled(word)} in quotes: choose another name.")
        if not self.schemas and not self.tables:
            raise self._mistake("say which schemas or tables it shows.")

    @property
    def key(self) -> str:
        """By which requests and jobs name it; never the name of a collection."""
        return f"tap:{self.name.lower()}"

    def _mistake(self, sentence: str) -> SettingsError:
        return SettingsError(f"{OFFERS_FILE}, [[tap]] {self.name}: {sentence}")


@dataclass(frozen=True)
class ConeOffer:
    """`[[scs]]`: a further address of the cone search of a table, beside `/{collection}/scs/{table}`."""

    path: str
    """Where it answers on this server, as in `/csc21scs/coneSearch`; in any case."""
    table: str
    """Qualified name of the table."""

    def __post_init__(self) -> None:
        if not _PATH.fullmatch(self.path):
            raise SettingsError(
                f'{OFFERS_FILE}, [[scs]]: a path is one on this server, such as "/a/b", not {self.path!r}.'
            )
        if not _TABLE.fullmatch(self.table):
            where = f"{OFFERS_FILE}, [[scs]] {self.path}"
            raise SettingsError(f'{where}: the name of a table is written "schema.table", not {self.table!r}.')


@dataclass(frozen=True)
class Place:
    """Where the positions of a table are that has none of its own: in another table, with which it shares a key."""

    table: str
    """Qualified name of a table with positions."""
    key: str
    """The column that both have."""


@dataclass(frozen=True)
class CatalogOffer:
    """`[[catalog]]`: a table of the catalogue REST API."""

    path: str
    """Where it answers below `/api/v0.1/`, as in `hsc/v3/summary/magaper2`."""
    table: str
    """Qualified name of the table."""
    aliases: tuple[str, ...] = ()
    """Further paths that mean the same."""
    title: str = ""
    """A line for people."""
    columns: tuple[str, ...] = ()
    """What an answer has when a request names no columns; none means all."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Datatypes that metadata call otherwise than VOTable does, as in `{ double = "float" }`."""
    db_types: Mapping[str, str] = field(default_factory=dict)
    """Database types of columns that do not follow from their datatype, as in `{ raMeanErr = "DOUBLE" }`."""
    missing: float | None = None
    """What stands for a measurement that is not there; by default nothing does, and it is null."""
    never_missing: tuple[str, ...] = ()
    """Columns of numbers that always have a value."""
    distance: str = ""
    """Name of a column that the answers to cones end with: the distance from the centre in degrees; by default none."""
    place: Place | None = None
    """Where to find positions, for a table without."""
    page_rows: int = 50_000
    """Rows of a page if the request does not say how many."""
    max_radius_deg: float | None = None
    """The largest cone; by default the setting `catalog_radius_deg`."""
    crossmatch: bool = False
    """Whether positions may be uploaded to `{path}/crossmatch/upload`."""


@dataclass(frozen=True)
class NamesOffer:
    """`[[names]]`: a table whose rows are objects that can be asked for by name."""

    table: str
    """Qualified name of the table, which has positions."""
    columns: tuple[str, ...] = ("name",)
    """Columns that hold names, the usual one first."""
    prefix: str = ""
    """What stands before the content of these columns in a name, as `KIC` before a number."""
    type: str = ""
    """Column that says what kind of object it is; by default none."""
    authority: str = ""
    """Column that says who gives this position, as in SIMBAD or NED; by default none."""


@dataclass(frozen=True)
class TableFunction:
    """A function of a context that gives the rows of a table around a position, as `FROM f(ra, dec, radius)`."""

    name: str
    """What queries call it, with or without `dbo.`."""
    table: str = ""
    """Qualified name of the table, which has positions."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """Several tables instead, by the value of the fourth argument that says which."""
    columns: tuple[str, ...] = ()
    """The columns of the table that it gives; none means all."""
    unit: str = "arcmin"
    """Unit of the radius: `deg`, `arcmin` or `arcsec`."""
    nearest: bool = False
    """Whether it gives the nearest row alone."""
    distance: str = ""
    """Name of a last column, the distance from the position; by default none."""
    distance_unit: str = ""
    """Unit of that column; by default that of the radius."""

    def __post_init__(self) -> None:
        if not _WORD.fullmatch(self.name):
            raise self._mistake(f"the name of a function is one word, not {self.name!r}.")
        if bool(self.table) == bool(self.choices):
            raise self._mistake('say of which "table" it is, or give "choices" of several.')
        for table in self.tables:
            if not _TABLE.fullmatch(table):
                raise self._mistake(f'the name of a table is written "schema.table", not {table!r}.')
        for unit in (self.unit, self.distance_unit or self.unit):
            if unit not in RADIUS_UNITS:
                raise self._mistake(f"a unit is one of {', '.join(RADIUS_UNITS)}, not {unit!r}.")

    @property
    def tables(self) -> tuple[str, ...]:
        """All tables that it may read."""
        return (self.table,) if self.table else tuple(self.choices.values())

    def _mistake(self, sentence: str) -> SettingsError:
        return SettingsError(f"{OFFERS_FILE}, function {self.name}: {sentence}")


@dataclass(frozen=True)
class ContextOffer:
    """`[[casjobs]]`: a context of CasJobs, which is what users of its queries call a database."""

    context: str
    """One word, in any case."""
    title: str = ""
    """A line for people."""
    aliases: tuple[str, ...] = ()
    """Further words for it."""
    schemas: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Schemas of the archive by the schema as which they are shown, as in `{ dbo = ["hsc", "hcv"] }`."""
    tables: Mapping[str, str] = field(default_factory=dict)
    """Single tables by the name under which they are shown, as in `{ "dbo.HCVdetailed" = "hcv.HCVdetailed" }`."""
    bits: tuple[str, ...] = ()
    """Columns of 0 and 1 whose type is bit, so that quick answers say False and True, as in `HCVfilter.FilterDetFlag`:
    the name of a table without its schema, and the column."""
    functions: tuple[TableFunction, ...] = ()
    """What may stand in FROM beside tables."""

    def __post_init__(self) -> None:
        for word in self.names:
            if not _WORD.fullmatch(word):
                raise self._mistake(f"a context is one word of letters, digits and _, not {word!r}.")
            if word.lower() in _RESERVED_DATABASES:
                raise self._mistake(f"a context cannot be called {word}: that name has a meaning of its own.")
        for shown in (*self.tables, *self.tables.values()):
            if not _TABLE.fullmatch(shown):
                raise self._mistake(f'the name of a table is written "schema.table", not {shown!r}.')
        for bit in self.bits:
            if not _TABLE.fullmatch(bit):
                raise self._mistake(f'the name of a bit is written "table.column", not {bit!r}.')
        if not self.schemas and not self.tables:
            raise self._mistake("say which schemas or tables it shows.")

    @property
    def name(self) -> str:
        """As people write it."""
        return self.context

    @property
    def names(self) -> tuple[str, ...]:
        """All words for it."""
        return (self.context, *self.aliases)

    @property
    def key(self) -> str:
        """By which requests and jobs name it; never the name of a collection."""
        return f"casjobs:{self.context.lower()}"

    def _mistake(self, sentence: str) -> SettingsError:
        return SettingsError(f"{OFFERS_FILE}, [[casjobs]] {self.context}: {sentence}")


@dataclass(frozen=True)
class PrivateOffer:
    """`[[private]]`: a schema that only some may see; for everybody else it does not exist."""

    schema: str
    """Name of a schema of the archive."""
    users: tuple[str, ...] = ()
    """Who may see it, by name."""
    groups: tuple[str, ...] = ()
    """Groups whose members may see it."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w+", self.schema):
            raise SettingsError(f"{OFFERS_FILE}, [[private]]: a schema is named by one word, not {self.schema!r}.")

    def is_for(self, user: str | None, groups: Iterable[str]) -> bool:
        """Whether somebody may see it: a user of a name who is in some groups, or anybody."""
        if user is None:
            return False
        mine, theirs = {group.lower() for group in groups}, {group.lower() for group in self.groups}
        return user.lower() in {name.lower() for name in self.users} or bool(mine & theirs)


@dataclass(frozen=True)
class CitationOffer:
    """`[[cite]]`: a publication that users of a schema are asked to cite."""

    schema: str
    """Name of a schema of the archive."""
    text: str
    """The reference, in a line."""
    doi: str = ""
    """Its Digital Object Identifier, without an address before it."""
    bibtex: str = ""
    """The same for bibliographies."""


def plain_context(schema: str) -> ContextOffer | None:
    """The context of a collection of which its publisher says nothing; none if a context cannot be called so."""
    if not _WORD.fullmatch(schema) or schema.lower() in _RESERVED_DATABASES:
        return None
    return ContextOffer(schema, schemas={"dbo": (schema,)})


@dataclass(frozen=True)
class Offers:
    """All entries of a file, each kind in its order."""

    taps: tuple[TapOffer, ...] = ()
    """`[[tap]]`: TAP services."""
    cones: tuple[ConeOffer, ...] = ()
    """`[[scs]]`: cone searches."""
    catalogs: tuple[CatalogOffer, ...] = ()
    """`[[catalog]]`: tables of the catalogue REST API."""
    names: tuple[NamesOffer, ...] = ()
    """`[[names]]`: tables of named objects, in the order in which they count."""
    contexts: tuple[ContextOffer, ...] = ()
    """`[[casjobs]]`: contexts of CasJobs."""
    private: tuple[PrivateOffer, ...] = ()
    """`[[private]]`: schemas that not everybody may see."""
    citations: tuple[CitationOffer, ...] = ()
    """`[[cite]]`: publications to cite, in their order."""

    def find_context(self, name: str) -> ContextOffer | None:
        """A context by one of its names in any case."""
        lower = name.lower()
        return next((one for one in self.contexts if lower in map(str.lower, one.names)), None)

    def hidden_from(self, user: str | None, groups: Iterable[str]) -> frozenset[str]:
        """The schemas, in small letters, that do not exist for somebody."""
        mine = tuple(groups)
        return frozenset(offer.schema.lower() for offer in self.private if not offer.is_for(user, mine))


_KINDS: dict[str, tuple[str, type]] = {
    "tap": ("taps", TapOffer),
    "scs": ("cones", ConeOffer),
    "catalog": ("catalogs", CatalogOffer),
    "names": ("names", NamesOffer),
    "casjobs": ("contexts", ContextOffer),
    "private": ("private", PrivateOffer),
    "cite": ("citations", CitationOffer),
}
"""For each word in double brackets: the field of `Offers`, and the class of an entry, whose fields are the keys."""
_UNIQUE = {"tap": "name", "scs": "path", "catalog": "path", "casjobs": "context", "private": "schema"}
"""Of some kinds: the key in which no two entries may agree, aliases of contexts included."""
_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def read_offers(directory: Path) -> Offers:
    """Read what an archive offers; without a file, nothing beyond what follows from its tables.

    Parameters
    ----------
    directory : Path
        The archive.

    Raises
    ------
    SettingsError
        The message names the file, the entry and the key.
    """
    file = directory / OFFERS_FILE
    if not file.is_file():
        return Offers()
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"Cannot read {OFFERS_FILE}: {error}") from error
    return Offers(**dict(_entries(word, items) for word, items in found.items()))


def _entries(word: str, items: Any) -> tuple[str, tuple[Any, ...]]:
    """All entries of one kind."""
    if word not in _KINDS:
        raise SettingsError(f"{OFFERS_FILE}: there is no [[{word}]].{_meant(word, _KINDS)}")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise SettingsError(f"{OFFERS_FILE}: write [[{word}]], in double brackets, before each entry.")
    name, kind = _KINDS[word]
    entries = tuple(_entry(item, kind, _where(word, number, item)) for number, item in enumerate(items, start=1))
    if word in _UNIQUE:
        _check_unique(word, _UNIQUE[word], entries)
    return name, entries


def _where(word: str, number: int, item: Mapping[str, Any]) -> str:
    """An entry as messages name it: by its number, and by its path or name if it has one."""
    called = next((item[key] for key in ("path", "name", "context", "schema") if isinstance(item.get(key), str)), None)
    return f"{OFFERS_FILE}, [[{word}]] {number}{f' ({called})' if called else ''}"


def _check_unique(word: str, key: str, entries: Sequence[Any]) -> None:
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        for value in entry.names if isinstance(entry, ContextOffer) else (getattr(entry, key),):
            first = seen.setdefault(value.lower(), number)
            if first != number:
                raise SettingsError(
                    f'{OFFERS_FILE}, [[{word}]] {number}: {key} "{value}" is that of entry {first} already.'
                )


def _entry(item: Mapping[str, Any], kind: type, where: str) -> Any:
    """A table of the file as a value of a class, whose fields say which keys there are and of which type."""
    hints = typing.get_type_hints(kind)
    for key in item:
        if key not in hints:
            raise SettingsError(f'{where}: there is no key "{key}".{_meant(key, hints)}')
    for known in dataclasses.fields(kind):
        if known.name not in item and known.default is known.default_factory is dataclasses.MISSING:
            raise SettingsError(f'{where}: key "{known.name}" is missing.')
    return kind(**{key: _value(value, hints[key], f'{where}, key "{key}"') for key, value in item.items()})


def _value(value: Any, hint: Any, where: str) -> Any:
    """A value as the type of its field asks."""
    if isinstance(hint, types.UnionType):
        hint = next(kind for kind in typing.get_args(hint) if kind is not type(None))
    if dataclasses.is_dataclass(hint):
        return _entry(_checked(value, dict, where, "a table { ... }"), typing.cast(type, hint), where)
    shape, inner = typing.get_origin(hint), typing.get_args(hint)
    if shape is tuple:
        return tuple(_value(one, inner[0], where) for one in _checked(value, list, where, "a list [ ... ]"))
    if shape is Mapping:
        table = _checked(value, dict, where, "a table { ... }")
        return {key: _value(one, inner[1], f"{where}, {key}") for key, one in table.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise SettingsError(f"{where}: must be {_WORDS[hint]}, not {value!r}.")
    return value


def _checked(value: Any, kind: type, where: str, word: str) -> Any:
    if not isinstance(value, kind):
        raise SettingsError(f"{where}: must be {word}, not {value!r}.")
    return value


def _meant(name: str, known: Mapping[str, Any]) -> str:
    near = near_names(name, known)
    return f" Did you mean {' or '.join(near)}?" if near else f" There are: {', '.join(known)}."

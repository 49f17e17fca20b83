"""Presets: archives that are known by a short name, with the public address of each of their services.

They stand in one table, `presets.toml`. A preset can be moved: `at` puts another scheme and host before every path,
since an archive of skydex has all services under the paths that they have at their real hosts. What the tables of a
catalogue service are called is told here too, so that `summary` means the same wherever it is asked for.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from skydex.errors import BadParameterError, UnknownResourceError, UnknownTableError, near_names

__all__ = ["Preset", "find_preset", "get_preset", "preset_names"]

_FILE = "presets.toml"


@dataclass(frozen=True)
class Preset:
    """An archive that is known by name."""

    name: str
    """As users write it, such as `mast-hsc`."""
    title: str
    """A line for people."""
    services: Mapping[str, str]
    """The address of each service, by what it is: `tap`, `scs`, `catalog`, `invoke`, `jobs`, `lookup`, `sesame`, ..."""
    options: Mapping[str, str] = field(default_factory=dict)
    """What is meant where nothing is said: `release`, `magtype`, `context`."""
    collection: str = ""
    """Of a catalogue service: its collection, below `/api/v0.1`."""
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of a catalogue service: by release, the path of each table and a line about it."""
    databases: Mapping[str, str] = field(default_factory=dict)
    """Services of MAST's invoke that give rows, by the word for each."""
    abouts: Mapping[str, str] = field(default_factory=dict)
    """A line about each of these, by its word."""
    units: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    """Of CasJobs: by context, the names of columns that have each unit."""
    near: Mapping[str, str] = field(default_factory=dict)
    """Where the same things are in an archive on this disk: a TAP service or context that it offers, or tables."""

    def moved(self, url: str) -> Preset:
        """The same services under another scheme and host, and below a path if the address has one.

        Raises
        ------
        BadParameterError
            It is no address of the Web.

        Examples
        --------
        >>> get_preset("csc21").moved("http://127.0.0.1:8642").services["tap"]
        'http://127.0.0.1:8642/csc21tap'
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise BadParameterError("at", f'must be an address such as "http://127.0.0.1:8642", not "{url[:80]}".')
        base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        return replace(self, services={kind: base + _path(address) for kind, address in self.services.items()})

    def chosen(self, **options: str | None) -> Preset:
        """The same with other options; those that are None stay as they are.

        Raises
        ------
        BadParameterError
            It has no such option, or not that value.
        """
        given = {key: value for key, value in options.items() if value is not None}
        for key in given:
            if key not in self.options:
                known = f"It has: {', '.join(self.options)}." if self.options else "It has none."
                raise BadParameterError(key, f"is no option of {self.name}. {known}")
        made = replace(self, options={**self.options, **given})
        made._check_options()
        return made

    def table_path(self, table: str) -> str:
        """Where a table of the catalogue service is, below its collection.

        Parameters
        ----------
        table : str
            Its word, in any case, with a release before it and a photometry behind it where others than the preset's
            are meant: `summary`, `summary/magauto`, `v2/summary`, `hsc/v3/detailed`.

        Raises
        ------
        UnknownTableError
            There is none; the error tells near names.

        Examples
        --------
        >>> get_preset("mast-hsc").table_path("v2/summary")
        'v2/summary/magaper2'
        """
        asked = table.strip("/ ").lower().removeprefix(f"{self.collection.lower()}/")
        words = asked.split("/")
        release = words.pop(0) if words[0] in self.tables else self.options.get("release", "")
        bare = "/".join(words)
        paths = self.tables.get(release, {})
        found = next((path for path in (bare, f"{bare}/{self.options.get('magtype', '')}") if path in paths), None)
        if found is None:
            near = near_names(bare, self.table_names(release)) or list(self.table_names(release))
            raise UnknownTableError(table[:80], where=f"{self.name} {release}".strip(), near=near)
        return f"{release}/{found}"

    def table_names(self, release: str | None = None) -> Iterator[str]:
        """What the tables of the catalogue service are called, as `table_path` takes it, shortest form first."""
        chosen, magtype = self.options.get("release", ""), self.options.get("magtype", "")
        releases = sorted(self.tables, key=lambda one: one != chosen) if release is None else [release]
        for one in releases:
            before = "" if one == chosen else f"{one}/"
            yield from (before + path.removesuffix(f"/{magtype}" if magtype else "\0") for path in self.tables[one])

    def database(self, word: str) -> str:
        """The service of MAST's invoke that gives the rows of a database.

        Raises
        ------
        UnknownTableError
            There is none.
        """
        known = {key.lower(): service for key, service in self.databases.items()}
        known |= {service.lower(): service for service in self.databases.values()}
        found = known.get(word.strip().lower())
        if found is None:
            raise UnknownTableError(word[:80], where=self.name, near=list(self.databases))
        return found

    def about(self, word: str) -> str:
        """A line about a database, if there is one."""
        lines = {key.lower(): line for key, line in self.abouts.items()}
        return lines.get(word.strip().lower(), "")

    def _check_options(self) -> None:
        for key, known in (("release", list(self.tables)), ("magtype", sorted(self._magtypes()))):
            value = self.options.get(key)
            if value is not None and value not in known:
                raise BadParameterError(key, f'must be one of {", ".join(known)}, not "{value[:60]}".')

    def _magtypes(self) -> set[str]:
        return {path.partition("/")[2] for paths in self.tables.values() for path in paths if "/" in path}


def preset_names() -> tuple[str, ...]:
    """The presets that there are."""
    return tuple(_presets())


def find_preset(name: str) -> Preset | None:
    """A preset by its name in any case, if there is one."""
    return _presets().get(name.strip().lower())


def get_preset(name: str) -> Preset:
    """Like `find_preset`, but raise `UnknownResourceError` with near names."""
    found = find_preset(name)
    if found is None:
        raise UnknownResourceError("preset", name[:80], near=near_names(name, preset_names()))
    return found


@functools.cache
def _presets() -> Mapping[str, Preset]:
    text = resources.files("skydex.client").joinpath(_FILE).read_text(encoding="utf-8")
    return dict(_read(tomllib.loads(text).items()))


def _read(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, Preset]]:
    for name, entry in entries:
        yield name, Preset(name, **entry)


def _path(address: str) -> str:
    return urlsplit(address).path

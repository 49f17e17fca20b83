"""`FarDoor`: an archive far away, composed of the services at its addresses.

Each service is an object with those methods of `Door` that its protocol can carry out, and nothing more: what is
missing is not offered. Several services may have the same method; they are asked in their order, and one that raises
`NotOfferedError` (a cone search asked for conditions) hands on to the next. A new kind of service is a module of its
own, and its line in `_MAKERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from skydex.client.door import VERBS, FileSource, OwnTables, RunningJob
from skydex.client.http import Web
from skydex.client.orders import CutoutOrder, NamedPlace, Query, RowsOrder
from skydex.client.presets import Preset
from skydex.client.resolvers import Resolvers
from skydex.errors import NotOfferedError
from skydex.tables import Result, Table

__all__ = ["FarDoor", "far_door"]

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "resolve": ("place",),
    "tables": ("tables",),
    "columns": ("table",),
    "cone": ("rows",),
    "search": ("rows",),
    "query": ("query",),
    "submit": ("submit", "job"),
    "sql": ("sql",),
    "mydb": ("own_tables",),
    "light_curve": ("rows",),
    "cutout": ("cutout",),
    "cutouts": ("cutout",),
    "stamps": ("filtered", "file"),
    "download": ("file",),
}
"""The methods of `Door` behind each verb: one service or another must have each of them."""

Maker = Callable[[Preset, Web], object]
"""Makes the client of one service out of the addresses and options of its archive; asks nothing yet."""

_MAKERS: Mapping[str, Maker] = {
    "lookup": Resolvers,
    "sesame": Resolvers,
}
"""By what a preset calls the service; one that several addresses belong to is made once."""


def far_door(preset: Preset, web: Web | None = None, *, makers: Mapping[str, Maker] = _MAKERS) -> FarDoor:
    """An archive that is known by the addresses of its services; those of unknown kind are left alone."""
    asked = Web() if web is None else web
    chosen = dict.fromkeys(makers[kind] for kind in preset.services if kind in makers)
    return FarDoor(preset.name, [make(preset, asked) for make in chosen], asked)


class FarDoor:
    """An archive far away; see `Door` for what its methods do.

    Parameters
    ----------
    name : str
        What it is called in messages.
    services : sequence of object
        Clients of its services; where several can do the same, the first is asked first.
    web : Web, optional
        How they are asked.
    """

    def __init__(self, name: str, services: Sequence[object], web: Web | None = None) -> None:
        self._name, self.services, self.web = name, tuple(services), web

    @property
    def name(self) -> str:
        return self._name

    @property
    def verbs(self) -> frozenset[str]:
        return frozenset(verb for verb in VERBS if all(any(self._able(method)) for method in _NEEDS[verb]))

    def place(self, name: str) -> NamedPlace:
        found: NamedPlace = self._first("place", name)
        return found

    def tables(self) -> tuple[Table, ...]:
        found: tuple[Table, ...] = self._first("tables")
        return found

    def table(self, name: str) -> Table:
        found: Table = self._first("table", name)
        return found

    def rows(self, order: RowsOrder) -> Result:
        found: Result = self._first("rows", order)
        return found

    def query(self, order: Query) -> Result:
        found: Result = self._first("query", order)
        return found

    def submit(self, order: Query) -> RunningJob:
        found: RunningJob = self._first("submit", order)
        return found

    def job(self, url: str) -> RunningJob:
        found: RunningJob = self._first("job", url)
        return found

    def sql(self, text: str, context: str | None) -> Result:
        found: Result = self._first("sql", text, context)
        return found

    def own_tables(self) -> OwnTables:
        found: OwnTables = self._first("own_tables")
        return found

    def cutout(self, order: CutoutOrder) -> FileSource:
        found: FileSource = self._first("cutout", order)
        return found

    def filtered(
        self, service: str, columns: Sequence[str], filters: Sequence[Mapping[str, object]], max_rows: int | None = None
    ) -> Result:
        found: Result = self._first("filtered", service, columns, filters, max_rows)
        return found

    def file(self, reference: str) -> FileSource:
        found: FileSource = self._first("file", reference)
        return found

    def bundle(self, references: Sequence[str], container: str = "tar.gz") -> FileSource:
        found: FileSource = self._first("bundle", references, container)
        return found

    def close(self) -> None:
        """Give up its connections."""
        if self.web is not None:
            self.web.close()

    def _able(self, method: str) -> Iterator[Callable[..., Any]]:
        """The services that have a method, as that method."""
        return (getattr(service, method) for service in self.services if hasattr(service, method))

    def _first(self, method: str, *asked: Any) -> Any:
        """What the first service answers that can do it."""
        refusal: NotOfferedError | None = None
        for ask in self._able(method):
            try:
                return ask(*asked)
            except NotOfferedError as error:
                refusal = refusal or error
        raise refusal or self._not_offered(method)

    def _not_offered(self, method: str) -> NotOfferedError:
        verb = next((verb for verb in VERBS if method in _NEEDS[verb]), method)
        return NotOfferedError(verb, self.name, _in_order(self.verbs))


def _in_order(verbs: Iterable[str]) -> list[str]:
    return [verb for verb in VERBS if verb in verbs]

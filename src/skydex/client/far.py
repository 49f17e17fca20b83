"""`FarDoor`: an archive far away, composed of the services at its addresses.

Each service is an object with those methods of `Door` that its protocol can carry out, and nothing more: what is
missing is not offered, nor a verb that the service names in `unable`. Several services may have the same method; they
are asked in their order, and one that raises `NotOfferedError` (a cone search asked for conditions) hands on to the
next. A new kind of service is a module of its own, and its line in `_MAKERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from skydex.client.casjobs import CasJobs
from skydex.client.catalogs import Catalogs
from skydex.client.crossmatches import crossmatched
from skydex.client.door import VERBS, FileSource, OwnTables, RunningJob
from skydex.client.fitscut import Downloads, Fitscut, Skycells
from skydex.client.http import Web, WholeAnswer, host_of, without_login
from skydex.client.invoke import Invoke
from skydex.client.looks import Looks
from skydex.client.mydb import MyDBService
from skydex.client.orders import CrossmatchOrder, CurvesOrder, CutoutOrder, NamedPlace, Query, RowsOrder
from skydex.client.presets import Preset, get_preset
from skydex.client.resolvers import Resolvers
from skydex.client.scs import ScsService
from skydex.client.tap import TapService
from skydex.client.vosi import read_capabilities
from skydex.errors import BadAnswerError, NotOfferedError, RefusedError, UnknownResourceError
from skydex.tables import Result, Table

__all__ = ["FarDoor", "far_door", "found_door"]

_RESOURCES = ("sync", "async", "tables", "capabilities", "availability", "examples")
"""What TAP has below the address of a service."""
_SESAME = get_preset("ps1-tap").services["sesame"]
_PATIENCE_S, _MOST_BYTES = 60.0, 16 << 20
"""How long, and how much, a service may say of itself."""

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "resolve": ("place",),
    "tables": ("tables",),
    "columns": ("table",),
    "cone": ("rows",),
    "search": ("rows",),
    "query": ("query",),
    "crossmatch": ("query", "table"),
    "submit": ("submit", "job"),
    "sql": ("sql",),
    "mydb": ("own_tables",),
    "light_curve": ("rows",),
    "images": ("images",),
    "cutout": ("cutout",),
    "cutouts": ("cutout",),
    "stamps": ("filtered", "file"),
    "download": ("file",),
}
"""The methods of `Door` behind each verb: one service or another must have each of them."""

Maker = Callable[[Preset, Web], object]
"""Makes the client of one service out of the addresses and options of its archive; asks nothing yet. None for none."""


def _tap(preset: Preset, web: Web) -> TapService:
    return TapService(preset.services["tap"], web)


def _scs(preset: Preset, web: Web) -> ScsService | None:
    """Cone search in the one table that a preset names; a template of addresses is for other clients."""
    address, name = preset.services["scs"], preset.near.get("scs", "")
    return ScsService(address, web, name=name) if name and "{" not in address else None


_MAKERS: Mapping[str, Maker] = {
    "tap": _tap,
    "scs": _scs,
    "catalog": Catalogs,
    "invoke": Invoke,
    "mydb": MyDBService,
    "look": Looks,
    "jobs": CasJobs,
    "lookup": Resolvers,
    "sesame": Resolvers,
    "download": Downloads,
    "fitscut": Fitscut,
    "filenames": Skycells,
}
"""By what a preset calls the service; one that several addresses belong to is made once."""


def far_door(
    preset: Preset, web: Web | None = None, *, name: str = "", makers: Mapping[str, Maker] = _MAKERS
) -> FarDoor:
    """An archive that is known by the addresses of its services; those of unknown kind are left alone."""
    asked = Web() if web is None else web
    chosen = dict.fromkeys(makers[kind] for kind in preset.services if kind in makers)
    made = (make(preset, asked) for make in chosen)
    return FarDoor(name or preset.name, [service for service in made if service is not None], asked)


def found_door(url: str, *, login: tuple[str, str] | None = None) -> FarDoor:
    """An archive by one address: a skydex server, whose services are all known by their paths, or any TAP service.

    A TAP service is known by its path (`.../tap`, `.../tapservice.aspx`); what lies behind another address is asked.

    Raises
    ------
    UnknownResourceError
        There is neither.
    UnreachableError
        Nobody answers.
    """
    plain, own_login = without_login(url)
    base = _base(plain)
    web = Web(login or own_login, origins=[base])
    if "tap" in urlsplit(base).path.rpartition("/")[2].lower():
        return _tap_door(base, web)
    for address in (f"{base}/tap", base):
        said = _said(web, f"{address}/capabilities")
        if said is None:
            continue
        if address != base and said.headers.get("server", "").startswith("skydex"):
            return far_door(get_preset("skydex").moved(base), web, name=base)
        if _is_tap(said):
            return _tap_door(address, web)
    raise UnknownResourceError("skydex server or TAP service", base)


def _base(url: str) -> str:
    """An address without what stands behind that of the service."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    before, _, last = path.rpartition("/")
    return f"{parts.scheme}://{parts.netloc}{before if last.lower() in _RESOURCES else path}"


def _tap_door(address: str, web: Web) -> FarDoor:
    """A TAP service, with the resolver of names that the Virtual Observatory has for all."""
    return far_door(Preset(address, "", {"tap": address, "sesame": _SESAME}), web)


def _is_tap(said: WholeAnswer) -> bool:
    try:
        return read_capabilities(said.content, host_of(said.url)).is_tap
    except BadAnswerError:  # a page for browsers, as many servers have it at any address
        return False


def _said(web: Web, url: str) -> WholeAnswer | None:
    try:
        return web.whole("GET", url, timeout_s=_PATIENCE_S, max_bytes=_MOST_BYTES)
    except (RefusedError, BadAnswerError):
        return None


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
        return frozenset(verb for verb in VERBS if all(self._offers(verb, method) for method in _NEEDS[verb]))

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

    def crossmatch(self, order: CrossmatchOrder) -> Result:
        return crossmatched(self, order)

    def curves(self, order: CurvesOrder) -> Result:
        found: Result = self._first("curves", order)
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

    def images(self, place: tuple[float, float], bands: str, kind: str) -> Result:
        found: Result = self._first("images", place, bands, kind)
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

    def _offers(self, verb: str, method: str) -> bool:
        """Whether a service has a method, and means it for a verb."""
        return any(hasattr(service, method) and verb not in getattr(service, "unable", ()) for service in self.services)

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

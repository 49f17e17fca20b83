"""What happens inside a worker: open the archive once, then do one order after another.

An order is a request for a table and the name of a format, to be answered; `Checked`, to see whether it could be
answered; `Explained`, to say what that would take; `Filed`, to put the answer into a file, where it is whole or not
there; `Looked`, to look names up; a `Deposit`, a file that is to become a table of one's own; or a `PictureRequest`, to
be answered with pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from skydex.archive import (
    Answer,
    Archive,
    BatchRequest,
    Deadline,
    Deposit,
    LinksRequest,
    Picture,
    PictureRequest,
    QueryRequest,
    TableRequest,
)
from skydex.errors import JobSpaceError
from skydex.formats import get_format
from skydex.jobs import Handler
from skydex.settings import Settings
from skydex.store import Imagery
from skydex.store.files import new_file, storing, sync_directory
from skydex.web.encodings import PACKED, encoded_if_it_pays, pays

__all__ = [
    "Checked",
    "Encoded",
    "Explained",
    "Filed",
    "JobOrder",
    "Looked",
    "TableOrder",
    "handler_of",
    "open_workroom",
    "preload_of",
]

_PRELOAD = ("skydex.web.workroom", "skydex.engines.duckdb", "numpy.ma")
_PRELOAD_FOR_IMAGES = ("astropy.io.fits",)
"""Takes 20 MiB once, and otherwise half a second of the first image of each worker; of a WCS much less is shared."""

TableOrder = tuple[TableRequest, str]
"""A table that is wanted, and the name of its format."""
JobOrder = TableOrder | PictureRequest
"""What a job may be for."""
_Done = tuple[dict[str, Any], Iterator[bytes]]


@dataclass(frozen=True)
class Encoded:
    """Carry out an order, and give the bytes in a content coding if that pays."""

    order: TableOrder | LinksRequest
    """What is wanted."""
    names: tuple[str, ...]
    """Codings that the asker takes, best first."""


@dataclass(frozen=True)
class Checked:
    """See whether an order could be carried out: all that its author can do wrong shows."""

    order: JobOrder
    """What would be wanted."""


@dataclass(frozen=True)
class Explained:
    """Say what a query would read: the facts of the answer are its `explanation`, and whether it only reads."""

    request: QueryRequest | BatchRequest
    """What would be wanted."""


@dataclass(frozen=True)
class Room:
    """How large the result of a job may be."""

    n_bytes: int
    """What its asker's other jobs leave of the disk."""
    of_all_mb: int
    """What all of them together may take."""


@dataclass(frozen=True)
class Filed:
    """Carry out an order and put the bytes into a file."""

    order: JobOrder
    """What is wanted."""
    file: Path
    """Where it gets its place when it is whole and on the disk."""
    time_s: float
    """How long that may take."""
    room: Room
    """How large it may be."""


@dataclass(frozen=True)
class Looked:
    """Look names of objects up: the facts of the answer are `found`, and `near` where nothing was found."""

    texts: tuple[str, ...]
    """Names or positions."""
    owner: str | None = None
    """Who asks; None for anybody."""


def preload_of(directory: Path) -> tuple[str, ...]:
    """Modules that a fork server imports before it forks, so that workers share them; for images, if there are any."""
    return _PRELOAD + (_PRELOAD_FOR_IMAGES if Imagery(directory).collections() else ())


def open_workroom(directory: Path, settings: Settings, scratch: Path) -> Handler:
    """Open an archive for one worker.

    Parameters
    ----------
    directory : Path
        The archive.
    settings : Settings
        The operator's choices.
    scratch : Path
        The worker's own directory, where the engine spills.
    """
    return handler_of(Archive.open(directory, replace(settings, temp_dir=str(scratch))), settings)


def handler_of(archive: Archive, settings: Settings) -> Handler:
    """What carries out orders with an open archive."""

    def handle(
        order: TableOrder | PictureRequest | Encoded | Checked | Explained | Filed | Looked | Deposit,
        deadline: float | None,
    ) -> _Done:
        if isinstance(order, Encoded):
            return _encoded(order, handle(order.order, deadline))
        if isinstance(order, Checked):
            return _checked(archive, order.order)
        if isinstance(order, Explained):
            return _explained(archive, order.request)
        if isinstance(order, Looked):
            return _looked(archive, order.texts, order.owner)
        if isinstance(order, Deposit):
            return asdict(archive.deposit(order)), iter(())
        time_s = order.time_s if isinstance(order, Filed) else settings.query_time_s
        moment = Deadline(deadline, time_s) if deadline is not None else None
        if isinstance(order, PictureRequest):
            return _drawn(archive.draw(order, moment))
        if isinstance(order, Filed):
            return _filed(order, *_done(archive, order.order, moment))
        return _answered(archive.answer(*order, moment))

    return handle


def _encoded(encoded: Encoded, done: _Done) -> _Done:
    facts, chunks = done
    form = encoded.order.format if isinstance(encoded.order, LinksRequest) else encoded.order[1]
    name = next((name for name in encoded.names if pays(facts["media_type"], name, is_packed=form in PACKED)), None)
    if name is None:
        return done
    name, chunks = encoded_if_it_pays(chunks, name)
    return {**facts, "encoding": name}, chunks


def _done(archive: Archive, order: JobOrder, deadline: Deadline | None) -> tuple[_Done, Callable[[], int | None]]:
    """What is wanted for a job, and what tells the number of its rows when all of them are out."""
    if isinstance(order, PictureRequest):
        return _drawn(archive.draw(order, deadline)), lambda: None
    answer = archive.answer(*order, deadline)
    return _answered(answer), answer.n_rows


def _answered(answer: Answer) -> _Done:
    facts = {"media_type": answer.media_type, "suffix": answer.suffix}
    return facts if answer.overflow is None else {**facts, "overflow": answer.overflow}, answer.chunks


def _drawn(picture: Picture) -> _Done:
    return {"media_type": picture.media_type, "suffix": picture.suffix, "file_name": picture.file_name}, picture.chunks


def _checked(archive: Archive, order: JobOrder) -> _Done:
    if isinstance(order, PictureRequest):
        order.check(archive)
        return {}, iter(())
    request, format_name = order
    get_format(format_name)
    archive.check(request)
    return {}, iter(())


def _explained(archive: Archive, request: QueryRequest | BatchRequest) -> _Done:
    if isinstance(request, BatchRequest):
        is_reading, found = archive.foresee(request)
    else:
        is_reading, found = True, archive.explain(request)
    return {"explanation": found and found.facts(), "is_reading": is_reading}, iter(())


def _looked(archive: Archive, texts: tuple[str, ...], owner: str | None) -> _Done:
    names = archive.names(owner)
    found = [names.find(text) for text in texts]
    near = [[] if objects else names.near(text) for text, objects in zip(texts, found, strict=True)]
    return {"found": found, "near": near}, iter(())


def _filed(filed: Filed, done: _Done, n_rows: Callable[[], int | None]) -> _Done:
    """Facts about a file that is whole and durable, with its name and that of its directory."""
    path, (facts, chunks) = filed.file, done
    with storing("the result of the job"):
        is_new = not path.parent.exists()
        with new_file(path) as file:
            for chunk in chunks:
                file.write(chunk)
                if file.tell() > filed.room.n_bytes:
                    raise JobSpaceError(filed.room.of_all_mb)
        sync_directory(path.parent)
        if is_new:
            sync_directory(path.parent.parent)
    return {**facts, **asdict(file.written), "n_rows": n_rows()}, iter(())

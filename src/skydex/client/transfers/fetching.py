"""`fetch`, `fetch_all`, `read_all`: files from elsewhere, several at once, into a folder or into memory.

A file that is in the folder's record and still what came is not asked for. What may pass is tried again: silence,
broken connections, answers that are too short, status 429 and 5xx; with growing pauses, or as long as the service asks.
Other refusals are final. What stays missing is told when everything else is there. The functions that end in `_async`
are the same for programs that have an event loop; the others may be called beside one too (as in a notebook), and end
at Ctrl-C.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx

from skydex.client.door import FileSource
from skydex.client.files import WebFile, async_client
from skydex.client.transfers.apart import in_thread, run_apart
from skydex.client.transfers.limits import TransferLimits
from skydex.client.transfers.manifest import FetchedFile, Manifest, kept
from skydex.client.transfers.naming import Names, plain_name
from skydex.client.transfers.progress import Meter, Shown, shown
from skydex.client.transfers.sinks import FilePart, MemoryPart, Part
from skydex.errors import BadParameterError, IncompleteError, RefusedError, SkydexError, UnreachableError

__all__ = ["fetch", "fetch_all", "fetch_all_async", "read_all", "read_all_async"]

T = TypeVar("T")
_STANDARD = TransferLimits()
_WRONG_RANGE = 416


def fetch(
    source: FileSource, into: Path | str = ".", *, limits: TransferLimits = _STANDARD, progress: Shown = True
) -> Path:
    """Fetch one file into a folder; give its path.

    Raises
    ------
    RefusedError, UnreachableError, BadAnswerError
        As `fetch_all` would tell of it.
    """
    outcome = _fetched([source], Path(into), limits, progress)
    if outcome.troubles:
        raise next(iter(outcome.troubles.values()))
    return outcome.manifest[0]


def fetch_all(
    sources: Iterable[FileSource],
    into: Path | str = ".",
    *,
    limits: TransferLimits = _STANDARD,
    progress: Shown = True,
) -> Manifest:
    """Fetch files into a folder.

    Parameters
    ----------
    sources : iterable of FileSource
        Where from. One that comes twice is fetched once.
    into : path
        The folder; made if it is new. Its record is `MANIFEST.jsonl`.
    limits : TransferLimits
        How many at once, how patiently, how much at most.
    progress : bool or callable
        Whether a bar is shown at a terminal or in a notebook; or who is told instead.

    Returns
    -------
    manifest : Manifest
        All files that were asked for, in their order, with sizes, checksums and dates; and how many are new.

    Raises
    ------
    IncompleteError
        Some did not come: which, and why. The others are there, and the next call fetches only what is missing.
    KeyboardInterrupt
        Interrupted; it says what is missing. Nothing has its final name that is not whole.
    """
    outcome = _fetched(list(sources), Path(into), limits, progress)
    return outcome.whole()


async def fetch_all_async(
    sources: Iterable[FileSource],
    into: Path | str = ".",
    *,
    limits: TransferLimits = _STANDARD,
    progress: Shown = True,
) -> Manifest:
    """Fetch files into a folder, beside other work; see `fetch_all`."""
    with shown(progress, "Fetching") as meter:
        return (await _fetch_into(list(sources), Path(into), limits, meter)).whole()


def read_all(
    sources: Iterable[FileSource], *, limits: TransferLimits = _STANDARD, progress: Shown = False
) -> list[bytes | SkydexError]:
    """Read files into memory, several at once.

    Returns
    -------
    contents : list of bytes or SkydexError
        In the order of the sources; for one that did not come, why.
    """
    known = list(sources)
    with shown(progress, "Reading") as meter:
        return run_apart(lambda: _read_into_memory(known, limits, meter))


async def read_all_async(
    sources: Iterable[FileSource], *, limits: TransferLimits = _STANDARD, progress: Shown = False
) -> list[bytes | SkydexError]:
    """Read files into memory, beside other work; see `read_all`."""
    with shown(progress, "Reading") as meter:
        return await _read_into_memory(list(sources), limits, meter)


@dataclass
class Outcome:
    """What became of files that were asked for."""

    folder: Path
    names: Names
    """What is called how in the folder."""
    own: frozenset[str]
    """Names of what was fetched earlier."""
    wanted: Sequence[tuple[FileSource, str]]
    files: dict[str, FetchedFile] = field(default_factory=dict)
    """By what they were asked for by."""
    troubles: dict[str, SkydexError] = field(default_factory=dict)
    """The same, of those that did not come."""
    n_fetched: int = 0

    def is_of_user(self, name: str) -> bool:
        """Whether a name belongs to a file that was not fetched."""
        return name not in self.own and (self.folder / name).exists()

    @property
    def missing(self) -> list[tuple[FileSource, str]]:
        """What may still come."""
        settled = self.files.keys() | self.troubles.keys()
        return [pair for pair in self.wanted if pair[0].reference not in settled]

    @property
    def manifest(self) -> Manifest:
        present = (self.files.get(source.reference) for source, _ in self.wanted)
        return Manifest(self.folder, tuple(file for file in present if file is not None), self.n_fetched)

    def whole(self) -> Manifest:
        """The manifest, if nothing is missing."""
        if self.troubles:
            missing = {reference: str(trouble) for reference, trouble in self.troubles.items()}
            raise IncompleteError(missing, len(self.wanted), str(self.folder))
        return self.manifest


def _fetched(sources: Sequence[FileSource], into: Path, limits: TransferLimits, progress: Shown) -> Outcome:
    with shown(progress, "Fetching") as meter, told_when_interrupted(sources, into):
        return run_apart(lambda: _fetch_into(sources, into, limits, meter))


@contextmanager
def told_when_interrupted(sources: Sequence[FileSource], folder: Path) -> Iterator[None]:
    """Have an interrupt say what is missing."""
    try:
        yield
    except KeyboardInterrupt:
        wanted = {source.reference for source in sources}
        n_there = sum((folder / file.name).exists() for file in kept(folder) if file.reference in wanted)
        raise KeyboardInterrupt(
            f"{len(wanted) - n_there:,} of {len(wanted):,} files are missing in {folder}. Call again to fetch these."
        ) from None


async def _fetch_into(sources: Sequence[FileSource], folder: Path, limits: TransferLimits, meter: Meter) -> Outcome:
    outcome = await in_thread(lambda: looked_through(sources, folder))
    missing = outcome.missing
    run = _Run(limits, meter, n_done=len(outcome.wanted) - len(missing), n_files=len(outcome.wanted))

    async def fetch_one(pair: tuple[FileSource, str]) -> None:
        source, name = pair
        try:
            outcome.files[source.reference] = await run.fetched(source, outcome, name)
            outcome.n_fetched += 1
        except SkydexError as error:
            outcome.troubles[source.reference] = error
        except OSError as error:
            problem = f"cannot hold {name}: {error.strerror or error}."
            outcome.troubles[source.reference] = BadParameterError("into", problem)
        run.one_done()

    await run.each(fetch_one, missing)
    return outcome


def looked_through(sources: Sequence[FileSource], folder: Path) -> Outcome:
    """What is wanted, by name, and what of it is there already."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadParameterError("into", f"cannot be made a folder: {error.strerror}.") from error
    known = kept(folder)
    names = Names(known)
    outcome = Outcome(folder, names, frozenset(file.name for file in known), names.given(sources))
    for source, name in outcome.wanted:
        before = known.find(source.reference)
        if before is not None and before.is_whole(folder):
            outcome.files[source.reference] = before
        elif outcome.is_of_user(name):
            outcome.troubles[source.reference] = _not_ours(name)
    return outcome


def _not_ours(name: str) -> BadParameterError:
    problem = f"has a file {name} already, which is not one that was fetched. Move it, or name another folder."
    return BadParameterError("into", problem)


async def _read_into_memory(
    sources: Sequence[FileSource], limits: TransferLimits, meter: Meter
) -> list[bytes | SkydexError]:
    run = _Run(limits, meter, n_files=len(sources))
    contents: list[bytes | SkydexError] = [b""] * len(sources)

    async def read_one(number: int) -> None:
        part = MemoryPart(plain_name(sources[number].file_name), min(limits.max_file_bytes, limits.max_memory_bytes))
        try:
            contents[number] = await run.patiently(sources[number], part, part.content)
        except SkydexError as error:
            contents[number] = error
        run.one_done()

    await run.each(read_one, range(len(sources)))
    return contents


class _Run:
    """Several transfers at once."""

    def __init__(self, limits: TransferLimits, meter: Meter, *, n_files: int, n_done: int = 0) -> None:
        self._limits, self._meter, self._n_done, self._n_files = limits, meter, n_done, n_files
        self._answered = set[str]()
        self._client: httpx.AsyncClient | None = None
        meter.files(n_done, n_files)

    def one_done(self) -> None:
        self._n_done += 1
        self._meter.files(self._n_done, self._n_files)

    async def each(self, work: Callable[[T], Awaitable[None]], things: Iterable[T]) -> None:
        """Do something for each, as many at once as may be."""
        left = iter(things)

        async def worker() -> None:
            for thing in left:
                await work(thing)

        async with async_client(self._limits.concurrency) as self._client:
            workers = [asyncio.ensure_future(worker()) for _ in range(self._limits.concurrency)]
            try:
                await asyncio.gather(*workers)
            finally:
                for one in workers:
                    one.cancel()
                await asyncio.gather(*workers, return_exceptions=True)

    async def fetched(self, source: FileSource, outcome: Outcome, name: str) -> FetchedFile:
        """A file, in its folder."""
        part = FilePart(outcome.folder, name, source.reference, max_bytes=self._limits.max_file_bytes)

        def finish() -> FetchedFile:
            told = {"told": part.facts.file_name, "media_type": part.facts.media_type}
            final = outcome.names.final(name, source.reference, **told)
            if final != name and outcome.is_of_user(final):
                raise _not_ours(final)
            return part.finish(final)

        try:
            return await self.patiently(source, part, finish)
        finally:
            part.leave()

    async def patiently(self, source: FileSource, part: Part, finish: Callable[[], T]) -> T:
        """Fill a part and finish it, with as many attempts as it takes and the limits allow."""
        n_left, pause_s = self._limits.n_retries, self._limits.pause_s
        while True:
            try:
                await self._fill(source, part)
                return finish()
            except RefusedError as error:
                if error.status != _WRONG_RANGE or not part.offset:
                    raise
                part.restart()
            except UnreachableError as error:
                is_hopeless = not error.was_reached and error.host not in self._answered
                asked_s = error.wait_s or 0.0
                if n_left == 0 or is_hopeless or asked_s > self._limits.longest_pause_s:
                    raise
                n_left -= 1
                await asyncio.sleep(max(asked_s, pause_s * random.uniform(0.5, 1.0)))
                pause_s = min(2 * pause_s, self._limits.longest_pause_s)

    async def _fill(self, source: FileSource, part: Part) -> None:
        """One attempt."""
        offset = part.offset if part.validator else 0
        if not isinstance(source, WebFile):
            await self._fill_in_thread(source, part, offset)
            return
        assert self._client is not None, "transfers run in `each`"
        async with source.stream(self._client, offset, part.validator) as (opened, chunks):
            self._answered.add(source.host)
            part.begin(opened)
            async for chunk in chunks:
                part.write(chunk)
                self._meter.bytes(len(chunk))

    async def _fill_in_thread(self, source: FileSource, part: Part, offset: int) -> None:
        """One attempt with a source that blocks."""
        lock, is_over = threading.Lock(), False

        def copy() -> None:
            with source.open(offset, part.validator if offset else "") as opened:
                begin = True
                for chunk in opened.chunks:
                    with lock:
                        if is_over:
                            return
                        if begin:
                            part.begin(opened)
                        part.write(chunk)
                    begin = False
                    self._meter.bytes(len(chunk))
                with lock:
                    if begin and not is_over:
                        part.begin(opened)

        try:
            await in_thread(copy)
        finally:
            with lock:  # what is still in the thread shall not touch the part any more
                is_over = True

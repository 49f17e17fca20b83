"""`FarFiles`: the Parquet files of a remote catalogue, read by column chunks.

A file's footer is read once and kept with the version of the file that it is of; every range that follows must be of
that version. Whether a file that is seen for the first time belongs to the catalogue as it was opened shows in its
number of rows, in the manifest where there is one, and in the time of its last change.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from skydex.errors import DamagedDataError, TimeLimitError
from skydex.store.layout import partition_label
from skydex.store.remote.chunks import Pieces, chunk_spans, joined
from skydex.store.remote.faults import Altered, Fault
from skydex.store.remote.source import Order, Span
from skydex.store.remote.stamp import Stamp, seconds_of
from skydex.store.remote.traffic import Traffic, current_traffic

if TYPE_CHECKING:
    from skydex.store.manifest import FileFacts
    from skydex.store.remote.location import RemoteLocation

__all__ = ["FarFiles", "Incoming"]

_T = TypeVar("_T")
_TAIL = 8
_FIRST_GUESS = 32 << 10
"""Bytes at the end of a file in which its footer is hoped to be; what others needed is learnt."""
_LARGEST_FOOTER = 512 << 20
_MOST_CHUNKS = 200_000
"""Column chunks that all footers in memory describe; some 500 bytes each."""
_FOOTERS_AT_ONCE = 64
_MAGIC = (b"PAR1", b"PARE")


class _Unreadable(Exception):
    """A file is not what it should be; the text says how."""


@dataclass(frozen=True)
class Footer:
    """What a file says of itself, and of which version of the file that is."""

    metadata: pq.FileMetaData
    """Its row groups and columns."""
    stamp: Stamp
    """The version."""

    @property
    def n_chunks(self) -> int:
        return int(self.metadata.num_row_groups * self.metadata.num_columns)


@dataclass(frozen=True)
class _Brought:
    """Column chunks that came."""

    footer: Footer
    """Of their file."""
    contents: Mapping[int, bytes]
    """By their first byte."""
    is_new: frozenset[int]
    """Those that came over the network."""


class FarFiles:
    """The files of one catalogue."""

    def __init__(self, location: RemoteLocation) -> None:
        self._location = location
        self._facts: Mapping[str, FileFacts] = {}
        self._n_rows: Mapping[str, int | None] = {}
        self._footers: OrderedDict[str, Footer] = OrderedDict()
        self._n_chunks = 0
        self._under_way: dict[str, asyncio.Task[Footer]] = {}
        self._guess = _FIRST_GUESS

    def expect(self, facts: Mapping[str, FileFacts], n_rows: Mapping[str, int | None]) -> None:
        """Say what the files must be: their bytes where a manifest tells, their rows where they were counted."""
        self._facts, self._n_rows = facts, n_rows

    def footers(self, files: Sequence[str]) -> list[Footer]:
        """The footers of some files, by path, many at once."""
        traffic, found = current_traffic(), list[Footer]()
        for start in range(0, len(files), _FOOTERS_AT_ONCE):
            waiting = [
                (file, self._location.submit(self._footer(self._location.file_name(file), traffic)))
                for file in files[start : start + _FOOTERS_AT_ONCE]
            ]
            found += [self.awaited(file, future, None) for file, future in waiting]
        return found

    def order(
        self, file: str, groups: Sequence[int], columns: Sequence[str], *, n_rows: int | None, traffic: Traffic
    ) -> Incoming:
        """Begin to read some columns of some row groups, which shall have so many rows if that is known."""
        name = self._location.file_name(file)
        work = self._bring(name, tuple(groups), tuple(columns), n_rows, traffic)
        return Incoming(self, file, tuple(groups), tuple(columns), self._location.submit(work))

    def awaited(self, file: str, future: Future[_T], timeout_s: float | None) -> _T:
        """What comes of some work on a file, its faults in words."""
        try:
            return future.result(timeout_s)
        except _Unreadable as error:
            raise self.damage(file, str(error)) from error
        except Fault as fault:
            raise self._location.told(fault, file) from fault
        except TimeoutError as error:
            future.cancel()
            raise TimeLimitError(timeout_s or 0.0) from error

    def damage(self, file: str, what: str) -> DamagedDataError:
        """Make the error for a file that is not what it should be."""
        return DamagedDataError(
            f"Partition {partition_label(file)} of {self._location.name} is damaged: {what}. "
            "The catalogue lies elsewhere; tell those who keep it."
        )

    async def _footer(self, name: str, traffic: Traffic) -> Footer:
        if name in self._footers:
            self._footers.move_to_end(name)
            return self._footers[name]
        if name not in self._under_way:
            self._under_way[name] = asyncio.create_task(self._read_footer(name, traffic))
            self._under_way[name].add_done_callback(lambda _: self._under_way.pop(name, None))
        footer = await asyncio.shield(self._under_way[name])
        self._remember(name, footer)
        return footer

    def _remember(self, name: str, footer: Footer) -> None:
        if name in self._footers:
            return
        self._footers[name] = footer
        self._n_chunks += footer.n_chunks
        while self._n_chunks > _MOST_CHUNKS and len(self._footers) > 1:
            _, dropped = self._footers.popitem(last=False)
            self._n_chunks -= dropped.n_chunks

    async def _read_footer(self, name: str, traffic: Traffic) -> Footer:
        snapshot, cache = self._location.snapshot, self._location.cache
        key = f"{snapshot.root}\n{snapshot.token}\n{name}\nfooter"
        kept = cache.find(key)
        if kept is not None:
            head, _, tail = kept.partition(b"\n")
            traffic.add(cached_bytes=len(tail))
            return Footer(_parsed(tail), Stamp(**json.loads(head)))
        tail, stamp = await self._tail(name, traffic)
        footer = Footer(_parsed(tail), stamp)
        self._check(name, footer, tail)
        cache.keep(key, json.dumps(asdict(stamp)).encode() + b"\n" + tail)
        return footer

    async def _tail(self, name: str, traffic: Traffic) -> tuple[bytes, Stamp]:
        """The bytes of a footer with its length and magic number."""
        facts = self._facts.get(name)
        guess = min(self._guess, facts.size) if facts else self._guess
        span = Span(facts.size - guess, facts.size) if facts else Span(-guess, 0)
        reply = await self._location.ask(Order(name, span), traffic)
        if reply is None:
            raise _Unreadable("the file is missing")
        if facts is not None and reply.stamp.size != facts.size:
            raise _Unreadable(f"it has {reply.stamp.size:,} bytes instead of {facts.size:,}")
        tail, stamp = reply.content, reply.stamp
        if len(tail) < _TAIL or tail[-4:] not in _MAGIC:
            raise _Unreadable("the file cannot be read as Parquet")
        length = int.from_bytes(tail[-_TAIL:-4], "little") + _TAIL
        if length > min(stamp.size, _LARGEST_FOOTER):
            raise _Unreadable("the file cannot be read as Parquet")
        if length > len(tail):
            before = Span(stamp.size - length, stamp.size - len(tail))
            rest = await self._location.ask(Order(name, before, stamp), traffic)
            if rest is None:
                raise Altered("a file is gone")
            tail = rest.content + tail
        self._guess = max(self._guess, min(length + length // 8, 1 << 20))
        return tail[-length:], stamp

    def _check(self, name: str, footer: Footer, tail: bytes) -> None:
        """See whether a file that is met for the first time belongs to the catalogue as it was opened."""
        facts, n_rows = self._facts.get(name), self._n_rows.get(name)
        if facts is not None and facts.footer is not None:
            if zlib.crc32(tail) != facts.footer:
                raise _Unreadable("its footer has changed since publication")
            return
        if n_rows is not None and n_rows != footer.metadata.num_rows:
            raise Altered("a file has other rows than the catalogue says")
        opened, modified = seconds_of(self._location.snapshot.date), footer.stamp.modified_at
        if opened is not None and modified is not None and modified > opened:
            raise Altered("a file is newer than the catalogue that was opened")

    async def _bring(
        self, name: str, groups: tuple[int, ...], columns: tuple[str, ...], n_rows: int | None, traffic: Traffic
    ) -> _Brought:
        footer = await self._footer(name, traffic)
        if groups and max(groups) >= footer.metadata.num_row_groups:
            raise Altered("a file has other row groups than the catalogue says")
        if n_rows not in (None, sum(footer.metadata.row_group(group).num_rows for group in groups)):
            raise Altered("a file has other rows than the catalogue says")
        spans = chunk_spans(footer.metadata, groups, columns)
        contents = {span.start: kept for span in spans if (kept := self._kept(name, footer, span)) is not None}
        traffic.add(cached_bytes=sum(map(len, contents.values())))
        missing = [span for span in spans if span.start not in contents]
        stretches = joined(missing)
        replies = await asyncio.gather(*(self._stretch(name, span, footer, traffic) for span in stretches))
        new = _cut(missing, stretches, replies)
        return _Brought(footer, {**contents, **new}, frozenset(new))

    async def _stretch(self, name: str, span: Span, footer: Footer, traffic: Traffic) -> bytes:
        reply = await self._location.ask(Order(name, span, footer.stamp), traffic)
        if reply is None:
            raise Altered("a file is gone")
        if len(reply.content) != span.length:
            raise _Unreadable("it ends too early")
        return reply.content

    def _kept(self, name: str, footer: Footer, span: Span) -> bytes | None:
        found = self._location.cache.find(self._key(name, footer, span)) if footer.stamp.is_telling else None
        return found if found is not None and len(found) == span.length else None

    def keep(self, file: str, brought: _Brought) -> None:
        """Put chunks that came over the network into the cache."""
        name = self._location.file_name(file)
        if brought.footer.stamp.is_telling:
            for start in brought.is_new:
                content = brought.contents[start]
                key = self._key(name, brought.footer, Span(start, start + len(content)))
                self._location.cache.keep(key, content)

    def _key(self, name: str, footer: Footer, span: Span) -> str:
        return f"{self._location.root}\n{name}\n{footer.stamp}\n{span.start}-{span.stop}"

    @property
    def has_checksums(self) -> bool:
        """Whether pages carry checksums, as those that skydex wrote do."""
        return bool(self._facts)


@dataclass(frozen=True)
class Incoming:
    """Rows that are on their way."""

    files: FarFiles
    file: str
    groups: tuple[int, ...]
    columns: tuple[str, ...]
    future: Future[_Brought]

    def table(self, *, keep: bool, timeout_s: float | None = None) -> pa.Table:
        """Wait for the rows.

        Parameters
        ----------
        keep : bool
            Whether to put what came into the cache on the disk.
        timeout_s : float, optional
            How long to wait at most, in seconds.
        """
        brought = self.files.awaited(self.file, self.future, timeout_s)
        source = pa.PythonFile(Pieces(brought.footer.stamp.size, brought.contents), mode="r")
        try:
            opened = pq.ParquetFile(
                source,
                metadata=brought.footer.metadata,
                pre_buffer=False,
                page_checksum_verification=self.files.has_checksums,
            )
            table = opened.read_row_groups(list(self.groups), columns=list(self.columns), use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise self.files.damage(self.file, "its pages cannot be read") from error
        if keep:
            self.files.keep(self.file, brought)
        return table

    def cancel(self) -> None:
        """Give it up."""
        self.future.cancel()


def _parsed(tail: bytes) -> pq.FileMetaData:
    try:
        return pq.read_metadata(pa.BufferReader(tail))
    except (OSError, pa.ArrowException) as error:
        raise _Unreadable("the file cannot be read as Parquet") from error


def _cut(spans: Iterable[Span], stretches: Sequence[Span], replies: Sequence[bytes]) -> dict[int, bytes]:
    """Chunks out of the stretches in which they came; a long one may have come in several."""
    found = dict[int, bytes]()
    number = 0
    for span in spans:
        while stretches[number].stop <= span.start:
            number += 1
        content, at = b"", number
        while len(content) < span.length:
            stretch, reply = stretches[at], replies[at]
            content += reply[max(0, span.start - stretch.start) : span.stop - stretch.start]
            at += 1
        found[span.start] = content
    return found
